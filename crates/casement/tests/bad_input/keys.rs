//! The tables: each key, what it takes, and what must come of values that it takes or doesn't.
//!
//! From the contract's sections 3 to 5, 8, 9 and 11. A JSON type that a key does not take is a 400; the rest stands in
//! the key's own list.

use serde_json::{Value, json};

use super::foreign::{Foreign, STREAM as FOREIGN_STREAM};
use crate::harness::server::{ORGANISATION, STREAM};

/// What must come of a value.
#[derive(Debug, Clone)]
pub enum Expected {
    /// This status, with the key named; nothing changes.
    Refused(u16),
    /// 200, and nothing comes of it.
    Ignored,
    /// 200, and of the document only these keys may change; the first one does.
    Changes(&'static [&'static str]),
}

use Expected::{Changes, Ignored, Refused};

/// One value of each JSON type.
fn of_each_type() -> [Value; 7] {
    [json!(true), json!(7), json!(7.5), json!("x"), json!([]), json!([7]), json!({})]
}

/// A key of a body.
pub struct Key {
    pub name: &'static str,
    pub null: Expected,
    /// What comes of a value that its own list does not have.
    rest: Expected,
    /// Values with what must come of them, checked besides one of each JSON type.
    values: Vec<(Value, Expected)>,
}

impl Key {
    /// Null, a value of each JSON type, and the key's own values, with what must come of each.
    pub fn cases(&self) -> Vec<(Value, Expected)> {
        let is_own = |value: &Value| self.values.iter().any(|(own, _)| own == value);
        let null = [(Value::Null, self.null.clone())];
        let rest = of_each_type().into_iter().filter(|value| !is_own(value));
        let rest = rest.map(|value| (value, self.rest.clone()));
        null.into_iter().chain(rest).chain(self.values.clone()).collect()
    }
}

fn key(name: &'static str, null: Expected, rest: Expected, values: Vec<(Value, Expected)>) -> Key {
    Key { name, null, rest, values }
}

/// A key that takes what its list says and refuses all else, null too.
fn strict(name: &'static str, values: Vec<(Value, Expected)>) -> Key {
    key(name, Refused(400), Refused(400), values)
}

/// A key that no route reads: whatever it holds.
fn unread(name: &'static str, foreign: &Value) -> Key {
    key(name, Ignored, Ignored, vec![(foreign.clone(), Ignored), (json!([foreign]), Ignored)])
}

/// The ids of the other workspace, by what they are of.
struct Ids {
    case_template: Value,
    task_template: Value,
    status: Value,
    priority: Value,
    queue: Value,
    agent: Value,
    user: Value,
    field: Value,
    customer: Value,
}

impl Ids {
    fn of(foreign: &Foreign) -> Self {
        let workspace = &foreign.made.workspace;
        Self {
            case_template: json!(workspace.case_templates[0].id),
            task_template: json!(workspace.task_templates[0].id),
            status: json!(workspace.statuses[1].id),
            priority: json!(workspace.priorities[0].id),
            queue: json!(workspace.queues[0].id),
            agent: json!(workspace.agents[0].id),
            user: json!(workspace.agents[0].user),
            field: json!(workspace.fields[0].id),
            customer: json!("u-foreign"),
        }
    }
}

const ASSIGNMENT: &[&str] = &["currAssignee", "assigneeType", "participants", "queues"];
const QUEUES: &[&str] = &["queues", "assigneeType", "currAssignee", "participants"];
const DUE: &[&str] = &["dueDate", "ETA", "isBreached", "fields"];

