//! Contract section 1 and 11.1: streams, accounts, and what is looked at first.

use casement_app::jwt_app::JwtApp;
use serde_json::json;

use crate::harness::answer::Answer;
use crate::harness::call::Call;
use crate::harness::configuration::jwt_app;
use crate::harness::server::{ACCOUNT, STREAM, Server};
use crate::harness::token::of;

const OTHER_ACCOUNT: &str = "6639f7bd58c97ffac0300002";
const OTHER_STREAM: &str = "st-other";

const REQUIRING: [&str; 4] = ["getCases", "updateCase/ci-x", "getTasks", "updateTask/ti-x"];
const CREATING: [&str; 2] = ["createCase", "createTask"];

fn all() -> impl Iterator<Item = &'static str> {
    REQUIRING.into_iter().chain(CREATING)
}

async fn sent(call: Call<'_>) -> Answer {
    // The id of the request and the count of the app's requests are all that tells two answers apart.
    let mut answer = call.header("X-Request-Id", "same").send().await;
    for count in ["ratelimit-remaining", "ratelimit-reset"] {
        assert!(answer.headers.remove(count).is_some());
    }
    answer
}

#[tokio::test]
async fn a_stream_that_is_not_the_apps_and_one_that_is_not_there_get_the_same_answer() {
    let server = Server::start().await;
    server.another_workspace(OTHER_ACCOUNT, OTHER_STREAM).await;
    server.another_workspace(ACCOUNT, "st-sister").await;
    for operation in all() {
        let absent = sent(server.call(operation).stream("st-absent")).await;
        assert_eq!(absent.refused(403), [""]);
        for stream in [OTHER_STREAM, "st-sister", "st-%00", "st-%ff", "installation", &"x".repeat(5000)] {
            let other = sent(server.call(operation).stream(stream)).await;
            assert_eq!(
                (other.bytes, other.headers),
                (absent.bytes.clone(), absent.headers.clone()),
                "{stream}"
            );
        }
        let text = String::from_utf8_lossy(&absent.bytes).into_owned();
        for id in [STREAM, ACCOUNT, "st-absent"] {
            assert!(!text.contains(id), "{text}");
        }
    }
}

#[tokio::test]
async fn an_app_without_the_scope_or_of_another_account_is_refused() {
    let server = Server::start().await;
    let mut unscoped = jwt_app("cs-unscoped", "unscoped", &[STREAM]);
    unscoped.scopes = vec!["another-scope".to_owned()];
    let mut foreign = jwt_app("cs-foreign", "foreign", &[STREAM]);
    foreign.account = casement_domain::id::AccountId::from_text(OTHER_ACCOUNT);
    let streamless = jwt_app("cs-streamless", "streamless", &[]);
    let absent = sent(server.call("getCases").stream("st-absent")).await;
    for app in [unscoped, foreign, streamless] {
        server.register(&app).await;
        let answer = sent(server.call("getCases").header("auth", &of(&app, &json!({})))).await;
        assert_eq!(answer.refused(403), [""]);
        assert_eq!(answer.bytes, absent.bytes);
    }
}

#[tokio::test]
async fn an_app_reaches_each_of_its_streams_and_no_document_of_another() {
    let server = Server::start().await;
    server.another_workspace(ACCOUNT, "st-sister").await;
    let both: JwtApp = jwt_app("cs-both", "both", &[STREAM, "st-sister"]);
    server.register(&both).await;
    let token = of(&both, &json!({}));
    let case = server.create_case(json!({})).await;
    let sister = |operation: &str| server.call(operation).stream("st-sister").header("auth", &token);
    let listed = sister("getCases").send().await.document();
    assert_eq!(listed["totalResults"], 0);
    let update = format!("updateCase/{}", case["_id"].as_str().unwrap());
    let foreign = sent(sister(&update).json(&json!({"name": "New"}))).await;
    let absent = sent(sister("updateCase/ci-absent").json(&json!({"name": "New"}))).await;
    foreign.refused(404);
    assert_eq!((foreign.bytes, foreign.headers), (absent.bytes, absent.headers));
    let body = server.task_body(&case, json!({"taskTmp": "Follow-up"}));
    sister("createTask").json(&body).refused(404).await;
}

