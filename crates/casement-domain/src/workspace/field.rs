//! Fields: what a template asks for, in which format, and by which rules a value is taken.
//!
//! A format carries exactly the rules that it can have. How a value is held against them stands in
//! [`crate::item::fields::value`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::entries::Origin;
use super::pattern::Pattern;
use crate::date::Moment;
use crate::id::FieldId;

/// Whose value a field shows: a system field shows a key of the document, a custom one has a value of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldRole {
    /// Shows the name.
    Title,
    /// Shows the description.
    Description,
    /// Shows the due date.
    DueDate,
    /// Has a value of its own.
    Custom,
}

/// How a field is entered and shown, with the rules for its value. A stored field without rules has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "kebab-case")]
pub enum FieldFormat {
    /// One line of text.
    Input(TextRules),
    /// Several lines of text.
    Textarea(TextRules),
    /// A number.
    Number(NumberRules),
    /// One of several options, chosen from a list.
    Dropdown(Options),
    /// One of several options, all of them shown.
    Radio(Options),
    /// Some of several options.
    MultiSelect(Choices),
    /// Yes or no.
    Checkbox,
    /// A phone number.
    Phone(TextRules),
    /// An e-mail address.
    Email(TextRules),
    /// An address of the web, http or https.
    Url(TextRules),
    /// A date and a time.
    DateTime(DateRules),
}

/// The sort of a format, without its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the format of the same name")]
pub enum FieldSort {
    Input,
    Textarea,
    Number,
    Dropdown,
    Radio,
    MultiSelect,
    Checkbox,
    Phone,
    Email,
    Url,
    DateTime,
}

impl FieldSort {
    /// All sorts.
    pub const ALL: [Self; 11] = [
        Self::Input,
        Self::Textarea,
        Self::Number,
        Self::Dropdown,
        Self::Radio,
        Self::MultiSelect,
        Self::Checkbox,
        Self::Phone,
        Self::Email,
        Self::Url,
        Self::DateTime,
    ];
}

impl FieldFormat {
    /// Gives the sort of the format.
    pub fn sort(&self) -> FieldSort {
        match self {
            Self::Input(_) => FieldSort::Input,
            Self::Textarea(_) => FieldSort::Textarea,
            Self::Number(_) => FieldSort::Number,
            Self::Dropdown(_) => FieldSort::Dropdown,
            Self::Radio(_) => FieldSort::Radio,
            Self::MultiSelect(_) => FieldSort::MultiSelect,
            Self::Checkbox => FieldSort::Checkbox,
            Self::Phone(_) => FieldSort::Phone,
            Self::Email(_) => FieldSort::Email,
            Self::Url(_) => FieldSort::Url,
            Self::DateTime(_) => FieldSort::DateTime,
        }
    }

    /// Gives a format of a sort without any rule, and without options.
    pub fn plain(sort: FieldSort) -> Self {
        match sort {
            FieldSort::Input => Self::Input(TextRules::default()),
            FieldSort::Textarea => Self::Textarea(TextRules::default()),
            FieldSort::Number => Self::Number(NumberRules::default()),
            FieldSort::Dropdown => Self::Dropdown(Options::default()),
            FieldSort::Radio => Self::Radio(Options::default()),
            FieldSort::MultiSelect => Self::MultiSelect(Choices::default()),
            FieldSort::Checkbox => Self::Checkbox,
            FieldSort::Phone => Self::Phone(TextRules::default()),
            FieldSort::Email => Self::Email(TextRules::default()),
            FieldSort::Url => Self::Url(TextRules::default()),
            FieldSort::DateTime => Self::DateTime(DateRules::default()),
        }
    }
}

/// The rules for a text; what is `None` is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextRules {
    /// The fewest characters (Unicode scalar values).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_min: Option<u32>,
    /// The most characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_max: Option<u32>,
    /// What the whole text must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
}

/// The rules for a number; what is `None` is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NumberRules {
    /// The smallest number, within ±(2^53 - 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The largest number, within ±(2^53 - 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// The most digits behind the point; 0 takes whole numbers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u32>,
}

/// One option of a field. Its name is the value that a document keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOption {
    /// The name, unique exactly.
    pub name: String,
    /// Whether it may be chosen; documents that have it keep it.
    pub active: bool,
}

/// The options of a field in the order shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Options {
    /// The options.
    #[serde(default)]
    pub options: Vec<FieldOption>,
}

