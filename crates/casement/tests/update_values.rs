//! Contract section 9: values with more than one spelling (dates, fields, templates), and versions in HTTP.

use serde_json::{Value, json};

use crate::harness::server::{ABSENT, DUE, Server, update_of};

const OTHER: &str = "2026-12-24T18:00:00.000Z";
const OTHER_MS: i64 = 1_798_135_200_000;
const THIRD_MS: i64 = 1_900_000_000_000;

fn field<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    let fields = document["fields"].as_array().unwrap();
    fields.iter().find(|field| field["displayName"] == name).unwrap().get("selectedValue")
}

#[tokio::test]
async fn the_due_date_and_its_iso_form_are_one_value() {
    let server = Server::start().await;
    let due_ms = server.create_case(json!({})).await["dueDate"].clone();
    for change in [
        json!({"dueDate": OTHER_MS}),
        json!({"dueDate": OTHER}),
        json!({"ETA": OTHER}),
        json!({"ETA": OTHER_MS}),
        json!({"dueDate": OTHER_MS, "ETA": OTHER}),
        json!({"dueDate": due_ms, "ETA": OTHER}),
        json!({"dueDate": OTHER_MS, "ETA": DUE}),
        json!({"fields": [{"name": "Due Date", "selectedValue": OTHER}]}),
        json!({"fields": [{"name": "Due Date", "selectedValue": OTHER}], "ETA": DUE, "dueDate": due_ms}),
    ] {
        let case = server.create_case(json!({})).await;
        let after = server.update_case(&case, change.clone()).await;
        assert_eq!((&after["dueDate"], &after["ETA"]), (&json!(OTHER_MS), &json!(OTHER)), "{change}");
        assert_eq!(field(&after, "Due Date"), Some(&json!(OTHER)));
    }
    let case = server.create_case(json!({})).await;
    for wrong in [
        json!({"dueDate": THIRD_MS, "ETA": OTHER}),
        json!({"dueDate": OTHER_MS, "ETA": ""}),
        json!({"dueDate": null, "ETA": OTHER}),
        json!({"dueDate": OTHER_MS, "fields": [{"name": "Due Date", "selectedValue": null}]}),
    ] {
        assert_eq!(
            server.refused(&update_of("updateCase", &case), &wrong, 400).await,
            ["dueDate"],
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn null_or_an_empty_eta_takes_the_due_date_away() {
    let server = Server::start().await;
    for clears in [
        json!({"dueDate": null}),
        json!({"ETA": null}),
        json!({"ETA": ""}),
        json!({"dueDate": null, "ETA": ""}),
        json!({"ETA": "", "dueDate": 1_795_694_400_000_i64}),
        json!({"fields": [{"name": "Due Date", "selectedValue": null}]}),
    ] {
        let case = server.create_case(json!({})).await;
        assert_eq!(case["dueDate"], 1_795_694_400_000_i64);
        let after = server.update_case(&case, clears.clone()).await;
        assert_eq!((after.get("dueDate"), &after["ETA"]), (None, &json!("")), "{clears}");
        assert_eq!(field(&after, "Due Date"), None);
    }
}

#[tokio::test]
async fn a_date_without_a_zone_is_in_the_zone_of_the_request() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let body = json!({"dueDate": "2026-12-24"});
    let call = server.call(&update_of("updateCase", &case)).header("X-Timezone-Offset", "300").json(&body);
    assert_eq!(call.send().await.document()["ETA"], "2026-12-24T05:00:00.000Z");
}

#[tokio::test]
async fn custom_fields_are_matched_by_id_then_by_name_and_unnamed_ones_stay() {
    let server = Server::start().await;
    server.custom_fields(&["Colour", "Size"]).await;
    let values =
        json!([{"_id": "fd-Colour", "selectedValue": "red"}, {"_id": "fd-Size", "selectedValue": "1"}]);
    let case = server.create_case(json!({"fields": values})).await;
    for (entry, colour) in [
        (json!({"_id": "fd-Colour", "selectedValue": "blue"}), json!("blue")),
        (json!({"name": "colour", "selectedValue": "green"}), json!("green")),
        (json!({"displayName": "Colour", "selectedValue": "no"}), json!("no")),
        (json!({"_id": "fd-Colour", "name": "Size", "selectedValue": "x"}), json!("x")),
        (json!({"_id": "fd-Colour"}), json!("x")),
        (json!({"_id": "fd-Colour", "type": "system", "required": 7, "selectedValue": "y"}), json!("y")),
    ] {
        let after = server.update_case(&case, json!({"fields": [entry]})).await;
        assert_eq!(
            (field(&after, "Colour"), field(&after, "Size")),
            (Some(&colour), Some(&json!("1"))),
            "{entry}"
        );
    }
    let cleared =
        server.update_case(&case, json!({"fields": [{"name": "Colour", "selectedValue": null}]})).await;
    assert_eq!((field(&cleared, "Colour"), field(&cleared, "Size")), (None, Some(&json!("1"))));
    let again =
        server.update_case(&case, json!({"fields": [{"name": "Colour", "selectedValue": null}]})).await;
    assert_eq!(again, cleared);
}

#[tokio::test]
async fn a_system_field_counts_only_where_it_differs_from_what_is_stored() {
    let server = Server::start().await;
    for (name, key) in [("Title", "name"), ("Description", "desc")] {
        let case = server.create_case(json!({})).await;
        let stored = case[key].clone();
        let with = |value: &Value| json!([{"displayName": name, "selectedValue": value}]);
        let path = update_of("updateCase", &case);
        let both = json!({key: "New", "fields": with(&json!("Newer"))});
        assert_eq!(server.refused(&path, &both, 400).await, [key]);
        let by_key = server.update_case(&case, json!({key: "New", "fields": with(&stored)})).await;
        assert_eq!(by_key[key], "New");
        assert_eq!(field(&by_key, name), Some(&json!("New")));
        let by_field = server.update_case(&case, json!({key: "New", "fields": with(&json!("Newer"))})).await;
        assert_eq!(by_field[key], "Newer");
        for wrong in [json!(7), json!(null), json!([])] {
            assert_eq!(server.refused(&path, &json!({"fields": with(&wrong)}), 400).await, ["fields[0]"]);
        }
    }
    let case = server.create_case(json!({})).await;
    let empty = json!({"fields": [{"displayName": "Title", "selectedValue": " "}]});
    assert_eq!(server.refused(&update_of("updateCase", &case), &empty, 400).await.len(), 1);
}

#[tokio::test]
async fn a_system_field_that_is_given_twice_with_different_values_is_refused() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for (name, first, second) in
        [("Title", "a", "b"), ("Description", "a", "b"), ("Due Date", "2026-12-24", "2026-12-25")]
    {
        let with = |value: &str| json!({"displayName": name, "selectedValue": value});
        let twice = json!({"fields": [with(first), with(second)]});
        server.refused(&update_of("updateCase", &case), &twice, 400).await;
        let same = json!({"fields": [with(first), with(first)]});
        server.update_case(&case, same).await;
    }
}

#[tokio::test]
async fn a_description_of_a_task_is_shown_only_when_it_is_not_empty() {
    let server = Server::start().await;
    let case = server.create_case(json!({"desc": ""})).await;
    assert_eq!(field(&case, "Description"), Some(&json!("")));
    let task = server.create_task(&case, json!({})).await;
    assert_eq!(field(&task, "Description"), None);
    let described = server.update_task(&task, json!({"desc": "why"})).await;
    assert_eq!(field(&described, "Description"), Some(&json!("why")));
    assert_eq!(field(&server.update_task(&task, json!({"desc": ""})).await, "Description"), None);
}

#[tokio::test]
async fn a_new_template_keeps_field_values_and_changes_what_the_case_supports() {
    let server = Server::start().await;
    server.custom_fields(&["Colour"]).await;
    let busy = server.task_template("Busy", |_| {}).await;
    let other = server
        .case_template("Other", |template| {
            template.custom_tasks = false;
            template.tasks = vec![busy.id];
        })
        .await;
    let case = server.create_case(json!({"fields": [{"_id": "fd-Colour", "selectedValue": "red"}]})).await;
    let moved = server.update_case(&case, json!({"caseTmp": other.id})).await;
    assert_eq!((&moved["caseTmp"], &moved["supportCustomTasks"]), (&json!("Other"), &json!(false)));
    assert_eq!(moved["taskIds"], json!([]));
    assert_eq!(moved["fields"].as_array().unwrap().len(), 3);
    let back = server.update_case(&case, json!({"caseTmp": "General"})).await;
    assert_eq!(field(&back, "Colour"), Some(&json!("red")));
    for wrong in ["general", "", "ctm-none"] {
        let path = update_of("updateCase", &case);
        assert_eq!(server.refused(&path, &json!({"caseTmp": wrong}), 400).await, ["caseTmp"]);
    }
}

#[tokio::test]
async fn a_template_that_is_switched_off_stays_and_is_not_taken_anew() {
    let server = Server::start().await;
    let old = server.case_template("Old", |_| {}).await;
    let kept = server.create_case(json!({"caseTmp": "Old"})).await;
    let other = server.create_case(json!({})).await;
    server
        .put_case_template(&casement_domain::workspace::template::CaseTemplate {
            active: false,
            ..old.clone()
        })
        .await;
    for name in ["Old", old.id.as_str()] {
        assert_eq!(server.update_case(&kept, json!({"caseTmp": name, "name": name})).await["caseTmp"], "Old");
        let path = update_of("updateCase", &other);
        assert_eq!(server.refused(&path, &json!({"caseTmp": name}), 422).await, ["caseTmp"]);
    }
}

#[tokio::test]
async fn the_template_of_a_task_has_two_spellings() {
    let server = Server::start().await;
    server.task_template("Second", |_| {}).await;
    server.task_template("Off", |template| template.active = false).await;
    let case = server.create_case(json!({})).await;
    let custom = server.create_task(&case, json!({"taskTmp": ABSENT})).await;
    let path = update_of("updateTask", &custom);
    assert_eq!(server.update_task(&custom, json!({"taskTmp": "", "caseTmp": ""})).await, custom);
    let first = server.update_task(&custom, json!({"caseTmp": "Second"})).await;
    assert_eq!((&first["taskTmp"], &first["isCustTsk"]), (&json!("Second"), &json!(false)));
    let second = server.update_task(&custom, json!({"taskTmp": "Follow-up", "caseTmp": "Follow-up"})).await;
    assert_eq!(second["taskTmp"], "Follow-up");
    let both = json!({"taskTmp": "Follow-up", "caseTmp": "Second"});
    assert_eq!(server.refused(&path, &both, 400).await, ["caseTmp"]);
    assert_eq!(server.refused(&path, &json!({"caseTmp": "General"}), 400).await, ["caseTmp"]);
    assert_eq!(server.refused(&path, &json!({"taskTmp": "none"}), 400).await, ["taskTmp"]);
    assert_eq!(server.refused(&path, &json!({"taskTmp": "Off"}), 422).await, ["taskTmp"]);
}

#[tokio::test]
async fn a_strong_opaque_tag_comes_with_every_document() {
    let server = Server::start().await;
    let created = server.post("createCase", server.case_body(json!({}))).await;
    let case = created.document();
    let task = server.post("createTask", server.task_body(&case, json!({}))).await;
    let path = update_of("updateCase", &case);
    let updated = server.post(&path, json!({"name": "New"})).await;
    let again = server.post(&path, json!({})).await;
    for answer in [&created, &task, &updated] {
        let tag = answer.header("etag").unwrap();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{tag}");
    }
    assert_ne!(created.header("etag"), updated.header("etag"));
    assert_eq!(updated.header("etag"), again.header("etag"));
    assert_eq!(server.post("getCases", json!({})).await.header("etag"), None);
}

#[tokio::test]
async fn if_match_takes_lists_and_a_star_and_compares_strongly() {
    let server = Server::start().await;
    let created = server.post("createCase", server.case_body(json!({}))).await;
    let old = created.header("etag").unwrap().to_owned();
    let path = update_of("updateCase", &created.document());
    let with = |if_match: &str, name: &str| {
        server.call(&path).header("If-Match", if_match).json(&json!({"name": name}))
    };
    let renamed = with(&old, "First").send().await;
    renamed.document();
    let new = renamed.header("etag").unwrap().to_owned();
    assert_eq!(with(&old, "Second").refused(412).await, ["If-Match"]);
    // A document of another version is refused also where nothing would change.
    with(&old, "First").refused(412).await;
    with(&format!("W/{new}"), "Second").refused(412).await;
    with("nonsense", "Second").refused(412).await;
    with(&format!("\"x\", {new} ,{old}"), "Third").send().await.document();
    with("*", "Fourth").send().await.document();
    with(&old, "Fifth").and_header("If-Match", "*").send().await.document();
    let absent = server.call("updateCase/ci-absent").header("If-Match", "*").json(&json!({"name": "x"}));
    absent.refused(404).await;
}

#[tokio::test]
async fn if_match_is_ignored_on_creates_and_lists() {
    let server = Server::start().await;
    let body = server.case_body(json!({}));
    let call = server.call("createCase").header("If-Match", "\"nonsense\"").json(&body);
    let case = call.send().await.document();
    let body = server.task_body(&case, json!({}));
    server.call("createTask").header("If-Match", "\"nonsense\"").json(&body).send().await.document();
    server.call("getCases").header("If-Match", "\"nonsense\"").send().await.document();
}

#[tokio::test]
async fn an_unknown_document_is_a_404_and_cases_are_no_tasks() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({})).await;
    let body = json!({"name": "New"});
    for operation in [
        "updateCase/ci-unknown".to_owned(),
        "updateTask/ti-unknown".to_owned(),
        update_of("updateTask", &case),
        update_of("updateCase", &task),
        "updateCase/CS000100".to_owned(),
    ] {
        assert_eq!(server.refused(&operation, &body, 404).await, [""], "{operation}");
    }
}
