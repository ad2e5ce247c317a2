//! The index of a workspace: one engine for its cases and one for its tasks, kept in the order of the log.
//!
//! [`entry`] says what an engine is told of a document, [`question`] what it is asked for a list. Both must agree with the
//! plain functions of the domain, which are the definition.

pub mod build;
pub mod entry;
pub mod layout;
pub mod progress;
pub mod question;
pub mod snapshot;
mod words;

use std::collections::BTreeMap;

use casement_domain::date::Moment;
use casement_domain::list::filter::CaseState;
use casement_domain::workspace::Workspace;
use casement_index::engine::{ApplyError, Engine};
use casement_index::query::{Condition, Direction, Query, Sort, Span};
use casement_wire::spelling::Noun;

use self::entry::Entry;
use self::layout::{ACTIVE, CASE, DEADLINE, NUMBER, OF_ACTIVE_CASE, YES, layout};

/// The cases and tasks of a workspace, deleted ones too.
#[derive(Debug)]
pub struct Index {
    /// Its cases.
    pub cases: Engine,
    /// Its tasks.
    pub tasks: Engine,
    /// The sequence number up to which the log is in it.
    pub sequence: u64,
    /// Of each status whether it means that work is over, as of which all deadlines were worked out; `None`: that changed
    /// in between.
    pub deadlines_by: Option<BTreeMap<String, bool>>,
}

/// A document whose due date has passed while it was unresolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whether it is a case or a task.
    pub noun: Noun,
    /// Its id.
    pub id: String,
    /// The case: itself, or the one that the task belongs to.
    pub case: String,
}

impl Default for Index {
    fn default() -> Self {
        let [cases, tasks] = [layout(), layout()].map(Engine::new);
        Self { cases, tasks, sequence: 0, deadlines_by: None }
    }
}

/// Tells of each status whether it means that work is over: what deadlines depend on beside their document.
pub fn over_statuses(config: &Workspace) -> BTreeMap<String, bool> {
    let over = config.statuses.iter().map(|status| (status.id.to_string(), status.category.is_over()));
    over.collect()
}

/// Tells whether deadlines of the former statuses are those of the present ones. A status that was added since changes
/// none.
pub fn keeps_deadlines(former: &BTreeMap<String, bool>, present: &BTreeMap<String, bool>) -> bool {
    former.iter().all(|(id, is_over)| present.get(id) == Some(is_over))
}

impl Index {
    /// Takes a version of a case or task. The tasks of a case follow whether it is deleted, whichever comes first.
    ///
    /// # Errors
    /// There is no room for another document.
    pub fn apply(&mut self, entry: Entry, config: &Workspace) -> Result<(), ApplyError> {
        let Entry { noun, case, .. } = &entry;
        let (noun, case) = (*noun, case.clone());
        let mut document = entry.document(config);
        match noun {
            Noun::Case => {
                if self.cases.apply(&document)? {
                    self.follow_case(&case);
                }
            }
            Noun::Task => {
                let of_active = self.case_state(&case).is_some_and(|state| state.active);
                if let Some(values) = document.facets.get_mut(OF_ACTIVE_CASE.0) {
                    *values = if of_active { vec![YES.to_owned()] } else { Vec::new() };
                }
                self.tasks.apply(&document)?;
            }
        }
        Ok(())
    }

    /// Tells the tasks of a case whether it is deleted.
    fn follow_case(&mut self, case: &str) {
        let is_active = self.case_state(case).is_some_and(|state| state.active);
        let values = if is_active { vec![YES.to_owned()] } else { Vec::new() };
        for task in self.tasks.with_value(CASE, case) {
            self.tasks.amend(task, OF_ACTIVE_CASE, &values);
        }
    }

    /// Notes the statuses of a changed configuration: deadlines may have been worked out by others.
    pub fn take_statuses(&mut self, config: &Workspace) {
        let present = over_statuses(config);
        let former = self.deadlines_by.take();
        self.deadlines_by = former.filter(|former| keeps_deadlines(former, &present)).map(|_| present);
    }

    /// Begins a bulk of documents: until [`Index::finish_bulk`] lists find too little.
    pub fn begin_bulk(&mut self) {
        self.cases.begin_bulk();
        self.tasks.begin_bulk();
    }

    /// Ends a bulk; sorting a million documents takes seconds of one processor.
    pub fn finish_bulk(&mut self) {
        self.cases.finish_bulk();
        self.tasks.finish_bulk();
    }

    /// Gives the id of the document with a number, deleted or not.
    pub fn numbered(&self, noun: Noun, number: u64) -> Option<String> {
        let number = number.cast_signed();
        let query = Query {
            condition: Condition::Within(NUMBER, Span { low: number, high: number }),
            words: Vec::new(),
            sort: Sort::Keys(Vec::new(), Direction::Ascending),
            skip: 0,
            after: None,
            limit: 1,
        };
        let page = self.of(noun).page(&query).ok()?;
        page.found.into_iter().next().map(|found| found.id)
    }

    /// Gives what a list needs of a case.
    pub fn case_state(&self, case: &str) -> Option<CaseState> {
        let ordinal = self.cases.ordinal(case)?;
        let number = self.cases.value(ordinal, NUMBER).unwrap_or_default();
        let active = !self.cases.values(ordinal, ACTIVE).is_empty();
        Some(CaseState { number: number.cast_unsigned(), active })
    }

    /// Makes an empty index whose words are made later.
    pub fn without_words() -> Self {
        let [cases, tasks] = [layout(), layout()].map(Engine::without_words);
        Self { cases, tasks, ..Self::default() }
    }

    /// Tells whether searches are answered.
    pub fn has_words(&self) -> bool {
        self.cases.has_words() && self.tasks.has_words()
    }

    /// Gives the engine of a kind.
    pub fn of_mut(&mut self, noun: Noun) -> &mut Engine {
        match noun {
            Noun::Case => &mut self.cases,
            Noun::Task => &mut self.tasks,
        }
    }

    /// Gives the engine of a kind.
    pub fn of(&self, noun: Noun) -> &Engine {
        match noun {
            Noun::Case => &self.cases,
            Noun::Task => &self.tasks,
        }
    }

    /// Gives the documents of a kind whose due date passed before a moment, earliest first, at most `limit`.
    pub fn due_before(&self, noun: Noun, moment: Moment, limit: usize) -> Vec<Due> {
        let engine = self.of(noun);
        let due = engine.earliest(DEADLINE, moment.ms(), limit).into_iter().map(|found| {
            let case = match noun {
                Noun::Case => found.id.clone(),
                Noun::Task => {
                    let ordinal = engine.ordinal(&found.id);
                    let cases = ordinal.map(|ordinal| engine.values(ordinal, CASE)).unwrap_or_default();
                    cases.first().map(|case| (*case).to_owned()).unwrap_or_default()
                }
            };
            Due { noun, id: found.id, case }
        });
        due.collect()
    }
}
