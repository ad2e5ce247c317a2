//! The requests of a benchmark, built before anything is measured.
//!
//! Creates go round a pool of different bodies, with customers that come back; updates go round the prefilled cases and
//! change each at every visit.

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::server::Installation;

/// How many different creates there are.
const CREATES: usize = 1024;

/// How many customers they come from.
const CUSTOMERS: usize = 256;

/// What cases are about; their names and searches are made of these.
const THINGS: [&str; 16] = [
    "printer",
    "invoice",
    "password",
    "delivery",
    "refund",
    "router",
    "contract",
    "laptop",
    "payment",
    "account",
    "telephone",
    "warranty",
    "upgrade",
    "address",
    "voucher",
    "headset",
];

/// What is wrong with them.
const TROUBLES: [&str; 9] = [
    "is lost",
    "is late",
    "does not work",
    "was sent twice",
    "is wrong",
    "expired",
    "is missing",
    "is broken",
    "is unclear",
];

/// The statuses that cases begin with, most of them open.
const STATUSES: [&str; 7] = ["Open", "Open", "Open", "In-Progress", "In-Progress", "On-Hold", "Resolved"];

/// The priorities that cases begin with.
const PRIORITIES: [&str; 5] = ["Medium", "Low", "Medium", "High", "Critical"];

/// The descriptions and priorities between which an update switches.
const SWITCHED: [(&str, &str); 2] = [
    (
        "The customer called again and sent the papers; a colleague looks at them and answers before noon.",
        "High",
    ),
    (
        "The papers were complete; the customer waits for the confirmation, which the back office sends today.",
        "Low",
    ),
];

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub enum Job {
    /// createCase.
    Create,
    /// updateCase.
    Update,
}

impl Job {
    /// The name in the JSON line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
        }
    }
}

/// The requests of a job, to be sent in turn.
///
/// # Errors
/// When an update has no cases to change.
pub fn build(stage: &Stage, job: Job) -> Result<Vec<Request<Full<Bytes>>>> {
    match job {
        Job::Create => creates(&stage.installation),
        Job::Update => updates(stage),
    }
}

/// The pool of creates.
///
/// # Errors
/// When the installation's token can't stand in a header.
pub fn creates(installation: &Installation) -> Result<Vec<Request<Full<Bytes>>>> {
    let bodies = (0..CREATES).map(|number| create_body(&installation.case_template, number));
    bodies.map(|body| installation.request("createCase", &body)).collect()
}

/// Two passes over the cases, each with other values, so that no visit finds what it brings.
fn updates(stage: &Stage) -> Result<Vec<Request<Full<Bytes>>>> {
    ensure!(!stage.ids.is_empty(), "an update needs cases: --cases 1000");
    let mut requests = Vec::new();
    for (description, priority) in SWITCHED {
        for id in &stage.ids {
            let body = json!({"desc": description, "priority": priority});
            requests.push(stage.installation.request(&format!("updateCase/{id}"), &body)?);
        }
    }
    Ok(requests)
}

/// The body of a create.
fn create_body(template: &str, number: usize) -> Value {
    let thing = pick(&THINGS, number);
    let trouble = pick(&TROUBLES, number);
    let customer = number % CUSTOMERS;
    json!({
        "caseTmp": template,
        "name": format!("The {thing} {trouble} ({number})"),
        "desc": format!("The customer writes that the {thing} {trouble} since Monday and asks for a call back."),
        "userInfo": {"name": format!("Customer {customer}")},
        "emailId": format!("customer-{customer}@example.com"),
        "source": "rtm",
        "dueDate": "2030-01-01T00:00:00.000Z",
        "status": pick(&STATUSES, number),
        "priority": pick(&PRIORITIES, number),
        "tags": [thing],
    })
}

/// The words in turn.
fn pick<'words>(words: &[&'words str], number: usize) -> &'words str {
    words.get(number % words.len()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_creates_differ_and_carry_what_the_contract_demands() {
        let bodies: Vec<Value> = (0..CREATES).map(|number| create_body("ctm-1", number)).collect();
        for key in ["caseTmp", "name", "desc", "userInfo", "emailId", "source", "dueDate"] {
            assert!(bodies.iter().all(|body| body.get(key).is_some()), "{key}");
        }
        let names: std::collections::BTreeSet<&str> =
            bodies.iter().map(|body| body["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), CREATES);
    }
}
