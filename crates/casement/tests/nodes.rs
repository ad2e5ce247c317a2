//! Several nodes on one database server: whoever asks, on whichever node, sees what was acknowledged before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use casement_app::app::App;
use casement_app::deadline::mark_passed;
use casement_app::installation::INSTALLATION;
use casement_app::lease::{Turn, Work};
use casement_app::making::NewWorkspaceInput;
use casement_store::error::CommitError;
use serde_json::json;

use crate::harness::server::{DAY_MS, STREAM, Server, update_of};
use crate::purge_races::Contest;

#[tokio::test]
async fn what_one_node_acknowledges_every_node_lists() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    for step in 1..=10 {
        let (writes, reads) = if step % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let case = writes.create_case(json!({})).await;
        let listed = reads.listed_case(&case["_id"]).await.expect("it is listed on the other node");
        assert_eq!(listed["refId"], format!("CS{:06}", 99 + step));
        let changed = reads.update_case(&case, json!({"name": format!("name {step}")})).await;
        let again = writes.listed_case(&case["_id"]).await.unwrap();
        assert_eq!(again["name"], changed["name"]);
    }
    let total = second.post("getCases", json!({})).await.document()["totalResults"].clone();
    assert_eq!(total, 10);
}

#[tokio::test]
async fn a_case_is_changed_by_one_node_at_a_time() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    let case = first.create_case(json!({})).await;
    let operation = update_of("updateCase", &case);
    let mut changed = 0;
    for step in 0..8 {
        let update = |node: &str| json!({"tags": [format!("{node} {step}")]});
        let (one, other) =
            tokio::join!(first.post(&operation, update("one")), second.post(&operation, update("other")));
        for answer in [one, other] {
            // A node that was overtaken again and again says so.
            assert!(answer.status == 200 || answer.status == 503, "{}", answer.status);
            changed += u64::from(answer.status == 200);
        }
    }
    assert!(changed >= 8);
    assert_eq!(first.events_of(case["_id"].as_str().unwrap()).await.len() as u64, changed + 1);
}

#[tokio::test]
async fn an_app_that_was_revoked_on_another_node_is_refused_at_the_next_request() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    assert_eq!(second.post("getCases", json!({})).await.status, 200);
    casement_app::jwt_app::revoke::revoke_jwt_app(&first.app, first.jwt.client_id.as_str()).await.unwrap();
    assert_eq!(second.post("getCases", json!({})).await.status, 401);
    assert_eq!(second.post("createCase", second.case_body(json!({}))).await.status, 401);
}

#[tokio::test]
async fn a_node_that_has_not_heard_of_a_revocation_commits_nothing_for_the_app() {
    let first = Server::start_on_server().await;
    let hears = Arc::new(AtomicBool::new(true));
    let second = first.node_that_hears(Arc::clone(&hears)).await;
    let case = second.create_case(json!({})).await;
    hears.store(false, Ordering::Relaxed);
    casement_app::jwt_app::revoke::revoke_jwt_app(&first.app, first.jwt.client_id.as_str()).await.unwrap();
    let hear = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        hears.store(true, Ordering::Relaxed);
    };
    let operation = update_of("updateCase", &case);
    let (made, changed, ()) = tokio::join!(
        second.post("createCase", second.case_body(json!({}))),
        second.post(&operation, json!({"name": "changed"})),
        hear,
    );
    assert_eq!((made.status, changed.status), (401, 401));
    assert_eq!(first.events_of(case["_id"].as_str().unwrap()).await.len(), 1);
    let row = first.store.workspace(STREAM).await.unwrap().unwrap();
    assert_eq!(row.counters["CS"], 101, "no number was given");
}

