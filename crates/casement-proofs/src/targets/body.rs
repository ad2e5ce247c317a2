//! The bodies of creates and updates: from the bytes to the decision and to the document that is answered.
//!
//! A refusal names keys of the request, or required ones. What is accepted is a whole document that shows what was
//! asked for, keeps its identity, and may be sent back as it was read.

use casement_domain::case::Case;
use casement_domain::case::create::create_case;
use casement_domain::case::update::update_case;
use casement_domain::change::{Change, Record};
use casement_domain::customer::Found;
use casement_domain::date::Zone;
use casement_domain::fault::Faults;
use casement_domain::item::WorkItem;
use casement_domain::task::Task;
use casement_domain::task::create::create_task;
use casement_domain::task::update::update_task;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::entries::Category;
use casement_wire::case::{read_create, read_update_case};
use casement_wire::document::{write_case, write_created_case, write_task};
use casement_wire::error::Problem;
use casement_wire::json::read_object;
use casement_wire::spelling::Noun;
use casement_wire::task::{read_create as read_create_task, read_update_task};
use serde_json::{Map, Value};

use super::json;
use crate::world::{NOW, World, app_actor, number, status_of, world};

type Body = Map<String, Value>;

/// Keys that a refusal may name although the body lacks them: required ones, and the state that forbids a change.
const REQUIRED_OF_CASES: [&str; 7] = ["caseTmp", "name", "desc", "userInfo", "source", "dueDate", "emailId"];
const REQUIRED_OF_TASKS: [&str; 7] =
    ["caseId", "caseRefId", "taskTmp", "name", "userInfo", "source", "emailId"];
const STATES: [&str; 3] = ["caseId", "isActive", "status"];

/// Keys that say the same thing: a fault may name another of them than the one that is given.
const ALIKE: [&[&str]; 6] = [
    &["dueDate", "ETA", "fields"],
    &["name", "fields"],
    &["desc", "fields"],
    &["assigneeType", "currAssignee", "queues", "participants"],
    &["taskTmp", "caseTmp"],
    &["userInfo", "emailId", "phoneNumber"],
];

/// Keys that an update can't change, as the document shows them.
const IDENTITY: [&str; 8] =
    ["_id", "accountId", "iId", "orgId", "refId", "conversationType", "createdAt", "createdBy"];

/// Keys that are shown as they were sent, where the body has them and they were accepted.
const AS_SENT: [&str; 9] =
    ["desc", "tags", "source", "sessIds", "convIds", "channel", "attachments", "feedback", "resolutionCmts"];

fn zone() -> Zone {
    Zone::from_javascript_minutes(-330).expect("invariant: less than a day")
}

/// Checks a body of createCase.
pub(super) fn check_create_case(input: &[u8]) {
    let Some(body) = json::read(input) else { return };
    let World { workspace, .. } = world();
    let decide = || {
        let command = read_create(&body, Some("de"));
        let mut ids = 1_u128..;
        create_case(workspace, &app_actor(), &command, &Found::default(), zone(), NOW, &mut ids)
    };
    let decided = decide();
    assert_eq!(decided, decide(), "the same request was decided in two ways");
    let change = match decided {
        Ok(change) => change,
        Err(faults) => return check_faults(&faults, Noun::Case, &body, &REQUIRED_OF_CASES, &[400, 422]),
    };
    let case = first_case(&change);
    let tasks: Vec<&Task> = change
        .records
        .iter()
        .filter_map(|record| match &record.after {
            Record::Task(task) => Some(task),
            Record::Case(_)
            | Record::Customer(_)
            | Record::Attachment(_)
            | Record::Usage(_)
            | Record::Comment(_) => None,
        })
        .collect();
    let numbered: Vec<(&Task, u64)> = tasks.iter().map(|task| (*task, 200)).collect();
    let document = object(&write_created_case(case, 123, &numbered, workspace));
    assert_eq!(document["tasks"].as_array().map(Vec::len), Some(tasks.len()));
    assert_eq!(case.tasks, tasks.iter().map(|task| task.id.clone()).collect::<Vec<_>>());
    check_item(&case.item, workspace);
    check_asked(&body, None, &document);
    check_sent_back_case(case, workspace);
    tasks.iter().for_each(|task| check_item(&task.item, workspace));
}

