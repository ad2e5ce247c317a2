//! Purging cases and tasks: nothing of them is found any more, and the log stays whole.

use std::path::{Path, PathBuf};

use casement_api::routes::table::{Permission, ROUTES};
use casement_app::attachment::sweep::sweep;
use casement_store::set::{DocumentWrite, EventWrite, WriteSet};
use serde_json::{Value, json};

use crate::attachments::{added, files, id};
use crate::harness::answer::Answer;
use crate::harness::call::Call;
use crate::harness::server::{HOUR_MS, STREAM, Server};

/// Stands in everything that is purged, and nowhere else.
pub const SAID: &str = "Xylophagous";

fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId")
}

async fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path).send().await.document()
}

async fn delete(server: &Server, path: &str) {
    call(server, "DELETE", path).send().await.document();
}

async fn purge(server: &Server, path: &str) -> Answer {
    call(server, "POST", &format!("{path}/purge")).send().await
}

/// Deletes and purges.
async fn gone(server: &Server, path: &str) {
    delete(server, path).await;
    let answer = purge(server, path).await;
    assert_eq!((answer.status, answer.bytes.len()), (204, 0), "{}", String::from_utf8_lossy(&answer.bytes));
}

/// A case CS000100 that says [`SAID`] wherever it can, and a bystander CS000101.
struct Told {
    case: Value,
    task: Value,
    comment: Value,
    attachment: Value,
    link: Value,
}

async fn told(server: &Server) -> Told {
    let long = format!("{SAID} ").repeat(4_000);
    let case = server.create_case(json!({"name": SAID, "desc": long, "tags": [SAID], "source": SAID})).await;
    let post = |path: &'static str, body: Value| async move {
        let path = format!("cases/CS000100/{path}");
        call(server, "POST", &path).json(&body).send().await.json()
    };
    let comment = post("comments", json!({"text": SAID})).await;
    let path = format!("cases/CS000100/comments/{}", id(&comment));
    call(server, "PATCH", &path).json(&json!({"text": format!("{SAID} again")})).send().await.document();
    let attachment = added(server, &case, SAID, long.as_bytes()).await;
    let task = server.create_task(&case, json!({"name": SAID, "desc": SAID})).await;
    let plan = json!({"checklist": [{"text": SAID}]});
    call(server, "PATCH", "tasks/TS000100/plan").json(&plan).send().await.document();
    post("resolution-comments", json!({"text": SAID})).await;
    let link = post("feedback-links", json!({})).await;
    server.advance(HOUR_MS);
    call(server, "PATCH", "cases/CS000100").json(&json!({"desc": SAID})).send().await.document();
    let other = server.create_case(json!({"name": "Bystander"})).await;
    call(server, "PUT", "cases/CS000101/links/CS000100?type=related").send().await.document();
    added(server, &other, "kept.txt", b"kept").await;
    Told { case, task, comment, attachment, link }
}

