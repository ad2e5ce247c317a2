//! Resolution comments, and feedback that customers give by a link.

use serde_json::{Value, json};

use crate::harness::answer::Answer;
use crate::harness::call::Call;
use crate::harness::server::{DAY_MS, HOUR_MS, STREAM, Server};

const CASE: &str = "cases/CS000100";
const LINKS: &str = "cases/CS000100/feedback-links";
const RESOLUTION: &str = "cases/CS000100/resolution-comments";

fn call<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    let path = format!("/api/v1/streams/{STREAM}/{path}");
    server.call("").method(method).path(&path).without("AccountId")
}

/// A request of somebody without a token of an app.
fn customer<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    server.call("").bare().method(method).path(path)
}

async fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path).send().await.document()
}

async fn with_case() -> (Server, Value) {
    let server = Server::start().await;
    let case = server.create_case(json!({"name": "Printer", "desc": "in the cellar"})).await;
    (server, case)
}

async fn link(server: &Server, body: Value) -> Value {
    let answer = call(server, "POST", LINKS).json(&body).send().await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.bytes));
    answer.json()
}

fn path(link: &Value) -> &str {
    link["path"].as_str().unwrap()
}

async fn give(server: &Server, link: &Value, body: Value) -> Answer {
    customer(server, "POST", path(link)).json(&body).send().await
}

#[tokio::test]
async fn a_resolution_comment_goes_to_the_end_of_its_case_also_when_that_is_closed() {
    let (server, case) = with_case().await;
    server.agent("Ann").await;
    server.update_case(&case, json!({"resolutionCmts": ["as sent"]})).await;
    server.update_case(&case, json!({"status": "Closed"})).await;
    server.advance(HOUR_MS);
    let send = || {
        let body = json!({"text": " The fuse.\n<b>x</b>", "_id": "rc-mine", "createdBy": {"_id": "u-x"}});
        let call = call(&server, "POST", RESOLUTION).acting_as("u-Ann").json(&body);
        call.and_header("If-Match", "\"v3\"").and_header("Idempotency-Key", "r")
    };
    let answer = send().send().await;
    assert_eq!(answer.header("etag"), Some("\"v4\""));
    let changed = answer.document();
    let added = &changed["resolutionCmts"][1];
    assert_eq!(changed["resolutionCmts"][0], "as sent");
    assert_eq!(added["text"], " The fuse.\n<b>x</b>", "plain text is kept as it was given");
    assert_eq!((&added["createdBy"]["_id"], &added["createdBy"]["name"]), (&json!("u-Ann"), &json!("Ann")));
    assert_eq!(added["createdAt"], changed["updatedAt"]);
    assert!(added["_id"].as_str().unwrap().starts_with("rc-") && added["_id"] != "rc-mine");
    let again = send().send().await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.document(), changed);
    let other = call(&server, "POST", RESOLUTION).json(&json!({"text": "x"}));
    other.and_header("If-Match", "\"v3\"").refused(412).await;
    assert_eq!(get(&server, CASE).await, changed);
    let kinds = get(&server, &format!("{CASE}/events?limit=1")).await;
    assert_eq!(
        (&kinds["results"][0]["kind"], &kinds["results"][0]["by"]["_id"]),
        (&json!("case.updated"), &json!("u-Ann"))
    );
}

#[tokio::test]
async fn faults_of_a_resolution_comment_are_named_and_a_case_that_is_gone_takes_none() {
    let (server, case) = with_case().await;
    let post = |body: Value| call(&server, "POST", RESOLUTION).json(&body);
    for body in [json!({}), json!({"text": null}), json!({"text": " \n"}), json!({"text": 1})] {
        assert_eq!(post(body.clone()).refused(400).await, ["text"], "{body}");
    }
    assert_eq!(post(json!({"text": "x".repeat(64 * 1024 + 1)})).refused(400).await, ["text"]);
    post(json!({"text": "x".repeat(64 * 1024)})).send().await.document();
    call(&server, "POST", "cases/CS000999/resolution-comments")
        .json(&json!({"text": "x"}))
        .refused(404)
        .await;
    server.update_case(&case, json!({"isActive": false})).await;
    post(json!({"text": "x"})).refused(409).await;
    server.update_case(&case, json!({"isActive": true})).await;
    server.create_case(json!({"name": "Other"})).await;
    call(&server, "POST", &format!("{CASE}/merge"))
        .json(&json!({"into": "CS000101"}))
        .send()
        .await
        .document();
    post(json!({"text": "x"})).refused(409).await;
}