/// Checks a body of updateCase against cases in several states.
pub(super) fn check_update_case(input: &[u8]) {
    let Some(body) = json::read(input) else { return };
    let World { workspace, cases, tasks } = world();
    let open_task = Versioned { version: 1, number: Some(200), value: first(tasks).clone() };
    for (place, state) in [State::Plain, State::Closed, State::Deleted, State::Merged].into_iter().enumerate()
    {
        let mut stored = cases.get(place).expect("invariant: the world has cases").clone();
        set(&mut stored.item, state, workspace);
        let base = (state == State::Merged).then(|| stored.clone());
        if base.is_some() {
            edit(&mut stored.item);
        }
        let before = Versioned { version: 3, number: Some(number(place)), value: stored };
        let command = read_update_case(&body);
        let tasks = if command.may_close(workspace) { vec![open_task.clone()] } else { Vec::new() };
        let decide = || {
            let (found, mut ids) = (Found::default(), 1_u128..);
            update_case(
                workspace,
                &app_actor(),
                &before,
                base.as_ref(),
                &command,
                &tasks,
                &found,
                zone(),
                NOW,
                &mut ids,
            )
        };
        let decided = decide();
        assert_eq!(decided, decide(), "the same request was decided in two ways");
        let shown = object(&write_case(&before.value, number(place), workspace));
        let change = match decided {
            Ok(change) => change,
            Err(faults) => {
                check_faults(&faults, Noun::Case, &body, &STATES, &[400, 409, 422]);
                continue;
            }
        };
        let base = base.as_ref().map_or(&before.value, |base| base);
        let read = object(&write_case(base, number(place), workspace));
        check_identity(&body, &shown, &["caseId", "caseRefId"]);
        let Some(change) = change else { continue };
        let after = first_case(&change);
        assert_ne!(*after, before.value, "a change that changes nothing");
        let document = object(&write_case(after, number(place), workspace));
        check_change(&before.value.item, &after.item, &shown, &document, workspace);
        check_asked(&body, Some(&read), &document);
        check_sent_back_case(after, workspace);
    }
}

/// Checks a body of createTask for a case that takes tasks, and for none.
pub(super) fn check_create_task(input: &[u8]) {
    let Some(body) = json::read(input) else { return };
    let World { workspace, cases, .. } = world();
    let mut open = first(cases).clone();
    open.item.active = true;
    open.item.status = status_of(workspace, Category::Open);
    let mut closed = open.clone();
    closed.item.status = status_of(workspace, Category::Closed);
    for case in [Some(open), Some(closed), None] {
        let known = case.map(|value| Versioned { version: 3, number: Some(100), value });
        // The use case hands over the case of the id that the body gives, or none.
        let wanted = body.get("caseId").and_then(Value::as_str);
        let case = known.filter(|case| wanted.is_some_and(|id| id == case.value.id.as_str()));
        let command = read_create_task(&body);
        let decide = || {
            let (found, mut ids) = (Found::default(), 1_u128..);
            create_task(workspace, &app_actor(), case.as_ref(), &command, &found, zone(), NOW, &mut ids)
        };
        let decided = decide();
        assert_eq!(decided, decide(), "the same request was decided in two ways");
        let change = match decided {
            Ok(change) => change,
            Err(faults) => {
                check_faults(&faults, Noun::Task, &body, &REQUIRED_OF_TASKS, &[400, 404, 409, 422]);
                continue;
            }
        };
        let case = case.expect("a task was made of no case");
        let task = first_task(&change);
        let document = object(&write_task(task, 456, 100, workspace));
        assert_eq!(document.get("caseId"), body.get("caseId"));
        assert_eq!(document.get("caseRefId"), body.get("caseRefId"));
        check_item(&task.item, workspace);
        check_asked(&body, None, &document);
        let grown = change.records.iter().find_map(|record| match &record.after {
            Record::Case(case) => Some(case),
            Record::Task(_)
            | Record::Customer(_)
            | Record::Attachment(_)
            | Record::Usage(_)
            | Record::Comment(_) => None,
        });
        let grown = grown.expect("a new task must change its case");
        assert_eq!(grown.tasks.last(), Some(&task.id));
        check_sent_back_task(task, &Versioned { value: grown.clone(), ..case }, workspace);
    }
}

