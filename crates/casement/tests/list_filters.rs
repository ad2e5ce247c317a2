//! Contract sections 6, 7 and 11.7: every filter of the lists, each over documents made for it.

use serde_json::{Value, json};

use crate::harness::server::{DUE, HOUR_MS, START_MS, Server};

/// Lists by a body and gives the names found, in the order of their making.
async fn names(server: &Server, operation: &str, mut body: Value) -> Vec<String> {
    body["sortBy"] = json!({"refId": "asc"});
    let page = server.post(operation, body).await.document();
    let results = page["results"].as_array().unwrap();
    assert_eq!(page["totalResults"], results.len());
    results.iter().map(|found| found["name"].as_str().unwrap().to_owned()).collect()
}

async fn cases(server: &Server, body: Value) -> Vec<String> {
    names(server, "getCases", body).await
}

/// Makes a case of a name.
async fn named(server: &Server, name: &str, mut changes: Value) -> Value {
    changes["name"] = json!(name);
    server.create_case(changes).await
}

#[tokio::test]
async fn the_name_is_found_by_any_part_in_any_case() {
    let server = Server::start().await;
    named(&server, "Testing One", json!({})).await;
    named(&server, "ÄRGER", json!({})).await;
    for (part, expected) in [
        ("testing one", vec!["Testing One"]),
        ("STING", vec!["Testing One"]),
        ("är", vec!["ÄRGER"]),
        ("e", vec!["Testing One", "ÄRGER"]),
        ("", vec!["Testing One", "ÄRGER"]),
        ("%", vec![]),
        ("_", vec![]),
        ("one two", vec![]),
        ("ar", vec![]),
    ] {
        assert_eq!(cases(&server, json!({"name": part})).await, expected, "{part}");
    }
}

#[tokio::test]
async fn every_word_of_a_search_must_begin_a_word_somewhere() {
    let server = Server::start().await;
    named(
        &server,
        "Broken Café machine",
        json!({"desc": "makes no espresso", "userInfo": {"name": "Zoë Doe"}}),
    )
    .await;
    named(
        &server,
        "Invoice wrong",
        json!({"emailId": "jane.roe@shop.example", "userInfo": {}, "phoneNumber": "1"}),
    )
    .await;
    for (text, expected) in [
        ("cafe", "Broken Café machine"),
        ("BROK mach", "Broken Café machine"),
        ("machine broken", "Broken Café machine"),
        ("afe", ""),
        ("cafe invoice", ""),
        ("espresso", "Broken Café machine"),
        ("broken ESPR", "Broken Café machine"),
        ("zoe", "Broken Café machine"),
        ("jane", "Invoice wrong"),
        ("jane.roe@shop.example", "Invoice wrong"),
        ("CS000100", "Broken Café machine"),
        ("cs000101", "Invoice wrong"),
        ("cs0001", "Broken Café machine|Invoice wrong"),
        ("", "Broken Café machine|Invoice wrong"),
        ("  ?!  ", "Broken Café machine|Invoice wrong"),
        ("\"broken", "Broken Café machine"),
        ("broken OR invoice", ""),
        ("NOT broken", ""),
        ("brok*", "Broken Café machine"),
        ("name:broken", ""),
        ("(", "Broken Café machine|Invoice wrong"),
        ("' OR 1=1 --", ""),
    ] {
        assert_eq!(cases(&server, json!({"searchText": text})).await.join("|"), expected, "{text}");
    }
}

