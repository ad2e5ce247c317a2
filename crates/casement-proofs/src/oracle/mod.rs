//! Lists as the contract's sections 6, 7 and 11.7 say, written from their words.
//!
//! It reads the documents as a client gets them and the body as a client sends it, so it shares no types and no rules
//! with the server. Where the contract leaves something open (words of scripts other than Latin, say), it is silent
//! rather than wrong.

pub mod date;
mod matching;
mod order;
mod query;

use std::collections::{BTreeSet, HashSet};

use query::Query;
use serde_json::{Map, Value, json};

/// Who asks, when and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The time of the request in milliseconds since the epoch.
    pub now_ms: i64,
    /// The header `X-Timezone-Offset`: minutes, India is -330.
    pub zone_minutes: i64,
    /// The user id of whoever acts.
    pub user: String,
    /// Whether tasks are asked for.
    pub tasks: bool,
}

/// What the contract says about a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Said<'a> {
    /// A page.
    Page(Page<'a>),
    /// A 400 that names exactly these keys and entries.
    Refused(BTreeSet<String>),
    /// The contract leaves it open.
    Silent,
}

/// A page of documents, as they are before columns are selected.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<'a> {
    /// The documents on the page, in order.
    pub documents: Vec<&'a Value>,
    columns: Vec<String>,
    skip: u64,
    limit: u64,
    total: u64,
}

impl Page<'_> {
    /// Gives the whole answer.
    pub fn answer(&self) -> Value {
        let Self { skip, limit, total, .. } = self;
        let results: Vec<Value> =
            self.documents.iter().map(|document| selected(document, &self.columns)).collect();
        json!({
            "results": results,
            "page": skip / limit + 1,
            "limit": limit,
            "hasMore": skip.saturating_add(*limit) < *total,
            "totalPages": total.div_ceil(*limit),
            "totalResults": total,
        })
    }
}

/// Faults that one answer lists at most.
const FAULTS_MAX: usize = 100;

/// Says what a list must answer. `documents` are all of the workspace's cases or tasks, deleted ones too;
/// `deleted_cases` holds the ids of cases whose tasks are not listed.
pub fn list<'a>(
    documents: &'a [Value],
    deleted_cases: &HashSet<String>,
    body: &Map<String, Value>,
    asking: &Asking,
) -> Said<'a> {
    let (mut query, read) = query::read(body, asking);
    if read.silent || read.faults_total > FAULTS_MAX {
        return Said::Silent;
    }
    if !read.faults.is_empty() {
        return Said::Refused(read.faults);
    }
    for field in &mut query.fields {
        field.name_system_field(documents);
    }
    let mut found: Vec<&Value> = documents
        .iter()
        .filter(|document| {
            document["isActive"] == true
                && !deleted_cases.contains(document["caseId"].as_str().unwrap_or_default())
                && matching::matches(document, &query, asking)
        })
        .collect();
    found.sort_by(|left, right| order::compare(left, right, &query));
    let Query { skip, limit, columns, .. } = query;
    let total = found.len() as u64;
    let after_skip = found.into_iter().skip(usize::try_from(skip).unwrap_or(usize::MAX));
    let documents = after_skip.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    Said::Page(Page { documents, columns, skip, limit, total })
}

/// The keys that were asked for, and `_id`.
fn selected(document: &Value, columns: &[String]) -> Value {
    let Value::Object(document) = document else { return Value::Null };
    let keeps = |key: &str| columns.is_empty() || key == "_id" || columns.iter().any(|column| column == key);
    let kept = document.iter().filter(|(key, _)| keeps(key));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Folds letters for a comparison in any case. `None`: a character beyond Latin-1, whose folding the contract leaves to
/// Unicode's tables.
fn folded(text: &str) -> Option<String> {
    text.chars().all(|character| u32::from(character) < 0x100).then(|| text.to_lowercase())
}
