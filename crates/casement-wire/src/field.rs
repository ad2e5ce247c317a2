//! Writes the fields of a document as the public API shows them; contract section 3.
//!
//! The keys of the vendor's samples stand for every field. A custom field says its rules in further keys of its
//! `metaData`, each only where the rule is asked.

use casement_domain::date::Moment;
use casement_domain::id::FieldId;
use casement_domain::item::WorkItem;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::field::{
    Choices, DateRules, Field, FieldFormat, FieldRole, FieldSort, NumberRules, TextRules,
};
use serde::Serialize;
use serde_json::{Number, Value};
use utoipa::ToSchema;

use crate::spelling::origin;

/// A field of a document.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FieldDoc<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    show: bool,
    display_name: &'a str,
    lname: String,
    desc: &'a str,
    is_enabled: bool,
    is_active: bool,
    meta_data: FieldMetaDoc<'a>,
    /// `system` or `custom`.
    #[serde(rename = "type")]
    origin: &'static str,
    required: bool,
    /// The format, as in `metaData.type`.
    data_type: &'static str,
    /// The value; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    selected_value: Option<Value>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FieldMetaDoc<'a> {
    /// `input`, `textarea`, `number`, `dropdown`, `radio`, `multiselect`, `checkbox`, `phone`, `email`, `url` or
    /// `datetime`.
    #[serde(rename = "type")]
    format: &'static str,
    display_name: &'a str,
    name: &'a str,
    description: &'a str,
    placeholder: &'a str,
    read_only: bool,
    tooltip_text: &'a str,
    #[serde(flatten)]
    rules: RulesDoc<'a>,
}

/// The rules of a custom field; a key is there where its rule is.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RulesDoc<'a> {
    /// The value of a new document when the request gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<&'a Value>,
    /// The options that may be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Vec<&'a str>>,
    /// The fewest options.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_count: Option<u32>,
    /// The most options.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_count: Option<u32>,
    /// The fewest characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_length: Option<u32>,
    /// The most characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    /// A regular expression that the whole text matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<&'a str>,
    /// The smallest number, or the first date in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<Value>,
    /// The largest number, or the last date in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<Value>,
    /// The most digits behind the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<u32>,
}

/// The spelling of a format's sort.
pub fn format_name(sort: FieldSort) -> &'static str {
    match sort {
        FieldSort::Input => "input",
        FieldSort::Textarea => "textarea",
        FieldSort::Number => "number",
        FieldSort::Dropdown => "dropdown",
        FieldSort::Radio => "radio",
        FieldSort::MultiSelect => "multiselect",
        FieldSort::Checkbox => "checkbox",
        FieldSort::Phone => "phone",
        FieldSort::Email => "email",
        FieldSort::Url => "url",
        FieldSort::DateTime => "datetime",
    }
}

/// Writes the fields with these ids and the values that an item has for them.
pub(crate) fn fields_doc<'a>(
    item: &WorkItem,
    field_ids: &[FieldId],
    workspace: &'a Workspace,
    shows_description: impl Fn(&WorkItem) -> bool,
) -> Vec<FieldDoc<'a>> {
    let fields = field_ids.iter().filter_map(|id| workspace.field(id));
    let with_values = fields.map(|field| {
        let value = match field.role {
            FieldRole::Title => Some(Value::String(item.name.clone())),
            FieldRole::Description => {
                shows_description(item).then(|| Value::String(item.description.clone()))
            }
            FieldRole::DueDate => item.due.map(|due| Value::String(due.iso())),
            FieldRole::Custom => item.field_values.get(&field.id).cloned(),
        };
        field_doc(field, value)
    });
    with_values.collect()
}

fn field_doc(field: &Field, selected_value: Option<Value>) -> FieldDoc<'_> {
    let format = format_name(field.format.sort());
    FieldDoc {
        id: field.id.as_str(),
        show: field.shown,
        display_name: &field.name,
        lname: field.name.to_lowercase(),
        desc: &field.description,
        is_enabled: field.enabled,
        is_active: field.active,
        meta_data: FieldMetaDoc {
            format,
            display_name: &field.name,
            name: &field.key,
            description: &field.description,
            placeholder: &field.placeholder,
            read_only: field.read_only,
            tooltip_text: &field.tooltip,
            rules: match field.role {
                FieldRole::Title | FieldRole::Description | FieldRole::DueDate => RulesDoc::default(),
                FieldRole::Custom => rules_doc(field),
            },
        },
        origin: origin(field.origin()),
        required: field.required,
        data_type: format,
        selected_value,
    }
}

fn rules_doc(field: &Field) -> RulesDoc<'_> {
    let doc = RulesDoc { default_value: field.default.as_ref(), ..RulesDoc::default() };
    match &field.format {
        FieldFormat::Input(rules)
        | FieldFormat::Textarea(rules)
        | FieldFormat::Phone(rules)
        | FieldFormat::Email(rules)
        | FieldFormat::Url(rules) => {
            let TextRules { length_min, length_max, pattern } = rules;
            let pattern = pattern.as_ref().map(|pattern| pattern.text());
            RulesDoc { min_length: *length_min, max_length: *length_max, pattern, ..doc }
        }
        FieldFormat::Number(rules) => {
            let NumberRules { min, max, decimals } = rules;
            let value = |number: &Option<Number>| number.clone().map(Value::Number);
            RulesDoc { min: value(min), max: value(max), decimals: *decimals, ..doc }
        }
        FieldFormat::Dropdown(options) | FieldFormat::Radio(options) => {
            RulesDoc { options: Some(options.choosable().collect()), ..doc }
        }
        FieldFormat::MultiSelect(choices) => {
            let Choices { options, count_min, count_max } = choices;
            let options = Some(options.choosable().collect());
            RulesDoc { options, min_count: *count_min, max_count: *count_max, ..doc }
        }
        FieldFormat::Checkbox => doc,
        FieldFormat::DateTime(rules) => {
            let DateRules { first, last } = rules;
            let text = |moment: Option<Moment>| moment.map(|moment| Value::String(moment.iso()));
            RulesDoc { min: text(*first), max: text(*last), ..doc }
        }
    }
}