#[tokio::test]
async fn a_search_ranks_name_and_reference_above_the_rest_and_then_newest_first() {
    let server = Server::start().await;
    for (name, desc) in
        [("Printer", "x"), ("Other", "printer"), ("Printer again", "x"), ("Third", "the printer")]
    {
        named(&server, name, json!({"desc": desc})).await;
        server.advance(1000);
    }
    let search = async |body: Value| {
        let page = server.post("getCases", body).await.document();
        let results = page["results"].as_array().unwrap().clone();
        results.iter().map(|found| found["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        search(json!({"searchText": "printer"})).await,
        ["Printer again", "Printer", "Third", "Other"]
    );
    let sorted = json!({"searchText": "printer", "sortBy": {"createdDate": "asc"}});
    assert_eq!(search(sorted).await, ["Printer", "Other", "Printer again", "Third"]);
    let empty = json!({"searchText": "printer", "sortBy": ""});
    assert_eq!(search(empty).await, ["Printer again", "Printer", "Third", "Other"]);
}

#[tokio::test]
async fn unresolved_is_neither_resolved_nor_closed() {
    let server = Server::start().await;
    for status in ["Open", "In-Progress", "On-Hold", "Resolved", "Closed"] {
        named(&server, status, json!({"status": status})).await;
    }
    assert_eq!(cases(&server, json!({"unresolved": true})).await, ["Open", "In-Progress", "On-Hold"]);
    for no_filter in [json!(false), json!(null)] {
        assert_eq!(cases(&server, json!({"unresolved": no_filter})).await.len(), 5);
    }
}

#[tokio::test]
async fn unassigned_is_without_an_agent_and_mine_is_what_the_acting_agent_has() {
    let server = Server::start().await;
    server.agent("Ann").await;
    server.agent("Ben").await;
    named(&server, "nobody's", json!({})).await;
    named(&server, "queued", json!({"queues": ["Default"]})).await;
    named(&server, "Ann's", json!({"currAssignee": {"name": "Ann"}})).await;
    named(&server, "Ben's", json!({"currAssignee": {"name": "Ben"}, "queues": ["Default"]})).await;
    assert_eq!(cases(&server, json!({"unassigned": true})).await, ["nobody's", "queued"]);
    assert_eq!(cases(&server, json!({"unassigned": false})).await.len(), 4);
    let mine = |subject: &'static str| {
        server.call("getCases").acting_as(subject).json(&json!({"mycase": true})).send()
    };
    assert_eq!(mine("u-Ann").await.document()["results"][0]["name"], "Ann's");
    assert_eq!(mine("ann@example.com").await.document()["totalResults"], 1);
    assert_eq!(mine("nobody").await.document()["totalResults"], 0);
    assert_eq!(cases(&server, json!({"mycase": true})).await, Vec::<String>::new());
    assert_eq!(cases(&server, json!({"mycase": false, "mytask": true})).await.len(), 4);
    for (agents, expected) in [
        (json!(["a-Ann"]), vec!["Ann's"]),
        (json!(["u-Ben"]), vec!["Ben's"]),
        (json!(["a-Ann", "u-Ben"]), vec!["Ann's", "Ben's"]),
        (json!(["Ann"]), vec![]),
        (json!(["a-Nobody"]), vec![]),
        (json!(["a-Nobody", "a-Ann"]), vec!["Ann's"]),
    ] {
        assert_eq!(cases(&server, json!({"agents": agents})).await, expected, "{agents}");
    }
}

#[tokio::test]
async fn priorities_statuses_queues_and_channels_are_any_of_their_entries() {
    let server = Server::start().await;
    server.queue("Second").await;
    named(
        &server,
        "a",
        json!({"priority": "High", "status": "On-Hold", "queues": ["Second"], "channel": ["Chat"]}),
    )
    .await;
    named(
        &server,
        "b",
        json!({"priority": "Low", "status": "Closed", "queues": ["Default"], "source": "email"}),
    )
    .await;
    named(&server, "c", json!({})).await;
    let id_of_high = json!([server.workspace.priorities[2].id]);
    let id_of_hold = json!([server.workspace.statuses[2].id]);
    for (key, entries, expected) in [
        ("priority", json!(["high"]), "a"),
        ("priority", json!(["HIGH", "Low"]), "ab"),
        ("priority", id_of_high, "a"),
        ("priority", json!(["none"]), ""),
        ("priority", json!(["none", "medium"]), "c"),
        ("priority", json!([]), "abc"),
        ("priority", json!(null), "abc"),
        ("priority", json!([""]), ""),
        ("status", json!(["on-hold"]), "a"),
        ("status", json!(["CLOSED", "open"]), "bc"),
        ("status", id_of_hold, "a"),
        ("status", json!(["new"]), ""),
        ("queues", json!(["second"]), "a"),
        ("queues", json!(["Second", "default"]), "ab"),
        ("queues", json!(["qu-Second"]), "a"),
        ("queues", json!(["third"]), ""),
        ("channel", json!(["chat"]), "a"),
        ("channel", json!(["EMAIL"]), "b"),
        ("channel", json!(["rtm"]), "ac"),
        ("channel", json!(["email", "chat"]), "ab"),
        ("channel", json!(["voice"]), ""),
    ] {
        assert_eq!(cases(&server, json!({key: entries})).await.concat(), expected, "{key}: {entries}");
    }
    let both = json!({"priority": ["high", "low"], "status": ["closed", "open"], "channel": ["email"]});
    assert_eq!(cases(&server, both).await, ["b"]);
    assert_eq!(cases(&server, json!({"priority": ["high"], "status": ["closed"]})).await.len(), 0);
}

#[tokio::test]
async fn a_status_filter_may_name_a_category() {
    let server = Server::start().await;
    for status in ["Open", "In-Progress", "Resolved"] {
        named(&server, status, json!({"status": status})).await;
    }
    assert_eq!(cases(&server, json!({"status": ["in-progress"]})).await, ["In-Progress"]);
    assert_eq!(cases(&server, json!({"status": ["RESOLVED", "open"]})).await, ["Open", "Resolved"]);
}

#[tokio::test]
async fn custom_fields_are_all_equal_exactly_and_system_fields_count_too() {
    let server = Server::start().await;
    server.custom_fields(&["Colour", "Size"]).await;
    let fields = |colour: &str, size: &str| json!({"fields": [{"name": "Colour", "selectedValue": colour}, {"name": "Size", "selectedValue": size}]});
    named(&server, "a", fields("red", "1")).await;
    named(&server, "b", fields("Red", "1.0")).await;
    named(&server, "c", fields("green", "2")).await;
    named(&server, "d", json!({"desc": "other"})).await;
    for (filter, expected) in [
        (json!([{"name": "Colour", "value": "red"}]), "a"),
        (json!([{"name": "COLOUR", "value": "Red"}]), "b"),
        (json!([{"_id": "fd-Colour", "value": ["red"]}]), ""),
        (json!([{"_id": "fd-Size", "value": "1"}]), "a"),
        (json!([{"_id": "fd-Size", "value": 1}]), ""),
        (json!([{"name": "Colour", "value": "red"}, {"name": "Size", "value": "1"}]), "a"),
        (json!([{"name": "Colour", "value": "red"}, {"name": "Size", "value": "1.0"}]), ""),
        (json!([{"name": "Nothing", "value": 1}]), ""),
        (json!([{"name": "Title", "value": "b"}]), "b"),
        (json!([{"name": "Title", "value": "B"}]), ""),
        (json!([{"name": "Description", "value": "other"}]), "d"),
        (json!([{"name": "Due Date", "value": DUE}]), "abcd"),
        (json!([{"name": "Due Date", "value": "2026-11-26T17:30+05:30"}]), "abcd"),
        (json!([{"name": "Due Date", "value": "2026-11-26"}]), ""),
        (json!([{"name": "Due Date", "value": "soon"}]), ""),
        (json!([]), "abcd"),
        (json!(null), "abcd"),
    ] {
        assert_eq!(cases(&server, json!({"customFields": filter})).await.concat(), expected, "{filter}");
    }
    for wrong in
        [json!(["x"]), json!([{"name": "Colour"}]), json!([{"value": 1}]), json!([{"name": 7, "value": 1}])]
    {
        assert_eq!(
            server.refused("getCases", &json!({"customFields": wrong}), 400).await,
            ["customFields[0]"]
        );
    }
}

#[tokio::test]
async fn tasks_are_filtered_as_cases_and_by_their_case() {
    let server = Server::start().await;
    server.agent("Ann").await;
    let first = server.create_case(json!({})).await;
    let second = server.create_case(json!({})).await;
    server.create_task(&first, json!({"name": "a", "currAssignee": {"name": "Ann"}})).await;
    server.create_task(&first, json!({"name": "b", "status": "Closed"})).await;
    server.create_task(&second, json!({"name": "c", "priority": "Critical"})).await;
    for (body, expected) in [
        (json!({}), "abc"),
        (json!({"caseId": first["_id"]}), "ab"),
        (json!({"caseRefId": second["refId"]}), "c"),
        (json!({"caseId": first["_id"], "caseRefId": second["refId"]}), ""),
        (json!({"caseId": "ci-unknown"}), ""),
        (json!({"caseRefId": "CS000999"}), ""),
        (json!({"caseRefId": "nonsense"}), ""),
        (json!({"caseId": "", "caseRefId": null}), "abc"),
        (json!({"unresolved": true}), "ac"),
        (json!({"unassigned": true}), "bc"),
        (json!({"priority": ["Critical"]}), "c"),
        (json!({"status": ["closed"]}), "b"),
        (json!({"agents": ["a-Ann"]}), "a"),
        (json!({"searchText": "TS000101"}), "b"),
        (json!({"searchText": "CS000100"}), ""),
        (json!({"name": "C"}), "c"),
        (json!({"ETAlist": ["none"]}), "abc"),
        (json!({"channel": ["rtm"]}), "abc"),
    ] {
        assert_eq!(names(&server, "getTasks", body.clone()).await.concat(), expected, "{body}");
    }
    for key in ["mytask", "mycase"] {
        let page =
            server.call("getTasks").acting_as("u-Ann").json(&json!({key: true})).send().await.document();
        assert_eq!((&page["totalResults"], &page["results"][0]["name"]), (&json!(1), &json!("a")), "{key}");
    }
    // The keys of tasks alone are unknown to cases.
    assert_eq!(cases(&server, json!({"caseId": 7, "caseRefId": 7, "mytask": 7})).await.len(), 2);
}

#[tokio::test]
async fn every_key_of_a_wrong_type_is_named() {
    let server = Server::start().await;
    for operation in ["getCases", "getTasks"] {
        let refused = |key: &'static str, wrong: Value| {
            let server = &server;
            async move { server.refused(operation, &json!({key: wrong}), 400).await }
        };
        for key in ["searchText", "name"] {
            for wrong in [json!(7), json!(true), json!([]), json!({})] {
                assert_eq!(refused(key, wrong).await, [key]);
            }
        }
        for key in ["unresolved", "unassigned", "mycase"] {
            for wrong in [json!(1), json!("true"), json!([]), json!("")] {
                assert_eq!(refused(key, wrong).await, [key]);
            }
        }
        for key in [
            "priority",
            "status",
            "channel",
            "queues",
            "agents",
            "ETAlist",
            "customFields",
            "selectedColumns",
        ] {
            for wrong in [json!("x"), json!(7), json!({}), json!(true)] {
                assert_eq!(refused(key, wrong).await, [key]);
            }
            assert_eq!(refused(key, json!([7])).await, [format!("{key}[0]")]);
            assert_eq!(refused(key, json!([null])).await, [format!("{key}[0]")]);
        }
        for key in ["startDate", "endDate", "dueDate"] {
            for wrong in
                [json!("soon"), json!(true), json!([]), json!({}), json!("2026-02-30"), json!("0000-06-01")]
            {
                assert_eq!(refused(key, wrong).await, [key]);
            }
        }
        for wrong in [json!("0"), json!(-1), json!(1.5), json!([]), json!(true)] {
            assert_eq!(refused("skip", wrong.clone()).await, ["skip"]);
            assert_eq!(refused("limit", wrong).await, ["limit"]);
        }
        for wrong in [json!(0), json!(501), json!(1e30)] {
            assert_eq!(refused("limit", wrong).await, ["limit"]);
        }
        for wrong in [
            json!("unknown"),
            json!({"unknown": "asc"}),
            json!({"name": "ASC"}),
            json!({"name": 1}),
            json!(7),
            json!(["name"]),
        ] {
            assert_eq!(refused("sortBy", wrong).await, ["sortBy"]);
        }
        for wrong in ["later", "Today", ""] {
            assert_eq!(refused("ETAlist", json!([wrong])).await, ["ETAlist[0]"]);
        }
        let all = json!({"name": 7, "status": 7, "limit": 0, "skip": -1, "startDate": "x", "sortBy": "x"});
        let mut fields = server.refused(operation, &all, 400).await;
        fields.sort();
        assert_eq!(fields, ["limit", "name", "skip", "sortBy", "startDate", "status"]);
    }
    for key in ["caseId", "caseRefId"] {
        assert_eq!(server.refused("getTasks", &json!({key: 7}), 400).await, [key]);
    }
    assert_eq!(server.refused("getTasks", &json!({"mytask": 7}), 400).await, ["mytask"]);
}

