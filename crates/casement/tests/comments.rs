//! Comments of cases: notes and replies, rich text, pages, history, deletion.

use serde_json::{Value, json};

use crate::harness::answer::Answer;
use crate::harness::call::Call;
use crate::harness::server::{HOUR_MS, STREAM, Server, keys};

fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId")
}

async fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path).send().await.document()
}

async fn comment(server: &Server, body: Value) -> Value {
    call(server, "POST", "cases/CS000100/comments").json(&body).send().await.made()
}

fn path(comment: &Value) -> String {
    format!("cases/CS000100/comments/{}", comment["_id"].as_str().unwrap())
}

fn texts(page: &Value) -> Vec<&str> {
    page["results"].as_array().unwrap().iter().map(|comment| comment["text"].as_str().unwrap()).collect()
}

async fn with_case() -> (Server, Value) {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "One"})).await;
    (server, case)
}

#[tokio::test]
async fn a_comment_is_made_read_and_leaves_its_case_alone() {
    let (server, case) = with_case().await;
    let ann = server.agent("Ann").await;
    let unchanged = get(&server, "cases/CS000100").await;
    let body = json!({
        "visibility": "public", "format": "html", "text": "<p>Hello <b>you</b><script>alert(1)</script></p>",
        "mentions": [ann.id, {"agentId": "u-Ann"}, "ANN@example.com"], "_id": "co-mine", "createdBy": {"_id": "u-x"},
    });
    let answer = call(&server, "POST", "cases/CS000100/comments").acting_as("u-Ann").json(&body).send().await;
    assert_eq!(answer.header("etag"), Some("\"v1\""));
    let made = answer.made();
    insta::assert_json_snapshot!("comment_made", made);
    assert_eq!(get(&server, &path(&made)).await, made);
    let by_id = format!("cases/{}/comments", case["_id"].as_str().unwrap());
    assert_eq!(get(&server, &by_id).await, json!({"results": [made], "hasMore": false}));
    assert_eq!(get(&server, "cases/CS000100").await, unchanged, "a comment is no change of its case");
    let note = comment(&server, json!({"text": "# Note\n<img src=x onerror=alert(1)>"})).await;
    assert_eq!((&note["visibility"], &note["format"]), (&json!("internal"), &json!("markdown")));
    assert_eq!(note["html"], "<h1>Note</h1>\n\n");
    assert_eq!(note["text"], "# Note\n<img src=x onerror=alert(1)>", "Markdown is kept as it was given");
    let task = server.create_task(&case, json!({})).await;
    for absent in ["cases/CS000999/comments", "cases/ci-1/comments", "cases/CS000100/comments/co-none"] {
        call(&server, "GET", absent).refused(404).await;
    }
    let of_task = format!("cases/CS000100/comments/{}", task["_id"].as_str().unwrap());
    call(&server, "GET", &of_task).refused(404).await;
}

#[tokio::test]
async fn every_fault_of_a_comment_is_named() {
    let (server, _) = with_case().await;
    server.agent("Ann").await;
    let post = |body: Value| call(&server, "POST", "cases/CS000100/comments").json(&body);
    for (body, status, fields) in [
        (json!({}), 400, vec!["text"]),
        (json!({"text": " \n"}), 400, vec!["text"]),
        (json!({"text": "x".repeat(64 * 1024 + 1)}), 400, vec!["text"]),
        (
            json!({"text": 1, "visibility": "secret", "format": "rtf", "mentions": "x", "attachments": [1]}),
            400,
            vec!["visibility", "format", "text", "mentions", "attachments[0]"],
        ),
        (json!({"text": "x", "mentions": ["u-Ann", "u-nobody"]}), 400, vec!["mentions[1]"]),
        (json!({"text": "x", "mentions": vec!["u-Ann"; 51]}), 400, vec!["mentions"]),
        (json!({"text": "x", "attachments": ["at-1", ""]}), 400, vec!["attachments[0]", "attachments[1]"]),
        (json!({"text": "x", "standardResponse": "Hello"}), 400, vec!["standardResponse"]),
        (json!({"standardResponse": {}}), 400, vec!["standardResponse"]),
        (json!({"format": "html", "text": "<script>x</script>"}), 422, vec!["text"]),
        (json!({"text": ">".repeat(10_000) + "x"}), 422, vec!["text"]),
        (json!({"format": "html", "text": "<ul>".repeat(10_000) + "x"}), 422, vec!["text"]),
        (json!({"format": "html", "text": "&".repeat(60_000)}), 422, vec!["text"]),
    ] {
        assert_eq!(post(body.clone()).refused(status).await, fields, "{:.80}", body.to_string());
    }
    let deep = json!({"format": "html", "text": "<div>".repeat(10_000) + "x"});
    assert_eq!(comment(&server, deep).await["html"].as_str().unwrap().trim(), "x", "divisions are not kept");
    assert_eq!(comment(&server, json!({"text": "x".repeat(64 * 1024)})).await["isEdited"], false);
}

