//! Use cases on cases.

pub mod change;
pub mod create;
pub mod relation;
pub mod update;

use casement_domain::case::Case;

/// Gives the ids under which comments and attachments of a case are kept: its own, and those of the cases that were merged into it.
pub(crate) fn holders(case: &Case) -> Vec<String> {
    std::iter::once(&case.id).chain(case.absorbed()).map(ToString::to_string).collect()
}
