//! Another workspace, with a document of each sort: what its ids may never reach.

use casement_app::making::MadeWorkspace;
use serde_json::{Value, json};

use crate::harness::answer::Answer;
use crate::harness::server::Server;
use crate::harness::token;

const ACCOUNT: &str = "6639f7bd58c97ffac0300002";
pub const STREAM: &str = "st-foreign";
/// A word of the other workspace's documents that no answer of ours may hold.
pub const SECRET: &str = "Geheimnis";

/// The other workspace.
pub struct Foreign {
    pub made: MadeWorkspace,
    pub case: Value,
    pub task: Value,
}

impl Foreign {
    /// Makes the workspace, a case and a task in it.
    pub async fn make(server: &Server) -> Self {
        let made = server.another_workspace(ACCOUNT, STREAM).await;
        let customer = json!({"_id": "u-foreign", "name": SECRET, "emailId": "geheimnis@example.com"});
        let mut foreign = Self { made, case: Value::Null, task: Value::Null };
        let case = json!({"caseTmp": "General", "name": SECRET, "desc": SECRET, "userInfo": customer,
            "source": "rtm", "dueDate": "2030-01-01", "currAssignee": {"aId": foreign.made.workspace.agents[0].id}});
        foreign.case = foreign.post(server, "createCase", &case).await;
        let task = json!({"caseId": foreign.case["_id"], "caseRefId": foreign.case["refId"], "taskTmp": "Follow-up",
            "name": SECRET, "userInfo": customer, "source": "rtm"});
        foreign.task = foreign.post(server, "createTask", &task).await;
        foreign
    }

    async fn post(&self, server: &Server, operation: &str, body: &Value) -> Value {
        let call = server.call(operation).stream(STREAM).header("AccountId", ACCOUNT);
        call.header("auth", &token::of(&self.made.app, &json!({}))).json(body).send().await.document()
    }

    pub async fn events_total(&self, server: &Server) -> u64 {
        server.store.workspace(STREAM).await.unwrap().unwrap().head
    }

    /// Sends a request of our own app; what counts requests is left out of the answer.
    pub async fn sent(
        &self,
        server: &Server,
        operation: &str,
        body: &Value,
        if_match: Option<&str>,
    ) -> Answer {
        let mut call = server.call(operation).header("X-Request-Id", "same").json(body);
        if let Some(if_match) = if_match {
            call = call.header("If-Match", if_match);
        }
        let mut answer = call.send().await;
        for count in ["ratelimit-remaining", "ratelimit-reset"] {
            answer.headers.remove(count);
        }
        answer
    }
}
