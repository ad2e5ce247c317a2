//! The routes on apps, one operation per file.

pub mod create;
pub mod list;
pub mod revoke;
pub mod rotate;
pub mod show;

use std::future::Future;

use casement_app::jwt_app::error::{Input, JwtAppError};
use casement_wire::error::{ErrorKind, Problem, ProblemEntry};
use casement_wire::spelling::Noun;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::answer::Refusal;
use crate::limits;

/// Reads a body into what a route takes.
pub(crate) fn read<T: DeserializeOwned>(body: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(body)).map_err(|error| {
        Refusal::new(ErrorKind::Invalid, &format!("the command can't be read: {error}"), None)
    })
}

/// Runs a use case within the time that it may take.
pub(crate) async fn run<T>(work: impl Future<Output = Result<T, JwtAppError>>) -> Result<T, Refusal> {
    match tokio::time::timeout(limits::HANDLER_TIMEOUT, work).await {
        Ok(outcome) => outcome.map_err(refusal),
        Err(_) => {
            let detail = "the command took too long; its outcome is not known";
            Err(Refusal::new(ErrorKind::Unavailable, detail, None).because("the use case took too long"))
        }
    }
}

/// Tells why a use case failed.
pub(crate) fn refusal(error: JwtAppError) -> Refusal {
    match error {
        JwtAppError::Invalid(faults) => {
            let entries = faults.into_iter().map(|fault| {
                let field = spelling(fault.input);
                ProblemEntry {
                    msg: format!("{field}: {}", fault.message),
                    code: ErrorKind::Invalid.code(),
                    field: Some(field.to_owned()),
                    position: None,
                }
            });
            let entries: Vec<ProblemEntry> = entries.collect();
            let details: Vec<&str> = entries.iter().map(|entry| entry.msg.as_str()).collect();
            let problem = Problem::new(ErrorKind::Invalid, details.join("; "), None);
            Refusal::of_problem(Problem { errors: entries, ..problem })
        }
        JwtAppError::NotFound => Refusal::new(ErrorKind::NotFound, "there is no such app", None),
        JwtAppError::Conflict(reason) => Refusal::new(ErrorKind::Conflict, &reason, None),
        JwtAppError::App(error) => Refusal::of_app(error, Noun::Case),
    }
}

fn spelling(input: Input) -> &'static str {
    match input {
        Input::Name => "name",
        Input::Streams => "streams",
        Input::PublicKey => "publicKey",
        Input::Grace => "graceSeconds",
    }
}
