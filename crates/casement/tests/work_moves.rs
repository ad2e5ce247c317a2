//! What happens to cases besides updates: transfers, watchers, links and merges.

use serde_json::{Value, json};

use crate::harness::call::Call;
use crate::harness::server::{HOUR_MS, STREAM, Server};

fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId")
}

async fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path).send().await.document()
}

async fn post(server: &Server, path: &str, body: Value) -> Value {
    call(server, "POST", path).json(&body).send().await.document()
}

async fn put(server: &Server, path: &str) -> Value {
    call(server, "PUT", path).send().await.document()
}

async fn kinds(server: &Server, path: &str) -> Vec<String> {
    let page = get(server, &format!("{path}/events")).await;
    let events = page["results"].as_array().unwrap().iter();
    events.map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

fn linked(page: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let links = page["results"].as_array().unwrap().iter();
    links.map(|link| (text(&link["type"]), text(&link["case"]["refId"]))).collect()
}

fn named(links: &[(&str, &str)]) -> Vec<(String, String)> {
    links.iter().map(|(kind, case)| ((*kind).to_owned(), (*case).to_owned())).collect()
}

#[tokio::test]
async fn a_case_goes_to_an_agent_to_a_queue_and_to_nobody_and_its_history_tells_the_note() {
    let server = Server::start().await;
    let (ann, ben) = (server.agent("Ann").await, server.agent("Ben").await);
    server.queue("Billing").await;
    server.create_case(json!({})).await;
    let path = "cases/CS000100/transfer";
    let case = post(&server, path, json!({"agent": {"aId": ann.id}, "note": " Knows the printers "})).await;
    assert_eq!((&case["currAssignee"]["name"], &case["assigneeType"]), (&json!("Ann"), &json!("agent")));
    for named in [json!(ben.user), json!("ben"), json!(ben.id), json!({"agentId": ben.user})] {
        let case = post(&server, path, json!({"agent": named})).await;
        assert_eq!(case["currAssignee"]["name"], "Ben", "{named}");
    }
    let case = post(&server, path, json!({"queue": "billing", "agent": null})).await;
    assert_eq!((&case["currAssignee"], &case["queues"][0]["name"]), (&json!({}), &json!("Billing")));
    let case = post(&server, path, json!({"nobody": true})).await;
    assert_eq!((&case["queues"], &case["assigneeType"]), (&json!([]), &json!("unassigned")));
    let before = server.events_total().await;
    post(&server, path, json!({"nobody": true})).await;
    assert_eq!(server.events_total().await, before, "it is so already");
    post(&server, path, json!({"nobody": true, "note": "Left for the night"})).await;
    assert_eq!(server.events_total().await, before + 1, "a note is a change");
    let page = get(&server, "cases/CS000100/events").await;
    let notes: Vec<&Value> = page["results"].as_array().unwrap().iter().map(|event| &event["note"]).collect();
    assert_eq!(
        notes,
        [
            &json!("Left for the night"),
            &Value::Null,
            &Value::Null,
            &Value::Null,
            &json!("Knows the printers"),
            &Value::Null
        ]
    );
    assert_eq!(page["results"][4]["kind"], "case.transferred");
    assert!(get(&server, "cases/CS000100").await.get("transfer").is_none());
}

#[tokio::test]
async fn a_transfer_that_names_no_one_or_several_is_refused() {
    let server = Server::start().await;
    server.agent("Ann").await;
    let case = server.create_case(json!({})).await;
    let refused =
        async |body: Value| call(&server, "POST", "cases/CS000100/transfer").json(&body).refused(400).await;
    assert_eq!(refused(json!({})).await, [""]);
    assert_eq!(refused(json!({"nobody": false})).await, [""]);
    assert_eq!(refused(json!({"agent": "Ann", "queue": "Default"})).await, [""]);
    assert_eq!(refused(json!({"agent": "Nobody"})).await, ["agent"]);
    assert_eq!(refused(json!({"queue": {"name": "None"}, "note": " "})).await, ["note", "queue"]);
    assert_eq!(refused(json!({"agent": {}, "note": 1})).await, ["agent", "note"]);
    assert_eq!(refused(json!({"nobody": true, "note": "x".repeat(2_001)})).await, ["note"]);
    post(&server, "cases/CS000100/transfer", json!({"agent": "Ann", "note": "x".repeat(2_000)})).await;
    call(&server, "POST", "cases/CS000999/transfer").json(&json!({"nobody": true})).refused(404).await;
    let late = call(&server, "POST", "cases/CS000100/transfer").json(&json!({"nobody": true}));
    late.and_header("If-Match", "\"v1\"").refused(412).await;
    server.update_case(&case, json!({"isActive": false})).await;
    call(&server, "POST", "cases/CS000100/transfer").json(&json!({"nobody": true})).refused(409).await;
}

#[tokio::test]
async fn a_task_is_transferred_as_a_case_is_unless_its_case_is_closed() {
    let server = Server::start().await;
    server.agent("Ann").await;
    let case = server.create_case(json!({})).await;
    server.create_task(&case, json!({})).await;
    let transfer = || call(&server, "POST", "tasks/TS000100/transfer").json(&json!({"agent": "Ann"}));
    let answer = transfer().and_header("Idempotency-Key", "k").and_header("If-Match", "\"v1\"").send().await;
    assert_eq!(
        (answer.header("etag"), &answer.document()["currAssignee"]["name"]),
        (Some("\"v2\""), &json!("Ann"))
    );
    let again = transfer().and_header("Idempotency-Key", "k").and_header("If-Match", "\"v1\"").send().await;
    assert_eq!((again.header("idempotent-replayed"), again.header("etag")), (Some("true"), Some("\"v2\"")));
    assert_eq!(transfer().send().await.header("etag"), Some("\"v2\""), "it is there already");
    assert_eq!(kinds(&server, "tasks/TS000100").await, ["task.transferred", "task.created"]);
    server.update_task(&json!({"_id": answer.document()["_id"]}), json!({"status": "Resolved"})).await;
    server.update_case(&case, json!({"status": "Closed"})).await;
    call(&server, "POST", "tasks/TS000100/transfer").json(&json!({"nobody": true})).refused(409).await;
}

#[tokio::test]
async fn agents_watch_a_case_and_its_document_stays_as_it_is() {
    let server = Server::start().await;
    let (ann, ben) = (server.agent("Ann").await, server.agent("Ben").await);
    let case = server.create_case(json!({})).await;
    let watchers = async || {
        let page = get(&server, "cases/CS000100/watchers").await;
        let names = page["results"].as_array().unwrap().iter();
        names.map(|watcher| watcher["name"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    let path = |agent: &str| format!("cases/CS000100/watchers/{agent}");
    assert!(watchers().await.is_empty());
    let watched = put(&server, &path(ann.id.as_str())).await;
    assert_eq!(
        watched.as_object().unwrap().keys().collect::<Vec<_>>(),
        server.listed_case(&case["_id"]).await.unwrap().as_object().unwrap().keys().collect::<Vec<_>>()
    );
    let me = || call(&server, "PUT", &path("me")).acting_as(ben.user.as_str());
    let answer = me().and_header("Idempotency-Key", "k").send().await;
    assert_eq!((answer.status, answer.header("etag")), (200, Some("\"v3\"")));
    assert_eq!(
        me().and_header("Idempotency-Key", "k").send().await.header("idempotent-replayed"),
        Some("true")
    );
    assert_eq!(watchers().await, ["Ann", "Ben"]);
    for (query, expected) in
        [("watcher:me", 1), ("watcher:Ann", 1), ("-watcher:ann", 0), ("watcher:me%20status:closed", 0)]
    {
        let list = call(&server, "GET", &format!("cases?q={query}")).acting_as(ben.user.as_str());
        assert_eq!(list.send().await.document()["totalResults"], expected, "{query}");
    }
    assert_eq!(get(&server, "cases?q=watcher:me").await["totalResults"], 0, "an app watches nothing");
    insta::assert_json_snapshot!("watchers", get(&server, "cases/CS000100/watchers").await);
    put(&server, &path(ann.user.as_str())).await;
    let end = || call(&server, "DELETE", &path(ann.user.as_str()));
    // The same key on the same path: another method is another request.
    let reused = end().and_header("Idempotency-Key", "w");
    reused.send().await.document();
    let again = call(&server, "PUT", &path(ann.user.as_str())).and_header("Idempotency-Key", "w");
    assert_eq!(again.refused(422).await, ["Idempotency-Key"]);
    let before = server.events_total().await;
    end().send().await.document();
    assert_eq!((server.events_total().await, watchers().await), (before, vec!["Ben".to_owned()]));
    assert_eq!(
        kinds(&server, "cases/CS000100").await,
        ["case.unwatched", "case.watched", "case.watched", "case.created"]
    );
    server.update_case(&case, json!({"name": "Another"})).await;
    assert_eq!(watchers().await, ["Ben"], "an update leaves them");

    assert_eq!(call(&server, "PUT", &path("a-none")).refused(404).await, ["agentId"]);
    assert_eq!(call(&server, "PUT", &path("me")).refused(404).await, ["agentId"], "an app is no agent");
    call(&server, "PUT", &path(ann.id.as_str())).and_header("If-Match", "\"v1\"").refused(412).await;
    call(&server, "PUT", "cases/CS000999/watchers/me").refused(404).await;
    server.update_case(&case, json!({"isActive": false})).await;
    call(&server, "PUT", &path(ann.id.as_str())).refused(409).await;
}

#[tokio::test]
async fn both_sides_of_a_link_are_told_at_once() {
    let server = Server::start().await;
    for name in ["A", "B", "C"] {
        server.create_case(json!({"name": name})).await;
    }
    let links = async |case: &str| linked(&get(&server, &format!("cases/{case}/links")).await);
    let link = |one: &str, two: &str, kind: &str| format!("cases/{one}/links/{two}?type={kind}");
    for (kind, reverse) in [("related", "related"), ("duplicateOf", "duplicatedBy"), ("parent", "child")] {
        let before = server.events_total().await;
        put(&server, &link("CS000100", "CS000101", kind)).await;
        assert_eq!(server.events_total().await, before + 2, "an event for each side");
        assert!(links("CS000100").await.contains(&(kind.to_owned(), "CS000101".to_owned())));
        assert!(links("CS000101").await.contains(&(reverse.to_owned(), "CS000100".to_owned())));
        put(&server, &link("CS000100", "CS000101", kind)).await;
        put(&server, &link("CS000101", "CS000100", reverse)).await;
        assert_eq!(server.events_total().await, before + 2, "they are linked so already, from either side");
    }
    insta::assert_json_snapshot!("links", get(&server, "cases/CS000100/links").await);
    assert_eq!(kinds(&server, "cases/CS000101").await[0], "case.linked");
    call(&server, "DELETE", &link("CS000101", "CS000100", "related")).send().await.document();
    assert_eq!(links("CS000100").await, named(&[("duplicateOf", "CS000101"), ("parent", "CS000101")]));
    call(&server, "DELETE", "cases/CS000100/links/CS000101").send().await.document();
    assert_eq!((links("CS000100").await, links("CS000101").await), (vec![], vec![]));
    let before = server.events_total().await;
    call(&server, "DELETE", "cases/CS000100/links/CS000101").send().await.document();
    assert_eq!(server.events_total().await, before);
}

#[tokio::test]
async fn a_link_that_can_not_be_is_refused() {
    let server = Server::start().await;
    for _ in 0..20 {
        server.create_case(json!({})).await;
    }
    let link =
        |one: u32, two: u32, kind: &str| format!("cases/CS0001{one:02}/links/CS0001{two:02}?type={kind}");
    let refused = async |path: String, status: u16| call(&server, "PUT", &path).refused(status).await;
    assert_eq!(refused(link(0, 0, "related"), 400).await, ["otherId"]);
    assert_eq!(refused(link(0, 1, "merged"), 400).await, ["type"]);
    assert_eq!(refused("cases/CS000100/links/CS000101".to_owned(), 400).await, ["type"]);
    assert_eq!(refused("cases/CS000100/links/CS000999?type=related".to_owned(), 404).await, ["otherId"]);
    refused("cases/CS000999/links/CS000100?type=related".to_owned(), 404).await;
    // 1 is part of 0, 2 of 1 and so on: nobody is its own ancestor, and nobody has two parents.
    for child in 1..=16 {
        put(&server, &link(child, child - 1, "parent")).await;
    }
    assert_eq!(refused(link(0, 1, "parent"), 409).await, ["type"]);
    assert_eq!(refused(link(0, 10, "parent"), 409).await, ["type"]);
    assert_eq!(refused(link(10, 0, "child"), 409).await, ["type"]);
    assert_eq!(refused(link(5, 19, "parent"), 409).await, ["type"], "it has a parent");
    assert_eq!(refused(link(17, 16, "parent"), 422).await, ["type"], "sixteen stand above it already");
    put(&server, &link(17, 15, "parent")).await;
    let other = server.listed_case(&get(&server, "cases/CS000119").await["_id"]).await.unwrap();
    server.update_case(&other, json!({"isActive": false})).await;
    assert_eq!(refused(link(0, 19, "related"), 409).await, ["otherId"]);
    assert_eq!(refused(link(19, 0, "related"), 409).await, ["isActive"]);
    let late = call(&server, "PUT", &link(1, 2, "related")).and_header("If-Match", "\"v1\"");
    late.refused(412).await;
}

#[tokio::test]
async fn a_case_has_a_hundred_links_and_no_more() {
    let server = Server::start().await;
    for _ in 0..102 {
        server.create_case(json!({})).await;
    }
    for other in 1..=100 {
        put(&server, &format!("cases/CS000100/links/CS{:06}?type=related", 100 + other)).await;
    }
    let more = call(&server, "PUT", "cases/CS000100/links/CS000201?type=related");
    assert_eq!(more.refused(422).await, ["otherId"]);
    let more = call(&server, "PUT", "cases/CS000201/links/CS000100?type=related");
    assert_eq!(more.refused(422).await, ["otherId"], "from the other side too");
}

#[tokio::test]
async fn a_merged_case_hands_its_tasks_over_and_leads_to_the_one_that_goes_on() {
    let server = Server::start().await;
    let ann = server.agent("Ann").await;
    let one = server.create_case(json!({"name": "One"})).await;
    let two = server.create_case(json!({"name": "Two"})).await;
    for (case, name) in [(&one, "A"), (&one, "B"), (&two, "C")] {
        server.create_task(case, json!({"name": name})).await;
    }
    call(&server, "DELETE", "tasks/TS000101").send().await.document();
    put(&server, &format!("cases/CS000100/watchers/{}", ann.id)).await;
    let stood = get(&server, "tasks/TS000100").await;
    server.advance(HOUR_MS);
    let merge = || call(&server, "POST", "cases/CS000100/merge").json(&json!({"into": "CS000101"}));
    merge().and_header("If-Match", "\"v1\"").refused(412).await;
    let before = server.events_total().await;
    let answer = merge().and_header("Idempotency-Key", "k").send().await;
    assert_eq!(server.events_total().await, before + 3, "both cases and one task");
    let going_on = answer.document();
    assert_eq!((&going_on["_id"], going_on["taskIds"].as_array().unwrap().len()), (&two["_id"], 2));
    let again = merge().and_header("Idempotency-Key", "k").send().await;
    assert_eq!((again.header("idempotent-replayed"), again.document()), (Some("true"), going_on));

    let moved = get(&server, "tasks/TS000100").await;
    assert_eq!((&moved["caseId"], &moved["caseRefId"]), (&two["_id"], &json!("CS000101")));
    let as_of = casement_domain::date::Moment::from_ms(server.now_ms() - 1).iso();
    assert_eq!(
        get(&server, &format!("tasks/TS000100?asOf={as_of}")).await,
        stood,
        "its past is that of the other case"
    );
    let told = get(&server, "tasks/TS000100/events").await["results"][0].clone();
    assert_eq!(told["kind"], "task.moved");
    assert_eq!(
        told["changes"],
        json!([{"key": "caseId", "old": one["_id"], "new": two["_id"]},
        {"key": "caseRefId", "old": "CS000100", "new": "CS000101"}])
    );
    let tasks = get(&server, "cases/CS000101/tasks?sort=name:asc").await;
    let names: Vec<&Value> = tasks["results"].as_array().unwrap().iter().map(|task| &task["name"]).collect();
    assert_eq!(names, [&json!("A"), &json!("C")]);
    assert_eq!(get(&server, "cases/CS000100/tasks").await["totalResults"], 0);
    assert_eq!(server.post("getTasks", json!({"caseRefId": "CS000101"})).await.document()["totalResults"], 2);
    server.update_task(&moved, json!({"name": "A moved task changes as any other"})).await;

    assert_eq!(get(&server, "cases").await["totalResults"], 1);
    let led = call(&server, "GET", "cases/CS000100").send().await;
    let location = format!("/api/v1/streams/{STREAM}/cases/{}", two["_id"].as_str().unwrap());
    assert_eq!((led.status, led.header("location"), led.bytes.len()), (308, Some(location.as_str()), 0));
    let kept = get(&server, "cases/CS000100?redirect=false").await;
    assert_eq!(
        (&kept["name"], &kept["isActive"], &kept["taskIds"]),
        (&json!("One"), &json!(false), &json!([]))
    );
    assert_eq!(get(&server, &format!("cases/CS000100?asOf={as_of}")).await["isActive"], true);
    call(&server, "GET", "cases/CS000100?redirect=no").refused(400).await;
    assert_eq!(linked(&get(&server, "cases/CS000101/links").await), named(&[("merged", "CS000100")]));
    assert_eq!(linked(&get(&server, "cases/CS000100/links").await), named(&[("mergedInto", "CS000101")]));
    assert_eq!(get(&server, "cases/CS000101/watchers").await["results"][0]["name"], "Ann");
    assert_eq!(kinds(&server, "cases/CS000100").await[0], "case.merged");
    assert_eq!(kinds(&server, "cases/CS000101").await[0], "case.absorbed");
}

#[tokio::test]
async fn a_merged_case_can_not_change_any_more() {
    let server = Server::start().await;
    let ann = server.agent("Ann").await;
    let one = server.create_case(json!({"name": "One"})).await;
    for _ in 0..3 {
        server.create_case(json!({})).await;
    }
    post(&server, "cases/CS000100/merge", json!({"into": "CS000101"})).await;
    let task = server.task_body(&one, json!({}));
    for (method, path, body) in [
        ("PATCH", "", json!({"name": "x"})),
        ("PATCH", "", json!({"isActive": true})),
        ("POST", "/restore", json!({})),
        ("POST", "/transfer", json!({"agent": "Ann"})),
        ("PUT", "/watchers/Ann", json!({})),
        ("PUT", "/links/CS000102?type=related", json!({})),
        ("POST", "/merge", json!({"into": "CS000102"})),
        ("POST", "/tasks", task),
    ] {
        let path = format!("cases/CS000100{path}");
        let path = path.replace("/watchers/Ann", &format!("/watchers/{}", ann.id));
        let before = server.events_total().await;
        let answer = call(&server, method, &path).json(&body).send().await;
        answer.refused(409);
        assert!(answer.json()["detail"].as_str().unwrap().contains("CS000101"), "{method} {path}");
        assert_eq!(server.events_total().await, before);
    }
    server.refused(&format!("updateCase/{}", one["_id"].as_str().unwrap()), &json!({"name": "x"}), 409).await;
    assert_eq!(
        call(&server, "PUT", "cases/CS000102/links/CS000100?type=related").refused(409).await,
        ["otherId"]
    );
    let merge = |one: &str, into: Value| {
        call(&server, "POST", &format!("cases/{one}/merge")).json(&json!({"into": into}))
    };
    assert_eq!(merge("CS000102", json!("CS000100")).refused(409).await, ["into"]);
    assert_eq!(merge("CS000102", json!("CS000102")).refused(400).await, ["into"]);
    assert_eq!(merge("CS000102", json!(null)).refused(400).await, ["into"]);
    assert_eq!(merge("CS000102", json!(5)).refused(400).await, ["into"]);
    assert_eq!(merge("CS000102", json!("CS000999")).refused(404).await, ["into"]);
    merge("CS000999", json!("CS000102")).refused(404).await;
    let third = get(&server, "cases/CS000103").await;
    server.update_case(&third, json!({"isActive": false})).await;
    assert_eq!(merge("CS000102", json!("CS000103")).refused(409).await, ["into"]);
    assert_eq!(merge("CS000103", json!("CS000102")).refused(409).await, ["isActive"]);
}

#[tokio::test]
async fn what_cases_have_to_do_with_others_reaches_no_other_stream() {
    let server = Server::start().await;
    server.create_case(json!({})).await;
    for (method, path) in [
        ("POST", "cases/CS000100/transfer"),
        ("POST", "tasks/TS000100/transfer"),
        ("GET", "cases/CS000100/watchers"),
        ("PUT", "cases/CS000100/watchers/me"),
        ("DELETE", "cases/CS000100/watchers/me"),
        ("GET", "cases/CS000100/links"),
        ("PUT", "cases/CS000100/links/CS000101?type=related"),
        ("DELETE", "cases/CS000100/links/CS000101"),
        ("POST", "cases/CS000100/merge"),
    ] {
        let path = format!("/api/v1/streams/st-other/{path}");
        server.call("").method(method).path(&path).json(&json!({})).refused(403).await;
    }
}

#[tokio::test]
async fn watchers_links_and_merges_are_there_after_a_restart() {
    let server = Server::start().await;
    let ann = server.agent("Ann").await;
    for _ in 0..3 {
        server.create_case(json!({})).await;
    }
    put(&server, &format!("cases/CS000101/watchers/{}", ann.id)).await;
    put(&server, "cases/CS000101/links/CS000102?type=child").await;
    post(&server, "cases/CS000100/merge", json!({"into": "CS000101"})).await;
    let server = server.restarted().await;
    assert_eq!(get(&server, "cases/CS000101/watchers").await["results"].as_array().unwrap().len(), 1);
    assert_eq!(
        linked(&get(&server, "cases/CS000101/links").await),
        named(&[("child", "CS000102"), ("merged", "CS000100")])
    );
    assert_eq!(call(&server, "GET", "cases/CS000100").send().await.status, 308);
    let as_made = get(&server, "cases/CS000101/events").await["results"].as_array().unwrap().len();
    assert_eq!(as_made, 4);
}

#[tokio::test]
async fn a_link_with_a_merged_case_can_be_ended_and_no_circle_leads_through_one() {
    let server = Server::start().await;
    for _ in 0..4 {
        server.create_case(json!({})).await;
    }
    // A is a part of B, and B goes on in C.
    put(&server, "cases/CS000100/links/CS000101?type=parent").await;
    post(&server, "cases/CS000101/merge", json!({"into": "CS000102"})).await;
    call(&server, "PUT", "cases/CS000102/links/CS000100?type=parent").refused(409).await;
    call(&server, "PUT", "cases/CS000100/links/CS000103?type=parent").refused(409).await;
    call(&server, "DELETE", "cases/CS000100/links/CS000101").send().await.document();
    assert_eq!(linked(&get(&server, "cases/CS000100/links").await), named(&[]));
    put(&server, "cases/CS000100/links/CS000103?type=parent").await;
    assert_eq!(linked(&get(&server, "cases/CS000100/links").await), named(&[("parent", "CS000103")]));
}

#[tokio::test]
async fn two_cases_are_duplicates_one_way_round() {
    let server = Server::start().await;
    server.create_case(json!({})).await;
    server.create_case(json!({})).await;
    put(&server, "cases/CS000100/links/CS000101?type=duplicateOf").await;
    call(&server, "PUT", "cases/CS000101/links/CS000100?type=duplicateOf").refused(409).await;
}

#[tokio::test]
async fn what_a_link_or_a_merge_did_is_not_undone_by_its_event() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    server.create_case(json!({})).await;
    server.create_task(&case, json!({})).await;
    put(&server, "cases/CS000100/links/CS000101?type=related").await;
    for version in [2, 3] {
        call(&server, "POST", &format!("cases/CS000100/events/{version}/undo")).refused(409).await;
    }
    post(&server, "cases/CS000100/merge", json!({"into": "CS000101"})).await;
    call(&server, "POST", "tasks/TS000100/events/2/undo").refused(409).await;
    call(&server, "POST", "cases/CS000101/events/3/undo").refused(409).await;
    let comment = call(&server, "POST", "cases/CS000100/comments").json(&json!({"text": "x"})).send().await;
    comment.refused(409);
    assert!(comment.json().to_string().contains("CS000101"), "{}", comment.json());
}
