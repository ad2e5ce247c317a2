//! Comments that are split off into cases of their own.

use serde_json::{Value, json};

use crate::harness::call::Call;
use crate::harness::server::{DUE, STREAM, Server};

fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId")
}

async fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path).send().await.document()
}

/// A case with a comment; gives the comment's path.
async fn commented(server: &Server, body: Value) -> String {
    server
        .create_case(json!({"name": "Printer", "priority": "High", "source": "email",
            "userInfo": {"_id": "u-7", "name": "Zoë", "emailId": "zoe@example.com"}}))
        .await;
    let made = call(server, "POST", "cases/CS000100/comments").json(&body).send().await.made();
    format!("cases/CS000100/comments/{}", made["_id"].as_str().unwrap())
}

#[tokio::test]
async fn a_comment_becomes_a_case_that_is_linked_with_its_own() {
    let server = Server::start().await;
    let path = commented(&server, json!({"text": "The **re**fund\n\nis missing"})).await;
    let body = json!({"dueDate": DUE});
    let answer = call(&server, "POST", &format!("{path}/split")).json(&body).send().await;
    assert_eq!(answer.status, 201);
    let location = answer.header("location").unwrap().to_owned();
    let made: Value = answer.json();
    assert!(location.ends_with(made["_id"].as_str().unwrap()), "{location}");
    assert_eq!((&made["refId"], &made["name"]), (&json!("CS000101"), &json!("The refund")));
    assert_eq!(made["desc"], "The refund\n\nis missing");
    let former = get(&server, "cases/CS000100").await;
    for key in ["caseTmp", "source", "priority", "userInfo"] {
        assert_eq!(made[key], former[key], "{key}");
    }
    assert_eq!(get(&server, "cases/CS000101").await["_id"], made["_id"]);
    for (of, other) in [("CS000100", &made), ("CS000101", &former)] {
        let links = get(&server, &format!("cases/{of}/links")).await;
        assert!(links.to_string().contains(other["_id"].as_str().unwrap()), "{links}");
        assert!(links.to_string().contains("related"), "{links}");
    }
    let comment = get(&server, &path).await;
    assert_eq!((&comment["splitInto"], &comment["isEdited"]), (&made["_id"], &json!(false)));
    assert_eq!(comment["html"], "<p>The <strong>re</strong>fund</p>\n<p>is missing</p>\n");
    let again = call(&server, "POST", &format!("{path}/split")).json(&body);
    again.refused(409).await;
}

#[tokio::test]
async fn what_the_body_of_a_split_says_counts() {
    let server = Server::start().await;
    let path = commented(&server, json!({"text": "One"})).await;
    let body = json!({"name": "Two", "desc": "Three", "priority": "Low", "source": "voice", "dueDate": DUE,
        "userInfo": {"_id": "u-8", "name": "Ann"}, "_id": "ci-mine", "splitInto": "ci-other"});
    let made = call(&server, "POST", &format!("{path}/split")).json(&body).send().await.json();
    assert_eq!((&made["name"], &made["desc"]), (&json!("Two"), &json!("Three")));
    assert_eq!((&made["priority"]["name"], &made["source"]), (&json!("Low"), &json!("voice")));
    assert_eq!(made["userInfo"]["_id"], "u-8");
    assert_ne!(made["_id"], "ci-mine");
}

#[tokio::test]
async fn a_split_is_refused_as_a_creation_is_and_writes_nothing() {
    let server = Server::start().await;
    let path = commented(&server, json!({"text": "One"})).await;
    let split = format!("{path}/split");
    let events = server.events_total().await;
    for (body, status, fields) in [
        (json!({"name": null, "desc": 5, "dueDate": DUE}), 400, vec!["desc", "name"]),
        (json!({"caseTmp": "No such", "dueDate": DUE}), 400, vec!["caseTmp"]),
        (json!({"priority": "No such", "dueDate": DUE}), 400, vec!["priority"]),
    ] {
        assert_eq!(call(&server, "POST", &split).json(&body).refused(status).await, fields, "{body}");
    }
    let body = json!({"dueDate": DUE});
    call(&server, "POST", &split).header("if-match", "\"v2\"").json(&body).refused(412).await;
    for absent in ["cases/CS000999/comments/co-1/split", "cases/CS000100/comments/co-1/split"] {
        call(&server, "POST", absent).json(&body).refused(404).await;
    }
    assert_eq!(server.events_total().await, events);
    call(&server, "DELETE", &path).send().await.document();
    call(&server, "POST", &split).json(&body).refused(409).await;
}

#[tokio::test]
async fn a_split_that_is_sent_twice_makes_one_case() {
    let server = Server::start().await;
    let path = commented(&server, json!({"text": "One"})).await;
    let body = json!({"dueDate": DUE});
    let send = || {
        let call = call(&server, "POST", &format!("{path}/split"));
        call.header("if-match", "\"v1\"").header("idempotency-key", "split-1").json(&body)
    };
    let first = send().send().await;
    let second = send().send().await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(first.json(), second.json());
    let total = server.post("getCases", json!({})).await.document()["totalResults"].clone();
    assert_eq!(total, 2);
}

#[tokio::test]
async fn a_split_comment_without_text_takes_the_name_of_its_case() {
    let server = Server::start().await;
    let path = commented(&server, json!({"format": "html", "text": "<hr>"})).await;
    let body = json!({"dueDate": DUE});
    let made = call(&server, "POST", &format!("{path}/split")).json(&body).send().await.json();
    assert_eq!((&made["name"], &made["desc"]), (&json!("Printer"), &json!("")));
}
