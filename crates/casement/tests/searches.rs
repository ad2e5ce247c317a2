//! The query language, marked hits and counts of `/api/v1`, through the router.

use casement_domain::workspace::field::FieldSort;
use serde_json::{Value, json};

use crate::harness::server::{DUE, HOUR_MS, STREAM, Server};

fn path(noun: &str, operation: &str) -> String {
    format!("/api/v1/streams/{STREAM}/{noun}/{operation}")
}

async fn post(server: &Server, noun: &str, operation: &str, body: &Value) -> Value {
    let path = path(noun, operation);
    server.call("").path(&path).without("AccountId").json(body).send().await.document()
}

/// Searches and gives the names found, in the order of their making.
async fn names(server: &Server, noun: &str, q: &str) -> String {
    let page = post(server, noun, "search", &json!({"q": q, "sortBy": {"refId": "asc"}})).await;
    let results = page["results"].as_array().unwrap();
    assert_eq!(page["totalResults"], results.len(), "{q}");
    results.iter().map(|found| found["name"].as_str().unwrap()).collect::<Vec<_>>().join("|")
}

/// Five cases, made an hour apart, of which each has something that the others lack.
async fn five_cases() -> Server {
    let server = Server::start().await;
    server.agent("Ann").await;
    server.agent("Ben").await;
    server.queue("Second").await;
    server
        .custom_fields_of(&[
            ("Order number", FieldSort::Number),
            ("Parts", FieldSort::MultiSelect),
            ("Vip", FieldSort::Checkbox),
        ])
        .await;
    server.custom_field_of_options("Parts", &["left", "right"]).await;
    let due = |hours: i64| {
        let now = casement_domain::date::Moment::from_ms(server.now_ms() + hours * HOUR_MS);
        json!(now.iso())
    };
    let bodies = [
        json!({"name": "Printer jam", "desc": "Paper everywhere", "priority": "High", "tags": ["Hardware"],
            "currAssignee": {"name": "Ann"}, "dueDate": due(24)}),
        json!({"name": "Printer on fire", "priority": "Critical", "tags": ["hardware", "Urgent"], "queues": [{"name": "Second"}],
            "dueDate": due(-24), "userInfo": {"_id": "u-1", "name": "Zoë", "emailId": "zoe@example.com"}}),
        json!({"name": "Invoice wrong", "status": "On-Hold", "source": "email", "priority": "Low", "dueDate": due(240),
            "fields": [{"name": "Order number", "selectedValue": 4711}, {"name": "Parts", "selectedValue": ["left", "right"]}]}),
        json!({"name": "Password", "status": "Resolved", "currAssignee": {"name": "Ben"}, "dueDate": due(72),
            "fields": [{"name": "Vip", "selectedValue": true}]}),
        json!({"name": "or", "status": "Closed", "dueDate": DUE, "desc": "a: b"}),
    ];
    for body in bodies {
        server.create_case(body).await;
        server.advance(HOUR_MS);
    }
    server
}

#[tokio::test]
async fn an_expression_finds_what_its_words_and_clauses_say() {
    let server = five_cases().await;
    let all = "Printer jam|Printer on fire|Invoice wrong|Password|or";
    for (q, found) in [
        ("", all),
        ("printer", "Printer jam|Printer on fire"),
        ("printer -fire", "Printer jam"),
        ("printer not (fire or jam)", ""),
        ("jam or invoice", "Printer jam|Invoice wrong"),
        ("\"or\"", "or"),
        ("\"jam printer\"", "Printer jam"),
        ("paper zoe", ""),
        ("zoe", "Printer on fire"),
        ("status:open", "Printer jam|Printer on fire"),
        ("status:open,on-hold", "Printer jam|Printer on fire|Invoice wrong"),
        ("status:\"On-Hold\"", "Invoice wrong"),
        ("-status:open", "Invoice wrong|Password|or"),
        ("is:unresolved", "Printer jam|Printer on fire|Invoice wrong"),
        ("is:resolved or is:closed", "Password|or"),
        ("is:overdue", "Printer on fire"),
        ("is:breached", "Printer on fire"),
        ("priority:high", "Printer jam"),
        ("priority>=high", "Printer jam|Printer on fire"),
        ("priority<medium", "Invoice wrong"),
        ("assignee:Ann", "Printer jam"),
        ("assignee:none", "Printer on fire|Invoice wrong|or"),
        ("has:assignee", "Printer jam|Password"),
        ("is:unassigned printer", "Printer on fire"),
        ("queue:second", "Printer on fire"),
        ("queue:none", "Printer jam|Invoice wrong|Password|or"),
        ("tag:HARDWARE", "Printer jam|Printer on fire"),
        ("tag:hardware -tag:urgent", "Printer jam"),
        ("tag:none", "Invoice wrong|Password|or"),
        ("channel:email", "Invoice wrong"),
        ("source:RTM is:resolved", "Password"),
        ("customer:u-1", "Printer on fire"),
        ("customer:ZOE@example.com", "Printer on fire"),
        ("template:general", all),
        ("name:RINTER", "Printer jam|Printer on fire"),
        ("name:\"on f\"", "Printer on fire"),
        ("id:CS000102", "Invoice wrong"),
        ("id:cs000100,cs000101", "Printer jam|Printer on fire"),
        ("case:CS000103", "Password"),
        ("\"Order number\":4711", "Invoice wrong"),
        ("\"order number\":4711.0", "Invoice wrong"),
        ("\"order number\":4712", ""),
        ("parts:left", "Invoice wrong"),
        ("parts:left,other", "Invoice wrong"),
        ("parts:none", "Printer jam|Printer on fire|Password|or"),
        ("vip:yes", "Password"),
        ("created>=-3h", "Invoice wrong|Password|or"),
        ("created<-3h", "Printer jam|Printer on fire"),
        ("updated>-90min", "or"),
        ("due<now", "Printer on fire"),
        ("due>now due<2d", "Printer jam"),
        ("due:tomorrow,none", "Printer jam"),
    ] {
        assert_eq!(names(&server, "cases", q).await, found, "{q}");
    }
}

