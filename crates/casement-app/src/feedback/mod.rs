//! Feedback by a link: whoever has its token may say once what the customer thinks of a case, and see nothing else.
//!
//! A link is a claim in the workspace under the hash of its token, with its end. The token itself is stored nowhere; only
//! the answer kept for a repetition holds it, sealed. Until it has served, the case holds the claim; then a name of its own, so that two
//! senders at once can't both pass the guard. A revocation is a claim too: a link remembers which one it was made after, and
//! is none any more under a later one.

pub mod give;
pub mod make;
pub mod revoke;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use casement_domain::case::Case;
use casement_domain::case::feedback::takes_feedback;
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::version::Versioned;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::commit::Reads;
use crate::error::AppError;
use crate::seal::key::Place;

/// The bytes of a token before they are written as text.
const TOKEN_BYTES: usize = 32;
/// What stands before a token when it is hashed.
const HASH_CONTEXT: &[u8] = b"casement feedback link 1\0";

/// What is kept of a link under its claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Link {
    /// The id of the case.
    case: String,
    /// The revocation that it was made after; `None`: there was none.
    after: Option<String>,
    /// Whether it has served.
    given: bool,
}

/// A link that there is, with its case. It is the proof that whoever asks may say something of the case.
#[derive(Debug)]
struct Held {
    key: String,
    link: Link,
    expires_ms: Option<i64>,
    case: Versioned<Case>,
}

/// The key of the claim of a link; `None`: the text can't be a token.
fn key_of(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == TOKEN_BYTES)?;
    Some(key_of_bytes(&bytes))
}

fn key_of_bytes(token: &[u8]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(HASH_CONTEXT);
    context.update(token);
    let hash: String = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("feedback:{hash}")
}

/// The key of the claim that a revocation of a case's links takes.
fn revocation_key(case: &str) -> String {
    format!("feedback-revoked:{case}")
}

/// Where the token of a kept answer is sealed for.
fn place<'a>(workspace: &'a str, case: &'a str) -> Place<'a> {
    Place { workspace, kind: "feedback-link", document: case, field: "token" }
}

/// The one refusal of whatever is no link: unknown, expired, revoked, another stream's, of a case that is gone.
fn no_link() -> AppError {
    let mut faults = Faults::new();
    faults.add(FaultKind::NotFound, Key::Body, "there is no such link, or it has ended");
    AppError::Refused(faults)
}

impl App {
    /// Finds a link and its case, and notes what was read.
    ///
    /// # Errors
    /// There is no such link, or the store can't be read.
    async fn held_link(&self, workspace: &str, token: &str, reads: &mut Reads) -> Result<Held, AppError> {
        let key = key_of(token).ok_or_else(no_link)?;
        let now_ms = self.sources().now().ms();
        let found = self.store().claim(workspace, &key).await?;
        let claim = found.filter(|claim| !claim.is_expired(now_ms)).ok_or_else(no_link)?;
        let damaged = |error| AppError::Failed(format!("the claim {key} is damaged: {error}"));
        let link: Link =
            serde_json::from_slice(claim.result.as_deref().unwrap_or_default()).map_err(damaged)?;
        reads.claim(&key, Some(claim.document.clone()));
        // A revocation that has ended has outlived all links that it ended.
        let revoked = self.revocation(workspace, &link.case, reads).await?;
        if revoked.is_some() && revoked != link.after {
            return Err(no_link());
        }
        let case = self.case(workspace, &link.case, reads).await?;
        let case = case.filter(|case| takes_feedback(&case.value)).ok_or_else(no_link)?;
        Ok(Held { key, link, expires_ms: claim.expires_ms, case })
    }

    /// Finds the last revocation of the links of a case that is still remembered, and notes that it was read.
    async fn revocation(
        &self,
        workspace: &str,
        case: &str,
        reads: &mut Reads,
    ) -> Result<Option<String>, AppError> {
        let (key, now_ms) = (revocation_key(case), self.sources().now().ms());
        let found = self.store().claim(workspace, &key).await?;
        let holder = found.filter(|claim| !claim.is_expired(now_ms)).map(|claim| claim.document);
        reads.claim(&key, holder.clone());
        Ok(holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_token_has_a_key_and_each_has_its_own() {
        let token = URL_SAFE_NO_PAD.encode([7; TOKEN_BYTES]);
        let key = key_of(&token).unwrap();
        assert!(!key.contains(&token));
        assert_ne!(key_of(&URL_SAFE_NO_PAD.encode([8; TOKEN_BYTES])), Some(key));
        let last = &token[..token.len() - 1];
        for wrong in
            ["", last, &format!("{token}A"), &format!("{token}="), &format!("{last}9"), &format!("{last}+")]
        {
            assert_eq!(key_of(wrong), None, "{wrong}");
        }
    }
}
