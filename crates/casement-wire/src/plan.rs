//! The plan of a task: what it depends on, whether its case needs it, and its checklist.

use std::collections::BTreeSet;

use casement_domain::fault::Key;
use casement_domain::task::plan::{CheckInput, CheckItem, PlanTask};
use casement_domain::task::{Task, reference_id};
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::reader::{Reader, part};
use crate::spelling::Noun;

/// The body of planTask. What is absent stays, `null` clears.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct PlanBody {
    /// Tasks of the same case that must be over before this one can be resolved or closed, by id or reference id.
    #[schema(max_items = 50, example = json!(["TS000100"]))]
    pub depends_on: Option<Vec<String>>,
    /// Whether the case can't be closed while the task is open, also where its template allows open tasks.
    pub is_required: Option<bool>,
    /// The checklist as it shall be, in order.
    #[schema(max_items = 100)]
    pub checklist: Option<Vec<CheckBody>>,
}

/// A line of a checklist to be.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct CheckBody {
    /// The id of a line that there is; a line without one is new.
    #[schema(rename = "_id", example = "ck-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    pub id: Option<String>,
    /// What is to be done; a new line needs one.
    #[schema(min_length = 1, max_length = 512, example = "Ask for the serial number")]
    pub text: Option<String>,
    /// Whether it is done.
    pub is_done: Option<bool>,
}

/// The plan of a task.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanDoc<'a> {
    #[serde(rename = "_id")]
    #[schema(value_type = String, example = "ti-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    id: &'a str,
    #[schema(example = "TS000101")]
    ref_id: String,
    #[schema(value_type = String, example = "Send the part")]
    name: &'a str,
    /// Whether it is resolved or closed.
    is_over: bool,
    /// Whether a task that it depends on is not over, or a line of its checklist not done: it can't end yet.
    is_blocked: bool,
    /// Whether the case can't be closed while it is open.
    is_required: bool,
    /// The tasks that it depends on; those that are deleted are left out.
    depends_on: Vec<AwaitedDoc<'a>>,
    checklist: Vec<CheckDoc<'a>>,
}

/// A task that another one depends on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AwaitedDoc<'a> {
    #[serde(rename = "_id")]
    #[schema(value_type = String, example = "ti-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e11")]
    id: &'a str,
    #[schema(example = "TS000100")]
    ref_id: String,
    #[schema(value_type = String, example = "Order the part")]
    name: &'a str,
    /// Whether it is resolved or closed.
    is_over: bool,
}

/// A line of a checklist.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CheckDoc<'a> {
    #[serde(rename = "_id")]
    #[schema(value_type = String, example = "ck-0193f0a1-7c1e-7b1a-9a57-2f6d3c1b9e10")]
    id: &'a str,
    #[schema(value_type = String, example = "Ask for the serial number")]
    text: &'a str,
    is_done: bool,
}

/// The plans of a case's tasks.
#[derive(Debug, Serialize, ToSchema)]
pub struct CasePlan<'a> {
    /// Each task behind those that it depends on, else in the order of their making.
    results: Vec<PlanDoc<'a>>,
}

/// Reads the body of planTask.
pub fn read_plan(object: &Map<String, Value>) -> PlanTask {
    let mut reader = Reader::new(object, Noun::Task);
    PlanTask {
        depends_on: reader.strings(Key::DependsOn),
        required: reader.boolean(Key::Required),
        checklist: reader.read_list(Key::Checklist, line),
        faults: reader.faults,
    }
}

fn line(value: &Value) -> Result<CheckInput, &'static str> {
    let object = value.as_object().ok_or("must be an object with a text")?;
    let done = match object.get("isDone") {
        None | Some(Value::Null) => None,
        Some(done) => Some(done.as_bool().ok_or("its isDone must be true or false")?),
    };
    Ok(CheckInput { id: part(object, "_id")?, text: part(object, "text")?, done })
}

/// Writes the plan of a task; `awaited` are the tasks that it depends on, as they are now.
pub fn write_plan(task: &Versioned<Task>, awaited: &[Versioned<Task>], workspace: &Workspace) -> Vec<u8> {
    encode(&plan_doc(task, awaited, workspace))
}

/// Writes the plans of the tasks of a case.
pub fn write_case_plan(tasks: &[Versioned<Task>], workspace: &Workspace) -> Vec<u8> {
    let results = in_order(tasks).into_iter().map(|task| plan_doc(task, tasks, workspace)).collect();
    encode(&CasePlan { results })
}

fn plan_doc<'a>(
    task: &'a Versioned<Task>,
    others: &'a [Versioned<Task>],
    workspace: &Workspace,
) -> PlanDoc<'a> {
    let Task { plan, item, id, .. } = &task.value;
    let awaited = plan.depends_on.iter().filter_map(|id| others.iter().find(|other| other.value.id == *id));
    let depends_on: Vec<AwaitedDoc<'_>> = awaited
        .filter(|other| other.value.item.active)
        .map(|other| AwaitedDoc {
            id: other.value.id.as_str(),
            ref_id: reference_id(other.number.unwrap_or_default()),
            name: &other.value.item.name,
            is_over: other.value.item.is_over(workspace),
        })
        .collect();
    let waits = depends_on.iter().any(|other| !other.is_over) || plan.checklist.iter().any(|line| !line.done);
    let is_over = item.is_over(workspace);
    PlanDoc {
        id: id.as_str(),
        ref_id: reference_id(task.number.unwrap_or_default()),
        name: &item.name,
        is_over,
        is_blocked: !is_over && waits,
        is_required: plan.required,
        depends_on,
        checklist: plan.checklist.iter().map(check_doc).collect(),
    }
}

fn check_doc(item: &CheckItem) -> CheckDoc<'_> {
    CheckDoc { id: item.id.as_str(), text: &item.text, is_done: item.done }
}

/// Orders tasks so that each comes behind those that it depends on. Tasks that wait for one another, which no rule lets
/// happen, come last.
fn in_order(tasks: &[Versioned<Task>]) -> Vec<&Versioned<Task>> {
    let known: BTreeSet<&str> = tasks.iter().map(|task| task.value.id.as_str()).collect();
    let mut placed: BTreeSet<&str> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(tasks.len());
    let mut left: Vec<&Versioned<Task>> = tasks.iter().collect();
    while !left.is_empty() {
        let is_ready = |task: &&Versioned<Task>, placed: &BTreeSet<&str>| {
            let mut awaited = task.value.plan.depends_on.iter().map(|id| id.as_str());
            awaited.all(|id| placed.contains(id) || !known.contains(id))
        };
        let (ready, waiting): (Vec<&Versioned<Task>>, Vec<&Versioned<Task>>) =
            left.iter().partition(|task| is_ready(task, &placed));
        if ready.is_empty() {
            ordered.extend(waiting);
            break;
        }
        placed.extend(ready.iter().map(|task| task.value.id.as_str()));
        ordered.extend(ready);
        left = waiting;
    }
    ordered
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("invariant: texts and booleans are always JSON")
}
