//! Contract sections 9 and 11.3: who has a case, by every shape of the keys, and the turns of the participants.

use casement_domain::workspace::template::DefaultAssignee;
use serde_json::{Value, json};

use crate::harness::server::{HOUR_MS, Server, update_of};

/// A server with the agents Ann and Ben and the queues Default and Second.
async fn staffed() -> Server {
    let server = Server::start().await;
    server.agent("Ann").await;
    server.agent("Ben").await;
    server.queue("Second").await;
    server
}

/// Tells who has a document, in few words: the type, the agent's name, the queues' names.
fn who(document: &Value) -> String {
    let queues: Vec<&str> =
        document["queues"].as_array().unwrap().iter().map(|queue| queue["name"].as_str().unwrap()).collect();
    let agent = document["currAssignee"].get("name").map_or("-", |name| name.as_str().unwrap());
    format!("{} {agent} {}", document["assigneeType"].as_str().unwrap(), queues.join("+"))
        .trim_end()
        .to_owned()
}

fn ann() -> Value {
    json!({"aId": "a-Ann"})
}

#[tokio::test]
async fn every_shape_of_a_create_is_understood() {
    let server = staffed().await;
    for (body, expected) in [
        (json!({}), "unassigned -"),
        (json!({"assigneeType": "unassigned"}), "unassigned -"),
        (json!({"currAssignee": {}}), "unassigned -"),
        (json!({"queues": []}), "unassigned -"),
        (json!({"currAssignee": ann()}), "agent Ann"),
        (json!({"assigneeType": "agent", "currAssignee": ann()}), "agent Ann"),
        (json!({"currAssignee": {"agentId": "u-Ben"}}), "agent Ben"),
        (json!({"currAssignee": {"name": "bEN"}}), "agent Ben"),
        (json!({"currAssignee": {"aId": "a-Ann", "agentId": "u-Ben", "name": "x"}}), "agent Ann"),
        (json!({"queues": ["Default"]}), "queues - Default"),
        (json!({"queues": [{"name": "second"}, {"_id": "qu-Second"}, "default"]}), "queues - Second+Default"),
        (json!({"queues": ["Default"], "currAssignee": {}}), "queues - Default"),
        (json!({"queues": ["Default"], "assigneeType": "queues"}), "queues - Default"),
        (json!({"queues": ["Default"], "currAssignee": ann()}), "agent Ann Default"),
        (json!({"queues": ["Default"], "currAssignee": ann(), "assigneeType": "agent"}), "agent Ann Default"),
        (json!({"queues": [], "currAssignee": {}, "assigneeType": "unassigned"}), "unassigned -"),
    ] {
        let case = server.create_case(body.clone()).await;
        assert_eq!(who(&case), expected, "{body}");
    }
}

#[tokio::test]
async fn keys_of_a_create_that_contradict_each_other_are_refused() {
    let server = staffed().await;
    for (body, field) in [
        (json!({"assigneeType": "agent"}), "assigneeType"),
        (json!({"assigneeType": "queues"}), "assigneeType"),
        (json!({"assigneeType": "agent", "currAssignee": {}}), "assigneeType"),
        (json!({"assigneeType": "agent", "queues": ["Default"]}), "assigneeType"),
        (json!({"assigneeType": "queues", "queues": []}), "assigneeType"),
        (json!({"assigneeType": "queues", "currAssignee": ann()}), "assigneeType"),
        (json!({"assigneeType": "queues", "currAssignee": ann(), "queues": ["Default"]}), "assigneeType"),
        (json!({"assigneeType": "unassigned", "currAssignee": ann()}), "assigneeType"),
        (json!({"assigneeType": "unassigned", "queues": ["Default"]}), "assigneeType"),
        (json!({"currAssignee": {"aId": "a-Nobody"}}), "currAssignee"),
        (json!({"currAssignee": {"aId": "a-Nobody", "name": "Ann"}}), "currAssignee"),
        (json!({"currAssignee": {"agentId": "a-Ann"}}), "currAssignee"),
        (json!({"currAssignee": {"email": "x"}}), "currAssignee"),
        (json!({"currAssignee": {"aId": 7}}), "currAssignee"),
        (json!({"queues": ["Default", "Third"]}), "queues[1]"),
        (json!({"queues": [{}]}), "queues[0]"),
        (json!({"queues": vec!["Default"; 101]}), "queues"),
    ] {
        assert_eq!(
            server.refused("createCase", &server.case_body(body.clone()), 400).await,
            [field],
            "{body}"
        );
    }
}