#[tokio::test]
async fn a_write_is_decided_by_whom_and_what_another_node_has_configured() {
    let first = Server::start_on_server().await;
    let hears = Arc::new(AtomicBool::new(true));
    let second = first.node_that_hears(Arc::clone(&hears)).await;
    hears.store(false, Ordering::Relaxed);
    let agent = first.agent("Ann").await;
    let queue = first.queue("Night").await;
    let hear = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        hears.store(true, Ordering::Relaxed);
    };
    // By what the node knows, the queue is refused and the acting agent is nobody.
    let refused = second.case_body(json!({"queues": [queue.name]}));
    let refused = second.call("createCase").acting_as(agent.user.as_str()).json(&refused);
    let acted = second.case_body(json!({}));
    let acted = second.call("createCase").acting_as(agent.user.as_str()).json(&acted);
    let (queued, acted, ()) = tokio::join!(refused.send(), acted.send(), hear);
    let (queued, acted) = (queued.document(), acted.document());
    assert_eq!(queued["createdBy"]["name"], "Ann", "{queued}");
    assert_eq!(acted["createdBy"]["name"], "Ann", "{acted}");
}

#[tokio::test]
async fn a_write_sees_what_another_node_has_just_configured() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    for step in 0..5 {
        let name = format!("Queue {step}");
        first.queue(&name).await;
        // Refused by what the node knows, and right by what is acknowledged.
        let body = second.case_body(json!({"queues": [name]}));
        let made = second.post("createCase", body).await.document();
        assert_eq!(made["queues"][0]["name"], name, "{made}");
    }
}

#[tokio::test]
async fn a_number_that_another_node_has_just_given_names_its_case() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    for step in 0..5 {
        let case = first.create_case(json!({})).await;
        let path = format!("cases/{}", case["refId"].as_str().unwrap());
        let path = format!("/api/v1/streams/{STREAM}/{path}");
        let patch =
            second.call("").method("PATCH").path(&path).json(&json!({"name": format!("name {step}")}));
        let changed = patch.send().await;
        assert_eq!(changed.status, 200);
        assert_eq!(changed.document()["_id"], case["_id"]);
    }
}

#[tokio::test]
async fn an_idempotency_key_counts_on_every_node() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    let body = first.case_body(json!({}));
    let made = first.call("createCase").header("idempotency-key", "k-1").json(&body).send().await.document();
    let again =
        second.call("createCase").header("idempotency-key", "k-1").json(&body).send().await.document();
    assert_eq!(made, again);
    assert_eq!(second.post("getCases", json!({})).await.document()["totalResults"], 1);
}

#[tokio::test]
async fn claims_alone_jump_over_nothing_that_another_node_committed() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    let case = first.create_case(json!({})).await;
    let missing = update_of("updateCase", &case);
    for step in 0..20 {
        // On the one node an event, on the other at the same moment a refusal that is kept under its key.
        let refused = first
            .call(&missing)
            .header("idempotency-key", &format!("refused {step}"))
            .header("if-match", "\"v999\"")
            .json(&json!({"name": "x"}));
        let (made, refused) = tokio::join!(second.create_case(json!({})), refused.send());
        assert_eq!(refused.status, 412);
        assert!(first.listed_case(&made["_id"]).await.is_some(), "step {step}");
    }
    assert_eq!(first.post("getCases", json!({})).await.document()["totalResults"], 21);
}

#[tokio::test]
async fn used_token_ids_jump_over_no_change_of_an_app() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    let now = first.app.sources().now();
    for step in 0..10 {
        // The claim of the one node and a new workspace, with its app, of the other.
        let id = format!("jti-{step}");
        let used = casement_app::jwt_app::token_id::TokenUse { id: &id, ends_at: now, now };
        let input = NewWorkspaceInput::default();
        let (used, made) = tokio::join!(
            casement_app::jwt_app::token_id::use_token_id(&first.app, &first.jwt, used),
            second.app.make_workspace(input)
        );
        used.unwrap();
        let made = made.unwrap();
        assert_eq!(first.post("getCases", json!({})).await.status, 200);
        assert!(first.app.jwt_app(made.app.client_id.as_str()).is_some(), "step {step}");
    }
}