/// The writable keys that cases and tasks share, in updates. A `null` is said beside each.
fn writable(ids: &Ids) -> Vec<Key> {
    let texts = |name: &'static str, change: &'static [&'static str]| {
        strict(
            name,
            vec![
                (json!([]), Changes(change)),
                (json!(["other", "more"]), Changes(change)),
                (json!([null]), Refused(400)),
                (json!([""]), Refused(400)),
                (json!([{"_id": "x"}]), Refused(400)),
            ],
        )
    };
    let notes = |name: &'static str, change: &'static [&'static str]| {
        strict(
            name,
            vec![
                (json!([]), Ignored),
                (json!([{"_id": ids.case_template}]), Changes(change)),
                (json!(["a note"]), Changes(change)),
                (json!([null]), Refused(400)),
            ],
        )
    };
    let entry = |name: &'static str, change: &'static [&'static str], own: &str, foreign: &Value| {
        strict(
            name,
            vec![
                (json!(own), Changes(change)),
                (json!({"name": own}), Changes(change)),
                (json!({"_id": foreign}), Refused(400)),
                (foreign.clone(), Refused(400)),
                // The id decides, whatever the name.
                (json!({"_id": foreign, "name": own}), Refused(400)),
                (json!({"_id": 7}), Refused(400)),
            ],
        )
    };
    vec![
        strict("name", vec![(json!("x"), Changes(&["name", "lname", "fields"])), (json!(" "), Refused(400))]),
        strict("desc", vec![(json!("x"), Changes(&["desc", "fields"]))]),
        texts("tags", &["tags"]),
        texts("sessIds", &["sessIds"]),
        texts("convIds", &["convIds"]),
        texts("channel", &["channel"]),
        strict("source", vec![(json!("x"), Changes(&["source"])), (json!(""), Refused(400))]),
        entry("status", &["status"], "On-Hold", &ids.status),
        entry("priority", &["priority"], "High", &ids.priority),
        notes("attachments", &["attachments"]),
        notes("feedback", &["feedback"]),
        notes("resolutionCmts", &["resolutionCmts"]),
        strict("isActive", vec![(json!(true), Ignored), (json!(false), Changes(&["isActive"]))]),
        strict(
            "userInfo",
            vec![
                (json!({}), Ignored),
                (json!({"name": "Jane"}), Changes(&["userInfo"])),
                // Here nobody has this id: the customer is made, and nothing of the other one is seen.
                (json!({"_id": ids.customer}), Changes(&["userInfo"])),
                (json!({"_id": 7}), Refused(400)),
                (json!({"emailId": []}), Refused(400)),
            ],
        ),
        strict(
            "fields",
            vec![
                (json!([]), Ignored),
                (json!([{"name": "Colour", "selectedValue": "blue"}]), Changes(&["fields"])),
                (json!([{"name": "Colour", "selectedValue": null}]), Changes(&["fields"])),
                (json!([{"_id": ids.field, "selectedValue": "x"}]), Refused(400)),
                (json!([{"_id": ids.field, "name": "Colour", "selectedValue": "x"}]), Refused(400)),
            ],
        ),
        strict(
            "queues",
            vec![
                (json!([]), Changes(&["queues"])),
                (json!(["Second"]), Changes(QUEUES)),
                (json!([{"_id": ids.queue}]), Refused(400)),
                (json!([ids.queue]), Refused(400)),
            ],
        ),
        strict(
            "assigneeType",
            vec![
                (json!("agent"), Ignored),
                (json!("queues"), Changes(&["assigneeType", "currAssignee", "participants"])),
                (json!("unassigned"), Changes(ASSIGNMENT)),
            ],
        ),
        key(
            "currAssignee",
            Changes(ASSIGNMENT),
            Refused(400),
            vec![
                (json!({}), Changes(ASSIGNMENT)),
                (json!({"name": "Ben"}), Changes(ASSIGNMENT)),
                (json!({"aId": ids.agent}), Refused(400)),
                (json!({"agentId": ids.user}), Refused(400)),
                (json!({"aId": ids.agent, "name": "Ben"}), Refused(400)),
            ],
        ),
        key(
            "dueDate",
            Changes(DUE),
            Refused(400),
            vec![
                (json!(7), Changes(DUE)),
                (json!("2027-01-01"), Changes(DUE)),
                (json!(""), Refused(400)),
                (json!(i64::MAX), Refused(400)),
            ],
        ),
        key(
            "ETA",
            Changes(DUE),
            Refused(400),
            vec![(json!(7), Changes(DUE)), (json!("2027-01-01"), Changes(DUE)), (json!(""), Changes(DUE))],
        ),
    ]
}

