//! The index of a workspace: one engine for its cases, one for its tasks and one for the comments by which cases are found,
//! kept in the order of the log.
//!
//! [`entry`] says what an engine is told of a document, [`question`] what it is asked for a list. Both must agree with the
//! plain functions of the domain, which are the definition.

pub mod build;
pub mod entry;
pub mod kind;
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
use self::kind::Kind;
use self::layout::{ACTIVE, CASE, COMMENTED_CASE, DEADLINE, GOES_ON, NUMBER, OF_ACTIVE_CASE, YES};

/// The cases, tasks and comments of a workspace, deleted ones too.
#[derive(Debug)]
pub struct Index {
    /// Its cases.
    pub cases: Engine,
    /// Its tasks.
    pub tasks: Engine,
    /// The comments of its cases.
    pub comments: Engine,
    /// Comments that came before their case, by the case: another node's documents come in the order of their last change.
    /// Whoever has read the log to its end has none.
    waiting: BTreeMap<String, Vec<String>>,
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
        Self::of_engines(Kind::ALL.map(|kind| Engine::new(kind.layout())))
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
    /// Makes an index of its engines, in the order of [`Kind::ALL`].
    pub(crate) fn of_engines([cases, tasks, comments]: [Engine; 3]) -> Self {
        Self { cases, tasks, comments, waiting: BTreeMap::new(), sequence: 0, deadlines_by: None }
    }

    /// Takes a version of a case, task or comment. The tasks of a case follow whether it is deleted, and its comments which
    /// case it is among the cases, whichever comes first.
    ///
    /// # Errors
    /// There is no room for another document.
    pub fn apply(&mut self, entry: Entry, config: &Workspace) -> Result<(), ApplyError> {
        let Entry { kind, case, .. } = &entry;
        let (kind, case, is_purged) = (*kind, case.clone(), entry.is_purged());
        let (goes_on, absorbed) = entry.merges();
        let mut document = entry.document(config);
        match kind {
            Kind::Task | Kind::Comment if is_purged => {
                self.of_mut(kind).apply(&document)?;
            }
            Kind::Case => {
                let goes_on = goes_on.and_then(|goes_on| self.cases.ordinal(&goes_on));
                if let Some(value) = document.columns.get_mut(GOES_ON.0) {
                    *value = goes_on.map(i64::from);
                }
                if self.cases.apply(&document)? {
                    self.follow_case(&case);
                    self.lead_on(&case, &absorbed);
                }
            }
            Kind::Comment => {
                let of_case = self.cases.ordinal(&case).map(i64::from);
                if let Some(value) = document.columns.get_mut(COMMENTED_CASE.0) {
                    *value = of_case;
                }
                if self.comments.apply(&document)? && of_case.is_none() {
                    self.waiting.entry(case).or_default().push(document.id);
                }
            }
            Kind::Task => {
                let of_active = self.case_state(&case).is_some_and(|state| state.active);
                if let Some(values) = document.facets.get_mut(OF_ACTIVE_CASE.0) {
                    *values = if of_active { vec![YES.to_owned()] } else { Vec::new() };
                }
                self.tasks.apply(&document)?;
            }
        }
        Ok(())
    }

    /// Tells the cases that were merged into one where it is: they may have come before it.
    fn lead_on(&mut self, case: &str, absorbed: &[String]) {
        let goes_on = self.cases.ordinal(case).map(i64::from);
        for absorbed in absorbed {
            if let Some(absorbed) = self.cases.ordinal(absorbed) {
                self.cases.amend_column(absorbed, GOES_ON, goes_on);
            }
        }
    }

    /// Tells the tasks of a case whether it is deleted, and comments that came before it where it is.
    fn follow_case(&mut self, case: &str) {
        let is_active = self.case_state(case).is_some_and(|state| state.active);
        let values = if is_active { vec![YES.to_owned()] } else { Vec::new() };
        for task in self.tasks.with_value(CASE, case) {
            self.tasks.amend(task, OF_ACTIVE_CASE, &values);
        }
        if self.waiting.is_empty() {
            return;
        }
        let of_case = self.cases.ordinal(case).map(i64::from);
        for comment in self.waiting.remove(case).unwrap_or_default() {
            if let Some(comment) = self.comments.ordinal(&comment) {
                self.comments.amend_column(comment, COMMENTED_CASE, of_case);
            }
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
        self.engines_mut().into_iter().for_each(Engine::begin_bulk);
    }

    /// Ends a bulk; sorting a million documents takes seconds of one processor.
    pub fn finish_bulk(&mut self) {
        self.engines_mut().into_iter().for_each(Engine::finish_bulk);
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

    /// Gives what a list needs of a case; `None` also of a purged one.
    pub fn case_state(&self, case: &str) -> Option<CaseState> {
        let ordinal = self.cases.ordinal(case)?;
        let number = self.cases.value(ordinal, NUMBER)?;
        let active = !self.cases.values(ordinal, ACTIVE).is_empty();
        Some(CaseState { number: number.cast_unsigned(), active })
    }

    /// Makes an empty index whose words are made later.
    pub fn without_words() -> Self {
        Self::of_engines(Kind::ALL.map(|kind| Engine::without_words(kind.layout())))
    }

    /// Tells whether searches are answered.
    pub fn has_words(&self) -> bool {
        self.engines().into_iter().all(Engine::has_words)
    }

    /// Gives the engine of a kind.
    pub fn of_mut(&mut self, kind: impl Into<Kind>) -> &mut Engine {
        match kind.into() {
            Kind::Case => &mut self.cases,
            Kind::Task => &mut self.tasks,
            Kind::Comment => &mut self.comments,
        }
    }

    /// Gives the engine of a kind.
    pub fn of(&self, kind: impl Into<Kind>) -> &Engine {
        match kind.into() {
            Kind::Case => &self.cases,
            Kind::Task => &self.tasks,
            Kind::Comment => &self.comments,
        }
    }

    /// Gives all engines, in the order of [`Kind::ALL`].
    pub fn engines(&self) -> [&Engine; 3] {
        Kind::ALL.map(|kind| self.of(kind))
    }

    fn engines_mut(&mut self) -> [&mut Engine; 3] {
        [&mut self.cases, &mut self.tasks, &mut self.comments]
    }

    /// Gives what the parts of all engines take in memory together.
    pub fn bytes(&self) -> usize {
        self.engines().into_iter().flat_map(Engine::bytes).map(|part| part.bytes).sum()
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
