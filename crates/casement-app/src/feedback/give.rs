//! What the holder of a link may do: see what it is for, and give the feedback.

use bytes::Bytes;
use casement_domain::case::Case;
use casement_domain::case::feedback::{GiveFeedback, customer, give_feedback as decide};
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::id::StreamId;
use casement_domain::version::Versioned;
use casement_store::set::ClaimWrite;
use casement_wire::feedback::{feedback_entry, write_asked_feedback};

use super::{Held, Link, no_link};
use crate::app::App;
use crate::body;
use crate::commit::{Act, Reads, contended, pending};
use crate::error::AppError;
use crate::limits;
use crate::trace;

/// Tells what a link of a stream is for. Nobody is let in but by the token.
///
/// # Errors
/// There is no such link, or the store can't be read.
pub async fn asked_feedback(app: &App, stream: &str, token: &str) -> Result<Bytes, AppError> {
    app.check_ready()?;
    app.refresh(stream).await?;
    let workspace = app.workspace(&StreamId::from_text(stream)).ok_or_else(no_link)?;
    let held = app.held_link(workspace.id(), token, &mut Reads::default()).await?;
    Ok(answer(&held.case, held.link.given))
}

/// Gives the feedback that a link of a stream is for, as the case's customer. Nobody is let in but by the token.
///
/// # Errors
/// There is no such link, it has served, the command has faults, or the store takes no writes now.
pub async fn give_feedback(
    app: &App,
    stream: &str,
    token: &str,
    command: &GiveFeedback,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    app.refresh(stream).await?;
    let workspace = app.workspace(&StreamId::from_text(stream)).ok_or_else(no_link)?;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let held = app.held_link(workspace.id(), token, &mut reads).await?;
        if held.link.given {
            let mut faults = Faults::new();
            faults.add(FaultKind::Conflict, Key::Body, "the feedback was given; the link serves once");
            return Err(AppError::Refused(faults));
        }
        let now = app.sources().now();
        let mut ids = app.sources().ids();
        let change = trace::decide()
            .in_scope(|| decide(&held.case, command, feedback_entry, now, &mut ids))
            .map_err(AppError::Refused)?;
        let actor = customer(&held.case.value);
        let act = Act::of_server(&actor, "", now);
        let mut pending = pending(&config, act, &change, reads, None, app.sources())?;
        pending.put_claim(served(app, &held));
        if app.commit(&workspace, pending, None).await?.is_some() {
            return Ok(answer(&held.case, true));
        }
    }
    Err(contended())
}

/// The claim of a link that has served. Its holder is fresh: whoever else read the link as open misses.
fn served(app: &App, held: &Held) -> ClaimWrite {
    let holder = format!("given:{:032x}", u128::from_be_bytes(app.sources().operation()));
    ClaimWrite::Put {
        key: held.key.clone(),
        document: holder,
        result: Some(body::encode(&Link { given: true, ..held.link.clone() })),
        expires_ms: held.expires_ms,
    }
}

fn answer(case: &Versioned<Case>, is_given: bool) -> Bytes {
    Bytes::from(write_asked_feedback(case.number.unwrap_or_default(), &case.value.item.name, is_given))
}
