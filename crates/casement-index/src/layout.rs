//! The layout of an index: how many facets, columns and text fields its documents have, and what they are called.

/// A facet: values of which a document has none, one or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FacetId(pub usize);

/// A column: a number or a moment that a document has or lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub usize);

/// What a column is used for beyond conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnUse {
    /// Conditions alone.
    Filtered,
    /// Documents are also kept in its order: for pages, ranges and the earliest ones.
    Sorted,
}

/// What the documents of an index have. A document's values stand in the same order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// The facets by name.
    pub facets: Vec<&'static str>,
    /// The columns by name.
    pub columns: Vec<(&'static str, ColumnUse)>,
    /// The text fields by name; the first ranks highest.
    pub texts: Vec<&'static str>,
}

impl Layout {
    /// Gives a line that is equal for equal layouts only, for a snapshot to be checked by.
    pub fn description(&self) -> String {
        let columns = self.columns.iter().map(|(name, used)| match used {
            ColumnUse::Filtered => (*name).to_owned(),
            ColumnUse::Sorted => format!("{name}+"),
        });
        let columns: Vec<String> = columns.collect();
        format!(
            "facets {}; columns {}; texts {}",
            self.facets.join(" "),
            columns.join(" "),
            self.texts.join(" ")
        )
    }
}

/// One version of a document as the index takes it: plain values in the order of the layout, made before any lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// The id.
    pub id: String,
    /// The version; an older one than the index has is not taken.
    pub version: u64,
    /// For each facet the document's values, in any order.
    pub facets: Vec<Vec<String>>,
    /// For each column the document's value. The smallest number of 64 bits stands for none.
    pub columns: Vec<Option<i64>>,
    /// The folded name.
    pub name: String,
    /// For each text field its terms, folded, in any order.
    pub terms: Vec<Vec<String>>,
}
