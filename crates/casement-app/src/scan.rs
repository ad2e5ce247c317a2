//! Reading whole kinds of documents, for what is kept in memory.

use casement_store::document::Document;
use casement_store::store::Store;

use crate::error::AppError;
use crate::limits;

/// Reads all documents of a kind, page by page.
///
/// # Errors
/// The store can't be read.
pub async fn scan_all(store: &Store, workspace: &str, kind: &str) -> Result<Vec<Document>, AppError> {
    let mut all: Vec<Document> = Vec::new();
    loop {
        let after = all.last().map(|document| document.id.clone());
        let page = store.scan(workspace, kind, after.as_deref(), limits::SCAN_PAGE).await?;
        let is_last = page.len() < limits::SCAN_PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}
