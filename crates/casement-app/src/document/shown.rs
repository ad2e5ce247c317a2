//! What a rendered document shows of the configuration, so that it stays good when something else in there changes.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use casement_domain::item::WorkItem;
use casement_domain::list::row::Work;
use casement_domain::workspace::Workspace;
use serde::Serialize;

use crate::body;
use crate::workspace::kinds;

/// The entries that a document shows, as hashes of kind and id, with the hash of what they hold.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    entries: Box<[u64]>,
    content: u64,
}

/// The entries of one configuration: what each holds, by kind and id.
#[derive(Debug)]
pub(crate) struct Contents {
    /// Which version of the configuration it is.
    pub config_version: u64,
    hasher: RandomState,
    by_entry: HashMap<u64, u64>,
}

impl Contents {
    /// Hashes every entry of a configuration. Tables that are compared must share a hasher.
    pub fn of(config: &Workspace, hasher: RandomState) -> Self {
        let by_entry = HashMap::with_capacity(config.agents.len() + config.fields.len() + 64);
        let mut contents = Self { config_version: config.config_version, hasher, by_entry };
        contents.add(kinds::STATUS, &config.statuses, |entry| entry.id.as_str());
        contents.add(kinds::PRIORITY, &config.priorities, |entry| entry.id.as_str());
        contents.add(kinds::QUEUE, &config.queues, |entry| entry.id.as_str());
        contents.add(kinds::FIELD, &config.fields, |entry| entry.id.as_str());
        contents.add(kinds::CASE_TEMPLATE, &config.case_templates, |entry| entry.id.as_str());
        contents.add(kinds::TASK_TEMPLATE, &config.task_templates, |entry| entry.id.as_str());
        contents.add(kinds::AGENT, &config.agents, |entry| entry.id.as_str());
        contents
    }

    fn add<T: Serialize>(&mut self, kind: &str, entries: &[T], id: impl Fn(&T) -> &str) {
        for entry in entries {
            let content = self.hasher.hash_one(body::encode(entry));
            let entry = self.entry(kind, id(entry));
            self.by_entry.insert(entry, content);
        }
    }

    fn entry(&self, kind: &str, id: &str) -> u64 {
        self.hasher.hash_one((kind, id))
    }

    /// Notes what a document shows of this configuration: the entries that `casement_wire::document` looks up.
    pub fn shown(&self, work: &Work, config: &Workspace) -> Shown {
        let item: &WorkItem = work.item();
        let mut entries = vec![
            self.entry(kinds::STATUS, item.status.as_str()),
            self.entry(kinds::PRIORITY, item.priority.as_str()),
        ];
        let fields = match work {
            Work::Case(case) => {
                entries.push(self.entry(kinds::CASE_TEMPLATE, case.template.as_str()));
                case.fields(config)
            }
            Work::Task(task) => {
                entries.extend(task.template.iter().map(|id| self.entry(kinds::TASK_TEMPLATE, id.as_str())));
                task.fields(config)
            }
        };
        entries.extend(fields.iter().map(|id| self.entry(kinds::FIELD, id.as_str())));
        entries.extend(item.assignment.queues.iter().map(|id| self.entry(kinds::QUEUE, id.as_str())));
        let agents = item.participants.iter().map(|participant| &participant.agent);
        entries.extend(agents.chain(&item.assignment.agent).map(|id| self.entry(kinds::AGENT, id.as_str())));
        let content = self.content(&entries);
        Shown { entries: entries.into_boxed_slice(), content }
    }

    /// Tells whether a document that showed something would show the same now.
    pub fn still_shows(&self, shown: &Shown) -> bool {
        self.content(&shown.entries) == shown.content
    }

    fn content(&self, entries: &[u64]) -> u64 {
        let content = |entry: &u64| self.by_entry.get(entry).copied();
        self.hasher.hash_one(entries.iter().map(content).collect::<Vec<Option<u64>>>())
    }
}

impl Shown {
    /// Gives how many bytes it takes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.entries) + size_of::<Self>()
    }
}
