//! Use cases on cases.

pub mod change;
pub mod create;
pub mod relation;
pub mod update;

use casement_domain::case::Case;
use casement_domain::id::CaseId;

use crate::app::App;
use crate::body;
use crate::error::AppError;

/// Gives the ids under which comments and attachments of a case are kept: its own, and those of the cases that were merged into it.
pub(crate) fn holders(case: &Case) -> Vec<String> {
    std::iter::once(&case.id).chain(case.absorbed()).map(ToString::to_string).collect()
}

/// Gives the cases that a case is linked with.
pub(crate) fn linked(case: &Case) -> impl Iterator<Item = &CaseId> {
    case.links.iter().map(|link| &link.case)
}

impl App {
    /// Finds out of some cases that documents name which were purged. None comes back, so nobody need guard this; one that is
    /// purged right after is found by the next decision.
    pub(crate) async fn gone<'a>(
        &self,
        workspace: &str,
        named: impl Iterator<Item = &'a CaseId>,
    ) -> Result<Vec<CaseId>, AppError> {
        let mut ids: Vec<String> = named.map(ToString::to_string).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.store().documents(workspace, body::CASE, &ids).await?;
        let purged = found.into_iter().filter(|document| document.schema == body::PURGED_SCHEMA);
        Ok(purged.map(|document| CaseId::from_text(&document.id)).collect())
    }
}
