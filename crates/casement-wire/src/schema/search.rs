//! The bodies and pages of searches and counts, as the API description shows them: those of lists, and a few keys more.
//!
//! Here stand only the further keys; `bounds` adds those of the lists.

use utoipa::ToSchema;

use crate::search::Hits;

/// The body of a search of cases: that of getCases, and what stands here. Every key is optional.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct CaseSearchBody {
    /// An expression of the query language, which must hold beside all other keys.
    #[schema(example = "printer status:open due<7d")]
    q: Option<String>,
    /// Whether the answer tells where the words stand.
    hits: Option<bool>,
    /// The `nextCursor` of a page of the same search: the page behind it. Without `skip`.
    cursor: Option<String>,
}

/// The body of a search of tasks: that of getTasks, and what stands here. Every key is optional.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct TaskSearchBody {
    /// An expression of the query language, which must hold beside all other keys.
    #[schema(example = "assignee:me is:overdue")]
    q: Option<String>,
    /// Whether the answer tells where the words stand.
    hits: Option<bool>,
    /// The `nextCursor` of a page of the same search: the page behind it. Without `skip`.
    cursor: Option<String>,
}

/// The body of a count of cases: that of getCases, and what stands here. Every key is optional; page and order count
/// nothing.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct CaseCountBody {
    /// An expression of the query language, which must hold beside all other keys.
    #[schema(example = "is:unresolved")]
    q: Option<String>,
    /// What is counted by; without it the total alone is counted.
    #[schema(example = json!(["status", "assignee"]))]
    by: Option<Vec<String>>,
}

/// The body of a count of tasks: that of getTasks, and what stands here. Every key is optional; page and order count
/// nothing.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct TaskCountBody {
    /// An expression of the query language, which must hold beside all other keys.
    #[schema(example = "is:unresolved")]
    q: Option<String>,
    /// What is counted by; without it the total alone is counted.
    #[schema(example = json!(["status", "assignee"]))]
    by: Option<Vec<String>>,
}

/// A page of cases, with where the words of the search stand and from where the next page goes on.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what is put together from rendered documents")]
pub struct CaseSearchPage {
    /// For each document of the page, when they were asked for.
    hits: Option<Vec<Hits<'static>>>,
    /// The cursor of the next page, when there is one.
    #[schema(rename = "nextCursor")]
    next_cursor: Option<String>,
}

/// A page of tasks, with where the words of the search stand and from where the next page goes on.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what is put together from rendered documents")]
pub struct TaskSearchPage {
    /// For each document of the page, when they were asked for.
    hits: Option<Vec<Hits<'static>>>,
    /// The cursor of the next page, when there is one.
    #[schema(rename = "nextCursor")]
    next_cursor: Option<String>,
}