/// The keys that an update may only repeat.
fn identity(foreign: &Foreign, document: &Value, other_kind: &str) -> Vec<Key> {
    let text = |name: &'static str, own: Value, foreign: Value| {
        strict(name, vec![(own, Ignored), (json!("x"), Refused(409)), (foreign, Refused(409))])
    };
    vec![
        // The own id is not known before the document: other tests repeat it.
        strict("_id", vec![(json!("x"), Refused(409)), (document["_id"].clone(), Refused(409))]),
        text("accountId", json!(crate::harness::server::ACCOUNT), foreign.case["accountId"].clone()),
        text("iId", json!(STREAM), json!(FOREIGN_STREAM)),
        text("lid", json!(STREAM), json!(FOREIGN_STREAM)),
        text("orgId", json!(ORGANISATION), foreign.case["orgId"].clone()),
        strict("refId", vec![(json!("x"), Refused(409)), (json!("CS999999"), Refused(409))]),
        strict("conversationType", vec![(json!("x"), Refused(409)), (json!(other_kind), Refused(409))]),
        strict("createdAt", vec![(json!(7), Refused(409)), (json!("2020-01-01"), Refused(409))]),
        strict(
            "createdBy",
            vec![
                (json!({}), Ignored),
                (json!({"_id": foreign.case["createdBy"]["_id"]}), Refused(409)),
                (json!({"_id": "u-x", "name": "x"}), Refused(409)),
                (json!({"_id": 7}), Refused(400)),
            ],
        ),
        strict(
            "participants",
            vec![
                (json!([]), Refused(400)),
                (json!([{"aId": foreign.made.workspace.agents[0].id}]), Refused(400)),
            ],
        ),
        key(
            "timestampValue",
            Ignored,
            Refused(400),
            vec![
                (json!(7), Ignored),
                (json!(7.5), Ignored),
                (foreign.case["timestampValue"].clone(), Ignored),
            ],
        ),
    ]
}

/// The keys that the server alone makes.
fn derived(foreign: &Foreign) -> Vec<Key> {
    let names =
        ["lname", "updatedAt", "updatedBy", "isBreached", "taskIds", "tasks", "activityIds", "commentIds"];
    let further = ["supportCustomTasks", "isCustTsk", "unknown"];
    names.into_iter().chain(further).map(|name| unread(name, &foreign.task["_id"])).collect()
}

/// The keys of an update.
pub fn updates(operation: &str, foreign: &Foreign) -> Vec<Key> {
    let ids = Ids::of(foreign);
    let (document, other_kind) = match operation {
        "updateCase" => (&foreign.case, "TASK"),
        _ => (&foreign.task, "CASE"),
    };
    let mut keys = writable(&ids);
    keys.extend(identity(foreign, document, other_kind));
    keys.extend(derived(foreign));
    match operation {
        "updateCase" => keys.extend([
            strict("language", vec![(json!("x"), Changes(&["language"])), (json!(""), Refused(400))]),
            template("caseTmp", "Other", &["caseTmp", "fields"], &ids.case_template),
            unread("taskTmp", &ids.task_template),
            unread("caseId", &foreign.case["_id"]),
            unread("caseRefId", &foreign.case["refId"]),
        ]),
        _ => keys.extend([
            unread("language", &json!("x")),
            template("taskTmp", "OtherTask", &["taskTmp", "fields"], &ids.task_template),
            template("caseTmp", "OtherTask", &["taskTmp", "fields"], &ids.task_template),
            strict("caseId", vec![(json!("x"), Refused(409)), (foreign.case["_id"].clone(), Refused(409))]),
            strict("caseRefId", vec![(json!("x"), Refused(409)), (json!("CS999999"), Refused(409))]),
        ]),
    }
    keys
}