#[tokio::test]
async fn a_passed_deadline_is_marked_by_one_node() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    let case = first.create_case(json!({})).await;
    assert!(second.listed_case(&case["_id"]).await.is_some());
    first.advance(5 * DAY_MS);
    assert_eq!(mark_passed(&first.app).await, 1);
    assert_eq!(mark_passed(&second.app).await, 0);
    assert_eq!(second.listed_case(&case["_id"]).await.unwrap()["isBreached"], true);
}

#[tokio::test]
async fn a_holder_that_was_stopped_and_wakes_does_no_harm() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    let Turn::Under(stopped) = first.app.turn_of(STREAM, Work::Deadlines).await.unwrap() else {
        panic!("nobody has the lease yet")
    };
    assert_eq!(second.app.turn_of(STREAM, Work::Deadlines).await.unwrap(), Turn::Others);
    let before_the_stop = first.now_ms();
    first.advance(60_000);
    let Turn::Under(next) = second.app.turn_of(STREAM, Work::Deadlines).await.unwrap() else {
        panic!("the lease has ended")
    };
    assert_ne!(stopped, next);
    // What the stopped holder had decided comes now, with the time at which it was decided.
    let set = |lease: Turn, at_ms: i64, key: &str| casement_store::set::WriteSet {
        workspace: STREAM.to_owned(),
        operation: [9; 16],
        at_ms,
        actor: "u-casement".to_owned(),
        app: String::new(),
        config_version: None,
        changes_config: false,
        guards: Vec::new(),
        claim_guards: lease.guard().into_iter().collect(),
        head_guards: Vec::new(),
        documents: Vec::new(),
        claims: vec![casement_store::set::ClaimWrite::Put {
            key: key.to_owned(),
            document: "done".to_owned(),
            result: None,
            expires_ms: None,
        }],
        events: Vec::new(),
    };
    let late = first.store.commit(set(Turn::Under(stopped), before_the_stop, "late")).await;
    assert!(matches!(late, Err(CommitError::Missed(_))), "{late:?}");
    second.store.commit(set(Turn::Under(next), first.now_ms(), "right")).await.unwrap();
    assert!(second.store.claim(STREAM, "late").await.unwrap().is_none());
}

