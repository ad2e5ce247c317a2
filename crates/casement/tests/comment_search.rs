//! Cases found by what their comments say, through the router.

use serde_json::{Value, json};

use crate::harness::server::{STREAM, Server, update_of};

fn path(rest: &str) -> String {
    format!("/api/v1/streams/{STREAM}/{rest}")
}

async fn send(server: &Server, method: &str, rest: &str, body: &Value) -> Value {
    server.call("").method(method).path(&path(rest)).without("AccountId").json(body).send().await.document()
}

/// Makes a case with comments; gives the comments' paths.
async fn commented(server: &Server, name: &str, texts: &[&str]) -> Vec<String> {
    let case = server.create_case(json!({"name": name})).await;
    let mut paths = Vec::new();
    for text in texts {
        paths.push(say(server, case["refId"].as_str().unwrap(), json!({"text": text})).await);
    }
    paths
}

async fn say(server: &Server, case: &str, body: Value) -> String {
    let call = server.call("").path(&path(&format!("cases/{case}/comments"))).without("AccountId");
    let made = call.json(&body).send().await.made();
    format!("cases/{case}/comments/{}", made["_id"].as_str().unwrap())
}

async fn found(server: &Server, noun: &str, q: &str) -> String {
    let body = json!({"q": q, "sortBy": {"refId": "asc"}});
    let page = send(server, "POST", &format!("{noun}/search"), &body).await;
    let results = page["results"].as_array().unwrap();
    assert_eq!(page["totalResults"], results.len(), "{q}");
    let counts = send(server, "POST", &format!("{noun}/count"), &json!({"q": q, "by": ["status"]})).await;
    assert_eq!(counts["totalResults"], results.len(), "{q}");
    results.iter().map(|found| found["name"].as_str().unwrap()).collect::<Vec<_>>().join("|")
}

async fn three_cases() -> Server {
    let server = Server::start().await;
    commented(&server, "Invoice", &["The **re**fund was sent", "Thank you"]).await;
    let case = server.create_case(json!({"name": "Printer", "tags": ["refund"]})).await;
    server.create_task(&case, json!({"name": "Refund it"})).await;
    let reply = json!({"text": "<p>Le café<br>noir</p>", "format": "html", "visibility": "public"});
    say(&server, "CS000101", reply).await;
    commented(&server, "Silent", &[]).await;
    server
}

#[tokio::test]
async fn a_case_is_found_by_the_words_of_its_comments() {
    let server = three_cases().await;
    for (q, cases) in [
        ("refund", "Invoice|Printer"),
        ("REFU", "Invoice|Printer"),
        ("comment:refund", "Invoice"),
        ("comment:refu", "Invoice"),
        ("-comment:refund", "Printer|Silent"),
        ("fund", ""),
        ("strong", ""),
        ("invoice refund", "Invoice"),
        ("refund thank", "Invoice"),
        ("comment:refund comment:thank", "Invoice"),
        ("comment:\"refund thank\"", ""),
        ("comment:\"sent refund\"", "Invoice"),
        ("comment:thank,cafe", "Invoice|Printer"),
        ("comment:noir refund", "Printer"),
        ("\"cafe noir\" or silent", "Printer|Silent"),
        ("not refund", "Silent"),
        ("comment:printer", ""),
    ] {
        assert_eq!(found(&server, "cases", q).await, cases, "{q}");
    }
    assert_eq!(found(&server, "tasks", "refund").await, "Refund it");
    assert_eq!(found(&server, "tasks", "thank").await, "");
    assert_eq!(found(&server, "tasks", "comment:thank").await, "", "a task has no comments");
}

#[tokio::test]
async fn a_clause_on_comments_needs_a_word_and_takes_no_order() {
    let server = three_cases().await;
    for q in ["comment:\"\"", "comment:\"?!\"", "comment>refund"] {
        let body = json!({"q": q});
        let call = server.call("").path(&path("cases/search")).without("AccountId").json(&body);
        assert_eq!(call.refused(400).await, ["q"], "{q}");
    }
}

#[tokio::test]
async fn the_search_of_the_public_api_does_not_look_into_comments() {
    let server = three_cases().await;
    for word in ["thank", "refund"] {
        let page = server.post("getCases", json!({"searchText": word})).await.document();
        assert_eq!(page["totalResults"], 0, "{word}");
    }
}

#[tokio::test]
async fn a_name_ranks_before_a_comment() {
    let server = three_cases().await;
    commented(&server, "Thank you", &[]).await;
    commented(&server, "Other", &["thank"]).await;
    let page = send(&server, "POST", "cases/search", &json!({"q": "thank", "hits": true})).await;
    let names: Vec<&str> =
        page["results"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Thank you", "Other", "Invoice"]);
    assert_eq!(page["results"][1]["hits"].as_object().map_or(0, serde_json::Map::len), 0, "{page}");
}

#[tokio::test]
async fn what_a_comment_said_before_a_change_finds_nothing_any_more() {
    let server = Server::start().await;
    let comments = commented(&server, "One", &["alpha", "beta", "gamma"]).await;
    send(&server, "PATCH", &comments[0], &json!({"text": "delta"})).await;
    assert_eq!(found(&server, "cases", "alpha").await, "");
    assert_eq!(found(&server, "cases", "delta").await, "One");
    send(&server, "DELETE", &comments[1], &json!({})).await;
    assert_eq!(found(&server, "cases", "beta").await, "");
    assert_eq!(found(&server, "cases", "gamma").await, "One");
    let case = send(&server, "GET", "cases/CS000100", &json!({})).await;
    let gone = server.post(&update_of("updateCase", &case), json!({"isActive": false})).await;
    assert_eq!(gone.status, 200);
    assert_eq!(found(&server, "cases", "gamma").await, "");
    let back = server.post(&update_of("updateCase", &case), json!({"isActive": true})).await;
    assert_eq!(back.status, 200);
    assert_eq!(found(&server, "cases", "gamma").await, "One");
}

#[tokio::test]
async fn comments_are_searched_after_a_restart_too() {
    let server = three_cases().await;
    let server = server.restarted().await;
    assert_eq!(found(&server, "cases", "comment:refund").await, "Invoice");
    say(&server, "CS000102", json!({"text": "refund"})).await;
    assert_eq!(found(&server, "cases", "comment:refund").await, "Invoice|Silent");
}

#[tokio::test]
async fn what_one_node_says_every_node_finds() {
    let first = Server::start_on_server().await;
    let second = first.another_node().await;
    for step in 0..6 {
        let (writes, reads) = if step % 2 == 0 { (&first, &second) } else { (&second, &first) };
        let name = format!("Case {step}");
        let comments = commented(writes, &name, &[&format!("before{step}"), "again"]).await;
        // Other changes of the case put it behind its comments in what the other node reads.
        let case = send(writes, "GET", &format!("cases/CS{:06}", 100 + step), &json!({})).await;
        writes.update_case(&case, json!({"tags": ["late"]})).await;
        assert_eq!(found(reads, "cases", &format!("comment:before{step}")).await, name);
        send(reads, "PATCH", &comments[0], &json!({"text": format!("after{step}")})).await;
        assert_eq!(found(writes, "cases", &format!("before{step}")).await, "");
        assert_eq!(found(writes, "cases", &format!("after{step}")).await, name);
    }
}
