//! What was said and added on a case before it was merged into another: seen on the case that goes on.

use serde_json::{Value, json};

use crate::attachments::{added, call, files, id, path, upload, used};
use crate::harness::server::{STREAM, Server};

async fn send(server: &Server, method: &str, path: &str, body: Value) -> Value {
    write(server, method, path, body).send().await.document()
}

fn write<'a>(server: &'a Server, method: &str, path: &str, body: Value) -> crate::harness::call::Call<'a> {
    call(server, method, path).header("Content-Type", "application/json").json(&body)
}

async fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path).send().await.document()
}

/// Says something on a case; gives the comment.
async fn say(server: &Server, case: &str, text: &str) -> Value {
    let body = json!({"text": text, "visibility": if text.len() > 2 { "public" } else { "internal" }});
    write(server, "POST", &format!("cases/{case}/comments"), body).send().await.made()
}

async fn merge(server: &Server, one: &str, two: &str) {
    send(server, "POST", &format!("cases/{one}/merge"), json!({"into": two})).await;
}

fn values<'a>(page: &'a Value, key: &str) -> Vec<&'a str> {
    page["results"].as_array().unwrap().iter().map(|found| found[key].as_str().unwrap()).collect()
}

/// Three cases, of which two wait to be merged, with comments a1 b1 c1 a2 b2 c2 in the order of their making.
async fn three_cases() -> (Server, Vec<Value>) {
    let server = Server::start().await;
    let mut cases = Vec::new();
    for name in ["A", "B", "C"] {
        cases.push(server.create_case(json!({"name": name})).await);
    }
    for round in ["1", "2"] {
        for (case, name) in cases.iter().zip(["a", "b", "c"]) {
            say(&server, id(case), &format!("{name}{round}")).await;
        }
    }
    (server, cases)
}

#[tokio::test]
async fn comments_of_merged_cases_are_listed_in_one_order_each_with_its_own_case() {
    let (server, cases) = three_cases().await;
    merge(&server, "CS000100", "CS000101").await;
    let page = get(&server, "cases/CS000101/comments").await;
    assert_eq!(values(&page, "text"), ["b2", "a2", "b1", "a1"]);
    merge(&server, "CS000101", "CS000102").await;
    let page = get(&server, "cases/CS000102/comments").await;
    assert_eq!(values(&page, "text"), ["c2", "b2", "a2", "c1", "b1", "a1"], "also through another case");
    let of: Vec<&str> = [2, 1, 0, 2, 1, 0].iter().map(|place| id(&cases[*place])).collect();
    assert_eq!(values(&page, "caseId"), of);
    assert_eq!(
        values(&get(&server, "cases/CS000100/comments").await, "text"),
        ["a2", "a1"],
        "the merged case still shows its own"
    );
    let public = say(&server, "CS000102", "public").await;
    assert_eq!(
        get(&server, "cases/CS000102/comments?visibility=public").await,
        json!({"results": [public], "hasMore": false})
    );
    let linked = get(&server, "cases/CS000102/links").await;
    assert_eq!(values(&linked, "type"), ["merged", "merged"]);
}

#[tokio::test]
async fn pages_of_comments_over_merged_cases_stay_what_they_were_while_others_come() {
    let (server, _) = three_cases().await;
    merge(&server, "CS000100", "CS000102").await;
    let mut path = "cases/CS000102/comments?limit=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = get(&server, &path).await;
        seen.extend(values(&page, "text").iter().map(ToString::to_string));
        if seen.len() == 2 {
            merge(&server, "CS000101", "CS000102").await;
        }
        say(&server, "CS000102", "c3").await;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("cases/CS000102/comments?limit=1&before={next}");
    }
    assert_eq!(
        seen,
        ["c2", "a2", "c1", "b1", "a1"],
        "what was merged meanwhile is seen where it is yet to come"
    );
}