#[tokio::test]
async fn a_list_that_grew_past_what_an_update_brings_may_be_sent_back_as_it_is() {
    let (server, case) = with_case().await;
    let post = || call(&server, "POST", RESOLUTION).json(&json!({"text": "x".repeat(60 * 1024)}));
    for _ in 0..4 {
        post().send().await.document();
    }
    assert_eq!(post().refused(422).await, ["resolutionCmts"], "256 KiB are the most");
    let whole = get(&server, CASE).await;
    let changed =
        server.update_case(&case, json!({"resolutionCmts": whole["resolutionCmts"], "name": "New"})).await;
    assert_eq!(changed["resolutionCmts"], whole["resolutionCmts"]);
    let mut more = whole["resolutionCmts"].as_array().unwrap().clone();
    more.push(json!("x"));
    let operation = format!("updateCase/{}", case["_id"].as_str().unwrap());
    server.refused(&operation, &json!({"resolutionCmts": more}), 400).await;
}

#[tokio::test]
async fn a_customer_gives_feedback_once_by_a_link_and_sees_nothing_else() {
    let (server, case) = with_case().await;
    let before = get(&server, CASE).await;
    let link = link(&server, json!({})).await;
    assert_eq!(get(&server, CASE).await, before, "a link is no change of its case");
    let token = link["token"].as_str().unwrap();
    assert_eq!(token.len(), 43);
    assert_eq!(path(&link), format!("/api/v1/streams/{STREAM}/feedback/{token}"));
    let asked = customer(&server, "GET", path(&link)).send().await;
    assert_eq!(asked.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(asked.header("cache-control"), Some("no-store"));
    assert_eq!(asked.json(), json!({"case": {"refId": "CS000100", "name": "Printer"}, "isGiven": false}));
    server.advance(HOUR_MS);
    let given =
        give(&server, &link, json!({"score": 4, "text": "<b>Quick</b>", "via": "x", "_id": "y"})).await;
    let given_doc = json!({"case": {"refId": "CS000100", "name": "Printer"}, "isGiven": true});
    assert_eq!(given.document(), given_doc);
    let after = get(&server, CASE).await;
    let entry = &after["feedback"][0];
    assert!(entry["_id"].as_str().unwrap().starts_with("fb-"));
    assert_eq!(
        entry,
        &json!({"_id": entry["_id"], "score": 4, "text": "<b>Quick</b>", "givenAt": after["updatedAt"], "via": "link"})
    );
    assert_eq!(after["updatedBy"]["_id"], case["userInfo"]["_id"]);
    let events = get(&server, &format!("{CASE}/events")).await;
    let event = &events["results"][0];
    assert_eq!((&event["kind"], &event["by"]["_id"]), (&json!("case.feedback"), &case["userInfo"]["_id"]));
    customer(&server, "POST", path(&link)).json(&json!({"score": 5})).refused(409).await;
    assert_eq!(customer(&server, "GET", path(&link)).send().await.document(), given_doc);
    server.advance(31 * DAY_MS);
    customer(&server, "POST", path(&link)).json(&json!({"score": 5})).refused(404).await;
}

#[tokio::test]
async fn of_several_who_give_at_once_one_is_taken() {
    let (server, _) = with_case().await;
    let link = link(&server, json!({})).await;
    let send = |score: u8| give(&server, &link, json!({"score": score}));
    let (one, two, three, four) = tokio::join!(send(1), send(2), send(3), send(4));
    let mut statuses = [one, two, three, four].map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    assert_eq!(get(&server, CASE).await["feedback"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whatever_is_no_link_gets_the_same_404() {
    let (server, case) = with_case().await;
    let live = link(&server, json!({})).await;
    let token = live["token"].as_str().unwrap();
    let tampered = format!("{}{}", if token.starts_with('A') { "B" } else { "A" }, &token[1..]);
    let of = |token: &str| path(&live).replace(live["token"].as_str().unwrap(), token);
    let mut bodies = Vec::new();
    for wrong in [
        of(&tampered),
        of(&token[1..]),
        of("x"),
        of(&format!("{token}=")),
        of("%FF"),
        of(&"A".repeat(2_000)),
        path(&live).replace(STREAM, "st-other"),
        path(&live).replace(STREAM, "%00"),
    ] {
        customer(&server, "POST", &wrong).json(&json!({"score": 5})).refused(404).await;
        let answer = customer(&server, "GET", &wrong).send().await;
        assert_eq!(answer.status, 404, "{wrong}");
        bodies.push(answer.bytes);
    }
    let refused = || async {
        let answer = customer(&server, "GET", path(&live)).send().await;
        assert_eq!(answer.status, 404);
        customer(&server, "POST", path(&live)).json(&json!({"score": 5})).refused(404).await;
        answer.bytes
    };
    server.update_case(&case, json!({"isActive": false})).await;
    bodies.push(refused().await);
    call(&server, "POST", LINKS).json(&json!({})).refused(409).await;
    server.update_case(&case, json!({"isActive": true})).await;
    assert_eq!(customer(&server, "GET", path(&live)).send().await.status, 200);
    server.create_case(json!({"name": "Other"})).await;
    call(&server, "POST", &format!("{CASE}/merge"))
        .json(&json!({"into": "CS000101"}))
        .send()
        .await
        .document();
    bodies.push(refused().await);
    call(&server, "POST", LINKS).json(&json!({})).refused(409).await;
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn a_link_ends_when_it_says_and_is_swept_away() {
    let (server, _) = with_case().await;
    let short = link(&server, json!({"expiresInDays": 1})).await;
    let usual = link(&server, json!({"expiresInDays": null})).await;
    let ends = |link: &Value| link["expiresAt"].as_str().unwrap().to_owned();
    let iso = |ms| casement_domain::date::Moment::from_ms(ms).iso();
    assert_eq!(ends(&short), iso(server.now_ms() + DAY_MS));
    assert_eq!(ends(&usual), iso(server.now_ms() + 30 * DAY_MS));
    server.advance(DAY_MS - 1);
    assert_eq!(customer(&server, "GET", path(&short)).send().await.status, 200);
    server.advance(1);
    assert_eq!(customer(&server, "GET", path(&short)).send().await.status, 404);
    assert_eq!(casement_app::sweep::sweep(&server.app).await.unwrap(), 1);
    assert_eq!(give(&server, &usual, json!({"score": 1})).await.status, 200);
    for wrong in [json!(0), json!(91), json!(-1), json!("1"), json!(1.5), json!([])] {
        let body = json!({"expiresInDays": wrong});
        assert_eq!(call(&server, "POST", LINKS).json(&body).refused(400).await, ["expiresInDays"], "{body}");
    }
    link(&server, json!({"expiresInDays": 90.0})).await;
    call(&server, "POST", "cases/CS000999/feedback-links").json(&json!({})).refused(404).await;
}

#[tokio::test]
async fn revoked_links_are_none_and_later_ones_count() {
    let (server, _) = with_case().await;
    let first = link(&server, json!({})).await;
    let given = link(&server, json!({})).await;
    assert_eq!(give(&server, &given, json!({"score": 3})).await.status, 200);
    let case = get(&server, CASE).await;
    let revoke = || call(&server, "DELETE", LINKS).and_header("Idempotency-Key", "d");
    assert_eq!(revoke().send().await.document(), case);
    for link in [&first, &given] {
        assert_eq!(customer(&server, "GET", path(link)).send().await.status, 404);
    }
    customer(&server, "POST", path(&first)).json(&json!({"score": 5})).refused(404).await;
    server.advance(60 * DAY_MS);
    let later = link(&server, json!({"expiresInDays": 90})).await;
    let again = call(&server, "DELETE", LINKS).and_header("Idempotency-Key", "e");
    server.advance(40 * DAY_MS);
    casement_app::sweep::sweep(&server.app).await.unwrap();
    assert_eq!(
        customer(&server, "GET", path(&later)).send().await.status,
        200,
        "the revocation is forgotten"
    );
    assert_eq!(again.send().await.status, 200);
    assert_eq!(customer(&server, "GET", path(&later)).send().await.status, 404);
    call(&server, "DELETE", "cases/CS000999/feedback-links").refused(404).await;
    let last = link(&server, json!({})).await;
    server.update_case(&case, json!({"isActive": false})).await;
    assert_eq!(call(&server, "DELETE", LINKS).send().await.status, 200, "it takes rights and gives none");
    server.update_case(&case, json!({"isActive": true})).await;
    assert_eq!(customer(&server, "GET", path(&last)).send().await.status, 404);
}

#[tokio::test]
async fn every_fault_of_feedback_is_named_and_the_link_stays_open() {
    let (server, _) = with_case().await;
    let link = link(&server, json!({})).await;
    let post = |body: &Value| customer(&server, "POST", path(&link)).json(body);
    for (body, fields) in [
        (json!({}), vec!["score"]),
        (json!({"score": null}), vec!["score"]),
        (json!({"score": 0}), vec!["score"]),
        (json!({"score": 6, "text": 1}), vec!["text", "score"]),
        (json!({"score": 1.5}), vec!["score"]),
        (json!({"score": "5", "text": []}), vec!["score", "text"]),
        (json!({"score": 5, "text": "x".repeat(4 * 1024 + 1)}), vec!["text"]),
    ] {
        let mut found = post(&body).refused(400).await;
        let mut fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
        found.sort_unstable();
        fields.sort_unstable();
        assert_eq!(found, fields, "{:.60}", body.to_string());
    }
    customer(&server, "POST", path(&link)).bytes("[]").refused(400).await;
    assert_eq!(post(&json!({"score": 5.0, "text": null})).send().await.status, 200);
    assert_eq!(get(&server, CASE).await["feedback"][0]["text"], "");
}

#[tokio::test]
async fn a_link_that_is_asked_for_twice_is_one_and_the_token_is_stored_nowhere() {
    let (server, _) = with_case().await;
    let send = |body: Value| call(&server, "POST", LINKS).json(&body).and_header("Idempotency-Key", "once");
    let first = send(json!({})).send().await;
    server.advance(HOUR_MS);
    let again = send(json!({})).send().await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(again.json(), first.json());
    send(json!({"expiresInDays": 2})).refused(422).await;
    let token = first.json()["token"].as_str().unwrap().to_owned();
    let ended = server.store.expired_claims(STREAM, i64::MAX, 500).await.unwrap();
    assert!(ended.iter().any(|key| key.starts_with("feedback:")), "{ended:?}");
    for key in ended {
        let claim = server.store.claim(STREAM, &key).await.unwrap().unwrap();
        let kept = String::from_utf8_lossy(claim.result.as_deref().unwrap_or_default()).into_owned();
        assert!(!key.contains(&token) && !kept.contains(&token) && !claim.document.contains(&token));
    }
    casement_app::seal::rotate::rotate_key(&server.app).await.unwrap();
    send(json!({})).refused(409).await;
    assert_eq!(give(&server, &first.json(), json!({"score": 2})).await.status, 200, "the link itself stays");
}

#[tokio::test]
async fn an_address_past_its_rate_gets_a_429_that_says_when_to_come_back() {
    let (server, _) = with_case().await;
    let link = link(&server, json!({})).await;
    let mut answers = 0;
    loop {
        let answer = customer(&server, "GET", path(&link)).send().await;
        answers += 1;
        if answer.status == 429 {
            answer.refused(429);
            assert!(answer.header("retry-after").is_some());
            break;
        }
        assert!(answer.status == 200 && answers < 10_000);
    }
    assert!(answers > 100, "{answers}");
    assert_eq!(get(&server, CASE).await["refId"], "CS000100", "apps are counted by themselves");
}

#[tokio::test]
async fn links_are_made_by_apps_of_the_stream_alone() {
    let (server, _) = with_case().await;
    for (method, path) in [("POST", LINKS), ("DELETE", LINKS), ("POST", RESOLUTION)] {
        call(&server, method, path).without("auth").json(&json!({})).refused(401).await;
        let foreign = format!("/api/v1/streams/st-other/{path}");
        server.call("").method(method).path(&foreign).json(&json!({"text": "x"})).refused(403).await;
    }
}
