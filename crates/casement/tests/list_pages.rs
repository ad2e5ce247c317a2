//! Contract sections 6 and 11.7: the order of lists, their pages and totals, and the columns selected.

use casement_domain::workspace::entries::Category;
use serde_json::{Value, json};

use crate::harness::server::{Server, keys};

async fn ordered(server: &Server, sort: Value) -> String {
    let page = server.post("getCases", json!({"sortBy": sort})).await.document();
    page["results"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap()).collect()
}

/// Four cases whose keys all sort differently; the last has no due date.
async fn four() -> Server {
    let server = Server::start().await;
    for (name, due, priority, status) in [
        ("b", "2026-12-03", "Low", "Resolved"),
        ("D", "2026-12-01", "Critical", "Open"),
        ("a", "2026-12-02", "High", "On-Hold"),
        ("c", "2026-12-04", "Medium", "In-Progress"),
    ] {
        server
            .create_case(json!({"name": name, "dueDate": due, "priority": priority, "status": status}))
            .await;
        server.advance(1000);
    }
    server
}

#[tokio::test]
async fn each_field_sorts_both_ways_and_a_bare_one_descends() {
    let server = four().await;
    let first = server.post("getCases", json!({"name": "b"})).await.document()["results"][0].clone();
    server.update_case(&first, json!({"desc": "changed last"})).await;
    for (fields, ascending) in [
        (vec!["createdDate", "createdAt", "refId"], "bDac"),
        (vec!["updatedDate", "updatedAt"], "Dacb"),
        (vec!["dueDate", "ETA"], "Dabc"),
        (vec!["priority"], "bcaD"),
        (vec!["status"], "Dcab"),
        (vec!["name"], "abcD"),
    ] {
        let descending: String = ascending.chars().rev().collect();
        for field in fields {
            assert_eq!(ordered(&server, json!({field: "asc"})).await, ascending, "{field}");
            assert_eq!(ordered(&server, json!({field: "desc"})).await, descending, "{field}");
            assert_eq!(ordered(&server, json!(field)).await, descending, "{field}");
        }
    }
}

#[tokio::test]
async fn the_default_is_newest_created_first() {
    let server = four().await;
    for none in [json!(null), json!(""), json!({})] {
        assert_eq!(ordered(&server, none).await, "caDb");
    }
    let page = server.call("getCases").send().await.document();
    assert_eq!(page["results"][0]["name"], "c");
}

#[tokio::test]
async fn documents_without_the_value_come_last_either_way() {
    let server = four().await;
    let bare = server.create_case(json!({"name": "n"})).await;
    server.update_case(&bare, json!({"ETA": ""})).await;
    assert_eq!(ordered(&server, json!({"dueDate": "asc"})).await, "Dabcn");
    assert_eq!(ordered(&server, json!({"dueDate": "desc"})).await, "cbaDn");
    assert_eq!(ordered(&server, json!("ETA")).await, "cbaDn");
}

#[tokio::test]
async fn ties_are_broken_by_id_in_the_direction_of_the_sort() {
    let server = Server::start().await;
    for name in ["a", "b", "c"] {
        server.create_case(json!({"name": name})).await;
    }
    assert_eq!(ordered(&server, json!({"priority": "asc"})).await, "abc");
    assert_eq!(ordered(&server, json!({"priority": "desc"})).await, "cba");
    assert_eq!(ordered(&server, json!("createdDate")).await, "cba");
    assert_eq!(ordered(&server, json!(null)).await, "cba");
}

#[tokio::test]
async fn statuses_sort_by_category_and_then_by_name() {
    let server = Server::start().await;
    server.status("Answered", Category::OnHold, true).await;
    server.status("Waiting", Category::Open, true).await;
    for (name, status) in
        [("1", "On-Hold"), ("2", "Waiting"), ("3", "Closed"), ("4", "Answered"), ("5", "Open")]
    {
        server.create_case(json!({"name": name, "status": status})).await;
    }
    assert_eq!(ordered(&server, json!({"status": "asc"})).await, "52413");
    assert_eq!(ordered(&server, json!("status")).await, "31425");
}