#[tokio::test]
async fn each_change_of_an_update_is_understood() {
    let server = staffed().await;
    let (nobody, queue, agent, both) = (
        json!({}),
        json!({"queues": ["Default"]}),
        json!({"currAssignee": ann()}),
        json!({"currAssignee": ann(), "queues": ["Default"]}),
    );
    for (before, body, expected) in [
        (&nobody, json!({"currAssignee": ann()}), "agent Ann"),
        (&nobody, json!({"queues": ["Second"]}), "queues - Second"),
        (&nobody, json!({"assigneeType": "unassigned", "currAssignee": ann(), "queues": []}), "agent Ann"),
        (&nobody, json!({"assigneeType": "agent", "currAssignee": ann()}), "agent Ann"),
        (&queue, json!({"currAssignee": ann()}), "agent Ann Default"),
        (&queue, json!({"currAssignee": {}}), "queues - Default"),
        (&queue, json!({"queues": []}), "unassigned -"),
        (
            &queue,
            json!({"queues": ["Second"], "assigneeType": "queues", "currAssignee": {}}),
            "queues - Second",
        ),
        (&queue, json!({"assigneeType": "unassigned"}), "unassigned -"),
        (&agent, json!({"currAssignee": {"aId": "a-Ben"}}), "agent Ben"),
        (&agent, json!({"currAssignee": {}}), "unassigned -"),
        (&agent, json!({"currAssignee": null}), "unassigned -"),
        // A type that repeats what is stored is no change, as in a whole document with one change.
        (&agent, json!({"assigneeType": "agent", "currAssignee": {}}), "unassigned -"),
        (&agent, json!({"queues": ["Default"]}), "queues - Default"),
        (&agent, json!({"queues": []}), "agent Ann"),
        (&agent, json!({"assigneeType": "unassigned"}), "unassigned -"),
        (&agent, json!({"assigneeType": "agent"}), "agent Ann"),
        (
            &agent,
            json!({"queues": ["Default"], "currAssignee": ann(), "assigneeType": "agent"}),
            "agent Ann Default",
        ),
        (&agent, json!({"assigneeType": "unassigned", "currAssignee": ann(), "queues": []}), "unassigned -"),
        (&both, json!({"currAssignee": {}}), "queues - Default"),
        (&both, json!({"currAssignee": null}), "queues - Default"),
        (&both, json!({"assigneeType": "queues"}), "queues - Default"),
        (&both, json!({"assigneeType": "unassigned"}), "unassigned -"),
        (&both, json!({"currAssignee": {}, "queues": []}), "unassigned -"),
        (&both, json!({"queues": []}), "agent Ann"),
        (&both, json!({"queues": ["Second"]}), "queues - Second"),
    ] {
        let case = server.create_case(before.clone()).await;
        assert_eq!(who(&server.update_case(&case, body.clone()).await), expected, "{before} then {body}");
    }
}

#[tokio::test]
async fn changes_that_contradict_each_other_are_refused() {
    let server = staffed().await;
    let nobody = server.create_case(json!({})).await;
    let agent = server.create_case(json!({"currAssignee": ann()})).await;
    let ben = json!({"aId": "a-Ben"});
    for (case, body, field) in [
        (&nobody, json!({"assigneeType": "agent"}), "assigneeType"),
        (&nobody, json!({"assigneeType": "queues"}), "assigneeType"),
        (&nobody, json!({"assigneeType": "queues", "currAssignee": ann()}), "assigneeType"),
        (&nobody, json!({"assigneeType": "agent", "queues": ["Default"]}), "assigneeType"),
        (&agent, json!({"assigneeType": "unassigned", "currAssignee": ben}), "assigneeType"),
        (&agent, json!({"assigneeType": "unassigned", "queues": ["Default"]}), "assigneeType"),
        (&agent, json!({"assigneeType": "queues"}), "assigneeType"),
        (
            &agent,
            json!({"assigneeType": "queues", "currAssignee": ben, "queues": ["Default"]}),
            "assigneeType",
        ),
        (&agent, json!({"currAssignee": {"name": "Nobody"}}), "currAssignee"),
        (&agent, json!({"queues": ["Nowhere"]}), "queues[0]"),
    ] {
        assert_eq!(server.refused(&update_of("updateCase", case), &body, 400).await, [field], "{body}");
    }
}

