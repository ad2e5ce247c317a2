//! Why a use case failed. The answer to the client and the cause for the log are two things.

use casement_domain::fault::Faults;
use casement_store::error::{CommitError, StoreError};

/// A failed use case.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The command is refused; all its faults.
    #[error("the command has faults")]
    Refused(Faults),
    /// There is no such document in this workspace.
    #[error("there is no such document")]
    NotFound,
    /// There is no such attachment on this case.
    #[error("there is no such attachment")]
    NoAttachment,
    /// The room for attachments, or for one of them, is too small: a sentence for the client.
    #[error("no room: {0}")]
    NoRoom(String),
    /// What is asked for is switched off: a sentence for the client.
    #[error("off: {0}")]
    Off(String),
    /// The app has as much under way as it may: a sentence for the client. Trying again later helps.
    #[error("busy: {0}")]
    Busy(String),
    /// The document has another version than the request demands.
    #[error("the document has another version")]
    VersionDiffers,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// An earlier request with the same idempotency key is still being carried out. Trying again later helps.
    #[error("an earlier request with this idempotency key is still being carried out")]
    InFlight,
    /// The app that the request was let in by was revoked meanwhile.
    #[error("the app was revoked")]
    Revoked,
    /// What the request was let in by, or the configuration, has changed on another node: it must be let in anew.
    #[error("what the request relied on has changed on another node")]
    Stale,
    /// The server is not ready yet, overloaded, or its store takes no writes. Trying again later may help.
    #[error("not available: {0}")]
    Unavailable(String),
    /// There is too much to do. Trying again later helps.
    #[error("too much to do")]
    Overloaded,
    /// Words are asked for while they are still being read after a start. Trying again later helps.
    #[error("the words of the documents are still being read")]
    WordsMissing,
    /// The store can't tell whether the write was done.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// Something that should not happen.
    #[error("failed: {0}")]
    Failed(String),
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(_) | StoreError::Refused(_) | StoreError::TooMany { .. } => {
                Self::Failed(error.to_string())
            }
            StoreError::Locked { .. }
            | StoreError::Unfinished { .. }
            | StoreError::Gone { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::Foreign { .. }
            | StoreError::Unavailable(_)
            | StoreError::Unreachable(_)
            | StoreError::Unusable(_)
            | StoreError::Io { .. }
            | StoreError::Sqlite(_) => Self::Unavailable(error.to_string()),
        }
    }
}

impl AppError {
    /// Tells what a commit's failure means; `None`: decide anew.
    pub(crate) fn of_commit(error: CommitError) -> Option<Self> {
        match error {
            CommitError::Missed(_) => None,
            CommitError::Refused(reason) => {
                Some(Self::Failed(format!("the store refused a write set: {reason}")))
            }
            CommitError::Overloaded => Some(Self::Unavailable("too many writes wait".to_owned())),
            CommitError::Unavailable(reason) => Some(Self::Unavailable(reason)),
            CommitError::OutcomeUnknown(reason) => Some(Self::OutcomeUnknown(reason)),
        }
    }
}
