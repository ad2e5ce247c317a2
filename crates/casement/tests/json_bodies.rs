//! The JSON rows of the limits, media types and sizes: what can't be read is refused before anything else is looked at.

use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::harness::server::{Server, update_of};

const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A body whose length is not told before it is read.
fn streamed(bytes: Vec<u8>) -> Body {
    Body::new(Body::from(bytes).map_frame(|frame| frame))
}

/// A body of exactly so many bytes that createCase takes.
fn padded(server: &Server, bytes: usize) -> Vec<u8> {
    let mut body = server.case_body(json!({})).to_string().into_bytes();
    body.resize(bytes, b' ');
    body
}

#[tokio::test]
async fn what_is_no_json_is_refused_by_every_operation() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({})).await;
    let operations = [
        "createCase".to_owned(),
        "createTask".to_owned(),
        "getCases".to_owned(),
        "getTasks".to_owned(),
        update_of("updateCase", &case),
        update_of("updateTask", &task),
    ];
    for operation in operations {
        for wrong in
            ["{", "nonsense", "{}x", "{'a': 1}", "{\"a\": 1,}", "\u{feff}{}", "{\"a\": NaN}", "\u{1}"]
        {
            assert_eq!(server.call(&operation).bytes(wrong.to_owned()).refused(400).await, [""], "{wrong:?}");
        }
        for wrong in [json!(null), json!([]), json!(1), json!("{}"), json!(true)] {
            assert_eq!(server.refused(&operation, &wrong, 400).await, [""], "{operation} {wrong}");
        }
        server.call(&operation).bytes(&b"{\"a\": \"\xff\"}"[..]).refused(400).await;
        server.call(&operation).bytes(&b"\x1f\x8b\x08"[..]).refused(400).await;
    }
    assert_eq!(server.listed_case(&case["_id"]).await.unwrap()["name"], case["name"]);
}

#[tokio::test]
async fn an_empty_body_lists_and_is_refused_by_every_write() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for operation in ["getCases", "getTasks"] {
        server.call(operation).send().await.document();
        server.call(operation).without("Content-Type").send().await.document();
        server.call(operation).header("Content-Length", "0").send().await.document();
    }
    for operation in ["createCase", "createTask", &update_of("updateCase", &case)] {
        assert_eq!(server.call(operation).refused(400).await, [""]);
    }
}

#[tokio::test]
async fn each_thing_that_two_readers_could_understand_differently_is_a_400_at_its_path() {
    let server = Server::start().await;
    for (body, fields) in [
        (r#"{"name": "a", "name": "a"}"#, vec!["name"]),
        (r#"{"userInfo": {"_id": "u-1", "_id": "u-2"}}"#, vec!["userInfo._id"]),
        (r#"{"tags": ["a", "b\u0000"], "source": "\u0000"}"#, vec!["tags[1]", "source"]),
        (r#"{"unknown": {"deep": ["\u0000"]}}"#, vec!["unknown.deep[0]"]),
        (r#"{"dueDate": 1e400}"#, vec![""]),
        (r#"{"dueDate": -1e400}"#, vec![""]),
        (r#"{"name": "\ud800"}"#, vec![""]),
        (r#"{"name": "\udc00\ud800"}"#, vec![""]),
        (r#"{"\ud800": 1}"#, vec![""]),
    ] {
        for operation in ["createCase", "getCases"] {
            let found = server.call(operation).bytes(body).refused(400).await;
            assert_eq!(found, fields, "{operation} {body}");
        }
    }
    server.call("getCases").bytes(r#"{"key\u0000": 1}"#).refused(400).await;
    // A pair of surrogates is one character.
    let listed = server.call("getCases").bytes(r#"{"name": "\ud83d\ude00"}"#).send().await;
    assert_eq!(listed.document()["totalResults"], 0);
}

#[tokio::test]
async fn depth_and_number_of_values_are_limited() {
    let server = Server::start().await;
    let nested = |depth: usize| format!("{{\"x\": {}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    server.call("getCases").bytes(nested(32)).send().await.document();
    server.call("getCases").bytes(nested(33)).refused(400).await;
    server.call("getCases").bytes(nested(200_000)).refused(400).await;
    // The object itself and the array count as values.
    let long = |values: usize| json!({"x": vec![1; values - 2]}).to_string();
    server.call("getCases").bytes(long(10_000)).send().await.document();
    server.call("getCases").bytes(long(10_001)).refused(400).await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_told_or_streamed() {
    let server = Server::start().await;
    let (fits, over) = (padded(&server, BODY_BYTES_MAX), padded(&server, BODY_BYTES_MAX + 1));
    server.call("createCase").bytes(fits.clone()).send().await.document();
    server.call("createCase").body(streamed(fits)).send().await.document();
    server.call("createCase").bytes(over.clone()).refused(413).await;
    server.call("createCase").body(streamed(over)).refused(413).await;
    // A told length is believed before a byte is read.
    let told = server.call("createCase").header("Content-Length", "1048577").bytes("{}");
    told.refused(413).await;
    for operation in ["getCases", "getTasks", "createTask", "updateCase/ci-x", "updateTask/ti-x"] {
        server.call(operation).bytes(vec![b' '; BODY_BYTES_MAX + 1]).refused(413).await;
    }
    assert_eq!(server.post("getCases", json!({})).await.document()["totalResults"], 2);
}

#[tokio::test]
async fn any_parameter_of_the_json_media_type_is_taken_and_a_missing_type_is_json() {
    let server = Server::start().await;
    let call = || server.call("getCases").json(&json!({"limit": 1}));
    for right in [
        "application/json",
        "application/json;charset=UTF-8",
        "application/json; charset=utf-8",
        "APPLICATION/JSON ; charset=\"utf-8\"",
        "application/json; charset=iso-8859-1",
    ] {
        assert_eq!(call().header("Content-Type", right).send().await.document()["limit"], 1, "{right}");
    }
    assert_eq!(call().without("Content-Type").send().await.document()["limit"], 1);
    for wrong in
        ["text/plain", "application/jsonx", "application/problem+json", "multipart/form-data", "json"]
    {
        assert_eq!(call().header("Content-Type", wrong).refused(415).await, ["Content-Type"], "{wrong}");
    }
    assert_eq!(call().header("Content-Encoding", "gzip").refused(415).await, ["Content-Encoding"]);
    call().header("Content-Encoding", "identity").send().await.document();
}

#[tokio::test]
async fn unknown_keys_are_ignored_in_every_body() {
    let server = Server::start().await;
    let case = server.create_case(json!({"unknown": {"a": [1]}, "$where": "1"})).await;
    assert!(case.get("unknown").is_none());
    server.create_task(&case, json!({"unknown": 1})).await;
    let updated = server.update_case(&case, json!({"unknown": null, "foo": []})).await;
    assert_eq!(updated["_id"], case["_id"]);
    assert_eq!(server.post("getCases", json!({"unknown": 1})).await.document()["totalResults"], 1);
}

#[tokio::test]
async fn every_fault_of_a_body_is_told_at_once_and_never_more_than_a_hundred() {
    let server = Server::start().await;
    let fields = server.refused("createCase", &json!({}), 400).await;
    assert_eq!(fields, ["caseTmp", "name", "desc", "userInfo", "source", "dueDate"]);
    let tags: Vec<Value> = (0..150).map(|_| json!(1)).collect();
    assert_eq!(server.refused("createCase", &server.case_body(json!({"tags": tags})), 400).await.len(), 100);
}