#[tokio::test]
async fn an_attachment_must_be_one_of_the_case_that_is_there() {
    let (server, case) = with_case().await;
    let other = server.create_case(json!({"name": "Two"})).await;
    let mut ids = Vec::new();
    for (case, name) in [(&case, "own"), (&case, "gone"), (&other, "other")] {
        let made = crate::attachments::added(&server, case, name, name.as_bytes()).await;
        ids.push(made["_id"].as_str().unwrap().to_owned());
    }
    let [own, gone, other] = [&ids[0], &ids[1], &ids[2]];
    call(&server, "DELETE", &format!("cases/CS000100/attachments/{gone}")).send().await.document();
    let body = json!({"text": "x", "attachments": [own, gone, other, own]});
    let fields = call(&server, "POST", "cases/CS000100/comments").json(&body).refused(400).await;
    assert_eq!(fields, ["attachments[1]", "attachments[2]"]);
    let made = comment(&server, json!({"text": "x", "attachments": [own, own]})).await;
    assert_eq!(made["attachments"], json!([own]));
    let elsewhere = json!({"text": "x", "attachments": [own]});
    call(&server, "POST", "cases/CS000101/comments").json(&elsewhere).refused(400).await;
}

#[tokio::test]
async fn a_change_names_what_was_and_what_never_changes() {
    let (server, _) = with_case().await;
    server.agent("Ann").await;
    let made = comment(&server, json!({"text": "One", "mentions": ["u-Ann"]})).await;
    let patch = |body: Value| call(&server, "PATCH", &path(&made)).json(&body);
    let whole = patch(made.clone()).send().await;
    assert_eq!(whole.header("etag"), Some("\"v1\""), "a whole comment as it was read changes nothing");
    assert_eq!(whole.document(), made);
    server.advance(HOUR_MS);
    let visible = patch(json!({"visibility": "public"})).and_header("If-Match", "\"v1\"").send().await;
    let visible = visible.document();
    assert_eq!((&visible["isEdited"], &visible["visibility"]), (&json!(false), &json!("public")));
    patch(json!({"text": "Two"})).and_header("If-Match", "\"v1\"").refused(412).await;
    server.advance(HOUR_MS);
    let changed = patch(json!({"text": "**Two**", "mentions": [], "html": "<script>", "isEdited": false}));
    let changed = changed.acting_as("u-Ann").send().await.document();
    assert_eq!(changed["html"], "<p><strong>Two</strong></p>\n");
    assert_eq!((&changed["isEdited"], &changed["updatedBy"]["name"]), (&json!(true), &json!("Ann")));
    assert_eq!((&changed["createdBy"], &changed["createdAt"]), (&made["createdBy"], &made["createdAt"]));
    insta::assert_json_snapshot!("comment_history", get(&server, &format!("{}/events", path(&made))).await);
    let page = get(&server, &format!("{}/events?limit=1&before=3", path(&made))).await;
    assert_eq!((&page["results"][0]["version"], &page["hasMore"]), (&json!(2), &json!(true)));
    let wrong = json!({
        "_id": "co-other", "caseId": "ci-other", "caseRefId": "CS000999", "accountId": "x", "iId": "x", "lid": "x",
        "orgId": "x", "createdBy": {"_id": "u-x"}, "createdAt": "2020-01-01", "isDeleted": true,
    });
    let conflicts = patch(wrong.clone()).refused(409).await;
    let mut expected = keys(&wrong);
    let mut found: Vec<&str> = conflicts.iter().map(String::as_str).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    let nulls =
        patch(json!({"text": null, "visibility": null, "_id": null, "mentions": null})).refused(400).await;
    assert_eq!(nulls.len(), 4, "{nulls:?}");
    patch(json!({"text": ""})).refused(400).await;
}

