//! The entries of a workspace that a sample's commands refer to.

use casement_domain::actor::Actor;
use casement_domain::workspace::entries::{Agent, Category};
use casement_domain::workspace::{Reference, Workspace};

use crate::configuration::{self, AGENTS, QUEUES};
use crate::dice::Dice;

/// An agent who works on cases.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    /// The id of the profile.
    pub profile: String,
    /// Who acts.
    pub actor: Actor,
}

/// Entries by what they are used for.
#[derive(Debug)]
pub(crate) struct Entries {
    open: Vec<Reference>,
    in_progress: Vec<Reference>,
    on_hold: Vec<Reference>,
    resolved: Vec<Reference>,
    closed: Vec<Reference>,
    /// From the least to the greatest urgency.
    pub priorities: Vec<Reference>,
    /// The busiest first.
    pub queues: Vec<Reference>,
    /// The busiest first.
    pub workers: Vec<Worker>,
}

/// Something that a sample needs is not in the workspace, or switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub String);

impl Entries {
    /// Finds the entries.
    ///
    /// # Errors
    /// Names the first that is absent.
    pub fn of(workspace: &Workspace) -> Result<Self, Missing> {
        let mut priorities: Vec<_> =
            workspace.priorities.iter().filter(|priority| priority.is_usable()).collect();
        priorities.sort_by_key(|priority| priority.score);
        let entries = Self {
            open: statuses(workspace, Category::Open)?,
            in_progress: statuses(workspace, Category::InProgress)?,
            on_hold: statuses(workspace, Category::OnHold)?,
            resolved: statuses(workspace, Category::Resolved)?,
            closed: statuses(workspace, Category::Closed)?,
            priorities: priorities.iter().map(|priority| Reference::Id(priority.id.to_string())).collect(),
            queues: QUEUES.iter().map(|name| queue(workspace, name)).collect::<Result<_, _>>()?,
            workers: (0..AGENTS).map(|number| worker(workspace, number)).collect::<Result<_, _>>()?,
        };
        if entries.priorities.is_empty() {
            return Err(Missing("a usable priority".to_owned()));
        }
        Ok(entries)
    }

    /// Picks a status of a category, the first more often than others.
    pub fn status(&self, category: Category, dice: &mut Dice) -> Option<Reference> {
        let statuses = match category {
            Category::Open => &self.open,
            Category::InProgress => &self.in_progress,
            Category::OnHold => &self.on_hold,
            Category::Resolved => &self.resolved,
            Category::Closed => &self.closed,
        };
        dice.pick_skewed(statuses).cloned()
    }
}

fn statuses(workspace: &Workspace, category: Category) -> Result<Vec<Reference>, Missing> {
    let usable = workspace.statuses.iter().filter(|status| status.category == category && status.is_usable());
    let found: Vec<Reference> = usable.map(|status| Reference::Id(status.id.to_string())).collect();
    if found.is_empty() {
        return Err(Missing(format!("a usable status of the category {}", category.name())));
    }
    Ok(found)
}

fn queue(workspace: &Workspace, name: &str) -> Result<Reference, Missing> {
    let found = workspace.find_queue(&Reference::Name(name.to_owned())).filter(|queue| queue.active);
    found
        .map(|queue| Reference::Id(queue.id.to_string()))
        .ok_or_else(|| Missing(format!("the queue {name:?}")))
}

fn worker(workspace: &Workspace, number: usize) -> Result<Worker, Missing> {
    let name = configuration::agent_name(number);
    let found = workspace.agents.iter().find(|agent| agent.name == name && agent.active);
    let Agent { id, user, name, image, .. } = found.ok_or_else(|| Missing(format!("the agent {name:?}")))?;
    let actor = Actor { id: user.clone(), name: name.clone(), image: image.clone() };
    Ok(Worker { profile: id.to_string(), actor })
}
