//! The vendor's sample requests, sent as they stand with only ids filled in, are answered with documents of the sample
//! responses' keys and types.
//!
//! Requests and responses are read out of `seeds/`, or whole pages out of the directory that `CASEMENT_SEEDS` names.

use std::path::PathBuf;

use casement_domain::workspace::template::DefaultAssignee;
use serde_json::{Value, json};

use crate::harness::answer::Answer;
use crate::harness::curl::Curl;
use crate::harness::server::{ACCOUNT, ORGANISATION, STREAM, Server};
use crate::harness::token;

/// A page of the vendor's documentation.
struct Page {
    request: Curl,
    response: Value,
}

impl Page {
    fn of(operation: &str) -> Self {
        let directory = match std::env::var_os("CASEMENT_SEEDS") {
            Some(directory) => PathBuf::from(directory),
            None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/seeds"),
        };
        let mut texts = std::fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
            .map(|path| std::fs::read_to_string(path).unwrap());
        texts.find_map(|text| Self::read(&text, operation)).expect("a page of this operation")
    }

    fn read(text: &str, operation: &str) -> Option<Self> {
        let command = &text[text.find("curl --location")?..];
        let request = Curl::first_of(command);
        if !request.path().split('/').any(|part| part == operation) {
            return None;
        }
        let rest = &command[command.find("Sample Response")?..];
        // A line of three dots stands for keys that the page leaves out.
        let rest: Vec<&str> = rest[rest.find("{\n")?..].lines().filter(|line| *line != "...").collect();
        let rest = rest.join("\n").replace("xxxx", "0000");
        let mut values = serde_json::Deserializer::from_str(&rest).into_iter::<Value>();
        let response = values.next()?.expect("the sample response is JSON");
        Some(Self { request, response })
    }

    /// Gives the body as JSON with its placeholders and unknown digits filled in.
    fn body(&self) -> Value {
        let text = self.request.body.replace("{{accountId}}", ACCOUNT).replace("xxxx", "0000");
        serde_json::from_str(&text).unwrap()
    }

    /// Sends the request with every header of the sample; `document` is the id in the path, where there is one.
    async fn send(&self, server: &Server, subject: &Value, document: &str, body: &Value) -> Answer {
        let token = token::of(&server.jwt, &json!({"sub": subject}));
        let path = self.request.path().replace("{{streamId}}", STREAM);
        let path = path.replace("{{caseId}}", document).replace("{{taskId}}", document);
        assert!(!path.contains("{{"), "{path}");
        let mut call = server.call("").path(&path).bare().json(body);
        for (name, value) in &self.request.headers {
            let value = value.replace("{{accountId}}", ACCOUNT).replace("{{jwt-code}}", &token);
            call = call.and_header(name, &value.replace("xxxx", "0000"));
        }
        call.send().await
    }
}

