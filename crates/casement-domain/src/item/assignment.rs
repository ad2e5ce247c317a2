//! Assignment: who gets a work item, and the turns of its participants; contract sections 9 and 11.3.

use super::input::{AssigneeInput, ItemInput};
use super::plain::{Mode, take};
use super::{AssigneeKind, Assignment, Participant, WorkItem};
use crate::actor::Actor;
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::{AgentId, QueueId};
use crate::limits;
use crate::text::fold_case;
use crate::workspace::Workspace;
use crate::workspace::entries::Agent;
use crate::workspace::template::DefaultAssignee;

/// The assignment keys of a request with every reference resolved; `None`: not in the request.
#[derive(Debug, Clone, Default, PartialEq)]
struct Wanted {
    kind: Option<AssigneeKind>,
    agent: Option<Option<AgentId>>,
    queues: Option<Vec<QueueId>>,
}

/// Gives the assignment of a new item: what the request says, else the template's default.
pub fn of_new(
    input: &ItemInput,
    default: &DefaultAssignee,
    workspace: &Workspace,
    actor: &Actor,
    faults: &mut Faults,
) -> Assignment {
    match resolve(input, &Assignment::default(), workspace, Mode::Create, faults) {
        None => Assignment::default(),
        Some(wanted) if wanted == Wanted::default() => of_default(default, workspace, actor),
        Some(wanted) => decide(None, &wanted, faults),
    }
}

/// Gives the assignment of a changed item.
pub fn of_changed(
    stored: &Assignment,
    input: &ItemInput,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Assignment {
    match resolve(input, stored, workspace, Mode::Update, faults) {
        Some(wanted) if wanted != Wanted::default() => decide(Some(stored), &wanted, faults),
        Some(_) | None => stored.clone(),
    }
}

/// Gives what a template assigns.
pub fn of_default(default: &DefaultAssignee, workspace: &Workspace, actor: &Actor) -> Assignment {
    match default {
        DefaultAssignee::Unassigned => Assignment::default(),
        DefaultAssignee::Queue(queue) => Assignment { agent: None, queues: vec![queue.clone()] },
        DefaultAssignee::Agent(agent) => Assignment { agent: Some(agent.clone()), queues: Vec::new() },
        DefaultAssignee::Creator => {
            let agent = workspace.agent_of_user(&actor.id).map(|agent| agent.id.clone());
            Assignment { agent, queues: Vec::new() }
        }
    }
}

/// Assigns an item: ends the turns of former agents and begins one of the new agent.
pub fn assign(item: &mut WorkItem, assignment: Assignment, now: Moment) {
    if item.assignment.agent != assignment.agent {
        for participant in &mut item.participants {
            participant.active = false;
        }
        if let Some(agent) = &assignment.agent {
            item.participants.push(Participant { agent: agent.clone(), active: true, assigned_at: now });
        }
        drop_oldest_ended(&mut item.participants);
    }
    item.assignment = assignment;
}

/// Keeps the list of participants within [`limits::PARTICIPANTS_MAX`]: the oldest turns that have ended go.
fn drop_oldest_ended(participants: &mut Vec<Participant>) {
    let mut surplus = participants.len().saturating_sub(limits::PARTICIPANTS_MAX);
    participants.retain(|participant| {
        let goes = surplus > 0 && !participant.active;
        surplus -= usize::from(goes);
        !goes
    });
}

/// Resolves the references. `None`: one of the keys is unusable and has its fault on the list; what the others would
/// mean without it says nothing.
fn resolve(
    input: &ItemInput,
    stored: &Assignment,
    workspace: &Workspace,
    mode: Mode,
    faults: &mut Faults,
) -> Option<Wanted> {
    let known_faults = faults.list().len();
    let agent = match (&input.assignee, mode) {
        (Given::Null, Mode::Update) | (Given::Value(None), Mode::Create | Mode::Update) => Some(None),
        (Given::Value(Some(named)), Mode::Create | Mode::Update) => {
            let found = find_agent(named, workspace);
            match found.filter(|agent| agent.active || stored.agent.as_ref() == Some(&agent.id)) {
                Some(agent) => Some(Some(agent.id.clone())),
                None => {
                    faults.invalid(Key::Assignee, "there is no such agent");
                    None
                }
            }
        }
        (Given::Null, Mode::Create) | (Given::Absent | Given::Invalid, Mode::Create | Mode::Update) => None,
    };
    let wanted = Wanted {
        kind: take(&input.assignee_kind, Key::AssigneeType, mode, faults).copied(),
        agent,
        queues: resolve_queues(input, stored, workspace, mode, faults),
    };
    let unread = input.assignee_kind == Given::Invalid
        || input.assignee == Given::Invalid
        || input.queues == Given::Invalid;
    (!unread && faults.list().len() == known_faults).then_some(wanted)
}

fn resolve_queues(
    input: &ItemInput,
    stored: &Assignment,
    workspace: &Workspace,
    mode: Mode,
    faults: &mut Faults,
) -> Option<Vec<QueueId>> {
    let references = take(&input.queues, Key::Queues, mode, faults)?;
    if references.len() > limits::QUEUES_MAX {
        faults.invalid(Key::Queues, format!("must have at most {} entries", limits::QUEUES_MAX));
        return None;
    }
    let mut queues: Vec<QueueId> = Vec::with_capacity(references.len());
    let mut complete = true;
    for (index, reference) in references.iter().enumerate() {
        let found = workspace.find_queue(reference);
        match found.filter(|queue| queue.active || stored.queues.contains(&queue.id)) {
            Some(queue) if queues.contains(&queue.id) => {}
            Some(queue) => queues.push(queue.id.clone()),
            None => {
                let message = format!("there is no queue {:?}", reference.text());
                faults.add_at(FaultKind::Invalid, Key::Queues, index, message);
                complete = false;
            }
        }
    }
    complete.then_some(queues)
}

fn find_agent<'a>(named: &AssigneeInput, workspace: &'a Workspace) -> Option<&'a Agent> {
    match named {
        AssigneeInput::Profile(id) => workspace.agents.iter().find(|agent| agent.id.as_str() == id),
        AssigneeInput::User(id) => workspace.agents.iter().find(|agent| agent.user.as_str() == id),
        AssigneeInput::Name(name) => {
            let folded = fold_case(name);
            workspace.agents.iter().find(|agent| fold_case(&agent.name) == folded)
        }
        AssigneeInput::Any(text) => {
            let as_any = [
                AssigneeInput::Profile(text.clone()),
                AssigneeInput::User(text.clone()),
                AssigneeInput::Name(text.clone()),
            ];
            as_any.iter().find_map(|named| find_agent(named, workspace))
        }
    }
}

