//! What the documents of a list can be counted by.

/// What documents are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// The status.
    Status,
    /// The priority.
    Priority,
    /// The queue; a document counts in each of its queues.
    Queue,
    /// The agent who has it.
    Assignee,
    /// The channels and the source, folded; a document counts once for each.
    Channel,
    /// The template.
    Template,
    /// The tags, folded; a document counts once for each.
    Tag,
    /// The day on which it was made, in the zone of the request.
    Day,
}

impl Grouping {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Status,
        Self::Priority,
        Self::Queue,
        Self::Assignee,
        Self::Channel,
        Self::Template,
        Self::Tag,
        Self::Day,
    ];
}