#[tokio::test]
async fn a_deleted_comment_leaves_who_and_when() {
    let (server, _) = with_case().await;
    let made = comment(&server, json!({"text": "My secret"})).await;
    let delete = || call(&server, "DELETE", &path(&made));
    delete().and_header("If-Match", "\"v9\"").refused(412).await;
    server.advance(HOUR_MS);
    let deleted = delete().and_header("Idempotency-Key", "d").send().await;
    assert_eq!(deleted.header("etag"), Some("\"v2\""));
    let deleted = deleted.document();
    assert_eq!(
        (&deleted["text"], &deleted["html"], &deleted["isDeleted"]),
        (&json!(""), &json!(""), &json!(true))
    );
    assert_eq!((&deleted["_id"], &deleted["createdBy"]), (&made["_id"], &made["createdBy"]));
    let again = delete().and_header("Idempotency-Key", "d").send().await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.document(), deleted);
    assert_eq!(delete().send().await.header("etag"), Some("\"v2\""), "there is nothing to change");
    assert_eq!(get(&server, "cases/CS000100/comments").await["results"], json!([deleted]));
    call(&server, "PATCH", &path(&made)).json(&json!({"text": "again"})).refused(409).await;
    let history = call(&server, "GET", &format!("{}/events", path(&made))).send().await;
    let told = history.document();
    assert_eq!(
        (&told["results"][0]["kind"], &told["results"][0]["changes"]),
        (&json!("comment.deleted"), &Value::Null)
    );
    assert!(!String::from_utf8_lossy(&history.bytes).contains("secret"));
}