/// Sends a request for every route that names a case or task, once as it is and once with an id that there is not; both
/// must say the same.
async fn answers_like_unknown(server: &Server, told: &Told, cases: &[&str], tasks: &[&str]) {
    let mut asked = 0;
    for route in ROUTES.iter().filter(|route| route.permission != Permission::Public) {
        let (parameter, names) = match (route.path.contains("{caseId}"), route.path.contains("{taskId}")) {
            (true, _) => ("{caseId}", cases),
            (_, true) => ("{taskId}", tasks),
            (false, false) => continue,
        };
        let path = route
            .path
            .replace("{streamId}", STREAM)
            .replace("{attachmentId}", id(&told.attachment))
            .replace("{commentId}", id(&told.comment))
            .replace("{version}", "2")
            .replace("{agentId}", "me")
            .replace("{otherId}", "CS000101");
        let query = if route.operation == "uploadAttachment" { "?name=a.txt" } else { "" };
        for name in names {
            let send = |name: &str| {
                let path = path.replace(parameter, name) + query;
                let call = server.call("").method(route.method).path(&path).and_header("Content-Length", "2");
                call.bytes("{}").send()
            };
            let (found, unknown) = (send(name).await, send("xx-unknown").await);
            assert_eq!((found.status, &found.bytes), (unknown.status, &unknown.bytes), "{path} {name}");
            if route.operation != "linkCases" && route.operation != "unlinkCases" {
                assert_eq!(found.status, 404, "{} {path} {name}", route.method);
            }
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
}

async fn total(server: &Server, noun: &str, query: &str) -> u64 {
    get(server, &format!("{noun}?{query}")).await["totalResults"].as_u64().unwrap()
}

#[tokio::test]
async fn of_a_purged_case_and_what_belongs_to_it_nothing_is_found() {
    let server = Server::start().await;
    let told = told(&server).await;
    assert_eq!((total(&server, "cases", "").await, total(&server, "tasks", "").await), (2, 1));
    assert_eq!(total(&server, "cases", &format!("q={SAID}")).await, 1);
    assert_eq!(files(&server), 2);
    delete(&server, "cases/CS000100").await;
    let before = server.events_total().await;
    let answer = purge(&server, "cases/CS000100").await;
    assert_eq!((answer.status, answer.bytes.len(), answer.header("etag")), (204, 0, None));
    // Comments, attachments with what they took, tasks, and the case itself.
    assert_eq!(server.events_total().await, before + 5);
    let check = async |server: &Server| {
        let (case, task) = (id(&told.case), id(&told.task));
        answers_like_unknown(server, &told, &["CS000100", case], &["TS000100", task]).await;
        for noun in ["cases", "tasks"] {
            assert_eq!(total(server, noun, &format!("q={SAID}")).await, 0, "{noun}");
            let all = get(server, &format!("{noun}?limit=100")).await;
            assert!(!all.to_string().contains(SAID), "{noun}");
            let counted = call(server, "POST", &format!("{noun}/count"));
            let counted = counted.json(&json!({"groupBy": ["tag", "status", "day"]})).send().await.json();
            assert_eq!(counted["totalResults"], json!(u64::from(noun == "cases")), "{counted}");
            assert!(!counted.to_string().contains(SAID), "{counted}");
        }
        assert_eq!(server.post("getCases", json!({"searchText": SAID})).await.json()["totalResults"], 0);
        assert_eq!(get(server, "cases/CS000101/links").await["results"], json!([]));
        assert_eq!(get(server, "cases/CS000101/attachments").await["results"].as_array().unwrap().len(), 1);
        let held = server.call("").bare().method("GET").path(told.link["path"].as_str().unwrap());
        held.send().await.refused(404);
        let as_of = casement_domain::date::Moment::from_ms(server.now_ms()).iso();
        call(server, "GET", &format!("cases/{case}?asOf={as_of}")).refused(404).await;
        server.call("createTask").json(&server.task_body(&told.case, json!({}))).refused(404).await;
        let report = server.store.verify(STREAM).await.unwrap();
        assert_eq!((report.events, report.fault), (server.events_total().await, None));
        assert!(report.erased >= 10, "{}", report.erased);
    };
    check(&server).await;
    assert_eq!(files(&server), 1, "its bytes are gone, those of others not");
    for (kind, document) in [
        ("case", &told.case),
        ("task", &told.task),
        ("comment", &told.comment),
        ("attachment", &told.attachment),
    ] {
        let left = server.store.document(STREAM, kind, id(document)).await.unwrap().unwrap();
        assert_eq!(left.body, format!("{{\"purged_at\":{}}}", server.now_ms()).into_bytes());
        assert_eq!(left.parent, None);
        let events = server.events_of(id(document)).await;
        let (last, former) = events.split_last().unwrap();
        assert_eq!((last.kind.as_str(), last.version, last.at_ms), ("erased", left.version, server.now_ms()));
        assert!(former.iter().all(|event| event.salt.is_none() && event.changes.is_none()), "{kind}");
    }
    let server = server.restarted().await;
    check(&server).await;
    // Its number is not given again.
    assert_eq!(server.create_case(json!({})).await["refId"], "CS000102");
}

#[tokio::test]
async fn only_what_is_deleted_is_purged_and_only_in_the_version_that_is_named() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    server.create_task(&case, json!({})).await;
    for path in ["cases/CS000100", "tasks/TS000100"] {
        let refused = call(&server, "POST", &format!("{path}/purge"));
        assert_eq!(refused.refused(409).await, ["isActive"], "{path}");
        delete(&server, path).await;
        let tag = call(&server, "GET", path).send().await.header("etag").unwrap().to_owned();
        let named = |tag: &str| call(&server, "POST", &format!("{path}/purge")).and_header("If-Match", tag);
        named("\"v1\"").refused(412).await;
        call(&server, "POST", &format!("{path}/restore")).send().await.document();
        call(&server, "POST", &format!("{path}/purge")).refused(409).await;
        if path.starts_with("cases") {
            continue;
        }
        delete(&server, path).await;
        named(&tag).refused(412).await;
    }
    for absent in ["cases/CS000999", "tasks/TS000999", "cases/TS000100"] {
        call(&server, "POST", &format!("{absent}/purge")).refused(404).await;
    }
}

#[tokio::test]
async fn a_purge_that_is_sent_again_gets_its_first_answer_under_its_key_and_a_404_without() {
    let server = Server::start().await;
    let create =
        || server.call("createCase").json(&server.case_body(json!({}))).and_header("Idempotency-Key", "c");
    let case = create().send().await.document();
    let update = || {
        let path = format!("cases/{}", id(&case));
        call(&server, "PATCH", &path).json(&json!({"name": "Two"})).and_header("Idempotency-Key", "u")
    };
    update().send().await.document();
    let purge_with =
        |key: &str| call(&server, "POST", "cases/CS000100/purge").and_header("Idempotency-Key", key).send();
    purge_with("early").await.refused(409);
    delete(&server, "cases/CS000100").await;
    purge_with("early").await.refused(409);
    let first = purge_with("p").await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (204, None));
    let events = server.events_total().await;
    let again = purge_with("p").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (204, Some("true")));
    purge_with("q").await.refused(404);
    purge(&server, "cases/CS000100").await.refused(404);
    // What was answered before it was purged is not answered again.
    create().refused(404).await;
    update().refused(404).await;
    assert_eq!(server.events_total().await, events);
}