#[tokio::test]
async fn a_comment_of_a_merged_case_is_changed_split_and_deleted_on_the_case_that_goes_on() {
    let (server, cases) = three_cases().await;
    let said = get(&server, "cases/CS000100/comments").await["results"][0].clone();
    let other = format!("cases/CS000102/comments/{}", id(&said));
    call(&server, "GET", &other).refused(404).await;
    merge(&server, "CS000100", "CS000101").await;
    merge(&server, "CS000101", "CS000102").await;
    assert_eq!(get(&server, &other).await, said);
    let own = format!("cases/CS000100/comments/{}", id(&said));
    assert_eq!(get(&server, &own).await, said);
    let refused = write(&server, "PATCH", &own, json!({"text": "x"})).send().await;
    assert!(refused.json()["detail"].as_str().unwrap().contains("CS000101"), "{}", refused.json());
    refused.refused(409);

    let file = added(&server, &cases[2], "f", b"x").await;
    let changed = json!({"text": "changed", "attachments": [id(&file)], "caseId": said["caseId"]});
    let edited = write(&server, "PATCH", &other, changed).and_header("If-Match", "\"v1\"").send().await;
    assert_eq!(edited.header("etag"), Some("\"v2\""));
    let edited = edited.document();
    assert_eq!((&edited["text"], &edited["caseId"]), (&json!("changed"), &cases[0]["_id"]));
    write(&server, "PATCH", &other, json!({"caseId": cases[2]["_id"]})).refused(409).await;
    let events = get(&server, &format!("{other}/events")).await;
    assert_eq!(values(&events, "kind"), ["comment.updated", "comment.created"]);

    let split = write(&server, "POST", &format!("{other}/split"), json!({"dueDate": "2030-01-31"}));
    let split = split.send().await.json();
    assert_eq!(split["name"], "changed");
    let links = get(&server, "cases/CS000102/links").await;
    assert_eq!(values(&links, "type"), ["merged", "merged", "related"]);
    let gone = send(&server, "DELETE", &other, json!({})).await;
    assert_eq!(gone["isDeleted"], true);
    assert_eq!(
        values(&get(&server, "cases/CS000102/comments").await, "text"),
        ["c2", "b2", "", "c1", "b1", "a1"]
    );
}

#[tokio::test]
async fn files_of_merged_cases_are_listed_got_and_deleted_on_the_case_that_goes_on() {
    let (server, cases) = three_cases().await;
    let mut files = Vec::new();
    for (case, name) in [(0, "a1"), (1, "b1"), (2, "c1"), (0, "a2"), (1, "b2")] {
        files.push(added(&server, &cases[case], name, name.as_bytes()).await);
    }
    let other = format!("cases/CS000102/attachments/{}", id(&files[0]));
    call(&server, "GET", &other).refused(404).await;
    call(&server, "GET", &format!("{other}/content")).refused(404).await;
    merge(&server, "CS000100", "CS000101").await;
    merge(&server, "CS000101", "CS000102").await;
    let page = get(&server, "cases/CS000102/attachments").await;
    assert_eq!(page, json!({"results": files, "hasMore": false}), "each says its own case");
    let (mut seen, mut path) = (Vec::new(), "cases/CS000102/attachments?limit=2".to_owned());
    loop {
        let page = get(&server, &path).await;
        seen.extend(values(&page, "name").iter().map(ToString::to_string));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("cases/CS000102/attachments?limit=2&after={next}");
    }
    assert_eq!(seen, ["a1", "b1", "c1", "a2", "b2"]);
    assert_eq!(get(&server, &other).await, files[0]);
    for case in ["CS000102", "CS000100"] {
        let path = format!("cases/{case}/attachments/{}/content", id(&files[0]));
        assert_eq!(call(&server, "GET", &path).send().await.bytes.as_ref(), b"a1", "{case}");
    }
    let own = format!("cases/CS000100/attachments/{}", id(&files[0]));
    call(&server, "DELETE", &own).refused(409).await;
    let gone = call(&server, "DELETE", &other).and_header("If-Match", "\"v1\"").send().await;
    assert_eq!(gone.header("etag"), Some("\"v2\""));
    assert_eq!(gone.document()["isDeleted"], true);
    let left = get(&server, "cases/CS000102/attachments").await;
    assert_eq!(values(&left, "name"), ["b1", "c1", "a2", "b2"]);
    let more = upload(&server, &cases[2], "c2", b"c2").send().await.made();
    let last = get(&server, &format!("cases/CS000102/attachments?after={}", id(&files[4]))).await;
    assert_eq!(last["results"], json!([more]));

    let body = json!({"text": "see", "attachments": [id(&files[1])]});
    let comment = write(&server, "POST", "cases/CS000102/comments", body).send().await.made();
    assert_eq!(
        comment["attachments"],
        json!([id(&files[1])]),
        "a comment may have a file that came with a merge"
    );
    let foreign = server.create_case(json!({})).await;
    let body = json!({"text": "see", "attachments": [id(&files[1])]});
    write(&server, "POST", &format!("cases/{}/comments", id(&foreign)), body).refused(400).await;
}

