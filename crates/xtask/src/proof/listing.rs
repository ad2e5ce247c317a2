//! Everything that the server lists: all pages of getCases or getTasks, by reference number.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::client::Connection;
use crate::server::Installation;

/// The largest page that a list gives (contract, section 6).
const PAGE_DOCUMENTS: usize = 500;

/// The most pages that one listing reads; past it the server would be sending pages without end.
const PAGES_MAX: usize = 10_000;

/// A case or task as an answer showed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The id.
    pub id: String,
    /// The reference number, as `CS000100`.
    pub reference: String,
    /// The name, unique in a proof.
    pub name: String,
    /// The value that updates change: the description.
    pub value: String,
    /// The case of a task.
    pub case: Option<String>,
    /// The tasks of a case.
    pub task_ids: Vec<String>,
}

/// All documents of one kind.
#[derive(Debug)]
pub struct Listing {
    /// The total that the first page named.
    pub total: u64,
    /// The documents of all pages.
    pub documents: Vec<Listed>,
}

impl Listing {
    /// Reads every page of a list operation.
    ///
    /// # Errors
    /// When the connection is lost or an answer isn't a page of documents.
    pub async fn read(
        installation: &Installation,
        connection: &mut Connection,
        operation: &str,
    ) -> Result<Self> {
        let mut listing = Self { total: 0, documents: Vec::new() };
        for page in 0..PAGES_MAX {
            let answer = read_page(installation, connection, operation, page).await?;
            let total =
                answer.get("totalResults").and_then(Value::as_u64).context("a page without totalResults")?;
            if page == 0 {
                listing.total = total;
            }
            ensure!(
                total == listing.total,
                "{operation}: the total changed from page to page while nobody wrote"
            );
            let rows = answer.get("results").and_then(Value::as_array).context("a page without results")?;
            for row in rows {
                listing.documents.push(Listed::parse(row)?);
            }
            if rows.len() < PAGE_DOCUMENTS {
                return Ok(listing);
            }
        }
        bail!("{operation}: more than {PAGES_MAX} pages")
    }
}

impl Listed {
    /// Takes what the proof compares out of a document.
    ///
    /// # Errors
    /// When a key is missing.
    pub fn parse(document: &Value) -> Result<Self> {
        let text = |key: &str| -> Result<String> {
            let value = document.get(key).and_then(Value::as_str);
            Ok(value.with_context(|| format!("a document without {key}: {document}"))?.to_owned())
        };
        let tasks = document.get("taskIds").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Ok(Self {
            id: text("_id")?,
            reference: text("refId")?,
            name: text("name")?,
            value: text("desc")?,
            case: document.get("caseId").and_then(Value::as_str).map(str::to_owned),
            task_ids: tasks.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }
}

/// Reads one page.
async fn read_page(
    installation: &Installation,
    connection: &mut Connection,
    operation: &str,
    page: usize,
) -> Result<Value> {
    let body = json!({
        "skip": page * PAGE_DOCUMENTS,
        "limit": PAGE_DOCUMENTS,
        "sortBy": {"refId": "asc"},
        "selectedColumns": ["_id", "refId", "name", "desc", "caseId", "taskIds"],
    });
    let (status, answer) = connection.send(installation.request(operation, &body)?).await?;
    ensure!(status.is_success(), "{operation} answered {status}: {}", String::from_utf8_lossy(&answer));
    serde_json::from_slice(&answer).with_context(|| format!("{operation} answered no JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_a_key_that_is_compared_is_refused() {
        let whole = json!({"_id": "ti-1", "refId": "TS000100", "name": "call", "desc": "", "caseId": "ci-1"});
        assert_eq!(Listed::parse(&whole).unwrap().case.as_deref(), Some("ci-1"));
        for key in ["_id", "refId", "name", "desc"] {
            let mut lacking = whole.clone();
            lacking.as_object_mut().unwrap().remove(key);
            assert!(Listed::parse(&lacking).is_err(), "{key}");
        }
    }
}
