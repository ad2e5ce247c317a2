//! The routes on the configuration of a workspace, one operation per file.

pub mod apply;
pub mod show;

use casement_app::configuration::ConfigurationError;
use casement_wire::error::{ErrorKind, Problem, ProblemEntry};
use casement_wire::spelling::Noun;
use serde::Deserialize;

use crate::answer::Refusal;

/// Which workspace is meant, and whether its configuration is really to change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigurationQuery {
    /// The stream; absent: the only workspace.
    pub stream: Option<String>,
    /// Whether changes are only told.
    #[serde(default)]
    pub dry_run: bool,
}

/// Tells why a use case failed.
pub(crate) fn refusal(error: ConfigurationError) -> Refusal {
    match error {
        ConfigurationError::NoWorkspace(reason) => Refusal::new(ErrorKind::NotFound, &reason, None),
        ConfigurationError::Faulty(faults) => {
            let entries = faults.iter().map(|fault| ProblemEntry {
                msg: fault.sentence(),
                code: ErrorKind::Invalid.code(),
                field: Some(fault.path.clone()),
                position: None,
            });
            let problem = Problem::new(ErrorKind::Invalid, "the document has faults", None);
            Refusal::of_problem(Problem { errors: entries.collect(), ..problem })
        }
        ConfigurationError::App(error) => Refusal::of_app(error, Noun::Case),
    }
}

/// Refuses a query that can't be read.
pub(crate) fn unreadable(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(ErrorKind::Invalid, &format!("the command can't be read: {error}"), None)
}
