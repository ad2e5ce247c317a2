//! What the cases of a sample rely on: agents, queues, fields and templates, as a command that adds what is absent.

use casement_domain::given::Given;
use casement_domain::workspace::configure::input::{
    Configure, ConfigureAgent, ConfigureCaseTemplate, ConfigureField, ConfigureQueue, ConfigureStatus,
    ConfigureTaskTemplate, Named,
};
use casement_domain::workspace::entries::Category;
use casement_domain::workspace::field::{FieldOption, FieldSort};

use crate::words::LEXICONS;

/// How many agents there are.
pub(crate) const AGENTS: usize = 200;

/// The queues, the busiest first.
pub(crate) const QUEUES: [&str; 10] = [
    "First line",
    "Shipping",
    "Billing",
    "Technical",
    "Returns",
    "Second line",
    "Complaints",
    "Onboarding",
    "Key accounts",
    "Retention",
];

/// A further status, beside those that a workspace begins with.
pub(crate) const WAITING: &str = "Waiting for customer";

/// The names of the fields.
pub(crate) const PRODUCT: &str = "Product line";
pub(crate) const ORDER: &str = "Order number";
pub(crate) const AMOUNT: &str = "Amount";
pub(crate) const ESCALATED: &str = "Escalated";
pub(crate) const REGION: &str = "Region";

/// The options of the product line, the most frequent first.
pub(crate) const PRODUCTS: [&str; 8] =
    ["Home", "Office", "Mobile", "Kitchen", "Audio", "Network", "Services", "Outdoor"];

/// The options of the region.
pub(crate) const REGIONS: [&str; 5] = ["Europe", "Americas", "Middle East", "South Asia", "East Asia"];

/// The task templates with the days until a task is due.
pub(crate) const TASKS: [(&str, Option<i64>); 5] = [
    ("Inspect the goods", None),
    ("Order the part", None),
    ("Welcome call", None),
    ("Set up access", Some(4)),
    ("Follow up", Some(14)),
];

/// A case template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template {
    /// Its name.
    pub name: &'static str,
    /// Its custom fields.
    pub fields: &'static [&'static str],
    /// The tasks that it makes.
    pub tasks: &'static [&'static str],
}

/// The case templates.
pub(crate) const TEMPLATES: [Template; 5] = [
    Template { name: "Question", fields: &[PRODUCT], tasks: &[] },
    Template { name: "Delivery", fields: &[ORDER, AMOUNT], tasks: &[] },
    Template { name: "Complaint", fields: &[PRODUCT, ORDER, ESCALATED], tasks: &["Follow up"] },
    Template { name: "Repair", fields: &[PRODUCT, REGION], tasks: &["Inspect the goods", "Order the part"] },
    Template {
        name: "Onboarding",
        fields: &[REGION, AMOUNT],
        tasks: &["Welcome call", "Set up access", "Follow up"],
    },
];

/// The system fields that every template shows.
const SYSTEM_FIELDS: [&str; 3] = ["Title", "Description", "Due Date"];

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Asks for all of it. What a workspace has by name already stays; applying it again changes nothing.
pub fn configuration() -> Configure {
    Configure {
        statuses: vec![ConfigureStatus {
            named: named(WAITING),
            category: Given::Value(Category::OnHold),
            description: Given::Value("When the customer has been asked something".to_owned()),
            ..ConfigureStatus::default()
        }],
        queues: QUEUES
            .iter()
            .map(|name| ConfigureQueue { named: named(name), ..ConfigureQueue::default() })
            .collect(),
        agents: (0..AGENTS).map(agent).collect(),
        fields: vec![
            options(PRODUCT, &PRODUCTS),
            options(REGION, &REGIONS),
            field(ORDER, FieldSort::Input),
            field(AMOUNT, FieldSort::Number),
            field(ESCALATED, FieldSort::Checkbox),
        ],
        task_templates: TASKS
            .iter()
            .map(|(name, days)| ConfigureTaskTemplate {
                named: named(name),
                default_due_ms: days.map_or(Given::Absent, |days| Given::Value(days * DAY_MS)),
                ..ConfigureTaskTemplate::default()
            })
            .collect(),
        case_templates: TEMPLATES.iter().map(case_template).collect(),
        ..Configure::default()
    }
}

/// The name of the agent with a number below [`AGENTS`].
pub(crate) fn agent_name(number: usize) -> String {
    let (given, family, _) = agent_words(number);
    format!("{given} {family}")
}

fn agent_words(number: usize) -> (&'static str, &'static str, String) {
    // Agents come from the languages in Latin letters; the steps have no factor in common with the lists' lengths.
    let spread = |place: usize, step: usize| place.wrapping_mul(step);
    let lexicon = LEXICONS.get(number % 3).map_or(LEXICONS[0].1, |(_, lexicon)| *lexicon);
    let place = number / 3;
    let given = lexicon.given.get(spread(place, 7) % lexicon.given.len().max(1)).copied().unwrap_or_default();
    let family_place = place.wrapping_add(place / lexicon.given.len().max(1) * 5);
    let family = lexicon.family.get(family_place % lexicon.family.len().max(1)).copied().unwrap_or_default();
    (given.0, family.0, format!("{}.{}", given.1, family.1))
}

fn agent(number: usize) -> ConfigureAgent {
    let (_, _, address) = agent_words(number);
    ConfigureAgent {
        named: named(&agent_name(number)),
        email: Given::Value(format!("{address}@agents.example.com")),
        ..ConfigureAgent::default()
    }
}

fn case_template(template: &Template) -> ConfigureCaseTemplate {
    let fields = SYSTEM_FIELDS.iter().chain(template.fields).map(|name| (*name).to_owned());
    ConfigureCaseTemplate {
        named: named(template.name),
        fields: Given::Value(fields.collect()),
        tasks: Given::Value(template.tasks.iter().map(|name| (*name).to_owned()).collect()),
        ..ConfigureCaseTemplate::default()
    }
}

fn options(name: &str, options: &[&str]) -> ConfigureField {
    let option = |name: &&str| FieldOption { name: (*name).to_owned(), active: true };
    ConfigureField {
        options: Given::Value(options.iter().map(option).collect()),
        ..field(name, FieldSort::Dropdown)
    }
}

fn field(name: &str, sort: FieldSort) -> ConfigureField {
    ConfigureField { named: named(name), sort: Given::Value(sort), ..ConfigureField::default() }
}

fn named(name: &str) -> Named {
    Named { id: Given::Absent, name: Given::Value(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn agents_have_names_and_addresses_of_their_own() {
        let names: BTreeSet<String> = (0..AGENTS).map(agent_name).collect();
        assert_eq!(names.len(), AGENTS);
        let addresses: BTreeSet<String> = (0..AGENTS).map(|number| agent_words(number).2).collect();
        assert_eq!(addresses.len(), AGENTS);
    }
}