fn template(name: &'static str, own: &str, change: &'static [&'static str], foreign: &Value) -> Key {
    strict(name, vec![(json!(own), Changes(change)), (foreign.clone(), Refused(400))])
}

/// The keys of a create. The keys that only updates know are unknown there, so nothing comes of them.
pub fn creates(operation: &str, foreign: &Foreign) -> Vec<Key> {
    let ids = Ids::of(foreign);
    let mut keys: Vec<Key> = writable(&ids).into_iter().map(|key| of_create(key, operation)).collect();
    let unknown =
        ["_id", "accountId", "iId", "lid", "orgId", "refId", "conversationType", "createdAt", "createdBy"];
    let unknown = unknown.into_iter().chain(["participants", "timestampValue"]);
    keys.extend(unknown.map(|name| unread(name, &foreign.case["_id"])));
    keys.extend(derived(foreign));
    match operation {
        "createCase" => keys.extend([
            key("language", Ignored, Refused(400), vec![(json!("x"), Changes(&["language"]))]),
            template("caseTmp", "Other", &["caseTmp", "fields"], &ids.case_template),
            unread("taskTmp", &ids.task_template),
            unread("caseId", &foreign.case["_id"]),
            unread("caseRefId", &foreign.case["refId"]),
        ]),
        _ => keys.extend([
            unread("language", &json!("x")),
            // Without a template it is a custom task, which the case takes.
            key(
                "taskTmp",
                Changes(&["taskTmp", "isCustTsk", "fields"]),
                Refused(400),
                vec![
                    (json!("OtherTask"), Changes(&["taskTmp", "fields"])),
                    (ids.task_template.clone(), Refused(400)),
                ],
            ),
            unread("caseTmp", &ids.case_template),
            strict("caseId", vec![(json!("x"), Refused(404)), (foreign.case["_id"].clone(), Refused(404))]),
            strict("caseRefId", vec![(json!("x"), Refused(400)), (json!("CS999999"), Refused(400))]),
        ]),
    }
    keys
}

/// What a key of an update is in a create: `null` is as if absent, and some keys are not known yet.
fn of_create(key: Key, operation: &str) -> Key {
    let Key { name, rest, mut values, .. } = key;
    let unknown = ["attachments", "feedback", "resolutionCmts", "isActive"];
    if unknown.contains(&name) {
        let values = values.into_iter().map(|(value, _)| (value, Ignored)).collect();
        return Key { name, null: Ignored, rest: Ignored, values };
    }
    let null = match name {
        "name" if operation == "createTask" => Changes(&["name", "lname", "fields"]),
        "desc" if operation == "createTask" => Ignored,
        "dueDate" if operation == "createTask" => Changes(DUE),
        "name" | "desc" | "userInfo" | "source" | "dueDate" => Refused(400),
        "tags" => Changes(&["tags"]),
        "sessIds" => Changes(&["sessIds"]),
        "convIds" => Changes(&["convIds"]),
        "channel" => Changes(&["channel"]),
        "queues" => Changes(&["queues"]),
        "fields" if operation == "createTask" => Ignored,
        "fields" => Changes(&["fields"]),
        "currAssignee" => Changes(ASSIGNMENT),
        _ => Ignored,
    };
    match name {
        // Without an id an address is needed. The body of a case has one, and finds the same customer.
        "userInfo" => {
            values = vec![
                (json!({}), if operation == "createCase" { Ignored } else { Refused(400) }),
                (json!({"_id": "u-foreign"}), Changes(&["userInfo"])),
                (json!({"_id": 7}), Refused(400)),
                (json!({"emailId": []}), Refused(400)),
            ]
        }
        "fields" => {
            values.retain(|(value, _)| !matches!(value[0]["selectedValue"], Value::Null));
            values.push((json!([]), null.clone()));
        }
        // Both spellings of the due date are in the body and must agree.
        "ETA" => values = vec![(json!("2026-11-26T12:00:00Z"), Ignored)],
        // The agent and the queues of the body are there too, and in a create every key counts.
        "assigneeType" => values = vec![(json!("agent"), Ignored)],
        _ => {}
    }
    Key { name, null, rest, values }
}