#[tokio::test]
async fn the_language_is_not_spoken_on_the_public_api() {
    let server = five_cases().await;
    let page =
        server.post("getCases", json!({"q": "status:open", "hits": true, "by": ["status"]})).await.document();
    assert_eq!(page["totalResults"], 5);
    assert_eq!(page.get("hits"), None);
}

#[tokio::test]
async fn me_and_mine_are_the_acting_agent() {
    let server = five_cases().await;
    for q in ["assignee:me", "is:mine"] {
        let body = json!({"q": q});
        let call = || server.call("").path(&path("cases", "search")).json(&body);
        assert_eq!(call().send().await.document()["totalResults"], 0, "the app is no agent");
        let page = call().acting_as("u-Ann").send().await.document();
        assert_eq!(page["results"][0]["name"], "Printer jam");
        assert_eq!(page["totalResults"], 1);
    }
}

#[tokio::test]
async fn every_mistake_of_an_expression_names_its_place() {
    let server = five_cases().await;
    for (q, places) in [
        ("(printer", vec![0]),
        ("status:opne", vec![7]),
        ("status:opne priority:hihg,low queue:x", vec![7, 21, 36]),
        ("colour:red", vec![7]),
        ("due<soon", vec![4]),
        ("assignee:nobody", vec![9]),
        ("is:tired", vec![3]),
        ("has:hope", vec![4]),
        ("tag>a", vec![4]),
        ("\"Order number\":many", vec![15]),
        ("vip:perhaps", vec![4]),
        ("template:none", vec![9]),
        ("10:30", vec![3]),
        ("http://example.com", vec![5]),
    ] {
        let answer = server.call("").path(&path("cases", "search")).json(&json!({"q": q})).send().await;
        assert_eq!(answer.refused(400), vec!["q"; places.len()], "{q}");
        let errors = answer.json()["errors"].clone();
        let found: Vec<u64> =
            errors.as_array().unwrap().iter().map(|error| error["position"].as_u64().unwrap()).collect();
        assert_eq!(found, places, "{q}: {errors}");
    }
    let wrong = json!({"q": 5, "hits": "yes", "limit": 0});
    let mut fields = server.call("").path(&path("cases", "search")).json(&wrong).refused(400).await;
    fields.sort();
    assert_eq!(fields, ["hits", "limit", "q"]);
}