/// Decides between the keys. A key that repeats what is stored is no change and contradicts nothing (a document that
/// was read, changed in one key and sent back whole); in a create every key counts.
fn decide(stored: Option<&Assignment>, wanted: &Wanted, faults: &mut Faults) -> Assignment {
    let base = stored.cloned().unwrap_or_default();
    let kind = wanted.kind.filter(|kind| stored.is_none_or(|stored| stored.kind() != *kind));
    let new_agent = wanted.agent.as_ref().filter(|agent| stored.is_none_or(|stored| stored.agent != **agent));
    let new_queues =
        wanted.queues.as_ref().filter(|queues| stored.is_none_or(|stored| stored.queues != **queues));
    let names_agent = matches!(new_agent, Some(Some(_)));
    let names_queues = new_queues.is_some_and(|queues| !queues.is_empty());
    let queues = wanted.queues.clone().unwrap_or_else(|| base.queues.clone());

    match kind {
        Some(AssigneeKind::Unassigned) if names_agent || names_queues => {
            faults.invalid(Key::AssigneeType, "contradicts the agent or the queues that are given");
            base
        }
        Some(AssigneeKind::Unassigned) => Assignment::default(),
        Some(AssigneeKind::Queues) if names_agent => {
            faults.invalid(Key::AssigneeType, "contradicts the agent that is given");
            base
        }
        Some(AssigneeKind::Queues) if queues.is_empty() => {
            faults.invalid(Key::AssigneeType, "needs at least one queue");
            base
        }
        Some(AssigneeKind::Queues) => Assignment { agent: None, queues },
        Some(AssigneeKind::Agent) => match wanted.agent.clone().unwrap_or_else(|| base.agent.clone()) {
            Some(agent) => Assignment { agent: Some(agent), queues },
            None => {
                faults.invalid(Key::AssigneeType, "needs an agent");
                base
            }
        },
        None => {
            let agent = match &wanted.agent {
                Some(agent) => agent.clone(),
                // Queues with entries and no agent named take the item from its agent.
                None if wanted.kind != Some(AssigneeKind::Agent)
                    && !queues.is_empty()
                    && wanted.queues.is_some() =>
                {
                    None
                }
                None => base.agent,
            };
            Assignment { agent, queues }
        }
    }
}