#[tokio::test]
async fn of_nodes_that_start_at_once_one_makes_the_workspace() {
    let first = Server::start_on_server().await;
    // There is one: nobody makes another.
    let second = first.another_node().await;
    let planned = second.app.plan_workspace(NewWorkspaceInput::default()).unwrap();
    assert!(second.app.make_first_workspace(&planned).await.unwrap().is_none());
    let empty = Server::empty_nodes(3).await;
    let mut starts = tokio::task::JoinSet::new();
    for app in &empty.apps {
        let app = Arc::clone(app);
        starts.spawn(async move {
            let planned = app.plan_workspace(NewWorkspaceInput::default()).unwrap();
            app.make_first_workspace(&planned).await.unwrap().is_some()
        });
    }
    let made = starts.join_all().await.into_iter().filter(|made| *made).count();
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_first_workspace_that_is_made_again_after_a_lost_answer_is_the_same_one() {
    let empty = Server::empty_nodes(2).await;
    let [one, other] = empty.apps.as_slice() else { unreachable!() };
    let plan = |app: &App| app.plan_workspace(NewWorkspaceInput::default()).unwrap();
    let (planned, late) = (plan(one), plan(other));
    let first = one.make_first_workspace(&planned).await.unwrap().unwrap();
    let again = one.make_first_workspace(&planned).await.unwrap().unwrap();
    assert_eq!(
        (again.app, again.workspace, again.secret.reveal()),
        (first.app, first.workspace, first.secret.reveal())
    );
    assert!(other.make_first_workspace(&late).await.unwrap().is_none());
    assert_eq!(one.installation().workspaces.len(), 1);
}

#[tokio::test]
async fn a_node_that_has_lost_its_turn_lists_no_first_workspace() {
    let empty = Server::empty_nodes(2).await;
    let [one, other] = empty.apps.as_slice() else { unreachable!() };
    let turn = async |app: &App| app.turn_of(INSTALLATION, Work::FirstWorkspace).await.unwrap();
    assert!(matches!(turn(one).await, Turn::Under(_)));
    // By the other's clock that turn has ended; the first does not know.
    empty.clocks_ms[1].fetch_add(DAY_MS, Ordering::Relaxed);
    assert!(matches!(turn(other).await, Turn::Under(_)));
    let late = Arc::clone(one);
    let late = tokio::spawn(async move {
        let planned = late.plan_workspace(NewWorkspaceInput::default()).unwrap();
        late.make_first_workspace(&planned).await.unwrap().is_some()
    });
    // It has begun: there is its workspace, which nothing lists.
    while empty.stores[1].workspaces().await.unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let planned = other.plan_workspace(NewWorkspaceInput::default()).unwrap();
    assert!(other.make_first_workspace(&planned).await.unwrap().is_some());
    assert!(!late.await.unwrap());
    assert_eq!(one.installation().workspaces.len(), 1);
}

#[tokio::test]
async fn a_link_of_one_node_serves_once_on_all() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    first.create_case(json!({})).await;
    for _ in 0..4 {
        let path = format!("/api/v1/streams/{STREAM}/cases/CS000100/feedback-links");
        let link = first.call("").path(&path).json(&json!({})).send().await.json();
        let customer = async |node: &Server, method: &str| {
            let path = link["path"].as_str().unwrap();
            node.call("").bare().method(method).path(path).json(&json!({"score": 5})).send().await
        };
        assert_eq!(customer(&second, "GET").await.status, 200);
        let (one, other) = tokio::join!(customer(&first, "POST"), customer(&second, "POST"));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
    let path = format!("/api/v1/streams/{STREAM}/cases/CS000100");
    let case = second.call("").method("GET").path(&path).send().await.document();
    assert_eq!(case["feedback"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn of_a_purge_and_a_restore_on_two_nodes_one_wins() {
    let first = Server::start_on_server().await;
    let hears = Arc::new(AtomicBool::new(true));
    let second = first.node_that_hears(Arc::clone(&hears)).await;
    for (comments, is_whole) in [(3, true), (60, false)] {
        let contest = Contest::begin(&second, comments).await;
        // The purge stands still behind its first set, and goes on when the other node has restored the case, or could not.
        hears.store(false, Ordering::Relaxed);
        let meanwhile = async {
            while contest.purged(&first).await == 0 {
                tokio::task::yield_now().await;
            }
            let restore = contest.restore(&first).await;
            hears.store(true, Ordering::Relaxed);
            restore
        };
        let (purge, restore) = tokio::join!(contest.purge(&second), meanwhile);
        assert_eq!(contest.judge(&first, &purge, &restore).await, is_whole);
        // The restore comes first.
        let contest = Contest::begin(&second, comments).await;
        let restore = contest.restore(&first).await;
        assert!(!contest.judge(&first, &contest.purge(&second).await, &restore).await);
    }
}

#[tokio::test]
async fn what_one_node_purges_is_found_on_none() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    let case = first.create_case(json!({"name": "One"})).await;
    second.create_task(&case, json!({})).await;
    let send = async |node: &Server, method: &str, rest: &str| {
        let path = format!("/api/v1/streams/{STREAM}/cases/CS000100{rest}");
        node.call("").method(method).path(&path).send().await.status
    };
    assert_eq!(send(&first, "DELETE", "").await, 200);
    assert_eq!(send(&second, "POST", "/purge").await, 204);
    for node in [&first, &second] {
        for rest in ["", "/events", "/tasks", "/comments"] {
            assert_eq!(send(node, "GET", rest).await, 404, "{rest}");
        }
        assert_eq!(node.post("getTasks", json!({})).await.document()["totalResults"], 0);
        assert_eq!(node.store.verify(STREAM).await.unwrap().fault, None);
    }
}
