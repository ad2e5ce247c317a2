//! The order of a list, by the words of the contract.

use std::cmp::Ordering;

use serde_json::Value;

use super::matching::{begins_a_word, first_text};
use super::query::Query;

/// The categories in the order of the contract's section 3.
const CATEGORIES: [&str; 5] = ["open", "in-progress", "on-hold", "resolved", "closed"];

/// Compares two documents of a list.
pub(super) fn compare(left: &Value, right: &Value, query: &Query) -> Ordering {
    if query.by_relevance {
        let rank = |document: &Value| {
            let first = first_text(document);
            query.words.iter().filter(|word| begins_a_word(&first, word)).count()
        };
        let ordering = rank(right).cmp(&rank(left));
        if ordering.is_ne() {
            return ordering;
        }
    }
    for (key, descends) in &query.sort {
        let ordering = match (value(left, key), value(right, key)) {
            // Documents without the value come last either way.
            (Some(one), Some(other)) if *descends => other.cmp(&one),
            (Some(one), Some(other)) => one.cmp(&other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    let by_id = left["_id"].as_str().cmp(&right["_id"].as_str());
    if query.sort.first().is_none_or(|(_, descends)| *descends) { by_id.reverse() } else { by_id }
}

fn value(document: &Value, key: &str) -> Option<(i64, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match key {
        // ISO 8601 in UTC sorts as it is written.
        "createdAt" | "updatedAt" => Some((0, text(&document[key]))),
        "dueDate" => document[key].as_i64().map(|ms| (ms, String::new())),
        "priority" => Some((document["priority"]["score"].as_i64().unwrap_or_default(), String::new())),
        "status" => {
            let category = CATEGORIES.iter().position(|name| document["status"]["statusCategory"] == **name);
            Some((i64::try_from(category?).ok()?, text(&document["status"]["name"]).to_lowercase()))
        }
        "name" => Some((0, text(&document["lname"]))),
        _ => {
            let digits = text(&document["refId"]).replace(|character: char| !character.is_ascii_digit(), "");
            Some((digits.parse().unwrap_or_default(), String::new()))
        }
    }
}