#[tokio::test]
async fn start_and_end_are_included_and_plain_dates_are_whole_days_of_the_zone() {
    let server = Server::start().await;
    for hour in [0, 12, 24] {
        // 2026-11-22T10:00Z, 22:00Z and 2026-11-23T10:00Z.
        server.set_clock(START_MS + hour * HOUR_MS);
        named(&server, &format!("+{hour}"), json!({})).await;
    }
    for (zone, body, expected) in [
        ("0", json!({"startDate": "2026-11-22T22:00:00Z"}), "+12+24"),
        ("0", json!({"startDate": "2026-11-22T22:00:00.001Z"}), "+24"),
        ("0", json!({"endDate": "2026-11-22T22:00:00Z"}), "+0+12"),
        ("0", json!({"endDate": "2026-11-22T21:59:59.999Z"}), "+0"),
        ("0", json!({"startDate": "2026-11-22", "endDate": "2026-11-22"}), "+0+12"),
        ("-330", json!({"startDate": "2026-11-22", "endDate": "2026-11-22"}), "+0"),
        ("-330", json!({"startDate": "2026-11-23"}), "+12+24"),
        ("660", json!({"endDate": "2026-11-22"}), "+0+12+24"),
        ("660", json!({"endDate": "2026-11-21"}), "+0"),
        ("-330", json!({"startDate": "2026-11-23T03:30:00"}), "+12+24"),
        ("0", json!({"startDate": "2026-11-24", "endDate": "2026-11-22"}), ""),
        ("0", json!({"startDate": "", "endDate": null}), "+0+12+24"),
        ("0", json!({"startDate": "0001-01-01", "endDate": "9999-12-31"}), "+0+12+24"),
    ] {
        let mut body = body;
        body["sortBy"] = json!({"refId": "asc"});
        let page =
            server.call("getCases").header("X-Timezone-Offset", zone).json(&body).send().await.document();
        let found: String =
            page["results"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{zone} {body}");
    }
}

#[tokio::test]
async fn the_due_date_is_an_exact_instant_or_a_whole_day_of_the_zone() {
    let server = Server::start().await;
    for due in ["2026-12-24T00:00:00Z", "2026-12-24T20:00:00Z", "2026-12-25T00:00:00Z"] {
        named(&server, due, json!({"dueDate": due})).await;
    }
    let bare = named(&server, "none", json!({})).await;
    server.update_case(&bare, json!({"ETA": ""})).await;
    for (zone, due, expected) in [
        ("0", json!("2026-12-24T20:00:00Z"), vec![1]),
        ("0", json!("2026-12-24T21:00:00+01:00"), vec![1]),
        ("0", json!("2026-12-24T20:00:00.001Z"), vec![]),
        ("0", json!("2026-12-24"), vec![0, 1]),
        ("-330", json!("2026-12-25"), vec![1, 2]),
        ("-60", json!("2026-12-24T21:00:00"), vec![1]),
        ("0", json!(""), vec![0, 1, 2, 3]),
        ("0", json!(null), vec![0, 1, 2, 3]),
    ] {
        let body = json!({"dueDate": due, "sortBy": {"refId": "asc"}});
        let page =
            server.call("getCases").header("X-Timezone-Offset", zone).json(&body).send().await.document();
        let found: Vec<String> = page["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["refId"].as_str().unwrap().to_owned())
            .collect();
        let expected: Vec<String> = expected.iter().map(|number| format!("CS{:06}", 100 + number)).collect();
        assert_eq!(found, expected, "{zone} {due}");
    }
}

#[tokio::test]
async fn the_words_of_the_due_list_are_days_of_the_requests_zone() {
    let server = Server::start().await;
    // Now is Sunday, 10:00 UTC: the same day in Kiribati (+14) is Monday already.
    for (name, due) in [
        ("a", "2026-11-21T23:59:59.999Z"),
        ("b", "2026-11-22T00:00:00Z"),
        ("c", "2026-11-22T23:59:59.999Z"),
        ("d", "2026-11-23T00:00:00Z"),
        ("e", "2026-11-23T23:59:59.999Z"),
        ("f", "2026-11-28T23:59:59.999Z"),
        ("g", "2026-11-29T00:00:00Z"),
    ] {
        named(&server, name, json!({"dueDate": due})).await;
    }
    named(&server, "h", json!({"dueDate": "2026-11-01", "status": "Resolved"})).await;
    let bare = named(&server, "i", json!({})).await;
    server.update_case(&bare, json!({"ETA": ""})).await;
    for (zone, words, expected) in [
        ("0", json!(["overdue"]), "ab"),
        ("0", json!(["today"]), "bc"),
        ("0", json!(["tomorrow"]), "de"),
        ("0", json!(["week"]), "bcdef"),
        ("0", json!(["none"]), "i"),
        ("0", json!(["overdue", "none"]), "abi"),
        ("0", json!(["today", "tomorrow"]), "bcde"),
        ("0", json!([]), "abcdefghi"),
        ("0", json!(null), "abcdefghi"),
        // The day begins at 10:00 UTC.
        ("-840", json!(["today"]), "cd"),
        ("-840", json!(["tomorrow"]), "e"),
        ("-840", json!(["week"]), "cdefg"),
        // The day began at 05:00 UTC.
        ("300", json!(["today"]), "cd"),
        ("300", json!(["overdue"]), "ab"),
    ] {
        let body = json!({"ETAlist": words, "sortBy": {"refId": "asc"}});
        let page =
            server.call("getCases").header("X-Timezone-Offset", zone).json(&body).send().await.document();
        let found: String =
            page["results"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{zone} {words}");
    }
}