impl Options {
    /// Gives the names of the options that may be chosen.
    pub fn choosable(&self) -> impl Iterator<Item = &str> {
        self.options.iter().filter(|option| option.active).map(|option| option.name.as_str())
    }
}

/// The options of a field that takes several, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Choices {
    /// The options in the order shown.
    #[serde(flatten)]
    pub options: Options,
    /// The fewest options; a field without a value is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count_min: Option<u32>,
    /// The most options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count_max: Option<u32>,
}

/// The rules for a date and time; what is `None` is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DateRules {
    /// The first moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Moment>,
    /// The last moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Moment>,
}

/// The rules that a value can break; each may have a message of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldRule {
    /// A value must be there; a checkbox must be true.
    Required,
    /// Requests can't set it.
    ReadOnly,
    /// It must be what the format says: an e-mail address, a date.
    Format,
    /// It must have so many characters.
    Length,
    /// It must match the pattern.
    Pattern,
    /// It must lie between two values.
    Range,
    /// It must not have more digits behind the point.
    Decimals,
    /// It must be one of the options.
    Options,
    /// It must have so many entries, each once.
    Count,
}

impl FieldRule {
    /// All rules.
    pub const ALL: [Self; 9] = [
        Self::Required,
        Self::ReadOnly,
        Self::Format,
        Self::Length,
        Self::Pattern,
        Self::Range,
        Self::Decimals,
        Self::Options,
        Self::Count,
    ];
}

/// A field that templates can show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its id.
    pub id: FieldId,
    /// The name displayed, unique in any case.
    pub name: String,
    /// The name for programs.
    pub key: String,
    /// Whose value it shows.
    pub role: FieldRole,
    /// How it is entered, with its rules.
    #[serde(flatten)]
    pub format: FieldFormat,
    /// A sentence for the reader.
    pub description: String,
    /// The text in the empty control.
    pub placeholder: String,
    /// The text beside the control.
    pub tooltip: String,
    /// Whether requests may not set it. Of a system field it is display data.
    pub read_only: bool,
    /// Whether a value must be there. Of a system field it is display data; contract sections 5 and 8 decide.
    pub required: bool,
    /// The value of a new document when the request gives none, as it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What to say in place of the usual sentence when a rule is broken.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<FieldRule, String>,
    /// Whether it is shown.
    pub shown: bool,
    /// Whether it is switched on.
    pub enabled: bool,
    /// False once it is deleted.
    pub active: bool,
}

impl Field {
    /// Tells whether documents may take a value for it.
    pub fn is_usable(&self) -> bool {
        self.enabled && self.active
    }

    /// Tells whether it has a value of its own.
    pub fn is_custom(&self) -> bool {
        self.origin() == Origin::Custom
    }

    /// Tells where the field comes from.
    pub fn origin(&self) -> Origin {
        match self.role {
            FieldRole::Custom => Origin::Custom,
            FieldRole::Title | FieldRole::Description | FieldRole::DueDate => Origin::System,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(format: &Value) -> Value {
        let mut body = json!({"id": "fd-1", "name": "A", "key": "a", "role": "custom", "description": "",
            "placeholder": "", "tooltip": "", "read_only": false, "required": false, "shown": true, "enabled": true,
            "active": true});
        for (key, value) in format.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }

    #[test]
    fn a_field_that_was_stored_without_rules_has_none() {
        for (spelled, format) in [
            ("input", FieldFormat::plain(FieldSort::Input)),
            ("textarea", FieldFormat::plain(FieldSort::Textarea)),
            ("date-time", FieldFormat::plain(FieldSort::DateTime)),
        ] {
            let field: Field = serde_json::from_value(stored(&json!({"format": spelled}))).unwrap();
            assert_eq!((field.format, field.default), (format, None), "{spelled}");
        }
    }

    #[test]
    fn every_format_is_read_as_it_was_stored() {
        for format in [
            json!({"format": "input", "length_min": 1, "length_max": 9, "pattern": "[a-z]*"}),
            json!({"format": "number", "min": -1.5, "max": 7, "decimals": 1}),
            json!({"format": "radio", "options": [{"name": "Red", "active": true}]}),
            json!({"format": "multi-select", "options": [{"name": "Red", "active": false}], "count_max": 1}),
            json!({"format": "checkbox", "default": false, "messages": {"required": "Say yes"}}),
            json!({"format": "date-time", "first": 0, "last": 1}),
        ] {
            let body = stored(&format);
            let field: Field = serde_json::from_value(body.clone()).unwrap();
            assert_eq!(serde_json::to_value(&field).unwrap(), body, "{format}");
        }
    }
}