#[tokio::test]
async fn pages_go_back_from_the_newest_and_stay_what_they_were() {
    let (server, _) = with_case().await;
    for number in 0..25 {
        let visibility = if number % 5 == 0 { "public" } else { "internal" };
        comment(&server, json!({"text": number.to_string(), "visibility": visibility})).await;
    }
    let first = get(&server, "cases/CS000100/comments?limit=10").await;
    assert_eq!(texts(&first), (15..25).rev().map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(first["hasMore"], true);
    comment(&server, json!({"text": "new"})).await;
    let next =
        |page: &Value| format!("cases/CS000100/comments?limit=10&before={}", page["next"].as_str().unwrap());
    let second = get(&server, &next(&first)).await;
    assert_eq!(texts(&second), (5..15).rev().map(|number| number.to_string()).collect::<Vec<_>>());
    let third = get(&server, &next(&second)).await;
    assert_eq!((texts(&third).len(), keys(&third)), (5, vec!["results", "hasMore"]));
    let public = get(&server, "cases/CS000100/comments?visibility=public&limit=2").await;
    assert_eq!((texts(&public), &public["hasMore"]), (vec!["20", "15"], &json!(true)));
    let before = public["next"].as_str().unwrap();
    let rest = get(&server, &format!("cases/CS000100/comments?visibility=public&before={before}")).await;
    assert_eq!((texts(&rest), &rest["hasMore"]), (vec!["10", "5", "0"], &json!(false)));
    let whole = get(&server, "cases/CS000100/comments?limit=26").await;
    assert_eq!((texts(&whole).len(), &whole["hasMore"]), (26, &json!(false)));
    let wrong = "cases/CS000100/comments?limit=101&before=&visibility=secret";
    assert_eq!(call(&server, "GET", wrong).refused(400).await, ["before", "visibility", "limit"]);
}

#[tokio::test]
async fn a_page_of_large_comments_ends_early() {
    let (server, _) = with_case().await;
    for _ in 0..40 {
        comment(&server, json!({"text": "x".repeat(64 * 1024)})).await;
    }
    let mut path = "cases/CS000100/comments?limit=100".to_owned();
    let mut sizes = Vec::new();
    loop {
        let answer: Answer = call(&server, "GET", &path).send().await;
        assert!(answer.bytes.len() < 5 * 1024 * 1024);
        let page = answer.document();
        sizes.push(texts(&page).len());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("cases/CS000100/comments?limit=100&before={next}");
    }
    assert_eq!((sizes.iter().sum::<usize>(), sizes.len()), (40, 2), "{sizes:?}");
}

#[tokio::test]
async fn a_comment_that_is_sent_twice_is_made_once() {
    let (server, _) = with_case().await;
    let send = |text: &str| {
        let call = call(&server, "POST", "cases/CS000100/comments").json(&json!({"text": text}));
        call.and_header("Idempotency-Key", "once")
    };
    let first = send("One").send().await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let made = first.made();
    server.advance(HOUR_MS);
    call(&server, "PATCH", &path(&made)).json(&json!({"text": "Two"})).send().await.document();
    let again = send("One").send().await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.made(), made, "as it was answered first");
    send("Other").refused(422).await;
    assert_eq!(get(&server, "cases/CS000100/comments").await["results"].as_array().unwrap().len(), 1);
    let refused = call(&server, "POST", "cases/CS000100/comments").json(&json!({}));
    refused.and_header("Idempotency-Key", "wrong").send().await.refused(400);
}

#[tokio::test]
async fn a_deleted_case_keeps_its_comments_and_takes_no_more() {
    let (server, case) = with_case().await;
    let made = comment(&server, json!({"text": "One"})).await;
    server.update_case(&case, json!({"isActive": false})).await;
    call(&server, "POST", "cases/CS000100/comments").json(&json!({"text": "Two"})).refused(409).await;
    call(&server, "PATCH", &path(&made)).json(&json!({"text": "Two"})).refused(409).await;
    call(&server, "DELETE", &path(&made)).refused(409).await;
    assert_eq!(get(&server, &path(&made)).await, made);
    assert_eq!(texts(&get(&server, "cases/CS000100/comments").await), ["One"]);
    server.update_case(&case, json!({"isActive": true})).await;
    comment(&server, json!({"text": "Two"})).await;
    server.update_case(&case, json!({"status": "Closed"})).await;
    comment(&server, json!({"text": "A closed case takes comments"})).await;
}

#[tokio::test]
async fn a_comment_of_another_case_or_workspace_is_none() {
    let (server, _) = with_case().await;
    server.create_case(json!({"name": "Two"})).await;
    let made = comment(&server, json!({"text": "One"})).await;
    let elsewhere = path(&made).replace("CS000100", "CS000101");
    call(&server, "GET", &elsewhere).refused(404).await;
    call(&server, "GET", &format!("{elsewhere}/events")).refused(404).await;
    call(&server, "PATCH", &elsewhere).json(&json!({"text": "x"})).refused(404).await;
    call(&server, "DELETE", &elsewhere).refused(404).await;
    let foreign = |method: &str, path: &str| {
        let path = format!("/api/v1/streams/st-other/{path}");
        server.call("").method(method).path(&path).json(&json!({"text": "x"}))
    };
    foreign("GET", &path(&made)).refused(403).await;
    foreign("POST", "cases/CS000100/comments").refused(403).await;
    foreign("PATCH", &path(&made)).refused(403).await;
    foreign("DELETE", &path(&made)).refused(403).await;
    foreign("GET", "standard-responses").refused(403).await;
    foreign("POST", "cases/CS000100/standard-responses/sr-1/render").refused(403).await;
}

