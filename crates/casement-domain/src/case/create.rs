//! Creating a case; contract section 5.

use super::Case;
use crate::actor::Actor;
use crate::change::{Change, Record, RecordChange};
use crate::customer::{CustomerInput, Found, resolve};
use crate::date::{Moment, Zone};
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::CaseId;
use crate::item::input::ItemInput;
use crate::item::new::{apply_texts, blank};
use crate::item::plain::{Mode, take};
use crate::item::{WorkItem, assignment, due, fields, plain};
use crate::limits;
use crate::task::create::of_template;
use crate::workspace::Workspace;
use crate::workspace::template::{CaseTemplate, DefaultAssignee};

/// The language of a case when nothing names one.
const LANGUAGE_DEFAULT: &str = "en";

/// Asks for a new case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CreateCase {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// The template by id or exact name.
    pub template: Given<String>,
    /// The keys shared with tasks.
    pub item: ItemInput,
    /// The e-mail address beside the customer.
    pub email: Given<String>,
    /// The phone number beside the customer.
    pub phone: Given<String>,
    /// The language.
    pub language: Given<String>,
    /// The language that the request's headers name, used when the body names none.
    pub language_of_headers: Option<String>,
}

impl CreateCase {
    /// Gives the customer that the command names, for looking up the profiles that the decision needs.
    pub fn customer(&self) -> Option<CustomerInput> {
        resolve::of_create(&self.item, &self.email, &self.phone)
    }
}

/// Decides the creation of a case with the tasks of its template. `ids` must not end.
///
/// # Errors
/// All faults of the command.
pub fn create_case(
    workspace: &Workspace,
    actor: &Actor,
    command: &CreateCase,
    customers: &Found,
    zone: Zone,
    now: Moment,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<Change, Faults> {
    let mut next = || ids.next().expect("invariant: the source of ids does not end");
    let mut faults = command.faults.clone();
    let template = find_template(workspace, &command.template, &mut faults);
    require(&command.item, &mut faults);
    let customer = resolve_customer(command, customers, next(), &mut faults);
    let mut item = blank(workspace, actor, now);
    let field_ids = template.map(|template| template.fields.as_slice());
    let given = &command.item.fields;
    let system = fields::apply_new(&mut item, given, field_ids, workspace, zone, &mut faults);
    apply_texts(&mut item, &command.item, &system, &mut faults);
    plain::apply(&mut item, &command.item, workspace, Mode::Create, &mut faults);
    due::apply(&mut item, &command.item, &system, zone, Mode::Create, &mut faults);
    apply_due_default(&mut item, command, template, now, &mut faults);
    let default = template.map_or(&DefaultAssignee::Unassigned, |template| &template.default_assignee);
    let assigned = assignment::of_new(&command.item, default, workspace, actor, &mut faults);
    assignment::assign(&mut item, assigned, now);
    due::settle_new(&mut item, workspace, now);
    let language = read_language(command, &mut faults);
    let (Some(template), Some(customer)) = (template, customer) else { return Err(faults) };
    item.customer = customer.snapshot;
    let mut case = Case {
        id: CaseId::fresh(next()),
        template: template.id.clone(),
        template_version: template.version,
        item,
        language,
        supports_custom_tasks: template.custom_tasks,
        tasks: Vec::new(),
        watchers: Vec::new(),
        links: Vec::new(),
        merged_into: None,
    };
    let mut tasks = Vec::new();
    for template in template.tasks.iter().filter_map(|id| workspace.task_template(id)) {
        if template.active {
            let task = of_template(workspace, actor, &case, template, now, next());
            case.tasks.push(task.id.clone());
            tasks.push(RecordChange { before: None, after: Record::Task(task), event: "task.created" });
        }
    }
    let mut records = vec![RecordChange { before: None, after: Record::Case(case), event: "case.created" }];
    records.extend(tasks);
    records.extend(customer.profile);
    faults.or(Change { records })
}

fn find_template<'a>(
    workspace: &'a Workspace,
    given: &Given<String>,
    faults: &mut Faults,
) -> Option<&'a CaseTemplate> {
    match given {
        Given::Absent | Given::Null => {
            faults.invalid(Key::Template, "is required");
            None
        }
        Given::Invalid => None,
        Given::Value(text) => {
            let template = workspace.find_case_template(text);
            match template {
                None => faults.invalid(Key::Template, "there is no such case template"),
                Some(template) if !template.active => {
                    faults.add(FaultKind::Unprocessable, Key::Template, "the case template is switched off");
                }
                Some(_) => {}
            }
            template
        }
    }
}

fn require(input: &ItemInput, faults: &mut Faults) {
    let required = [
        (input.name.is_missing(), Key::Name),
        (input.description.is_missing(), Key::Description),
        (input.customer.is_missing(), Key::Customer),
        (input.source.is_missing(), Key::Source),
    ];
    for (missing, key) in required {
        if missing {
            faults.invalid(key, "is required");
        }
    }
}

fn resolve_customer(
    command: &CreateCase,
    customers: &Found,
    fresh: u128,
    faults: &mut Faults,
) -> Option<resolve::Resolved> {
    let customer = resolve::named(&command.item, &command.email, &command.phone, faults)?;
    Some(resolve::resolve(&customer, customers, fresh))
}

fn apply_due_default(
    item: &mut WorkItem,
    command: &CreateCase,
    template: Option<&CaseTemplate>,
    now: Moment,
    faults: &mut Faults,
) {
    let was_given =
        !command.item.due.is_missing() || matches!(command.item.eta, Given::Value(Some(_)) | Given::Invalid);
    match template.and_then(|template| template.default_due_ms) {
        _ if item.due.is_some() || was_given => {}
        Some(default) => item.due = Some(now.plus_ms(default)),
        None => faults.invalid(Key::DueDate, "is required"),
    }
}

fn read_language(command: &CreateCase, faults: &mut Faults) -> String {
    match take(&command.language, Key::Language, Mode::Create, faults) {
        Some(language) => {
            plain::checked_text(language, limits::LANGUAGE_CHARACTERS_MAX, Key::Language, faults)
                .unwrap_or_default()
        }
        None => {
            let of_headers = command.language_of_headers.as_deref();
            let usable = of_headers
                .filter(|text| !text.is_empty() && text.chars().count() <= limits::LANGUAGE_CHARACTERS_MAX);
            usable.unwrap_or(LANGUAGE_DEFAULT).to_owned()
        }
    }
}
