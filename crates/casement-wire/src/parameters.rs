//! Lists asked for by the parameters of an address: the same questions as the bodies of searches, in plain texts.
//!
//! The parameters are turned into the body that asks the same, so that every rule of bodies holds for them. What no
//! parameter is named is a fault: a misspelt filter must not list everything.

use casement_domain::fault::Key;
use serde_json::{Map, Value};

use crate::json::JsonFault;
use crate::search::{Search, read_search};
use crate::spelling::{Noun, spelling};

/// Which list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Cases.
    Cases,
    /// Tasks of all cases.
    Tasks,
    /// Tasks of the case that the path names.
    TasksOfCase,
}

impl Listed {
    /// Gives what is listed.
    pub fn noun(self) -> Noun {
        match self {
            Self::Cases => Noun::Case,
            Self::Tasks | Self::TasksOfCase => Noun::Task,
        }
    }

    /// Gives the parameters that the list takes.
    pub fn parameters(self) -> impl Iterator<Item = &'static ListParameter> {
        LIST_PARAMETERS.iter().filter(move |parameter| match parameter.of {
            Of::All => true,
            Of::Tasks => self != Self::Cases,
            Of::AllTasks => self == Self::Tasks,
        })
    }
}

/// How a parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Number,
    /// Texts, in one parameter with commas between them or in several.
    Texts,
    /// Sort keys as texts, each perhaps with `:asc` or `:desc`.
    Order,
}

/// The lists that take a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Tasks,
    AllTasks,
}

/// A parameter of lists.
#[derive(Debug)]
pub struct ListParameter {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub form: Form,
    /// What it says, for the API's description.
    pub description: &'static str,
    /// The key of the body that says the same.
    key: &'static str,
    of: Of,
}

const fn parameter(name: &'static str, form: Form, description: &'static str) -> ListParameter {
    ListParameter { name, form, description, key: name, of: Of::All }
}

const LIST_PARAMETERS: [ListParameter; 24] = [
    parameter(
        "q",
        Form::Text,
        "An expression of the query language, which must hold beside all other parameters.",
    ),
    parameter("searchText", Form::Text, "Plain words; each must be found as the beginning of a word."),
    parameter("name", Form::Text, "A part of the name in any case."),
    parameter("unresolved", Form::Boolean, "Only what is neither resolved nor closed."),
    parameter("unassigned", Form::Boolean, "Only what no agent has."),
    parameter("mycase", Form::Boolean, "Only what the acting user has."),
    ListParameter { of: Of::Tasks, ..parameter("mytask", Form::Boolean, "Only what the acting user has.") },
    parameter("status", Form::Texts, "Names in any case, ids or categories; any of them."),
    parameter("priority", Form::Texts, "Names in any case or ids; any of them."),
    parameter("queues", Form::Texts, "Names in any case or ids; any of them."),
    parameter("agents", Form::Texts, "`aId` or `agentId`; any of them."),
    parameter("channel", Form::Texts, "Channels or sources; any of them."),
    parameter("startDate", Form::Text, "The first creation date; a plain date means 00:00."),
    parameter("endDate", Form::Text, "The last creation date; a plain date means 23:59:59.999."),
    parameter("dueDate", Form::Text, "The exact due date; a plain date means that day."),
    parameter("ETAlist", Form::Texts, "Any of `overdue`, `today`, `tomorrow`, `week`, `none`."),
    ListParameter { of: Of::AllTasks, ..parameter("caseId", Form::Text, "Only tasks of this case.") },
    ListParameter {
        of: Of::AllTasks,
        ..parameter("caseRefId", Form::Text, "Only tasks of the case with this reference id.")
    },
    ListParameter {
        key: "sortBy",
        ..parameter(
            "sort",
            Form::Order,
            "Fields in the order written, such as `priority:desc,dueDate:asc`; without a direction descending.",
        )
    },
    parameter("skip", Form::Number, "Documents before the page."),
    parameter("limit", Form::Number, "Documents on the page: 1 to 500; 50 without it."),
    ListParameter {
        key: "selectedColumns",
        ..parameter("columns", Form::Texts, "Keys to answer with; `_id` always comes.")
    },
    parameter(
        "cursor",
        Form::Text,
        "The `nextCursor` of a page of the same list: the page behind it. Without `skip`.",
    ),
    parameter("hits", Form::Boolean, "Whether the answer tells where the words stand."),
];

