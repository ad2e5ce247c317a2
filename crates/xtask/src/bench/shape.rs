//! The shapes of lists that are measured, made of facts of the sampled data.

use anyhow::{Context as _, Result};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};

/// What the shapes need to know about the data.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The day of the newest case.
    newest: Date,
    /// The profile of an agent who has cases.
    agent: String,
}

/// A list with its name.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The name in the JSON line.
    pub name: &'static str,
    /// The body of the request.
    pub body: Value,
}

impl Facts {
    /// Takes them from a page of the newest cases.
    ///
    /// # Errors
    /// When no case on it has an agent, or a date is no date.
    pub fn of(page: &Value) -> Result<Self> {
        let results = page.get("results").and_then(Value::as_array).context("the page has no results")?;
        let text =
            |case: &Value, pointer: &str| case.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let newest =
            results.first().and_then(|case| text(case, "/createdAt")).context("there are no cases")?;
        let day = newest.get(..10).context("a date is too short")?;
        // The agent in the middle is neither the busiest nor the idlest.
        let mut agents: Vec<String> =
            results.iter().filter_map(|case| text(case, "/participants/0/aId")).collect();
        agents.sort_unstable();
        let agent = agents.get(agents.len() / 2).cloned().context("no case of the page has an agent")?;
        Ok(Self { newest: day.parse()?, agent })
    }

    /// All shapes.
    ///
    /// # Errors
    /// When the data is older than dates go.
    pub fn shapes(&self) -> Result<Vec<Shape>> {
        let days_before =
            |days: i32| -> Result<String> { Ok(self.newest.checked_sub(days.days())?.to_string()) };
        let (month, later, year) = (days_before(330)?, days_before(300)?, days_before(365)?);
        let newest = self.newest.to_string();
        let shapes = [
            ("all", json!({})),
            ("3 of 6 statuses", json!({"status": ["Open", "In-Progress", "Resolved"]})),
            (
                "status + priority by due",
                json!({"status": ["Open"], "priority": ["High"], "sortBy": {"dueDate": "asc"}}),
            ),
            ("unresolved by updated", json!({"unresolved": true, "sortBy": {"updatedAt": "desc"}})),
            ("unassigned", json!({"unassigned": true})),
            ("one channel", json!({"channel": ["whatsapp"]})),
            ("queue + status", json!({"queues": ["Billing"], "status": ["Closed"]})),
            ("30 days", json!({"startDate": month, "endDate": later})),
            ("a year by due", json!({"startDate": year, "endDate": newest, "sortBy": {"dueDate": "asc"}})),
            ("assignee", json!({"agents": [self.agent]})),
            (
                "five filters",
                json!({"status": ["Closed", "Resolved"], "priority": ["Medium", "High"], "queues": ["Shipping"],
                    "channel": ["email"], "startDate": year}),
            ),
            ("skip 10000", json!({"skip": 10_000})),
            ("search one word", json!({"searchText": "invoice"})),
            ("search two words", json!({"searchText": "router damaged"})),
            ("search a prefix", json!({"searchText": "war"})),
            ("name contains", json!({"name": "refund"})),
            ("search + filter", json!({"searchText": "delivery", "unresolved": true})),
            ("two sort keys", json!({"sortBy": {"status": "asc", "dueDate": "desc"}})),
            ("custom field", json!({"customFields": [{"name": "Product line", "value": "Office"}]})),
            ("columns", json!({"selectedColumns": ["name", "status", "refId"]})),
            ("page of 500", json!({"limit": 500})),
            ("count", json!({"limit": 1})),
        ];
        Ok(shapes.into_iter().map(|(name, body)| Shape { name, body }).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_shapes_have_names_of_their_own_and_dates_before_the_newest_case() {
        let page = json!({"results": [
            {"createdAt": "2026-03-01T10:00:00.000Z", "participants": []},
            {"createdAt": "2026-02-27T10:00:00.000Z", "participants": [{"aId": "a-1"}]},
        ]});
        let shapes = Facts::of(&page).unwrap().shapes().unwrap();
        let names: BTreeSet<&str> = shapes.iter().map(|shape| shape.name).collect();
        assert!(names.len() == shapes.len() && shapes.len() >= 15);
        let year = shapes.iter().find(|shape| shape.name == "a year by due").unwrap();
        assert_eq!(year.body["startDate"], "2025-03-01");
        assert!(shapes.iter().any(|shape| shape.body["agents"] == json!(["a-1"])));
    }

    #[test]
    fn a_page_without_an_agent_is_told() {
        let page = json!({"results": [{"createdAt": "2026-03-01T10:00:00.000Z", "participants": []}]});
        assert!(Facts::of(&page).unwrap_err().to_string().contains("agent"));
    }
}
