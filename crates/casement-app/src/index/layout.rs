//! What the engines know of cases, tasks and comments. Cases and tasks have the same layout; a case has no value where only
//! tasks have one.

use casement_index::layout::{ColumnId, ColumnUse, FacetId, Layout};

/// Has a value unless the document is deleted.
pub const ACTIVE: FacetId = FacetId(0);
/// Has a value for a task whose case is not deleted.
pub const OF_ACTIVE_CASE: FacetId = FacetId(1);
/// The id of the status.
pub const STATUS: FacetId = FacetId(2);
/// The id of the priority.
pub const PRIORITY: FacetId = FacetId(3);
/// The ids of the queues.
pub const QUEUE: FacetId = FacetId(4);
/// The folded channels, and the folded source.
pub const CHANNEL: FacetId = FacetId(5);
/// The id of the agent's profile.
pub const ASSIGNEE: FacetId = FacetId(6);
/// The id of a task's case.
pub const CASE: FacetId = FacetId(7);
/// The values of custom fields; see [`super::entry::field_value`].
pub const FIELD: FacetId = FacetId(8);
/// The folded tags.
pub const TAG: FacetId = FacetId(9);
/// The id of the template; a custom task has none.
pub const TEMPLATE: FacetId = FacetId(10);
/// The customer's id, and the folded e-mail address that stands in the document.
pub const CUSTOMER: FacetId = FacetId(11);
/// Has a value when the due date was missed.
pub const BREACHED: FacetId = FacetId(12);

/// The ids of the profiles of the agents who watch a case.
pub const WATCHER: FacetId = FacetId(13);

/// The ordinal of a comment's case among the cases.
pub const COMMENTED_CASE: ColumnId = ColumnId(0);

/// Milliseconds of the making.
pub const CREATED: ColumnId = ColumnId(0);
/// Milliseconds of the last change.
pub const UPDATED: ColumnId = ColumnId(1);
/// Milliseconds of the due date.
pub const DUE: ColumnId = ColumnId(2);
/// The number of the reference id.
pub const NUMBER: ColumnId = ColumnId(3);
/// Milliseconds of the moment at which the document will be breached.
pub const DEADLINE: ColumnId = ColumnId(4);
/// The two halves of the title's digest.
pub const TITLE: [ColumnId; 2] = [ColumnId(5), ColumnId(6)];
/// The two halves of the description's digest.
pub const DESCRIPTION: [ColumnId; 2] = [ColumnId(7), ColumnId(8)];

/// The ordinal, among the cases, of the case that goes on in the place of a merged one.
pub const GOES_ON: ColumnId = ColumnId(9);

/// The text fields that the public API's search looks into: first name and reference id, then description, customer's name and
/// e-mail.
pub const PUBLIC_TEXTS: usize = 2;
/// All text fields; the last one holds tags, phone number and texts of custom fields.
pub const ALL_TEXTS: usize = 3;

/// The one value of facets that say yes or nothing.
pub const YES: &str = "yes";

/// Gives the layout of cases and tasks.
pub fn layout() -> Layout {
    Layout {
        facets: vec![
            "active",
            "of-active-case",
            "status",
            "priority",
            "queue",
            "channel",
            "assignee",
            "case",
            "field",
            "tag",
            "template",
            "customer",
            "breached",
            "watcher",
        ],
        columns: vec![
            ("created", ColumnUse::Sorted),
            ("updated", ColumnUse::Sorted),
            ("due", ColumnUse::Sorted),
            ("number", ColumnUse::Sorted),
            ("deadline", ColumnUse::Sorted),
            ("title-1", ColumnUse::Filtered),
            ("title-2", ColumnUse::Filtered),
            ("description-1", ColumnUse::Filtered),
            ("description-2", ColumnUse::Filtered),
            ("goes-on", ColumnUse::Filtered),
        ],
        texts: vec!["first", "second", "further"],
    }
}

/// Gives the layout of comments: their words, and which case each belongs to.
pub fn comment_layout() -> Layout {
    Layout { facets: Vec::new(), columns: vec![("case", ColumnUse::Filtered)], texts: vec!["said"] }
}