#[tokio::test]
async fn several_keys_sort_in_the_order_written() {
    let server = Server::start().await;
    for (name, priority) in [("b", "Low"), ("a", "High"), ("c", "High"), ("d", "Low")] {
        server.create_case(json!({"name": name, "priority": priority})).await;
    }
    let sorted = async |body: &'static str| {
        let page = server.call("getCases").bytes(body).send().await.document();
        page["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["name"].as_str().unwrap())
            .collect::<String>()
    };
    assert_eq!(sorted(r#"{"sortBy": {"priority": "desc", "name": "asc"}}"#).await, "acbd");
    assert_eq!(sorted(r#"{"sortBy": {"name": "asc", "priority": "desc"}}"#).await, "abcd");
    assert_eq!(sorted(r#"{"sortBy": {"priority": "asc", "name": "desc"}}"#).await, "dbca");
}

#[tokio::test]
async fn reference_ids_sort_by_number() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for _ in 0..3 {
        server.create_task(&case, json!({})).await;
    }
    let page = server.post("getTasks", json!({"sortBy": {"refId": "desc"}})).await.document();
    let found: Vec<&Value> = page["results"].as_array().unwrap().iter().map(|task| &task["refId"]).collect();
    assert_eq!(found, ["TS000102", "TS000101", "TS000100"]);
}

#[tokio::test]
async fn pages_and_totals_are_exact() {
    let server = Server::start().await;
    for number in 0..7 {
        server.create_case(json!({"name": format!("{number}")})).await;
    }
    for (body, names, page, limit, more, pages) in [
        (json!({}), "0123456", 1, 50, false, 1),
        (json!({"limit": 3}), "012", 1, 3, true, 3),
        (json!({"limit": 3, "skip": 3}), "345", 2, 3, true, 3),
        (json!({"limit": 3, "skip": 6}), "6", 3, 3, false, 3),
        (json!({"limit": 3, "skip": 4}), "456", 2, 3, false, 3),
        (json!({"limit": 7}), "0123456", 1, 7, false, 1),
        (json!({"limit": 1, "skip": 6}), "6", 7, 1, false, 7),
        (json!({"limit": 500}), "0123456", 1, 500, false, 1),
        (json!({"limit": 5, "skip": 100}), "", 21, 5, false, 2),
        (json!({"limit": 3.0, "skip": 3.0}), "345", 2, 3, true, 3),
        (json!({"limit": null, "skip": null}), "0123456", 1, 50, false, 1),
    ] {
        let mut sorted = body.clone();
        sorted["sortBy"] = json!({"refId": "asc"});
        let found = server.post("getCases", sorted).await.document();
        assert_eq!(keys(&found), ["results", "page", "limit", "hasMore", "totalPages", "totalResults"]);
        let own: String =
            found["results"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap()).collect();
        assert_eq!(own, names, "{body}");
        assert_eq!(
            json!([
                found["page"],
                found["limit"],
                found["hasMore"],
                found["totalPages"],
                found["totalResults"]
            ]),
            json!([page, limit, more, pages, 7]),
            "{body}"
        );
    }
    let none = server.post("getCases", json!({"name": "nothing"})).await.document();
    assert_eq!(
        none,
        json!({"results": [], "page": 1, "limit": 50, "hasMore": false, "totalPages": 0, "totalResults": 0})
    );
    let far =
        server.post("getCases", json!({"skip": 9_007_199_254_740_991_i64, "limit": 1})).await.document();
    assert_eq!((&far["results"], &far["totalResults"]), (&json!([]), &json!(7)));
}

#[tokio::test]
async fn selected_columns_are_returned_with_the_id() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let listed = server.listed_case(&case["_id"]).await.unwrap();
    for (columns, expected) in [
        (json!(["name", "ETA"]), vec!["_id", "name", "ETA"]),
        (json!(["_id"]), vec!["_id"]),
        (json!(["unknown"]), vec!["_id"]),
        (json!(["unknown", "status", "status"]), vec!["_id", "status"]),
        (json!([]), keys(&listed)),
        (json!(null), keys(&listed)),
    ] {
        let page = server.post("getCases", json!({"selectedColumns": columns})).await.document();
        let own = &page["results"][0];
        let (mut found, mut wanted) = (keys(own), expected.clone());
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{columns}");
        for key in found {
            assert_eq!(own[key], listed[key]);
        }
    }
}

#[tokio::test]
async fn a_renamed_template_shows_its_new_name_at_once() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let mut template = server.workspace.case_templates[0].clone();
    "Renamed".clone_into(&mut template.name);
    server.put_case_template(&template).await;
    assert_eq!(server.listed_case(&case["_id"]).await.unwrap()["caseTmp"], "Renamed");
    assert_eq!(server.update_case(&case, json!({})).await["caseTmp"], "Renamed");
    server.refused("createCase", &server.case_body(json!({"caseTmp": "General"})), 400).await;
}

#[tokio::test]
async fn a_write_is_listed_as_soon_as_it_is_answered() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    for number in 0..20 {
        let after = server.update_case(&case, json!({"name": format!("Name {number}")})).await;
        assert_eq!(server.listed_case(&case["_id"]).await, Some(after));
    }
}