/// Reads the parameters of a list, in the order given.
///
/// # Errors
/// A parameter that the list does not take, or one that stands twice and has one value: then every fault, also those of
/// values.
pub fn read_list(pairs: &[(String, String)], listed: Listed) -> Result<Search, Vec<JsonFault>> {
    let mut body = Map::new();
    let mut faults = Vec::new();
    let fault =
        |name: &str, message: &str| JsonFault { path: Some(name.to_owned()), message: message.to_owned() };
    for (name, text) in pairs {
        let Some(parameter) = listed.parameters().find(|parameter| parameter.name == name) else {
            faults.push(fault(name, "there is no such parameter"));
            continue;
        };
        if text.contains('\0') {
            faults.push(fault(name, "must not contain U+0000"));
            continue;
        }
        let entries = || text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let single = match parameter.form {
            Form::Text => Value::from(text.as_str()),
            Form::Boolean => match text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                other => Value::from(other),
            },
            Form::Number => number(text),
            Form::Texts => {
                let list = body.entry(parameter.key).or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut().into_iter().for_each(|list| list.extend(entries().map(Value::from)));
                continue;
            }
            Form::Order => {
                let order = body.entry(parameter.key).or_insert_with(|| Value::Object(Map::new()));
                for entry in entries() {
                    let (key, direction) = entry.split_once(':').unwrap_or((entry, "desc"));
                    // A key that stands twice counts where it stands first.
                    if let Some(order) = order.as_object_mut() {
                        order.entry(key).or_insert_with(|| Value::from(direction));
                    }
                }
                continue;
            }
        };
        if body.insert(parameter.key.to_owned(), single).is_some() {
            faults.push(fault(name, "the parameter stands twice"));
        }
    }
    let mut search = read_search(&body, listed.noun());
    search.query.faults = std::mem::take(&mut search.query.faults).renamed(as_parameter);
    if faults.is_empty() {
        return Ok(search);
    }
    faults.extend(search.query.faults.list().iter().map(|fault| {
        let path = spelling(fault.key, listed.noun()).map(str::to_owned);
        JsonFault { path, message: fault.message.clone() }
    }));
    Err(faults)
}

/// Names the parameter that says what a key of the body says.
fn as_parameter(key: Key) -> Key {
    match key {
        Key::SortBy => Key::SortParameter,
        Key::Columns => Key::ColumnsParameter,
        other => other,
    }
}

/// Reads digits as a number; anything else stays a text, which no number is.
fn number(text: &str) -> Value {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(number) if is_plain => Value::from(number),
        Ok(_) | Err(_) => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
        given.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn read(given: &[(&str, &str)], listed: Listed) -> Result<Search, Vec<JsonFault>> {
        read_list(&pairs(given), listed)
    }

    #[test]
    fn parameters_ask_what_the_body_asks_that_says_the_same() {
        let given = [
            ("q", "printer"),
            ("status", "open"),
            ("status", "On-Hold, Closed"),
            ("unresolved", "true"),
            ("unassigned", "false"),
            ("startDate", "2026-01-31"),
            ("ETAlist", "today,none"),
            ("sort", "priority:desc,dueDate:asc"),
            ("sort", "name,priority:asc"),
            ("limit", "20"),
            ("columns", "refId,name"),
            ("queues", ""),
            ("hits", "true"),
        ];
        let body = json!({"q": "printer", "status": ["open", "On-Hold", "Closed"], "unresolved": true,
            "unassigned": false, "startDate": "2026-01-31", "ETAlist": ["today", "none"],
            "sortBy": {"priority": "desc", "dueDate": "asc", "name": "desc"}, "limit": 20,
            "selectedColumns": ["refId", "name"], "queues": [], "hits": true});
        let expected = read_search(body.as_object().unwrap(), Noun::Case);
        assert!(expected.query.faults.is_empty());
        assert_eq!(read(&given, Listed::Cases).unwrap(), expected);
    }

    #[test]
    fn every_parameter_that_the_list_does_not_take_is_named_with_every_wrong_value() {
        let given =
            [("stauts", "open"), ("limit", "0"), ("limit", "5"), ("caseId", "ci-1"), ("sort", "colour:up")];
        let faults = read(&given, Listed::Cases).unwrap_err();
        let named: Vec<&str> = faults.iter().filter_map(|fault| fault.path.as_deref()).collect();
        assert_eq!(named, ["stauts", "limit", "caseId", "sort"]);
        assert_eq!(read(&[("name", "a\0b")], Listed::Cases).unwrap_err().len(), 1);
        assert!(read(&[("caseId", "ci-1"), ("mytask", "true")], Listed::Tasks).is_ok());
        let faults = read(&[("caseId", "ci-1"), ("mytask", "true")], Listed::TasksOfCase).unwrap_err();
        assert_eq!(faults.len(), 1);
    }

    #[test]
    fn wrong_values_are_faults_of_the_parameter() {
        let given = [
            ("limit", "-1"),
            ("skip", "1e3"),
            ("unresolved", ""),
            ("sort", "colour"),
            ("startDate", "soon"),
            ("q", "("),
        ];
        let faults = read(&given, Listed::Tasks).unwrap().query.faults;
        let keys: Vec<Key> = faults.list().iter().map(|fault| fault.key).collect();
        let expected =
            [Key::Unresolved, Key::StartDate, Key::SortParameter, Key::Skip, Key::Limit, Key::Expression];
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_cursor_goes_on_with_the_same_question_and_without_skip() {
        let asked = |given: &[(&str, &str)]| read(given, Listed::Cases).unwrap().question;
        let first = asked(&[("status", "open"), ("limit", "5"), ("sort", "name:asc")]);
        let next = asked(&[("sort", "name:asc"), ("cursor", "x"), ("status", "open"), ("columns", "name")]);
        assert_eq!(first, next);
        assert_ne!(first, asked(&[("status", "open"), ("sort", "name:desc")]));
        let both = read(&[("cursor", "x"), ("skip", "5")], Listed::Cases).unwrap().query.faults;
        assert_eq!(both.list().iter().map(|fault| fault.key).collect::<Vec<_>>(), [Key::Skip]);
        let long = "x".repeat(casement_domain::limits::CURSOR_CHARACTERS_MAX + 1);
        let faults = read(&[("cursor", &long)], Listed::Cases).unwrap().query.faults;
        assert_eq!(faults.list().len(), 1);
    }
}
