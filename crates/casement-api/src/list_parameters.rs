//! The parameters of lists, for the API's description; what each means stands in the wire.

use casement_domain::limits;
use casement_wire::list::SORT_FIELDS;
use casement_wire::parameters::{Form, ListParameter, Listed};
use serde_json::{Value, json};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{RefOr, Required, Schema};

/// The parameters of a list of cases.
#[derive(Debug)]
pub struct CaseList;

/// The parameters of a list of tasks.
#[derive(Debug)]
pub struct TaskList;

/// The parameters of a list of the tasks of one case.
#[derive(Debug)]
pub struct CaseTaskList;

impl IntoParams for CaseList {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Listed::Cases.parameters().map(described).collect()
    }
}

impl IntoParams for TaskList {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Listed::Tasks.parameters().map(described).collect()
    }
}

impl IntoParams for CaseTaskList {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Listed::TasksOfCase.parameters().map(described).collect()
    }
}

fn described(parameter: &ListParameter) -> Parameter {
    let schema = serde_json::from_value(schema(parameter)).expect("invariant: a schema is one");
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .description(Some(parameter.description))
        .required(Required::False)
        .schema(Some(RefOr::<Schema>::T(schema)))
        .build()
}

fn schema(parameter: &ListParameter) -> Value {
    match (parameter.form, parameter.name) {
        (Form::Boolean, _) => json!({"type": "boolean"}),
        (Form::Number, "limit") => json!({"type": "integer", "minimum": 1, "maximum": limits::PAGE_MAX}),
        (Form::Number, _) => json!({"type": "integer", "minimum": 0, "maximum": i64::MAX}),
        (Form::Texts, "ETAlist") => {
            json!({"type": "array", "items": {"type": "string",
                "enum": ["overdue", "today", "tomorrow", "week", "none", ""]}})
        }
        (Form::Texts, _) => json!({"type": "array", "items": {"type": "string"}}),
        (Form::Order, _) => {
            let key = format!("({})(:(asc|desc))?", SORT_FIELDS.join("|"));
            let pattern = format!("^({key}(,{key})*)?$");
            json!({"type": "array", "items": {"type": "string", "pattern": pattern}})
        }
        (Form::Text, "q") => json!({"type": "string", "maxLength": limits::EXPRESSION_CHARACTERS_MAX}),
        (Form::Text, "cursor") => json!({"type": "string", "maxLength": limits::CURSOR_CHARACTERS_MAX}),
        (Form::Text, "startDate" | "endDate" | "dueDate") => json!({"type": "string", "format": "date-time"}),
        (Form::Text, _) => json!({"type": "string"}),
    }
}