#[tokio::test]
async fn a_purged_task_leaves_its_case_and_the_plans_of_others_as_if_it_had_never_been() {
    let server = Server::start().await;
    let create =
        || server.call("createCase").json(&server.case_body(json!({}))).and_header("Idempotency-Key", "c");
    let case = create().send().await.document();
    let first = server.create_task(&case, json!({"name": SAID})).await;
    server.create_task(&case, json!({"name": "Second"})).await;
    let plan = json!({"dependsOn": ["TS000100"]});
    call(&server, "PATCH", "tasks/TS000101/plan").json(&plan).send().await.document();
    gone(&server, "tasks/TS000100").await;
    assert!(!get(&server, "tasks/TS000101/plan").await.to_string().contains(SAID));
    assert_eq!(total(&server, "tasks", "").await, 1);
    let case = get(&server, "cases/CS000100").await;
    assert_eq!(case["taskIds"].as_array().unwrap().len(), 1, "{case}");
    for path in ["events", "plan", "tasks", "blame"] {
        let shown = get(&server, &format!("cases/CS000100/{path}")).await;
        assert!(!shown.to_string().contains(SAID), "{path}: {shown}");
    }
    // Nobody waits for it, and nobody can be told to.
    let path = format!("/caseManagement/api/public/analytics/{STREAM}/updateTask/{}", id(&first));
    server.call("").path(&path).json(&json!({"isActive": true})).refused(404).await;
    call(&server, "PATCH", "tasks/TS000101/plan").json(&plan).refused(400).await;
    let done = json!({"status": "Resolved"});
    call(&server, "PATCH", "tasks/TS000101").json(&done).send().await.document();
    assert_eq!(create().send().await.header("idempotent-replayed"), Some("true"));
    assert_eq!(server.store.verify(STREAM).await.unwrap().fault, None);
}

#[tokio::test]
async fn a_case_that_was_merged_can_be_purged_and_goes_with_the_one_that_took_it_in() {
    let server = Server::start().await;
    let mut comments = Vec::new();
    for name in ["CS000100", "CS000101", "CS000102"] {
        let case = server.create_case(json!({"name": SAID})).await;
        let path = format!("cases/{name}/comments");
        let made = call(&server, "POST", &path).json(&json!({"text": SAID})).send().await.made();
        comments.push(id(&made).to_owned());
        added(&server, &case, SAID, SAID.as_bytes()).await;
    }
    let merge = |from: &str, into: &str| {
        call(&server, "POST", &format!("cases/{from}/merge")).json(&json!({"into": into})).send()
    };
    merge("CS000100", "CS000102").await.document();
    merge("CS000101", "CS000102").await.document();
    assert_eq!(purge(&server, "cases/CS000100").await.status, 204);
    call(&server, "GET", "cases/CS000100").refused(404).await;
    let links = get(&server, "cases/CS000102/links").await;
    assert_eq!(links["results"].as_array().unwrap().len(), 1, "{links}");
    let shown = get(&server, "cases/CS000102/comments").await;
    assert_eq!(shown["results"].as_array().unwrap().len(), 2, "{shown}");
    assert_eq!(files(&server), 2);
    gone(&server, "cases/CS000102").await;
    for name in ["CS000101", "CS000101?redirect=false", "CS000101/links", "CS000101/comments"] {
        call(&server, "GET", &format!("cases/{name}")).refused(404).await;
    }
    for comment in &comments {
        let left = server.store.document(STREAM, "comment", comment).await.unwrap().unwrap();
        assert_eq!(left.schema, 0);
    }
    assert_eq!(files(&server), 0);
    assert_eq!(server.store.verify(STREAM).await.unwrap().fault, None);
}

