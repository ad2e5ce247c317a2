//! Listing the comments of a case, newest first.

use bytes::Bytes;
use casement_domain::comment::{Comment, Visibility};
use casement_store::document::Along;
use casement_wire::comment::{write_comment, write_comments};

use crate::access::Access;
use crate::app::App;
use crate::body;
use crate::case::holders;
use crate::commit::Reads;
use crate::error::AppError;
use crate::limits;

/// Which page of the comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentQuery {
    /// Only those made before this one, by id; `None`: from the newest.
    pub before: Option<String>,
    /// Only those for these readers.
    pub visibility: Option<Visibility>,
    /// The most comments.
    pub limit: usize,
}

/// Gives a page of the comments of a case and of those that were merged into it, deleted ones too, newest first. Later pages hold
/// what they held whatever is added meanwhile. A page ends early where its comments are very large, or where very many others lie between.
///
/// # Errors
/// There is no such case, or the store can't be read.
pub async fn list_comments(
    app: &App,
    access: &Access,
    case: &str,
    query: &CommentQuery,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let config = access.workspace.config();
    let case = app.case_named(access, case, &mut Reads::default()).await?;
    let holders = holders(&case.value);
    let (mut bodies, mut bytes, mut looked_at): (Vec<Vec<u8>>, usize, usize) = (Vec::new(), 0, 0);
    let mut next = query.before.clone();
    let mut has_found = true;
    loop {
        // One more than is shown tells whether there are more; few at a time, since each may be large.
        let wanted = if has_found { query.limit - bodies.len() + 1 } else { limits::COMMENTS_READ };
        let wanted = wanted.min(limits::COMMENTS_READ);
        let before = bodies.len();
        let page = app
            .store()
            .children_page(access.workspace.id(), body::COMMENT, &holders, &Along::Down(next.clone()), wanted)
            .await?;
        let is_last = page.len() < wanted;
        for document in &page {
            let is_full = bodies.len() == query.limit || bytes > limits::COMMENTS_PAGE_BYTES;
            if is_full || looked_at == limits::COMMENTS_LOOKED_AT {
                return Ok(Bytes::from(write_comments(&bodies, next.as_deref())));
            }
            let comment = body::decode_comment(document)?.map(|comment| comment.value);
            let is_asked = |comment: &Comment| {
                query.visibility.is_none_or(|visibility| comment.visibility == visibility)
            };
            if let Some(comment) = comment.filter(is_asked) {
                let body = write_comment(&comment, &config);
                bytes += body.len();
                bodies.push(body);
            }
            looked_at += 1;
            next = Some(document.id.clone());
        }
        if is_last {
            return Ok(Bytes::from(write_comments(&bodies, None)));
        }
        has_found = bodies.len() > before;
    }
}
