//! Lists and creates of `/api/v1`: what the public API takes in bodies, as parameters; and cursors that hold their place
//! while others write.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::harness::call::Call;
use crate::harness::server::{DAY_MS, HOUR_MS, STREAM, Server, keys};

fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId")
}

async fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path).send().await.document()
}

fn texts(page: &Value, key: &str) -> Vec<String> {
    let results = page["results"].as_array().unwrap();
    results.iter().map(|document| document[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_case_is_created_in_its_collection_and_the_answer_says_where_it_is() {
    let server = Server::start().await;
    let body = server.case_body(json!({"name": "One"}));
    let post = || call(&server, "POST", "cases").json(&body).and_header("Idempotency-Key", "k");
    let answer = post().send().await;
    assert_eq!((answer.status, answer.header("etag")), (201, Some("\"v1\"")));
    let case = answer.json();
    let location = format!("/api/v1/streams/{STREAM}/cases/{}", case["_id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(location.as_str()));
    let listed = server.call("").method("GET").path(&location).send().await.document();
    assert_eq!((&listed["name"], &listed["refId"]), (&json!("One"), &json!("CS000100")));
    let public = server.create_case(json!({"name": "Two"})).await;
    assert_eq!(keys(&case), keys(&public), "the documents of both APIs are the same");

    let again = post().send().await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!((again.json(), again.header("location")), (case, Some(location.as_str())));
    assert_eq!(get(&server, "cases").await["totalResults"], 2);
    let other = server.case_body(json!({"name": "Three"}));
    let reused = call(&server, "POST", "cases").json(&other).and_header("Idempotency-Key", "k");
    assert_eq!(reused.refused(422).await, ["Idempotency-Key"]);
    let faults = call(&server, "POST", "cases").json(&json!({"name": 5})).refused(400).await;
    assert!(faults.len() > 3, "{faults:?}");
    call(&server, "POST", "cases").bytes("[]").refused(400).await;
}

#[tokio::test]
async fn a_task_is_created_under_its_case_which_the_path_alone_names() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let other = server.create_case(json!({})).await;
    let mut body = server.task_body(&case, json!({"name": "Call"}));
    for key in ["caseId", "caseRefId"] {
        body.as_object_mut().unwrap().shift_remove(key);
    }
    let answer = call(&server, "POST", "cases/CS000100/tasks").json(&body).send().await;
    assert_eq!(answer.status, 201);
    let task = answer.json();
    assert_eq!((&task["caseId"], &task["caseRefId"]), (&case["_id"], &json!("CS000100")));
    let location = answer.header("location").unwrap();
    assert_eq!(server.call("").method("GET").path(location).send().await.document()["name"], "Call");
    let path = format!("cases/{}/tasks", case["_id"].as_str().unwrap());
    let whole = server.task_body(&case, json!({}));
    let post = |path: &str, body: &Value| call(&server, "POST", path).json(body);
    assert_eq!(post(&path, &whole).and_header("Idempotency-Key", "k").send().await.status, 201);
    let again = post(&path, &whole).and_header("Idempotency-Key", "k").send().await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    let wrong = server.task_body(&other, json!({}));
    assert_eq!(post(&path, &wrong).refused(400).await, ["caseId", "caseRefId"]);
    post("cases/CS000999/tasks", &body).refused(404).await;
    post("cases/ci-1/tasks", &json!({})).refused(404).await;
    server.update_case(&case, json!({"isActive": false})).await;
    post(&path, &whole).refused(409).await;
    assert_eq!(texts(&get(&server, "tasks?caseRefId=CS000101").await, "_id").len(), 0);
}

async fn furnished(server: &Server, rng: &mut Rng) {
    for number in 0..24 {
        let priority = ["Low", "Medium", "High"][rng.usize(..3)];
        let status = ["Open", "In-Progress", "Resolved"][rng.usize(..3)];
        let due = server.now_ms() + rng.i64(-3..3) * DAY_MS + HOUR_MS;
        let name = ["Printer", "Screen", "Keyboard"][rng.usize(..3)];
        let channel = ["rtm", "email"][rng.usize(..2)];
        let changes = json!({"name": format!("{name} {number}"), "priority": priority, "status": status,
            "dueDate": due, "tags": ["a"], "channel": [channel]});
        server.create_case(changes).await;
        server.advance(rng.i64(0..3));
    }
}

#[tokio::test]
async fn parameters_list_what_the_body_lists_that_asks_the_same() {
    let server = Server::start().await;
    furnished(&server, &mut Rng::with_seed(1)).await;
    let table = [
        ("", json!({})),
        ("status=open", json!({"status": ["open"]})),
        (
            "status=open&status=In-Progress&priority=High,low",
            json!({"status": ["open", "In-Progress"], "priority": ["High", "Low"]}),
        ),
        (
            "unresolved=true&sort=priority:desc,dueDate:asc&limit=7&skip=3",
            json!({"unresolved": true,
            "sortBy": {"priority": "desc", "dueDate": "asc"}, "limit": 7, "skip": 3}),
        ),
        ("q=printer%20-status:open", json!({"q": "printer -status:open"})),
        ("searchText=printer&channel=email", json!({"searchText": "printer", "channel": ["email"]})),
        ("name=een&sort=name:asc", json!({"name": "een", "sortBy": {"name": "asc"}})),
        (
            "ETAlist=overdue,tomorrow&columns=refId,name",
            json!({"ETAlist": ["overdue", "tomorrow"], "selectedColumns": ["refId", "name"]}),
        ),
        (
            "startDate=2026-11-22&endDate=2026-11-22&mycase=false&queues=",
            json!({"startDate": "2026-11-22", "endDate": "2026-11-22"}),
        ),
        ("q=printer&hits=true", json!({"q": "printer", "hits": true})),
        ("agents=a-1", json!({"agents": ["a-1"]})),
    ];
    for (parameters, body) in table {
        let mut page = get(&server, &format!("cases?{parameters}")).await;
        let mut expected = call(&server, "POST", "cases/search").json(&body).send().await.document();
        assert_eq!(page["hasMore"] == true, page.get("nextCursor").is_some(), "{parameters}");
        // The two are bound to different spellings of the question.
        for page in [&mut page, &mut expected] {
            page.as_object_mut().unwrap().shift_remove("nextCursor");
        }
        assert_eq!(page, expected, "{parameters}");
    }
    assert_eq!(get(&server, "cases?name=Screen&unassigned=true").await["totalPages"], 1);
    insta::assert_json_snapshot!("case_page", get(&server, "cases?limit=2&columns=refId,name").await);
}

#[tokio::test]
async fn a_parameter_that_is_none_is_refused_by_its_name_with_every_other_fault() {
    let server = Server::start().await;
    server.create_case(json!({})).await;
    let refused = async |path: &str| call(&server, "GET", path).refused(400).await;
    assert_eq!(refused("cases?stauts=open").await, ["stauts"]);
    assert_eq!(refused("cases?Status=open&x=1&limit=0").await, ["Status", "x", "limit"]);
    assert_eq!(refused("cases?limit=1&limit=2").await, ["limit"]);
    assert_eq!(refused("cases?mytask=true").await, ["mytask"]);
    assert_eq!(refused("cases?sort=colour&columns=a&limit=501&skip=-1").await, ["sort", "skip", "limit"]);
    assert_eq!(
        refused("cases?unresolved=1&dueDate=soon&ETAlist=never").await,
        ["unresolved", "dueDate", "ETAlist[0]"]
    );
    assert_eq!(refused("tasks?q=colour:red").await, ["q"]);
    assert_eq!(refused("cases/CS000100/tasks?caseId=ci-1").await, ["caseId"]);
    assert_eq!(refused("cases?q=%FF").await, [""]);
    call(&server, "GET", "cases/CS000999/tasks").refused(404).await;
    for (method, path) in [
        ("GET", "cases"),
        ("POST", "cases"),
        ("GET", "tasks"),
        ("GET", "cases/CS000100/tasks"),
        ("POST", "cases/CS000100/tasks"),
    ] {
        let foreign = format!("/api/v1/streams/st-other/{path}");
        server.call("").method(method).path(&foreign).json(&json!({})).refused(403).await;
    }
}

#[tokio::test]
async fn tasks_are_listed_of_all_cases_and_of_one() {
    let server = Server::start().await;
    let (one, two) = (server.create_case(json!({})).await, server.create_case(json!({})).await);
    for (case, name) in [(&one, "A"), (&two, "B"), (&one, "C")] {
        server.create_task(case, json!({"name": name})).await;
        server.advance(10);
    }
    assert_eq!(texts(&get(&server, "tasks?sort=name:asc").await, "name"), ["A", "B", "C"]);
    assert_eq!(texts(&get(&server, "tasks?caseRefId=CS000101").await, "name"), ["B"]);
    assert_eq!(texts(&get(&server, "cases/CS000100/tasks?sort=name:asc").await, "name"), ["A", "C"]);
    let first = get(&server, "cases/CS000100/tasks?sort=name:asc&limit=1").await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let path = |case: &str| format!("cases/{case}/tasks?sort=name:asc&limit=1&cursor={cursor}");
    assert_eq!(texts(&get(&server, &path(one["_id"].as_str().unwrap())).await, "name"), ["C"]);
    assert_eq!(call(&server, "GET", &path("CS000101")).refused(400).await, ["cursor"]);
    server.update_case(&one, json!({"isActive": false})).await;
    assert_eq!(get(&server, "cases/CS000100/tasks").await["totalResults"], 0);
}

#[tokio::test]
async fn a_cursor_goes_on_only_with_its_own_question_unchanged() {
    let server = Server::start().await;
    furnished(&server, &mut Rng::with_seed(2)).await;
    let first = get(&server, "cases?priority=High,Low,Medium&limit=5&skip=2").await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let next =
        get(&server, &format!("cases?limit=5&cursor={cursor}&priority=High,Low,Medium&columns=name")).await;
    assert_eq!((&first["page"], &next["page"], &next["totalResults"]), (&json!(1), &json!(2), &json!(24)));
    let skipped = get(&server, "cases?priority=High,Low,Medium&limit=5&skip=7&columns=name").await;
    assert_eq!(next["results"], skipped["results"]);
    let mut tampered = cursor.to_owned();
    tampered.replace_range(30..31, if &cursor[30..31] == "A" { "B" } else { "A" });
    for (cursor, rest) in [
        (cursor, ""),
        (cursor, "&priority=High"),
        (cursor, "&priority=High,Low,Medium&sort=name:asc"),
        (tampered.as_str(), "&priority=High,Low,Medium"),
        ("x", "&priority=High,Low,Medium"),
        ("%20", "&priority=High,Low,Medium"),
    ] {
        let path = format!("cases?limit=5&cursor={cursor}{rest}");
        assert_eq!(call(&server, "GET", &path).refused(400).await, ["cursor"], "{path}");
    }
    let both = format!("cases?cursor={cursor}&skip=5&priority=High,Low,Medium");
    assert_eq!(call(&server, "GET", &both).refused(400).await, ["skip"]);
    let of_tasks = format!("tasks?cursor={cursor}&priority=High,Low,Medium");
    assert_eq!(call(&server, "GET", &of_tasks).refused(400).await, ["cursor"]);
    assert_eq!(get(&server, "cases?cursor=&limit=500").await["totalResults"], 24, "an empty one is none");

    let search =
        async |body: Value| call(&server, "POST", "cases/search").json(&body).send().await.document();
    let first = search(json!({"searchText": "printer", "limit": 2})).await;
    let second = search(json!({"limit": 2, "searchText": "printer", "cursor": first["nextCursor"]})).await;
    let both = search(json!({"searchText": "printer", "limit": 4})).await;
    assert_eq!([texts(&first, "_id"), texts(&second, "_id")].concat(), texts(&both, "_id"));
    let public = server.post("getCases", json!({"limit": 2, "cursor": "x"})).await.document();
    assert!(public.get("nextCursor").is_none(), "the vendor's pages have the vendor's keys");
}

/// One random change: a new case, a changed one or a deleted one; never one of `kept`.
async fn disturb(server: &Server, rng: &mut Rng, kept: &BTreeSet<String>, all: &mut Vec<Value>) {
    server.advance(rng.i64(0..5));
    let name = ["Printer", "Screen", "Anvil", "Zebra"][rng.usize(..4)];
    let priority = ["Low", "Medium", "High"][rng.usize(..3)];
    let due = server.now_ms() + rng.i64(-3..3) * DAY_MS + HOUR_MS;
    let changes = json!({"name": name, "priority": priority, "dueDate": due});
    let others: Vec<usize> =
        (0..all.len()).filter(|index| !kept.contains(all[*index]["_id"].as_str().unwrap())).collect();
    match rng.u8(..3) {
        0 => all.push(server.create_case(changes).await),
        1 if !others.is_empty() => {
            let case = &all[others[rng.usize(..others.len())]];
            server.update_case(case, changes).await;
        }
        _ if !others.is_empty() => {
            let case = all.swap_remove(others[rng.usize(..others.len())]);
            server.update_case(&case, json!({"isActive": false})).await;
        }
        _ => {}
    }
}

#[tokio::test]
async fn whoever_goes_from_page_to_page_sees_each_document_that_stays_exactly_once_while_others_write() {
    const SORTS: [&str; 9] = [
        "",
        "&sort=updatedDate:desc",
        "&sort=dueDate:asc",
        "&sort=dueDate:desc,name:asc",
        "&sort=priority:desc,dueDate:asc",
        "&sort=status:asc,createdDate:asc",
        "&sort=name:asc",
        "&sort=name:desc,refId:asc",
        "&sort=refId:asc",
    ];
    let server = Server::start().await;
    let mut rng = Rng::with_seed(7);
    furnished(&server, &mut rng).await;
    let first = get(&server, "cases?limit=500").await;
    let mut all = first["results"].as_array().unwrap().clone();
    for sort in SORTS.iter().chain(&[
        "&q=printer%20or%20screen",
        "&searchText=printer",
        "&q=screen%20priority%3E%3Dlow",
    ]) {
        let limit = rng.usize(1..6);
        let path = format!("cases?limit={limit}{sort}");
        let listed = get(&server, &format!("cases?limit=500{sort}")).await;
        let in_order = texts(&listed, "_id");
        let kept: BTreeSet<String> = in_order.iter().filter(|_| rng.bool()).cloned().collect();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut order = Vec::new();
        let mut page = get(&server, &path).await;
        let mut number = 1;
        loop {
            assert_eq!((&page["page"], &page["limit"]), (&json!(number), &json!(limit)), "{path}");
            for id in texts(&page, "_id").into_iter().filter(|id| kept.contains(id)) {
                *seen.entry(id.clone()).or_default() += 1;
                order.push(id);
            }
            assert_eq!(page["hasMore"] == true, page.get("nextCursor").is_some());
            let Some(cursor) = page["nextCursor"].as_str() else { break };
            for _ in 0..rng.usize(0..4) {
                disturb(&server, &mut rng, &kept, &mut all).await;
            }
            page = get(&server, &format!("{path}&cursor={cursor}")).await;
            number += 1;
            assert!(number < 500, "a walk must end: {path}");
        }
        let expected: Vec<String> = in_order.into_iter().filter(|id| kept.contains(id)).collect();
        assert_eq!(order, expected, "{path}");
        assert!(seen.values().all(|times| *times == 1), "{path}");
    }
}