#[tokio::test]
async fn what_came_with_a_merged_case_goes_with_that_case() {
    let server = Server::start().await;
    for name in ["Merged", "Goes on"] {
        let case = server.create_case(json!({"name": name})).await;
        let path = format!("cases/{}/comments", id(&case));
        call(&server, "POST", &path).json(&json!({"text": format!("{SAID} {name}")})).send().await.made();
    }
    let into = json!({"into": "CS000101"});
    call(&server, "POST", "cases/CS000100/merge").json(&into).send().await.document();
    let shown = async |path: &str| {
        let page = get(&server, path).await;
        page["results"].as_array().unwrap().iter().map(|found| found["text"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(shown("cases/CS000101/comments").await.len(), 2);
    assert_eq!(total(&server, "cases", "q=comment:Merged").await, 1);
    assert_eq!(purge(&server, "cases/CS000100").await.status, 204);
    assert_eq!(shown("cases/CS000101/comments").await, [format!("{SAID} Goes on")]);
    assert_eq!(total(&server, "cases", "q=comment:Merged").await, 0);
    assert_eq!(total(&server, "cases", "q=comment:on").await, 1);
    let server = server.restarted().await;
    assert_eq!(total(&server, "cases", "q=comment:Merged").await, 0);
    assert_eq!(server.store.verify(STREAM).await.unwrap().fault, None);
}

#[tokio::test]
async fn a_purge_that_breaks_off_leaves_a_deleted_case_and_goes_on_when_it_is_sent_again() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": SAID})).await;
    let mut comments = Vec::new();
    for number in 0..100 {
        let body = json!({"text": format!("{SAID} {number}")});
        let made = call(&server, "POST", "cases/CS000100/comments").json(&body).send().await.made();
        comments.push(id(&made).to_owned());
    }
    added(&server, &case, SAID, SAID.as_bytes()).await;
    delete(&server, "cases/CS000100").await;
    let is_purged = async |comment: &String| {
        let document = server.store.document(STREAM, "comment", comment).await.unwrap().unwrap();
        document.schema == 0
    };
    let begun = async {
        while !is_purged(comments.last().unwrap()).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = begun => {}
        answer = call(&server, "POST", "cases/CS000100/purge").send() => panic!("ended with {}", answer.status),
    }
    assert!(!is_purged(comments.first().unwrap()).await);
    let deleted = call(&server, "GET", "cases/CS000100").send().await;
    let tag = deleted.header("etag").unwrap().to_owned();
    let left = get(&server, "cases/CS000100/comments?limit=100").await;
    let left = left["results"].as_array().unwrap().len();
    assert!((1..100).contains(&left), "{left}");
    // It may still be restored, with what is left.
    assert_eq!(server.store.verify(STREAM).await.unwrap().fault, None);
    let again = call(&server, "POST", "cases/CS000100/purge").and_header("If-Match", &tag).send().await;
    assert_eq!(again.status, 204);
    for comment in &comments {
        assert!(is_purged(comment).await);
    }
    assert_eq!(files(&server), 0);
    assert_eq!(server.store.verify(STREAM).await.unwrap().fault, None);
}

#[tokio::test]
async fn bytes_that_a_broken_purge_left_go_with_the_next_sweep() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    added(&server, &case, "a.txt", SAID.as_bytes()).await;
    let path = mentions(&server.bytes_directory(), SAID).pop().unwrap().0;
    let bytes = std::fs::read(&path).unwrap();
    gone(&server, "cases/CS000100").await;
    assert_eq!(files(&server), 0);
    // As they are when the server ends between the commit and their removal.
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(sweep(&server.app).await.unwrap().removed, 1);
    assert_eq!(files(&server), 0);
}

#[tokio::test]
async fn more_events_than_one_set_erases_go_in_several() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": SAID})).await;
    delete(&server, "cases/CS000100").await;
    // A thousand changes as the log has them, in three sets.
    for _ in 0..3 {
        let stored = server.store.document(STREAM, "case", id(&case)).await.unwrap().unwrap();
        let event = EventWrite {
            kind: "case.updated".to_owned(),
            document_kind: "case".to_owned(),
            document: id(&case).to_owned(),
            changes: Some(json!({"name": {"from": SAID, "to": SAID}}).to_string().into_bytes()),
            salt: [7; 16],
        };
        let set = WriteSet {
            workspace: STREAM.to_owned(),
            operation: [7; 16],
            at_ms: server.now_ms(),
            actor: "u-test".to_owned(),
            app: String::new(),
            config_version: None,
            changes_config: false,
            guards: Vec::new(),
            claim_guards: Vec::new(),
            head_guards: Vec::new(),
            documents: vec![DocumentWrite {
                kind: stored.kind,
                id: stored.id,
                parent: stored.parent,
                version: stored.version,
                counter: None,
                schema: stored.schema,
                body: stored.body,
            }],
            claims: Vec::new(),
            events: vec![event; 800],
        };
        server.store.commit(set).await.unwrap();
    }
    let version = server.store.document(STREAM, "case", id(&case)).await.unwrap().unwrap().version;
    let answer =
        call(&server, "POST", "cases/CS000100/purge").and_header("If-Match", &format!("\"v{version}\""));
    assert_eq!(answer.send().await.status, 204);
    let report = server.store.verify(STREAM).await.unwrap();
    assert_eq!((report.erased, report.fault), (2_402, None));
    let events = server.store.document_events(STREAM, id(&case), 2_300, 1000).await.unwrap();
    let erasures: Vec<u64> =
        events.iter().filter(|event| event.kind == "erased").map(|event| event.version).collect();
    assert_eq!(erasures, [version, version, version + 1]);
}

