//! Documents that name others by id which were purged since: such an id counts as none, and stands in nobody's way.

use casement_store::set::{DocumentWrite, EventWrite, WriteSet};
use serde_json::{Value, json};

use crate::attachments::{call, id};
use crate::harness::call::Call;
use crate::harness::server::{STREAM, Server};

fn write<'a>(server: &'a Server, method: &str, path: &str, body: Value) -> Call<'a> {
    call(server, method, path).header("Content-Type", "application/json").json(&body)
}

async fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path).send().await.document()
}

fn link<'a>(server: &'a Server, one: &str, other: &str, kind: &str) -> Call<'a> {
    call(server, "PUT", &format!("cases/{one}/links/{other}?type={kind}"))
}

/// Deletes and purges a case.
async fn gone(server: &Server, case: &str) {
    call(server, "DELETE", &format!("cases/{case}")).send().await.document();
    assert_eq!(call(server, "POST", &format!("cases/{case}/purge")).send().await.status, 204);
}

/// The links of a case, each as its sort and the reference id of the other.
async fn links(server: &Server, case: &str) -> Vec<String> {
    let page = get(server, &format!("cases/{case}/links")).await;
    let told = |link: &Value| {
        format!("{} {}", link["type"].as_str().unwrap(), link["case"]["refId"].as_str().unwrap())
    };
    page["results"].as_array().unwrap().iter().map(told).collect()
}

/// The ids in the links of a case as they are stored.
async fn stored_links(server: &Server, case: &Value) -> Vec<String> {
    let document = server.store.document(STREAM, "case", id(case)).await.unwrap().unwrap();
    let body: Value = serde_json::from_slice(&document.body).unwrap();
    let links = body["links"].as_array().cloned().unwrap_or_default();
    links.iter().map(|link| link["case"].as_str().unwrap().to_owned()).collect()
}

async fn cases(server: &Server, count: usize) -> Vec<Value> {
    let mut cases = Vec::new();
    for _ in 0..count {
        cases.push(server.create_case(json!({})).await);
    }
    cases
}

/// Purges one document alone, as a purge of its case does that breaks off.
async fn purge_alone(server: &Server, kind: &str, document: &str) {
    let stored = server.store.document(STREAM, kind, document).await.unwrap().unwrap();
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
            parent: None,
            version: stored.version,
            counter: None,
            schema: 0,
            body: json!({"purged_at": server.now_ms()}).to_string().into_bytes(),
        }],
        claims: Vec::new(),
        events: vec![EventWrite::erasing(kind, document, stored.sequence, [1; 16])],
    };
    server.store.commit(set).await.unwrap();
}

#[tokio::test]
async fn a_case_whose_parent_was_purged_has_none_and_takes_another() {
    let server = Server::start().await;
    let cases = cases(&server, 5).await;
    link(&server, "CS000101", "CS000100", "parent").send().await.document();
    link(&server, "CS000102", "CS000100", "related").send().await.document();
    link(&server, "CS000101", "CS000103", "parent").refused(409).await;
    gone(&server, "CS000100").await;
    assert_eq!(links(&server, "CS000101").await, [""; 0]);
    // Nobody can name it, to link or to unlink.
    let unlink = |case: &str, other: &str| call(&server, "DELETE", &format!("cases/{case}/links/{other}"));
    unlink("CS000101", id(&cases[0])).refused(404).await;
    link(&server, "CS000101", "CS000103", "parent").send().await.document();
    assert_eq!(links(&server, "CS000101").await, ["parent CS000103"]);
    assert_eq!(stored_links(&server, &cases[1]).await, [id(&cases[3])], "the link that was none is dropped");
    // From the side of the parent, and while a link ends.
    link(&server, "CS000104", "CS000102", "child").send().await.document();
    assert_eq!(links(&server, "CS000102").await, ["parent CS000104"]);
    assert_eq!(stored_links(&server, &cases[2]).await, [id(&cases[4])]);
    link(&server, "CS000104", "CS000101", "related").send().await.document();
    gone(&server, "CS000102").await;
    unlink("CS000101", "CS000104").send().await.document();
    assert_eq!(stored_links(&server, &cases[4]).await, [""; 0]);
    // What it tells of itself is what was written.
    let events = server.events_of(id(&cases[1])).await;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["case.created", "case.linked", "case.linked", "case.linked", "case.unlinked"]);
    assert_eq!(server.store.verify(STREAM).await.unwrap().fault, None);
}