/// Checks a body of updateTask against tasks in several states.
pub(super) fn check_update_task(input: &[u8]) {
    let Some(body) = json::read(input) else { return };
    let World { workspace, cases, tasks } = world();
    for (place, state) in [State::Plain, State::Closed, State::Deleted, State::Merged].into_iter().enumerate()
    {
        let mut stored = tasks.get(place).expect("invariant: the world has tasks").clone();
        let mut case = cases.get(place).expect("invariant: the world has cases").clone();
        case.item.active = true;
        case.item.status = status_of(workspace, Category::Open);
        stored.case = case.id.clone();
        set(&mut stored.item, state, workspace);
        let base = (state == State::Merged).then(|| stored.clone());
        if base.is_some() {
            edit(&mut stored.item);
        }
        let case = Versioned { version: 7, number: Some(number(place)), value: case };
        let before = Versioned { version: 3, number: Some(456), value: stored };
        let command = read_update_task(&body);
        let decide = || {
            let (found, mut ids) = (Found::default(), 1_u128..);
            update_task(
                workspace,
                &app_actor(),
                &before,
                base.as_ref(),
                &case,
                &[],
                &command,
                &found,
                zone(),
                NOW,
                &mut ids,
            )
        };
        let decided = decide();
        assert_eq!(decided, decide(), "the same request was decided in two ways");
        let shown = object(&write_task(&before.value, 456, number(place), workspace));
        let change = match decided {
            Ok(change) => change,
            Err(faults) => {
                check_faults(&faults, Noun::Task, &body, &STATES, &[400, 409, 422]);
                continue;
            }
        };
        let read = object(&write_task(base.as_ref().unwrap_or(&before.value), 456, number(place), workspace));
        check_identity(&body, &shown, &[]);
        let Some(change) = change else { continue };
        let after = first_task(&change);
        assert_ne!(*after, before.value, "a change that changes nothing");
        let document = object(&write_task(after, 456, number(place), workspace));
        check_change(&before.value.item, &after.item, &shown, &document, workspace);
        assert_eq!((&document["caseId"], &document["caseRefId"]), (&shown["caseId"], &shown["caseRefId"]));
        check_asked(&body, Some(&read), &document);
        check_sent_back_task(after, &case, workspace);
    }
}

/// A state that decides what an update may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    Closed,
    Deleted,
    /// Changed by somebody else since the client read it.
    Merged,
}

fn set(item: &mut WorkItem, state: State, workspace: &Workspace) {
    item.active = state != State::Deleted;
    if state == State::Closed {
        item.status = status_of(workspace, Category::Closed);
    }
}

/// What somebody else changed meanwhile.
fn edit(item: &mut WorkItem) {
    item.name = "Changed meanwhile".to_owned();
    item.tags.push("meanwhile".to_owned());
    item.due = Some(NOW.plus_ms(7_200_000));
    item.updated_at = item.updated_at.plus_ms(1000);
}

fn first<T>(entries: &[T]) -> &T {
    entries.first().expect("invariant: the world has documents")
}

fn first_case(change: &Change) -> &Case {
    let first = change.records.first().map(|record| &record.after);
    let case = first.and_then(|record| match record {
        Record::Case(case) => Some(case),
        Record::Task(_)
        | Record::Customer(_)
        | Record::Attachment(_)
        | Record::Usage(_)
        | Record::Comment(_) => None,
    });
    case.expect("a change of a case begins with it")
}

fn first_task(change: &Change) -> &Task {
    let first = change.records.first().map(|record| &record.after);
    let task = first.and_then(|record| match record {
        Record::Task(task) => Some(task),
        Record::Case(_)
        | Record::Customer(_)
        | Record::Attachment(_)
        | Record::Usage(_)
        | Record::Comment(_) => None,
    });
    task.expect("a change of a task begins with it")
}

fn object(bytes: &[u8]) -> Value {
    Value::Object(read_object(bytes).expect("a document is strict JSON"))
}

/// Checks that a refusal names what the client can mend.
fn check_faults(faults: &Faults, noun: Noun, body: &Body, further: &[&str], statuses: &[u16]) {
    let problem = Problem::of_faults(faults, noun);
    let fields = json::check_problem(&problem, statuses);
    assert_eq!(fields.len(), problem.errors.len(), "a fault without its key: {problem:?}");
    for field in fields {
        let key = field.split(['.', '[']).next().unwrap_or_default();
        let alike = || ALIKE.iter().filter(|group| group.contains(&key)).flat_map(|group| group.iter());
        let is_given = body.contains_key(key) || alike().any(|other| body.contains_key(*other));
        assert!(is_given || further.contains(&key), "{field} is not in the request: {problem:?}");
    }
}

/// Checks what holds for every stored item.
fn check_item(item: &WorkItem, workspace: &Workspace) {
    assert!(!item.name.is_empty() && item.name == item.name.trim(), "{:?}", item.name);
    assert!(!item.source.is_empty());
    assert!(workspace.status(&item.status).is_some() && workspace.priority(&item.priority).is_some());
    assert!(item.due.is_none_or(|due| due.is_in_range()), "{:?}", item.due);
    assert!(!item.customer.id.as_str().is_empty());
    assert!(item.updated_at >= item.created_at);
    let active: Vec<_> =
        item.participants.iter().filter(|turn| turn.active).map(|turn| &turn.agent).collect();
    assert_eq!(active, item.assignment.agent.iter().collect::<Vec<_>>());
}

