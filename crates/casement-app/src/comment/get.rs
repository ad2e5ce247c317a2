//! Getting one comment.

use bytes::Bytes;
use casement_domain::comment::Comment;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use casement_wire::comment::write_comment;

use crate::access::Access;
use crate::app::App;
use crate::commit::Reads;
use crate::document::Rendered;
use crate::error::AppError;

/// Gives a comment of a case; of a deleted one, who and when.
///
/// # Errors
/// There is no such case or comment, or the store can't be read.
pub async fn get_comment(app: &App, access: &Access, case: &str, id: &str) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut reads = Reads::default();
    let case = app.case_named(access, case, &mut reads).await?;
    let comment = app.comment_of(access, &case.value, id, &mut reads).await?;
    Ok(rendered_comment(&comment, &access.workspace.config()))
}

/// Gives a version of a comment as an answer.
pub(crate) fn rendered_comment(comment: &Versioned<Comment>, config: &Workspace) -> Rendered {
    let body = Bytes::from(write_comment(&comment.value, config));
    Rendered { body, version: comment.version, is_replayed: false }
}