#[tokio::test]
async fn nothing_is_above_a_case_that_was_purged() {
    let server = Server::start().await;
    cases(&server, 3).await;
    link(&server, "CS000101", "CS000100", "parent").send().await.document();
    link(&server, "CS000102", "CS000101", "parent").send().await.document();
    link(&server, "CS000100", "CS000102", "parent").refused(409).await;
    gone(&server, "CS000101").await;
    link(&server, "CS000100", "CS000102", "parent").send().await.document();
    assert_eq!(links(&server, "CS000102").await, ["child CS000100"]);
    assert_eq!(links(&server, "CS000100").await, ["parent CS000102"]);
}

#[tokio::test]
async fn a_merge_takes_no_link_with_a_purged_case_along() {
    let server = Server::start().await;
    let cases = cases(&server, 4).await;
    let merge = |from: &str, into: &str| {
        write(&server, "POST", &format!("cases/{from}/merge"), json!({"into": into})).send()
    };
    merge("CS000100", "CS000101").await.document();
    assert_eq!(call(&server, "POST", "cases/CS000100/purge").send().await.status, 204);
    link(&server, "CS000102", "CS000103", "duplicateOf").send().await.document();
    gone(&server, "CS000103").await;
    merge("CS000101", "CS000102").await.document();
    assert_eq!(links(&server, "CS000102").await, ["merged CS000101"]);
    assert_eq!(stored_links(&server, &cases[2]).await, [id(&cases[1])]);
    // The merged case stays as it was.
    assert_eq!(stored_links(&server, &cases[1]).await, [id(&cases[0])]);
    gone(&server, "CS000102").await;
    call(&server, "GET", "cases/CS000101").refused(404).await;
}

#[tokio::test]
async fn a_comment_whose_case_was_purged_can_be_split_off_again() {
    let server = Server::start().await;
    let made = cases(&server, 1).await;
    let said = write(&server, "POST", "cases/CS000100/comments", json!({"text": "Another thing"}));
    let said = said.send().await.made();
    let path = format!("cases/CS000100/comments/{}/split", id(&said));
    let split = || write(&server, "POST", &path, json!({"dueDate": "2030-01-31"}));
    let first = split().send().await.json();
    split().refused(409).await;
    call(&server, "DELETE", "cases/CS000101").send().await.document();
    split().refused(409).await;
    assert_eq!(call(&server, "POST", "cases/CS000101/purge").send().await.status, 204);
    let second = split().send().await.json();
    assert_eq!((&second["refId"], &second["name"]), (&json!("CS000102"), &first["name"]));
    assert_eq!(links(&server, "CS000100").await, ["related CS000102"]);
    assert_eq!(stored_links(&server, &made[0]).await, [id(&second)]);
    let said = get(&server, &format!("cases/CS000100/comments/{}", id(&said))).await;
    assert_eq!(said["splitInto"], second["_id"]);
    split().refused(409).await;
}

#[tokio::test]
async fn a_restored_case_names_no_task_that_a_broken_purge_took() {
    let server = Server::start().await;
    for restores_by_undo in [false, true] {
        let case = server.create_case(json!({})).await;
        let (lost, kept) =
            (server.create_task(&case, json!({})).await, server.create_task(&case, json!({})).await);
        let path = format!("cases/{}", id(&case));
        call(&server, "DELETE", &path).send().await.document();
        purge_alone(&server, "task", id(&lost)).await;
        let version = server.events_of(id(&case)).await.len();
        let restored = match restores_by_undo {
            true => call(&server, "POST", &format!("{path}/events/{version}/undo")).send().await,
            false => call(&server, "POST", &format!("{path}/restore")).send().await,
        };
        assert_eq!(restored.document()["taskIds"], json!([kept["_id"]]), "{restores_by_undo}");
    }
    assert_eq!(server.store.verify(STREAM).await.unwrap().fault, None);
}

#[tokio::test]
async fn a_task_that_a_purge_of_its_case_overtakes_is_not_found() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({})).await;
    write(&server, "PATCH", "tasks/TS000100", json!({"name": "Two"})).send().await.document();
    // As it looks to whoever reads the task before the purge takes it, and the case after.
    purge_alone(&server, "case", id(&case)).await;
    for (method, path, body) in [
        ("PATCH", "tasks/TS000100", json!({"name": "Three"})),
        ("PATCH", "tasks/TS000100/plan", json!({"required": true})),
        ("POST", "tasks/TS000100/transfer", json!({"agent": null, "queues": []})),
        ("POST", "tasks/TS000100/events/2/undo", json!({})),
        ("DELETE", "tasks/TS000100", json!({})),
    ] {
        write(&server, method, path, body).refused(404).await;
    }
    let path = format!("updateTask/{}", id(&task));
    server.call(&path).json(&json!({"name": "Three"})).refused(404).await;
}