#[tokio::test]
async fn standard_responses_come_in_pages_by_name() {
    let (server, _) = with_case().await;
    let named = |name: &str, text: &str| json!({"name": name, "text": text});
    let long = "x".repeat(32 * 1024);
    let mut all: Vec<Value> = (0..60).map(|number| named(&format!("R{number:03}"), &long)).collect();
    all.extend([named("\u{c9}cole", "x"), named("ecole", "x"), named("r000b", "x")]);
    server.apply(json!({"standardResponses": all})).await;
    let page = async |query: &str| get(&server, &format!("standard-responses{query}")).await;
    let names = |page: &Value| -> Vec<String> {
        let results = page["results"].as_array().unwrap().iter();
        results.map(|response| response["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = page("?limit=3").await;
    assert_eq!(names(&first), ["ecole", "R000", "r000b"], "capitals are no order");
    assert_eq!((&first["hasMore"], &first["next"]), (&json!(true), &json!("r000b")));
    assert_eq!(names(&page("?limit=2&after=R000B").await), ["R001", "R002"]);
    assert_eq!(names(&page("?after=z").await), ["\u{c9}cole"]);
    let (mut seen, mut query) = (Vec::new(), String::new());
    loop {
        let page = page(&query).await;
        assert!(page.to_string().len() < 1_200_000, "a page has a bound in bytes");
        seen.extend(names(&page));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?after={next}");
        // What a client stands on may go meanwhile.
        server.apply(json!({"standardResponses": [{"name": next, "active": false}]})).await;
    }
    assert_eq!(seen.len(), 63);
    assert_eq!(seen.last().unwrap(), "\u{c9}cole");
    for wrong in ["?limit=0", "?limit=101", "?after=", "?after=%00"] {
        call(&server, "GET", &format!("standard-responses{wrong}")).refused(400).await;
    }
}

#[tokio::test]
async fn a_standard_response_gives_the_text() {
    let (server, _) = with_case().await;
    server.agent("Ann").await;
    let name = "Eve {{case.refId}} <script>alert(1)</script> **x**";
    server
        .create_case(
            json!({"name": "Two", "userInfo": {"_id": "u-eve", "name": name}, "emailId": "<absent>"}),
        )
        .await;
    server
        .apply(json!({"standardResponses": [
            {"_id": "sr-thanks", "name": "Thanks", "text": "Dear {{customer.name}}, *{{case.refId}}* is {{case.status}}. {{agent.name}}"},
            {"_id": "sr-html", "name": "Again", "format": "html", "text": "<p>{{customer.name}}</p>"},
            {"_id": "sr-due", "name": "Due", "text": "{{customer.email}} {{case.dueDate}}"},
            {"_id": "sr-off", "name": "Off", "text": "x", "enabled": false},
        ]}))
        .await;
    let list = get(&server, "standard-responses").await;
    let names: Vec<&str> =
        list["results"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Again", "Due", "Thanks"]);
    let render = |case: &str, name: &str| {
        call(&server, "POST", &format!("cases/{case}/standard-responses/{name}/render")).acting_as("u-Ann")
    };
    let before = server.events_total().await;
    let rendered = render("CS000100", "sr-thanks").send().await.document();
    let expected = json!({
        "text": "Dear John, *CS000100* is Open. Ann",
        "html": "<p>Dear John, <em>CS000100</em> is Open. Ann</p>\n", "format": "markdown",
    });
    assert_eq!(rendered, expected);
    assert_eq!(server.events_total().await, before, "nothing is written");
    for (response, html) in [
        (
            "Thanks",
            "<p>Dear Eve {{case.refId}} &lt;script&gt;alert(1)&lt;/script&gt; **x**, <em>CS000101</em> is Open. Ann</p>\n",
        ),
        ("again", "<p>Eve {{case.refId}} &lt;script&gt;alert(1)&lt;/script&gt; **x**</p>"),
    ] {
        assert_eq!(render("CS000101", response).send().await.document()["html"], html);
        let body = json!({"standardResponse": {"name": response}});
        let made = call(&server, "POST", "cases/CS000101/comments").acting_as("u-Ann").json(&body);
        let made = made.send().await.made();
        assert_eq!(made["html"], html);
        assert!(made["standardResponse"].as_str().unwrap().starts_with("sr-"));
    }
    assert_eq!(render("CS000101", "sr-due").refused(422).await, ["standardResponse"]);
    assert_eq!(render("CS000100", "sr-off").refused(422).await, ["standardResponse"]);
    render("CS000100", "none").refused(404).await;
    render("CS000999", "sr-thanks").refused(404).await;
    let post = |body: Value| call(&server, "POST", "cases/CS000100/comments").json(&body);
    post(json!({"standardResponse": "sr-off"})).refused(422).await;
    post(json!({"standardResponse": "sr-thanks", "text": "x"})).refused(400).await;
    post(json!({"standardResponse": "sr-thanks", "format": "html"})).refused(400).await;
}

#[tokio::test]
async fn whoever_is_mentioned_within_the_text_is_mentioned() {
    let (server, _) = with_case().await;
    let (ann, ben, eve) = (server.agent("Ann").await, server.agent("Ben").await, server.agent("Eve").await);
    let span = |id: &str| format!("<span data-type=\"mention\" data-id=\"{id}\">@x</span>");
    let named = |comment: &Value| -> Vec<String> {
        let mentions = comment["mentions"].as_array().unwrap().iter();
        mentions.map(|mention| mention["name"].as_str().unwrap().to_owned()).collect()
    };
    let (by_profile, by_user) = (span(ann.id.as_str()), span(ben.user.as_str()));
    for format in ["html", "markdown"] {
        let text = format!("Ask {by_user} or {by_profile}, {by_user} first, not {}", span("a-none"));
        let body = json!({"format": format, "text": text, "mentions": [eve.id, ann.id]});
        let made = comment(&server, body).await;
        assert_eq!(named(&made), ["Eve", "Ann", "Ben"], "{format}");
        assert!(made["html"].as_str().unwrap().contains(&by_profile), "{format}: {}", made["html"]);
        let patch =
            async |body: Value| call(&server, "PATCH", &path(&made)).json(&body).send().await.document();
        assert_eq!(named(&patch(json!({"visibility": "public"})).await), ["Eve", "Ann", "Ben"]);
        assert_eq!(named(&patch(json!({"mentions": []})).await), ["Ben", "Ann"], "the text says so");
        let before = server.events_total().await;
        assert_eq!(named(&patch(json!({"text": made["text"]})).await), ["Ben", "Ann"]);
        assert_eq!(server.events_total().await, before, "nothing changed");
        patch(json!({"mentions": [eve.id]})).await;
        assert_eq!(named(&patch(json!({"text": format!("Ask {by_user}")})).await), ["Eve", "Ben"]);
        assert_eq!(named(&patch(json!({"text": "Ask nobody"})).await), ["Eve"]);
    }
    let code = comment(&server, json!({"text": format!("`{by_profile}`")})).await;
    assert_eq!(named(&code), Vec::<String>::new(), "code mentions nobody");
}

#[tokio::test]
async fn a_text_mentions_fifty_agents_and_no_more() {
    let (server, _) = with_case().await;
    for number in 0..51 {
        server.agent(&number.to_string()).await;
    }
    let text = |count: u32| -> String {
        (0..count)
            .map(|number| format!("<span data-type=\"mention\" data-id=\"a-{number}\">@x</span>"))
            .collect()
    };
    let made = comment(&server, json!({"text": text(50), "format": "html"})).await;
    assert_eq!(made["mentions"].as_array().unwrap().len(), 50);
    let more =
        call(&server, "POST", "cases/CS000100/comments").json(&json!({"text": text(51), "format": "html"}));
    assert_eq!(more.refused(400).await, ["mentions"]);
    let more = call(&server, "PATCH", &path(&made)).json(&json!({"mentions": ["a-50"]}));
    assert_eq!(more.refused(400).await, ["mentions"]);
}
