//! Contract sections 9 and 11.2: whole documents that were read, changed and sent back while somebody else changed them.

use serde_json::{Value, json};

use crate::harness::server::{Server, update_of};

/// What a client sends that read a document and changed some keys of it.
fn changed(read: &Value, changes: &Value) -> Value {
    let mut body = read.clone();
    for (key, value) in changes.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[tokio::test]
async fn two_clients_that_changed_different_keys_both_have_their_way() {
    let server = Server::start().await;
    let read = server.create_case(json!({"tags": ["a", "b"]})).await;
    server
        .update_case(&read, json!({"priority": "High", "tags": ["a", "b", "theirs"], "desc": "theirs"}))
        .await;
    let mine = changed(&read, &json!({"name": "mine", "tags": ["b", "mine"]}));
    let merged = server.update_case(&read, mine).await;
    assert_eq!(merged["name"], "mine");
    assert_eq!(merged["desc"], "theirs");
    assert_eq!(merged["priority"]["name"], "High");
    assert_eq!(merged["tags"], json!(["b", "theirs", "mine"]));
}

#[tokio::test]
async fn a_key_that_both_changed_differently_is_a_409_with_both_values() {
    let server = Server::start().await;
    let read = server.create_case(json!({})).await;
    server.update_case(&read, json!({"name": "theirs", "priority": "High"})).await;
    let mine = changed(&read, &json!({"name": "mine", "priority": {"name": "Low"}, "desc": "mine too"}));
    let before = server.listed_case(&read["_id"]).await;
    let answer = server.call(&update_of("updateCase", &read)).json(&mine).send().await;
    assert_eq!(answer.refused(409), ["name", "priority"]);
    let text = answer.json()["errors"].to_string();
    for value in ["theirs", "mine", "High", "Low"] {
        assert!(text.contains(value), "{text}");
    }
    assert_eq!(server.listed_case(&read["_id"]).await, before);
}

#[tokio::test]
async fn a_key_that_both_changed_alike_is_no_conflict() {
    let server = Server::start().await;
    let read = server.create_case(json!({})).await;
    let theirs = server.update_case(&read, json!({"name": "same"})).await;
    let merged = server.update_case(&read, changed(&read, &json!({"name": "same"}))).await;
    assert_eq!(merged, theirs, "nothing is left to change");
}

#[tokio::test]
async fn a_document_that_is_sent_back_unchanged_undoes_nothing() {
    let server = Server::start().await;
    let read = server.create_case(json!({"tags": ["a"]})).await;
    let theirs = server
        .update_case(&read, json!({"name": "theirs", "tags": [], "dueDate": null, "status": "On-Hold"}))
        .await;
    assert_eq!(server.update_case(&read, read.clone()).await, theirs);
}

#[tokio::test]
async fn a_partial_body_with_the_stamp_of_an_old_version_is_merged_too() {
    let server = Server::start().await;
    let read = server.create_case(json!({"desc": "old"})).await;
    server.update_case(&read, json!({"desc": "theirs"})).await;
    let path = update_of("updateCase", &read);
    let stamp = &read["timestampValue"];
    let stale = json!({"timestampValue": stamp, "desc": "mine"});
    assert_eq!(server.refused(&path, &stale, 409).await, ["desc"]);
    let repeats_what_was_read = json!({"timestampValue": stamp, "desc": "old", "name": "mine"});
    let merged = server.update_case(&read, repeats_what_was_read).await;
    assert_eq!((&merged["desc"], &merged["name"]), (&json!("theirs"), &json!("mine")));
}

#[tokio::test]
async fn a_stamp_that_names_no_earlier_version_is_as_if_absent() {
    let server = Server::start().await;
    let read = server.create_case(json!({})).await;
    let stamp = read["timestampValue"].as_i64().unwrap();
    server.advance(1_000);
    let theirs = server.update_case(&read, json!({"name": "theirs"})).await;
    let current = theirs["timestampValue"].as_i64().unwrap();
    for (index, unknown) in [
        json!(null),
        json!(0),
        json!(stamp - 1),
        json!(stamp + 1),
        json!(current + 1_000_000),
        json!(1.5),
        json!(-1),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("mine {index}");
        let after = server.update_case(&read, json!({"timestampValue": unknown, "name": name})).await;
        assert_eq!(after["name"], name.as_str(), "{unknown}");
    }
}

#[tokio::test]
async fn any_earlier_version_can_be_the_base() {
    let server = Server::start().await;
    let mut versions = vec![server.create_case(json!({"tags": []})).await];
    for round in 0..150 {
        server.advance(if round % 3 == 0 { 0 } else { 7 });
        let last = versions.last().unwrap().clone();
        let change = if round % 2 == 0 {
            json!({"desc": format!("d{round}")})
        } else {
            json!({"source": format!("s{round}")})
        };
        versions.push(server.update_case(&last, change).await);
    }
    for old in [0, 1, 70, 149] {
        let tag = format!("from {old}");
        let merged =
            server.update_case(&versions[old], changed(&versions[old], &json!({"tags": [tag]}))).await;
        assert!(merged["tags"].as_array().unwrap().contains(&json!(tag)));
        assert_eq!(merged["desc"], versions[150]["desc"]);
        assert_eq!(merged["source"], versions[150]["source"]);
    }
}

#[tokio::test]
async fn the_due_date_merges_as_one_value_and_a_conflict_names_it() {
    let server = Server::start().await;
    let read = server.create_case(json!({"dueDate": "2030-01-01T00:00:00.000Z"})).await;
    server.update_case(&read, json!({"ETA": "2030-02-01T00:00:00.000Z"})).await;
    let path = update_of("updateCase", &read);
    let mine = changed(&read, &json!({"dueDate": 1_898_553_600_000_i64}));
    assert_eq!(server.refused(&path, &mine, 409).await, ["dueDate"]);
    let merged = server.update_case(&read, changed(&read, &json!({"name": "mine"}))).await;
    assert_eq!(merged["ETA"], "2030-02-01T00:00:00.000Z");
}

#[tokio::test]
async fn the_assignment_is_resolved_first_and_then_compared() {
    let server = Server::start().await;
    let ann = server.agent("Ann").await;
    let bob = server.agent("Bob").await;
    let read = server.create_case(json!({})).await;
    let theirs = server.update_case(&read, json!({"currAssignee": {"aId": ann.id}})).await;
    let path = update_of("updateCase", &read);
    let mine = changed(&read, &json!({"currAssignee": {"name": "bob"}}));
    assert_eq!(server.refused(&path, &mine, 409).await, ["currAssignee"]);
    let same = changed(&read, &json!({"currAssignee": {"name": "ann"}, "name": "mine"}));
    let merged = server.update_case(&read, same).await;
    assert_eq!(merged["currAssignee"]["aId"], json!(ann.id));
    assert_eq!(merged["participants"], theirs["participants"], "the turn goes on");
    let other =
        server.update_case(&merged, changed(&merged, &json!({"currAssignee": {"aId": bob.id}}))).await;
    assert_eq!(other["currAssignee"]["name"], "Bob");
}

#[tokio::test]
async fn participants_are_compared_with_the_version_that_was_read() {
    let server = Server::start().await;
    let ann = server.agent("Ann").await;
    let read = server.create_case(json!({})).await;
    server.update_case(&read, json!({"currAssignee": {"aId": ann.id}})).await;
    assert_eq!(read["participants"], json!([]));
    let merged = server.update_case(&read, changed(&read, &json!({"name": "mine"}))).await;
    assert_eq!(merged["participants"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn custom_fields_merge_by_entry() {
    let server = Server::start().await;
    server.custom_fields(&["One", "Two"]).await;
    let field = |name: &str, value: &str| json!({"name": name, "selectedValue": value});
    let read = server.create_case(json!({"fields": [field("One", "1"), field("Two", "2")]})).await;
    server.update_case(&read, json!({"fields": [field("One", "theirs")]})).await;
    let stamp = &read["timestampValue"];
    let mine = json!({"timestampValue": stamp, "fields": [field("One", "1"), field("Two", "mine")]});
    let merged = server.update_case(&read, mine).await;
    let value = |name: &str| {
        let fields = merged["fields"].as_array().unwrap();
        fields.iter().find(|field| field["displayName"] == name).unwrap()["selectedValue"].clone()
    };
    assert_eq!((value("One"), value("Two")), (json!("theirs"), json!("mine")));
    let clash = json!({"timestampValue": stamp, "fields": [field("One", "mine")]});
    assert_eq!(server.refused(&update_of("updateCase", &read), &clash, 409).await, ["fields"]);
}

#[tokio::test]
async fn a_task_merges_like_a_case() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let read = server.create_task(&case, json!({"tags": ["a"]})).await;
    server.update_task(&read, json!({"name": "theirs", "tags": ["a", "theirs"]})).await;
    let merged =
        server.update_task(&read, changed(&read, &json!({"desc": "mine", "tags": ["a", "mine"]}))).await;
    assert_eq!((&merged["name"], &merged["desc"]), (&json!("theirs"), &json!("mine")));
    assert_eq!(merged["tags"], json!(["a", "theirs", "mine"]));
    let clash = changed(&read, &json!({"name": "mine"}));
    assert_eq!(server.refused(&update_of("updateTask", &read), &clash, 409).await, ["name"]);
}

#[tokio::test]
async fn rules_hold_over_the_merged_document() {
    let server = Server::start().await;
    let read = server.create_case(json!({})).await;
    server.create_task(&read, json!({})).await;
    let path = update_of("updateCase", &read);
    let closing = changed(&read, &json!({"status": {"name": "Closed"}}));
    assert_eq!(server.refused(&path, &closing, 409).await, ["status"]);
    let renamed = server.update_case(&read, changed(&read, &json!({"name": "mine"}))).await;
    assert_eq!(renamed["taskIds"].as_array().unwrap().len(), 1, "the task made meanwhile stays");
    let deleted = server.update_case(&renamed, json!({"isActive": false})).await;
    assert_eq!(server.refused(&path, &changed(&renamed, &json!({"name": "again"})), 409).await, ["isActive"]);
    let restored = server.update_case(&deleted, changed(&deleted, &json!({"isActive": true}))).await;
    assert_eq!(restored["isActive"], true);
}

#[tokio::test]
async fn identity_is_compared_with_what_is_stored_also_in_a_merge() {
    let server = Server::start().await;
    let read = server.create_case(json!({})).await;
    server.update_case(&read, json!({"name": "theirs"})).await;
    let mine = changed(&read, &json!({"refId": "CS000999", "desc": "mine"}));
    assert_eq!(server.refused(&update_of("updateCase", &read), &mine, 409).await, ["refId"]);
}