/// Checks what an accepted body may say about identity: nothing that differs.
fn check_identity(body: &Body, shown: &Value, ignored: &[&str]) {
    for key in ["_id", "accountId", "iId", "orgId", "refId", "caseId", "caseRefId"] {
        if let Some(given) = body.get(key).filter(|_| !ignored.contains(&key)) {
            assert_eq!(*given, shown[key], "{key} was accepted");
        }
    }
    if let Some(given) = body.get("lid") {
        assert_eq!(*given, shown["iId"], "lid was accepted");
    }
    if let Some(given) = body.get("conversationType") {
        let given = given.as_str().unwrap_or_default().to_ascii_uppercase();
        assert_eq!(Some(given.as_str()), shown["conversationType"].as_str());
    }
    if let Some(creator) = body.get("createdBy").and_then(|creator| creator["_id"].as_str()) {
        assert!(creator.is_empty() || shown["createdBy"]["_id"] == *creator, "createdBy was accepted");
    }
}

/// Checks a change of a stored document.
fn check_change(before: &WorkItem, after: &WorkItem, shown: &Value, document: &Value, workspace: &Workspace) {
    check_item(after, workspace);
    assert!(after.updated_at > before.updated_at, "the stamp must grow");
    for key in IDENTITY {
        assert_eq!(document[key], shown[key], "{key} changed");
    }
    assert!(before.active || after.active, "a deleted document changed and is still deleted");
}

/// Checks that the document shows what was asked for. `read` is what the client read: what repeats it asks for nothing.
fn check_asked(body: &Body, read: Option<&Value>, document: &Value) {
    let asks = |key: &str| {
        let given = body.get(key).filter(|given| !given.is_null())?;
        read.is_none_or(|read| read[key] != *given).then_some(given)
    };
    let is_create = read.is_none();
    if let Some(name) = asks("name").and_then(Value::as_str)
        && read.is_none_or(|read| read["name"] != name.trim())
    {
        assert_eq!(document["name"], name.trim());
    }
    for key in AS_SENT {
        let is_ignored = is_create && ["attachments", "feedback", "resolutionCmts"].contains(&key);
        // Sets are merged with what somebody else added.
        let is_merged = key == "tags"
            && document["tags"].as_array().is_some_and(|tags| tags.contains(&"meanwhile".into()));
        if let Some(given) = asks(key).filter(|_| !is_merged && !is_ignored) {
            assert_eq!(document[key], *given, "{key}");
        }
    }
    for key in ["status", "priority"] {
        let Some(given) = asks(key) else { continue };
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let (id, name) = match given {
            Value::Object(given) => {
                let part = |part: &str| given.get(part).and_then(text);
                (part("_id"), part("name"))
            }
            other => (text(other), text(other)),
        };
        let shown = &document[key];
        let named = name.map(|name| name.to_lowercase());
        let by_name = shown["lname"].as_str().map(str::to_owned) == named;
        assert!(shown["_id"].as_str() == id.as_deref() || by_name, "{key}: {shown}");
    }
    assert_eq!(document["lname"].as_str(), document["name"].as_str().map(str::to_lowercase).as_deref());
}

/// A document that was read may be sent back whole and changes nothing.
fn check_sent_back_case(case: &Case, workspace: &Workspace) {
    let command = read_update_case(&whole(&write_case(case, 123, workspace)));
    let stored = Versioned { version: 4, number: Some(123), value: case.clone() };
    let (found, mut ids) = (Found::default(), 1_u128..);
    let decided =
        update_case(workspace, &app_actor(), &stored, None, &command, &[], &found, Zone::UTC, NOW, &mut ids);
    assert_eq!(decided, Ok(None), "a case that is sent back as it was read");
}

fn check_sent_back_task(task: &Task, case: &Versioned<Case>, workspace: &Workspace) {
    let case_number = case.number.unwrap_or_default();
    let command = read_update_task(&whole(&write_task(task, 456, case_number, workspace)));
    let stored = Versioned { version: 4, number: Some(456), value: task.clone() };
    let (found, mut ids) = (Found::default(), 1_u128..);
    let decided = update_task(
        workspace,
        &app_actor(),
        &stored,
        None,
        case,
        &[],
        &command,
        &found,
        Zone::UTC,
        NOW,
        &mut ids,
    );
    assert_eq!(decided, Ok(None), "a task that is sent back as it was read");
}

fn whole(bytes: &[u8]) -> Body {
    read_object(bytes).expect("a document is strict JSON")
}
