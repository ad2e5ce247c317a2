//! Comments of cases.

pub mod create;
pub mod delete;
pub mod get;
pub mod history;
pub mod list;
pub mod patch;
pub mod split;

use casement_app::comment::update::CommentPath;

use crate::authentication::Caller;

/// Gives the comment that the path names.
fn named(caller: &Caller) -> CommentPath<'_> {
    CommentPath { case: caller.named("caseId"), comment: caller.named("commentId") }
}