#[tokio::test]
async fn a_new_agent_begins_a_turn_and_ends_the_former_ones() {
    let server = staffed().await;
    let turns = |case: &Value| -> Vec<(String, String, String)> {
        let rows = case["participants"].as_array().unwrap().iter();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        rows.map(|row| (text(row, "name"), text(row, "pStatus"), text(row, "assignedAt"))).collect()
    };
    let turn = |name: &str, status: &str, hour: u32| {
        (name.to_owned(), status.to_owned(), format!("2026-11-22T{hour}:00:00.000Z"))
    };
    let case = server.create_case(json!({"currAssignee": ann()})).await;
    assert_eq!(turns(&case), [turn("Ann", "ACTIVE", 10)]);
    let row = &case["participants"][0];
    assert_eq!((&row["aId"], &row["agentId"]), (&json!("a-Ann"), &json!("u-Ann")));
    assert_eq!(case["currAssignee"], json!({"aId": "a-Ann", "name": "Ann", "agentId": "u-Ann"}));
    server.advance(HOUR_MS);
    let second = server.update_case(&case, json!({"currAssignee": {"name": "Ben"}})).await;
    assert_eq!(turns(&second), [turn("Ann", "INACTIVE", 10), turn("Ben", "ACTIVE", 11)]);
    server.advance(HOUR_MS);
    let nobody = server.update_case(&case, json!({"currAssignee": {}})).await;
    assert_eq!(turns(&nobody), [turn("Ann", "INACTIVE", 10), turn("Ben", "INACTIVE", 11)]);
    let again = server.update_case(&case, json!({"currAssignee": ann()})).await;
    assert_eq!(
        turns(&again),
        [turn("Ann", "INACTIVE", 10), turn("Ben", "INACTIVE", 11), turn("Ann", "ACTIVE", 12)]
    );
    let queued = server.update_case(&case, json!({"currAssignee": ann(), "queues": ["Default"]})).await;
    assert_eq!(turns(&queued), turns(&again));
}

#[tokio::test]
async fn participants_follow_from_the_assignment() {
    let server = staffed().await;
    let case = server.create_case(json!({"currAssignee": ann()})).await;
    let path = update_of("updateCase", &case);
    let stored = case["participants"].clone();
    let same = server.update_case(&case, json!({"participants": stored})).await;
    assert_eq!(same["timestampValue"], case["timestampValue"]);
    let mut ended = stored.clone();
    ended[0]["pStatus"] = json!("INACTIVE");
    for wrong in [json!([]), json!([stored[0], stored[0]]), ended, json!([{"aId": "a-Ben"}])] {
        assert_eq!(
            server.refused(&path, &json!({"participants": wrong}), 400).await,
            ["participants"],
            "{wrong}"
        );
    }
    let with_new_agent = json!({"participants": stored, "currAssignee": {"name": "Ben"}});
    assert_eq!(who(&server.update_case(&case, with_new_agent).await), "agent Ben");
}

#[tokio::test]
async fn the_templates_default_assignee_is_taken_when_nothing_is_said() {
    let server = staffed().await;
    let queue = server.workspace.queues[0].id.clone();
    server
        .case_template("Queued", |template| template.default_assignee = DefaultAssignee::Queue(queue))
        .await;
    let agent = casement_domain::id::AgentId::from_text("a-Ben");
    server.case_template("Bens", |template| template.default_assignee = DefaultAssignee::Agent(agent)).await;
    server.case_template("Creators", |template| template.default_assignee = DefaultAssignee::Creator).await;
    for (body, expected) in [
        (json!({"caseTmp": "Queued"}), "queues - Default"),
        (json!({"caseTmp": "Queued", "currAssignee": ann()}), "agent Ann"),
        (json!({"caseTmp": "Bens"}), "agent Ben"),
        (json!({"caseTmp": "Bens", "currAssignee": null, "queues": null, "assigneeType": null}), "agent Ben"),
        (json!({"caseTmp": "Bens", "currAssignee": {}}), "unassigned -"),
        (json!({"caseTmp": "Bens", "assigneeType": "unassigned"}), "unassigned -"),
        (json!({"caseTmp": "Creators"}), "unassigned -"),
    ] {
        assert_eq!(who(&server.create_case(body.clone()).await), expected, "{body}");
    }
    let body = server.case_body(json!({"caseTmp": "Creators"}));
    let own = server.call("createCase").acting_as("u-Ann").json(&body).send().await.document();
    assert_eq!(who(&own), "agent Ann");
}

#[tokio::test]
async fn tasks_are_assigned_as_cases_are() {
    let server = staffed().await;
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({"currAssignee": ann()})).await;
    assert_eq!((who(&task), task["participants"].as_array().unwrap().len()), ("agent Ann".to_owned(), 1));
    let queued = server.update_task(&task, json!({"queues": ["Second"]})).await;
    assert_eq!(
        (who(&queued), &queued["participants"][0]["pStatus"]),
        ("queues - Second".to_owned(), &json!("INACTIVE"))
    );
    let body = json!({"assigneeType": "agent"});
    assert_eq!(server.refused(&update_of("updateTask", &task), &body, 400).await, ["assigneeType"]);
}