#[tokio::test]
async fn a_history_of_which_a_part_was_erased_tells_the_rest() {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One"})).await;
    for name in ["Two", "Three"] {
        server.update_case(&case, json!({"name": name})).await;
    }
    let events = server.events_of(id(&case)).await;
    let stored = server.store.document(STREAM, "case", id(&case)).await.unwrap().unwrap();
    // As a purge does that breaks off after its first part.
    let set = WriteSet {
        workspace: STREAM.to_owned(),
        operation: [7; 16],
        at_ms: server.now_ms(),
        actor: "u-test".to_owned(),
        app: String::new(),
        config_version: None,
        changes_config: false,
        guards: vec![casement_store::set::Guard {
            kind: stored.kind,
            id: stored.id,
            version: stored.version,
        }],
        claim_guards: Vec::new(),
        head_guards: Vec::new(),
        documents: Vec::new(),
        claims: Vec::new(),
        events: vec![EventWrite::erasing("case", id(&case), events[1].sequence, [1; 16])],
    };
    server.store.commit(set).await.unwrap();
    let history = get(&server, "cases/CS000100/events").await;
    let told: Vec<_> = history["results"].as_array().unwrap().iter().map(|event| &event["version"]).collect();
    assert_eq!(told, [3, 2, 1]);
    assert_eq!(history["results"][0]["changes"][0]["old"], "Two", "{history}");
    get(&server, "cases/CS000100/blame").await;
    server.update_case(&case, json!({"name": "Four"})).await;
    assert_eq!(get(&server, "cases/CS000100/events").await["results"].as_array().unwrap().len(), 4);
    assert_eq!(server.store.verify(STREAM).await.unwrap().fault, None);
}

/// Counts how often a text stands in the files below a directory.
pub fn mentions(directory: &Path, text: &str) -> Vec<(PathBuf, usize)> {
    let (mut found, mut folders) = (Vec::new(), vec![directory.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let (lower, folded) = (bytes.to_ascii_lowercase(), text.to_ascii_lowercase());
            let count = lower.windows(folded.len()).filter(|part| *part == folded.as_bytes()).count();
            if count > 0 {
                found.push((path, count));
            }
        }
    }
    found
}

#[tokio::test]
async fn nothing_of_a_purged_case_stays_in_the_files() {
    let server = Server::start_embedded().await;
    told(&server).await;
    let root = server.bytes_directory().parent().unwrap().to_path_buf();
    assert!(!mentions(&root, SAID).is_empty());
    gone(&server, "cases/CS000100").await;
    server.store.close().await;
    assert_eq!(mentions(&root, SAID), []);
    assert!(!mentions(&root, "Bystander").is_empty());
}