async fn found(server: &Server, q: &str) -> String {
    let body = json!({"q": q, "sortBy": {"refId": "asc"}});
    let page = send(server, "POST", "cases/search", body).await;
    let names = values(&page, "name").join("|");
    let counts = send(server, "POST", "cases/count", json!({"q": q, "by": ["status"]})).await;
    assert_eq!(counts["totalResults"], page["totalResults"], "{q}");
    names
}

async fn words_lead_to_the_case_that_goes_on(server: Server, restarts: bool) {
    for (case, name) in [("CS000100", "alpha"), ("CS000101", "beta"), ("CS000102", "gamma")] {
        server.create_case(json!({"name": case})).await;
        say(&server, case, &format!("{name} common")).await;
    }
    assert_eq!(found(&server, "comment:alpha").await, "CS000100");
    merge(&server, "CS000100", "CS000101").await;
    assert_eq!(found(&server, "comment:alpha").await, "CS000101");
    merge(&server, "CS000101", "CS000102").await;
    let server = if restarts { server.restarted().await } else { server };
    for q in ["alpha", "comment:alpha", "comment:beta", "alpha beta gamma", "common", "comment:common"] {
        assert_eq!(found(&server, q).await, "CS000102", "{q}");
    }
    assert_eq!(found(&server, "comment:\"alpha beta\"").await, "", "each word in one comment");
    assert_eq!(found(&server, "-comment:alpha").await, "");
    let said = get(&server, "cases/CS000102/comments").await["results"][2].clone();
    let path = format!("cases/CS000102/comments/{}", id(&said));
    send(&server, "PATCH", &path, json!({"text": "delta"})).await;
    assert_eq!(found(&server, "alpha").await, "");
    assert_eq!(found(&server, "delta").await, "CS000102");
}

#[tokio::test]
async fn a_case_is_found_by_comments_of_the_cases_that_were_merged_into_it() {
    words_lead_to_the_case_that_goes_on(Server::start().await, false).await;
}

#[tokio::test]
async fn a_case_is_found_by_comments_of_merged_cases_after_a_restart_too() {
    words_lead_to_the_case_that_goes_on(Server::start().await, true).await;
}

#[tokio::test]
async fn resolution_comments_and_feedback_stay_with_the_merged_case() {
    let (server, _) = three_cases().await;
    let path = |case: &str| format!("cases/{case}/resolution-comments");
    send(&server, "POST", &path("CS000100"), json!({"text": "The fuse was blown."})).await;
    let link = write(&server, "POST", "cases/CS000100/feedback-links", json!({})).send().await.json();
    let link = link["path"].as_str().unwrap();
    let given = server.call("").path(link).bare().header("Content-Type", "application/json");
    assert_eq!(given.json(&json!({"score": 4})).send().await.status, 200);
    merge(&server, "CS000100", "CS000101").await;
    let lengths =
        |case: &Value| ["resolutionCmts", "feedback"].map(|key| case[key].as_array().unwrap().len());
    assert_eq!(
        lengths(&get(&server, "cases/CS000101").await),
        [0, 0],
        "they judge the work on the other case"
    );
    assert_eq!(lengths(&get(&server, "cases/CS000100?redirect=false").await), [1, 1]);
    assert_eq!(server.call("").method("GET").path(link).bare().send().await.status, 404);
}

#[tokio::test]
async fn what_a_merged_case_has_is_of_its_own_stream_alone() {
    let (server, cases) = three_cases().await;
    let file = added(&server, &cases[0], "a", b"x").await;
    merge(&server, "CS000100", "CS000101").await;
    for path in ["cases/CS000101/comments".to_owned(), format!("cases/CS000101/attachments/{}", id(&file))] {
        call(&server, "GET", &path).stream("st-other").refused(403).await;
    }
    assert!(get(&server, "cases/CS000101/comments").await["results"][0]["_id"].is_string(), "{STREAM}");
}

#[tokio::test]
async fn a_merged_case_takes_no_files_and_names_the_one_that_goes_on() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    server.create_case(json!({"name": "Other"})).await;
    let attachment = added(&server, &case, "a", b"hello").await;
    call(&server, "POST", "cases/CS000100/merge").json(&json!({"into": "CS000101"})).send().await.document();
    for refused in [upload(&server, &case, "b", b"x"), call(&server, "DELETE", &path(&attachment))] {
        let refused = refused.send().await;
        assert!(refused.json()["detail"].as_str().unwrap().contains("CS000101"));
        assert_eq!(refused.refused(409), ["caseId"]);
    }
    assert_eq!((files(&server), used(&server).await), (1, (1, 5)));
}