/// Holds an answer against a sample: every key of the sample is there with the same JSON type, arrays element by
/// element, fields by the name displayed.
fn assert_covers(ours: &Value, sample: &Value, path: &str) {
    match (ours, sample) {
        (Value::Object(ours), Value::Object(sample)) => {
            for (key, value) in sample {
                let own = ours.get(key).unwrap_or_else(|| panic!("{path}.{key} is missing in {ours:?}"));
                assert_covers(own, value, &format!("{path}.{key}"));
            }
        }
        (Value::Array(ours), Value::Array(sample)) => {
            for (index, value) in sample.iter().enumerate() {
                let name = value.get("displayName");
                let own = match name {
                    Some(name) => ours.iter().find(|field| field.get("displayName") == Some(name)),
                    None => ours.get(index),
                };
                let own = own.unwrap_or_else(|| panic!("{path}[{index}] is missing in {ours:?}"));
                assert_covers(own, value, &format!("{path}[{index}]"));
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Null, Value::Null) => {}
        _ => panic!("{path} is {ours}, the sample has {sample}"),
    }
}

/// A server whose workspace knows the names that the samples use: the agent John, his template and one of cases alone.
async fn sample_server() -> (Server, Value) {
    let server = Server::start().await;
    let john = server.agent("John").await;
    server.case_template("Sales", |template| template.default_assignee = DefaultAssignee::Creator).await;
    server.case_template("one", |_| {}).await;
    (server, json!(john.user))
}

/// Makes the case that the samples of getCases and updateCase show, as the page of createCase makes one.
async fn sample_case(server: &Server, john: &Value) -> Value {
    let sample = Page::of("getCases").response["results"][0].clone();
    let page = Page::of("createCase");
    let mut body = page.body();
    for key in ["caseTmp", "name", "desc", "userInfo", "source"] {
        body[key] = sample[key].clone();
    }
    body["dueDate"] = sample["ETA"].clone();
    page.send(server, john, "", &body).await.document()
}

#[tokio::test]
async fn the_sample_of_create_case_is_answered_with_its_keys_and_types() {
    let (server, john) = sample_server().await;
    let page = Page::of("createCase");
    let mut body = page.body();
    body["caseTmp"] = json!("ctm-Sales");
    let case = page.send(&server, &john, "", &body).await.document();
    assert_covers(&case, &page.response, "case");
    let same = ["caseTmp", "name", "lname", "conversationType", "language", "assigneeType", "source", "ETA"];
    for key in same.into_iter().filter(|key| *key != "ETA") {
        assert_eq!(case[key], page.response[key], "{key}");
    }
    assert_eq!(case["desc"], body["desc"]);
    assert_eq!(case["ETA"], body["dueDate"]);
    assert_eq!(case["userInfo"]["emailId"], body["emailId"]);
    assert_eq!(case["createdBy"]["_id"], john);
}

#[tokio::test]
async fn the_sample_of_get_cases_is_answered_with_its_keys_and_types() {
    let (server, john) = sample_server().await;
    let page = Page::of("getCases");
    let case = sample_case(&server, &john).await;
    server.create_task(&case, json!({})).await;
    server.update_case(&case, json!({"name": "Testing case one"})).await;
    let listed = page.send(&server, &john, "", &page.body()).await.document();
    assert_covers(&listed, &page.response, "page");
    for key in ["page", "limit", "hasMore", "totalPages", "totalResults"] {
        assert_eq!(listed[key], page.response[key], "{key}");
    }
    let (own, sample) = (&listed["results"][0], &page.response["results"][0]);
    for key in [
        "caseTmp",
        "desc",
        "tags",
        "refId",
        "assigneeType",
        "isActive",
        "channel",
        "dueDate",
        "ETA",
        "currAssignee",
    ] {
        assert_eq!(own[key], sample[key], "{key}");
    }
    for (own, sample) in [(&own["status"], &sample["status"]), (&own["priority"], &sample["priority"])] {
        for (key, value) in sample.as_object().unwrap().iter().filter(|(key, _)| *key != "_id") {
            assert_eq!(own[key], *value, "{key}");
        }
    }
    for (own, sample) in own["fields"].as_array().unwrap().iter().zip(sample["fields"].as_array().unwrap()) {
        for key in
            ["show", "displayName", "lname", "desc", "isEnabled", "isActive", "metaData", "type", "required"]
        {
            assert_eq!(own[key], sample[key], "{key}");
        }
    }
}

#[tokio::test]
async fn the_sample_of_update_case_is_answered_with_its_keys_and_types() {
    let (server, john) = sample_server().await;
    let page = Page::of("updateCase");
    let case = sample_case(&server, &john).await;
    let mut body = page.body();
    for key in ["_id", "iId", "orgId", "refId"] {
        assert!(body[key].is_string(), "{key}");
        body[key] = case[key].clone();
    }
    body["status"]["_id"] = case["status"]["_id"].clone();
    body["priority"]["_id"] = case["priority"]["_id"].clone();
    assert_eq!(body["orgId"], ORGANISATION);
    let updated = page.send(&server, &john, case["_id"].as_str().unwrap(), &body).await.document();
    assert_covers(&updated, &page.response, "case");
    assert_eq!(updated["name"], "case one");
    assert_eq!(updated["timestampValue"], case["timestampValue"], "the sample repeats what is stored");
}

#[tokio::test]
async fn the_sample_of_create_task_is_answered_with_its_keys_and_types() {
    let (server, john) = sample_server().await;
    let page = Page::of("createTask");
    let case = server.create_case(json!({})).await;
    let mut body = page.body();
    body["caseId"] = case["_id"].clone();
    body["caseRefId"] = case["refId"].clone();
    body["taskTmp"] = json!(server.workspace.task_templates[0].id);
    let task = page.send(&server, &john, "", &body).await.document();
    assert_covers(&task, &page.response, "task");
    for key in [
        "name",
        "lname",
        "conversationType",
        "assigneeType",
        "isCustTsk",
        "isActive",
        "currAssignee",
        "ETA",
        "queues",
    ] {
        assert_eq!(task[key], page.response[key], "{key}");
    }
    for field in task["fields"].as_array().unwrap() {
        let shown = field.get("selectedValue").is_some();
        assert_eq!(shown, field["displayName"] == "Title", "{field}");
    }
}

#[tokio::test]
async fn the_sample_of_update_task_is_answered_with_its_keys_and_types() {
    let (server, john) = sample_server().await;
    let page = Page::of("updateTask");
    let case = server.create_case(json!({})).await;
    let task = server.create_task(&case, json!({})).await;
    let updated = page.send(&server, &john, task["_id"].as_str().unwrap(), &page.body()).await.document();
    assert_covers(&updated, &page.response, "task");
    assert_eq!(updated["name"], page.response["name"]);
    assert_eq!(updated["lname"], page.response["lname"]);
    assert_eq!(updated["ETA"], page.response["ETA"]);
}

#[tokio::test]
async fn the_body_of_the_contract_for_get_tasks_lists_tasks_with_the_keys_of_created_ones() {
    let (server, _) = sample_server().await;
    let case = server.create_case(json!({})).await;
    let matching = json!({"priority": "Critical", "status": "In-Progress", "name": "Urgent call"});
    let task = server.create_task(&case, matching).await;
    server.create_task(&case, json!({})).await;
    let body = json!({
        "skip": 0, "limit": 20, "searchText": "", "unresolved": true, "unassigned": true, "mytask": false,
        "selectedColumns": [], "priority": ["Critical"], "agents": [], "status": ["In-Progress"],
        "customFields": [], "ETAlist": [], "channel": ["rtm"], "queues": [], "startDate": "2026-11-01",
        "endDate": "2026-11-30", "sortBy": {"dueDate": "desc"},
    });
    let listed = server.post("getTasks", body).await.document();
    assert_eq!(listed["totalResults"], 1);
    assert_eq!(listed["results"][0], task);
    assert_covers(&listed["results"][0], &Page::of("createTask").response, "task");
}