#[tokio::test]
async fn the_account_is_required_where_the_contract_says_so() {
    let server = Server::start().await;
    for operation in REQUIRING {
        let call = || server.call(operation).json(&json!({}));
        assert_eq!(call().without("AccountId").refused(400).await, ["AccountId"]);
        assert_eq!(call().header("AccountId", "").refused(400).await, ["AccountId"]);
    }
    let body = server.case_body(json!({}));
    let case = server.call("createCase").without("AccountId").json(&body).send().await.document();
    server.call("createCase").header("AccountId", "").json(&body).send().await.document();
    let body = server.task_body(&case, json!({}));
    server.call("createTask").without("AccountId").json(&body).send().await.document();
}

#[tokio::test]
async fn a_wrong_account_is_refused_everywhere() {
    let server = Server::start().await;
    for operation in all() {
        for wrong in [OTHER_ACCOUNT, "x", "é", &ACCOUNT.to_uppercase()] {
            let call = server.call(operation).json(&json!({})).header("AccountId", wrong);
            assert_eq!(call.refused(403).await, ["AccountId"], "{operation}");
        }
    }
}

#[tokio::test]
async fn an_account_that_is_given_twice_must_be_right_both_times() {
    let server = Server::start().await;
    server.call("getCases").and_header("AccountId", ACCOUNT).send().await.document();
    assert_eq!(
        server.call("getCases").and_header("AccountId", OTHER_ACCOUNT).refused(403).await,
        ["AccountId"]
    );
}

#[tokio::test]
async fn header_names_are_taken_in_any_case() {
    let server = Server::start().await;
    let token = of(&server.jwt, &json!({}));
    for name in ["accountid", "ACCOUNTID", "accountId"] {
        let call = server.call("getCases").bare().header("AUTH", &token).header(name, ACCOUNT);
        call.send().await.document();
    }
}

#[tokio::test]
async fn the_header_iid_is_never_compared() {
    let server = Server::start().await;
    server.call("getCases").header("Iid", OTHER_STREAM).send().await.document();
}

#[tokio::test]
async fn each_fault_is_looked_for_in_the_order_of_the_contract() {
    let server = Server::start().await;
    let case = server.create_case(json!({})).await;
    let id = case["_id"].as_str().unwrap();
    // A request with every fault, then with the first one mended, one after the other.
    let call = |operation: &str| server.call(operation).header("Content-Type", "text/plain").bytes("{");
    call("nonsense").method("GET").bare().refused(404).await;
    call("updateCase/ci-absent").method("GET").bare().refused(405).await;
    call("updateCase/ci-absent").stream("st-absent").bare().refused(401).await;
    call("updateCase/ci-absent").stream("st-absent").without("AccountId").refused(403).await;
    assert_eq!(call("updateCase/ci-absent").without("AccountId").refused(400).await, ["AccountId"]);
    call("updateCase/ci-absent").refused(415).await;
    let json =
        |body: &str| server.call("updateCase/ci-absent").header("If-Match", "\"x\"").bytes(body.to_owned());
    json("{").refused(400).await;
    json("{\"name\": 7}").refused(404).await;
    let known = |body: serde_json::Value| {
        server.call(&format!("updateCase/{id}")).header("If-Match", "\"x\"").json(&body).refused(412)
    };
    known(json!({"name": 7})).await;
    let both = json!({"name": 7, "refId": "CS000999"});
    assert_eq!(server.refused(&format!("updateCase/{id}"), &both, 400).await, ["name"]);
    let identity = json!({"refId": "CS000999"});
    assert_eq!(server.refused(&format!("updateCase/{id}"), &identity, 409).await, ["refId"]);
}

#[tokio::test]
async fn all_faults_of_a_body_come_before_its_unknown_case_and_that_before_422_and_409() {
    let server = Server::start().await;
    let template = server.task_template("Off", |template| template.active = false).await;
    let case = server.create_case(json!({})).await;
    server.update_case(&case, json!({"status": "Closed"})).await;
    let absent = json!({"caseId": "ci-absent"});
    let body = |changes| server.task_body(&case, changes);
    let wrong = body(json!({"caseId": "ci-absent", "source": 7, "taskTmp": template.id}));
    let mut fields = server.refused("createTask", &wrong, 400).await;
    fields.sort();
    assert_eq!(fields, ["source", "taskTmp"]);
    assert_eq!(server.refused("createTask", &body(absent), 404).await, ["caseId"]);
    let inactive = body(json!({"taskTmp": template.id}));
    assert_eq!(server.refused("createTask", &inactive, 422).await, ["taskTmp"]);
    assert_eq!(server.refused("createTask", &body(json!({})), 409).await, ["caseId"]);
}