#[tokio::test]
async fn words_rank_and_are_marked() {
    let server = five_cases().await;
    server.create_case(json!({"name": "Other", "desc": "the printer of Zoë"})).await;
    let page = post(&server, "cases", "search", &json!({"q": "print -password", "hits": true})).await;
    let names: Vec<&str> =
        page["results"].as_array().unwrap().iter().map(|found| found["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["Printer on fire", "Printer jam", "Other"],
        "names rank above descriptions, newest first"
    );
    let hits = page["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 3);
    assert_eq!(hits[0]["_id"], page["results"][0]["_id"]);
    assert_eq!(hits[0]["name"], json!(["", "Printer", " on fire"]));
    assert_eq!(hits[2]["desc"], json!(["the ", "printer", " of Zoë"]));
    let body = json!({"searchText": "zoe", "hits": true, "selectedColumns": ["refId"]});
    let page = post(&server, "cases", "search", &body).await;
    assert_eq!(page["results"][0].as_object().unwrap().len(), 2, "only the keys that were selected");
    assert_eq!(page["hits"][1]["customer"], json!(["", "Zoë", ""]));
}

#[tokio::test]
async fn tags_phone_numbers_and_texts_of_custom_fields_are_found_by_the_language_alone() {
    let server = Server::start().await;
    server.custom_fields_of(&[("Serial", FieldSort::Input), ("Bought", FieldSort::DateTime)]).await;
    server
        .create_case(json!({"name": "Other", "tags": ["Überhitzt", "vip"],
            "userInfo": {"_id": "u-1", "name": "Zoë", "phoneNumber": "+49 (30) 1234-567"},
            "fields": [{"name": "Serial", "selectedValue": "SN-4711 rev B"},
                {"name": "Bought", "selectedValue": "2026-03-04T05:06:07.000Z"}]}))
        .await;
    for q in ["uberhitzt", "4711", "rev sn", "49301234567", "+49 1234", "vip zoe -nothing"] {
        assert_eq!(names(&server, "cases", q).await, "Other", "{q}");
    }
    for q in ["2026", "-vip", "234567"] {
        assert_eq!(names(&server, "cases", q).await, "", "{q}");
    }
    let body = json!({"searchText": "vip"});
    assert_eq!(post(&server, "cases", "search", &body).await["totalResults"], 0, "as on the public API");
    let page = post(&server, "cases", "search", &json!({"q": "über 4711 1234", "hits": true})).await;
    let hits = &page["hits"][0];
    assert_eq!(hits["tags"], json!([["", "Überhitzt", ""]]));
    assert_eq!(hits["phone"], json!(["+49 (30) ", "1234", "-567"]));
    assert_eq!(hits["fields"][0]["value"], json!(["SN-", "4711", " rev B"]));
}

#[tokio::test]
async fn tasks_are_searched_by_the_same_language() {
    let server = five_cases().await;
    let case = server.create_case(json!({"name": "With tasks"})).await;
    server.create_task(&case, json!({"name": "Call"})).await;
    server.create_task(&case, json!({"name": "Write", "priority": "High"})).await;
    for (q, found) in [
        ("call", "Call"),
        ("priority:high", "Write"),
        ("case:CS000105", "Call|Write"),
        ("case:CS000100", ""),
        ("id:ts000101", "Write"),
        ("id:CS000105", ""),
    ] {
        assert_eq!(names(&server, "tasks", q).await, found, "{q}");
    }
}

#[tokio::test]
async fn counts_are_exact_and_most_frequent_first() {
    let server = five_cases().await;
    let by = json!(["status", "priority", "queue", "assignee", "channel", "template", "tag", "day"]);
    let counts = post(&server, "cases", "count", &json!({"by": by})).await;
    insta::assert_json_snapshot!("counts", counts, {".groups[].entries[]._id" => insta::dynamic_redaction(|id, _| {
        // Ids that were made for this workspace differ from run to run.
        let text = id.as_str().unwrap_or_default().to_owned();
        if text.len() > 20 { format!("{}…", text.split('-').next().unwrap_or_default()) } else { text }
    })});
    let counts = post(
        &server,
        "cases",
        "count",
        &json!({"q": "printer", "by": ["tag", "assignee"], "limit": 1, "skip": 7}),
    )
    .await;
    assert_eq!(counts["totalResults"], 2);
    assert_eq!(
        counts["groups"][0]["entries"],
        json!([{"name": "hardware", "count": 2}, {"name": "urgent", "count": 1}])
    );
    assert_eq!(counts["groups"][1]["none"], 1);
    let counts = post(&server, "cases", "count", &json!({})).await;
    assert_eq!(counts, json!({"totalResults": 5, "groups": []}));
    let wrong = json!({"by": ["status", "colour"]});
    let fields = server.call("").path(&path("cases", "count")).json(&wrong).refused(400).await;
    assert_eq!(fields, ["by[1]"]);
}

#[tokio::test]
async fn days_are_those_of_the_zone_of_the_request() {
    let server = Server::start().await;
    for _ in 0..3 {
        server.create_case(json!({})).await;
        server.advance(12 * HOUR_MS);
    }
    let days = async |minutes: &str| {
        let call = server.call("").path(&path("cases", "count")).header("X-Timezone-Offset", minutes);
        let counts = call.json(&json!({"by": ["day"]})).send().await.document();
        let entries = counts["groups"][0]["entries"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["count"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let utc = days("0").await;
    assert_eq!(utc.iter().sum::<u64>(), 3);
    let shifted = days("-720").await;
    assert_eq!(shifted.iter().sum::<u64>(), 3);
    assert_ne!(utc, shifted, "half a day ahead another pair falls on one day");
}

#[tokio::test]
async fn a_stream_of_another_app_is_refused() {
    let server = Server::start().await;
    for operation in ["cases/search", "cases/count", "tasks/search", "tasks/count"] {
        let path = format!("/api/v1/streams/st-other/{operation}");
        server.call("").path(&path).refused(403).await;
        server.call("").path(&path).without("auth").refused(401).await;
    }
}

#[tokio::test]
async fn the_deepest_expression_is_answered() {
    let server = five_cases().await;
    let mut q = "printer".to_owned();
    for depth in 0..casement_domain::limits::EXPRESSION_DEPTH_MAX {
        q = if depth % 2 == 0 {
            format!("(is:overdue or {q}) has:due")
        } else {
            format!("(-is:closed {q} or id:none)")
        };
    }
    assert_eq!(names(&server, "cases", &q).await, "Printer jam|Printer on fire");
}
