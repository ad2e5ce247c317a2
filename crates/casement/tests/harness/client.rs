//! A client of the built binary's servers on one data directory, and on what is restored of it.

use std::path::Path;

use serde_json::{Value, json};

use super::http::{Connection, post};
use super::program::{init, ready, succeeded};
use super::server::{ACCOUNT, STREAM};

/// What a test needs to speak to the servers of one directory.
pub struct Client {
    template: String,
    token: String,
}

impl Client {
    /// Makes the first workspace of a directory, and a token of its app.
    pub fn new(data: &Path) -> Self {
        let made = init(data, ACCOUNT, STREAM);
        let app = |key: &str| made["app"][key].as_str().unwrap().to_owned();
        let (client, secret) = (app("clientId"), app("clientSecret"));
        let token = succeeded(&["token", "--client-id", &client, "--client-secret", &secret]);
        let template = made["caseTemplates"][0]["_id"].as_str().unwrap().to_owned();
        Self { template, token: token.trim().to_owned() }
    }

    /// Sends a request for something of the stream under `/api/v1`; its answer is still to be read.
    pub fn sent(&self, address: &str, method: &str, path: &str, body: &str) -> Connection {
        self.sent_to(address, method, &format!("/api/v1/streams/{STREAM}/{path}"), &[], body)
    }

    fn sent_to(
        &self,
        address: &str,
        method: &str,
        path: &str,
        further: &[(&str, &str)],
        body: &str,
    ) -> Connection {
        let own = [("auth", self.token.as_str()), ("AccountId", ACCOUNT)];
        let headers: Vec<_> = own
            .iter()
            .chain(further)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut connection = Connection::open(address.parse().unwrap());
        connection.send(&post(path, &headers, body).replacen("POST", method, 1));
        connection
    }

    /// The same, sent until the server serves; gives the answer's body.
    pub fn send(&self, address: &str, method: &str, path: &str, body: &str) -> Value {
        ready(|| answer(self.sent(address, method, path, body)))
    }

    /// Creates a case; sent again under the same name, it is the same one.
    pub fn create(&self, address: &str, name: &str) -> Value {
        let body = json!({
            "caseTmp": self.template, "name": name, "desc": format!("{name} said so"), "tags": [name],
            "userInfo": {"name": "John"}, "emailId": "john@example.com", "source": "rtm", "dueDate": "2030-01-31",
        });
        let path = format!("/caseManagement/api/public/analytics/{STREAM}/createCase");
        // Without the name itself: a key that a client chose stays as it is until it ends, also after a purge.
        let key: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let further = [("Idempotency-Key", key.as_str())];
        ready(|| answer(self.sent_to(address, "POST", &path, &further, &body.to_string())))
    }

    /// Lists the cases.
    pub fn cases(&self, address: &str) -> Value {
        let path = format!("/caseManagement/api/public/analytics/{STREAM}/getCases");
        ready(|| answer(self.sent_to(address, "POST", &path, &[], "{}")))["results"].clone()
    }
}

/// Reads an answer; that something was made counts as that it was done.
fn answer(mut connection: Connection) -> (u16, Value) {
    let (head, body) = connection.answer();
    (if head.status == 201 { 200 } else { head.status }, body)
}
