//! Filling a workspace with a sample: each command is decided by the domain's rules as of its own time and committed as a
//! set of its own, so that log and documents are those that requests would have made.
//!
//! The commands come from [`casement_sample`]. Nobody else may work on the store meanwhile: nothing is read from it, so no
//! decision is made twice.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use casement_domain::actor::Actor;
use casement_domain::case::Case;
use casement_domain::case::create::create_case;
use casement_domain::case::update::update_case;
use casement_domain::change::{Change, Record, RecordChange};
use casement_domain::customer::{Customer, Found};
use casement_domain::date::{Moment, Zone};
use casement_domain::fault::Faults;
use casement_domain::id::StreamId;
use casement_domain::item::due::breach;
use casement_domain::task::Task;
use casement_domain::task::update::update_task;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use casement_sample::configuration::configuration;
use casement_sample::sample::{Act, Deed, NewCase, Order, Sample, fresh_ids};
use casement_store::error::CommitError;
use casement_store::store::QueuedSet;

use crate::app::{App, Kept};
use crate::commit::{self, Reads, entries, write_set};
use crate::configuration::ConfigurationError;
use crate::configuration::apply::{Run, apply_command};
use crate::error::AppError;
use crate::limits;
use crate::sources::Sources;

/// What a sample shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleOrder {
    /// The workspace; `None` where there is one.
    pub stream: Option<String>,
    /// How many cases, at most [`limits::SAMPLE_CASES_MAX`].
    pub cases: u64,
    /// What decides all choices.
    pub seed: u64,
    /// When the four years end.
    pub until: Moment,
}

/// How far a sample is, and whether it shall end early. Shared with whoever shows it.
#[derive(Debug, Default)]
pub struct SampleCourse {
    cases: AtomicU64,
    stopped: AtomicBool,
}

impl SampleCourse {
    /// Gives how many cases are committed.
    pub fn cases(&self) -> u64 {
        self.cases.load(Ordering::Relaxed)
    }

    /// Ends the sample after what is queued.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Tells whether it shall end.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// What a sample came to; all of it is committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sampled {
    /// Cases made.
    pub cases: u64,
    /// Tasks made.
    pub tasks: u64,
    /// Customers made.
    pub customers: u64,
    /// Changes of documents after their making.
    pub changes: u64,
}

/// Why a sample ended early. What was committed before stays.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// There is no such workspace, or it can't take the configuration.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The number of cases is out of range.
    #[error("a sample has 1 to {} cases", limits::SAMPLE_CASES_MAX)]
    Cases,
    /// The workspace lacks something although the configuration was applied: it is switched off, or retired.
    #[error("the workspace lacks {0}, which a sample needs")]
    Missing(String),
    /// The store could not do it.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Gives the sources that a workspace for a sample is made with: its ids follow from the seed, and it is as old as its
/// cases. Secrets and salts are as random as those of `system`.
pub fn sample_sources(seed: u64, until: Moment, system: Sources) -> Sources {
    let start = Sample::start(until);
    let ids = Mutex::new(fresh_ids(seed, start));
    let next = move || {
        let next = ids.lock().unwrap_or_else(PoisonError::into_inner).next();
        next.expect("invariant: the source of ids does not end")
    };
    Sources::new(move || start, next, move || system.salt())
}

/// Adds to a workspace what the cases of a sample rely on: agents, queues, fields, templates. Changes nothing where it is
/// there.
///
/// # Errors
/// There is no such workspace, something in it has the same name and is different, or the store takes no writes.
pub async fn configure_sample(app: &App, stream: Option<&str>) -> Result<(), SampleError> {
    let workspace = app.configured_workspace(stream)?;
    apply_command(app, &workspace, &configuration(), Vec::new(), Run::Real).await?;
    Ok(())
}

/// Makes a sample in a workspace that [`configure_sample`] has prepared. A stopped one gives what was committed.
///
/// # Errors
/// The order is out of range, the workspace lacks something, or the store takes no writes.
pub async fn run_sample(
    app: &Arc<App>,
    order: &SampleOrder,
    course: &Arc<SampleCourse>,
) -> Result<Sampled, SampleError> {
    if order.cases == 0 || order.cases > limits::SAMPLE_CASES_MAX {
        return Err(SampleError::Cases);
    }
    let workspace = app.configured_workspace(order.stream.as_deref())?;
    let row = app.store().workspace(workspace.id()).await.map_err(AppError::from)?;
    let (app_id, actor) = app.sample_app(workspace.stream());
    let order = Order {
        cases: order.cases,
        seed: order.seed,
        events: row.map_or(0, |row| row.head),
        until: order.until,
        app: actor,
    };
    let config = workspace.config();
    let sample = Sample::new(&config, &order).map_err(|missing| SampleError::Missing(missing.0))?;
    let (keeps_index, indexed) = (app.keeps_index(), Arc::clone(&workspace));
    if keeps_index {
        // Nobody asks it meanwhile.
        indexed.index_mut().begin_bulk();
    }
    let (app, course) = (Arc::clone(app), Arc::clone(course));
    // A thread of its own: making commands and sets takes a whole processor.
    let making = tokio::task::spawn_blocking(move || {
        let app_id = app_id.as_str();
        let maker = Maker {
            app: &app,
            config: &config,
            app_id,
            course: &course,
            open: HashMap::new(),
            queued: VecDeque::new(),
            sampled: Sampled::default(),
        };
        maker.run(sample)
    });
    let made = making.await;
    if keeps_index {
        let finish = tokio::task::spawn_blocking(move || indexed.index_mut().finish_bulk());
        finish.await.map_err(|error| AppError::Failed(format!("the index was not finished: {error}")))?;
    }
    Ok(made.map_err(|error| AppError::Failed(format!("the sample ended early: {error}")))??)
}

impl App {
    /// Gives the app that requests of a sample come through: the first of the workspace, or the server itself.
    fn sample_app(&self, stream: &StreamId) -> (String, Actor) {
        let installation = self.installation();
        let apps = installation.apps.values().filter(|app| app.active && app.streams.contains(stream));
        let app = apps.min_by(|left, right| left.client_id.cmp(&right.client_id));
        app.map_or_else(|| (String::new(), Actor::server()), |app| (app.client_id.to_string(), app.actor()))
    }
}

/// A case that something is still to happen to, with its tasks in the order of their making.
#[derive(Debug)]
struct OpenCase {
    case: Versioned<Case>,
    tasks: Vec<Versioned<Task>>,
}

/// A set on its way.
#[derive(Debug)]
struct OnItsWay<'a> {
    set: QueuedSet,
    sampled: Sampled,
    _kept: Kept<'a>,
}

#[derive(Debug)]
struct Maker<'a> {
    app: &'a App,
    config: &'a Workspace,
    app_id: &'a str,
    course: &'a SampleCourse,
    open: HashMap<u64, OpenCase>,
    queued: VecDeque<OnItsWay<'a>>,
    sampled: Sampled,
}

impl Maker<'_> {
    fn run(mut self, sample: Sample) -> Result<Sampled, AppError> {
        for deed in sample {
            if self.course.is_stopped() {
                break;
            }
            if let Some(change) = self.decide(&deed)? {
                self.queue(&deed, &change)?;
                self.remember(&deed, change);
            }
            if deed.is_last {
                self.open.remove(&deed.case);
            }
            if self.queued.len() >= limits::SAMPLE_SETS_QUEUED {
                self.take_one()?;
            }
        }
        while !self.queued.is_empty() {
            self.take_one()?;
        }
        Ok(self.sampled)
    }

    /// Decides a command. `None`: it changes nothing.
    fn decide(&self, deed: &Deed) -> Result<Option<Change>, AppError> {
        let Deed { at, actor, case, act, .. } = deed;
        let ids = &mut deed.ids();
        let decided = match act {
            Act::CreateCase(new) => {
                let NewCase { command, known } = new.as_ref();
                let found = known.as_ref().map_or_else(Found::default, found);
                create_case(self.config, actor, command, &found, Zone::UTC, *at, ids).map(Some)
            }
            Act::UpdateCase(command) => {
                let OpenCase { case, tasks } = self.open_case(*case)?;
                let none = Found::default();
                update_case(self.config, actor, case, None, command, tasks, &none, Zone::UTC, *at, ids)
            }
            Act::UpdateTask(place, command) => {
                let open = self.open_case(*case)?;
                let (case, task) = (&open.case, open.task(*place)?);
                let none = Found::default();
                update_task(self.config, actor, task, None, case, &[], command, &none, Zone::UTC, *at, ids)
            }
            Act::BreachCase => {
                let before = &self.open_case(*case)?.case;
                let item = breach(&before.value.item, self.config, actor, *at);
                Ok(item.map(|item| {
                    let after = Record::Case(Case { item, ..before.value.clone() });
                    changed(before.clone().map(Record::Case), after, "case.breached")
                }))
            }
            Act::BreachTask(place) => {
                let before = self.open_case(*case)?.task(*place)?;
                let item = breach(&before.value.item, self.config, actor, *at);
                Ok(item.map(|item| {
                    let after = Record::Task(Task { item, ..before.value.clone() });
                    changed(before.clone().map(Record::Task), after, "task.breached")
                }))
            }
        };
        decided.map_err(|faults| refused(&faults))
    }

    fn open_case(&self, case: u64) -> Result<&OpenCase, AppError> {
        self.open.get(&case).ok_or_else(|| AppError::Failed(format!("case {case} of the sample is gone")))
    }

    /// Queues the set of a change.
    fn queue(&mut self, deed: &Deed, change: &Change) -> Result<(), AppError> {
        let (at, actor) = (deed.at, &deed.actor);
        let by_app = if actor.id == Actor::server().id { "" } else { self.app_id };
        let act = commit::Act::of_server(actor, by_app, at);
        let set = write_set(self.config, act, change, Reads::default(), self.app.sources())?;
        let entries = if self.app.keeps_index() { entries(change) } else { Vec::new() };
        let kept = self.app.prepared().keep(set.operation, entries);
        let set = self.app.store().queue(set).map_err(failed)?;
        self.queued.push_back(OnItsWay { set, sampled: Sampled::of(change), _kept: kept });
        Ok(())
    }

    /// Keeps what a change made of a case as long as something else happens to it.
    fn remember(&mut self, deed: &Deed, change: Change) {
        if deed.is_last {
            return;
        }
        for RecordChange { before, after, .. } in change.records {
            let version = before.map_or(0, |before| before.version) + 1;
            match after {
                Record::Case(value) => {
                    let case = Versioned { version, number: None, value };
                    match self.open.get_mut(&deed.case) {
                        Some(open) => open.case = case,
                        None => drop(self.open.insert(deed.case, OpenCase { case, tasks: Vec::new() })),
                    }
                }
                Record::Task(value) => {
                    let Some(open) = self.open.get_mut(&deed.case) else { continue };
                    let known = open.tasks.iter_mut().find(|task| task.value.id == value.id);
                    let task = Versioned { version, number: None, value };
                    match known {
                        Some(known) => *known = task,
                        None => open.tasks.push(task),
                    }
                }
                Record::Customer(_) | Record::Attachment(_) | Record::Usage(_) | Record::Comment(_) => {}
            }
        }
    }

    /// Waits for the oldest set.
    fn take_one(&mut self) -> Result<(), AppError> {
        let Some(OnItsWay { set, sampled, _kept }) = self.queued.pop_front() else { return Ok(()) };
        set.blocking_committed().map_err(failed)?;
        self.sampled.add(sampled);
        self.course.cases.store(self.sampled.cases, Ordering::Relaxed);
        Ok(())
    }
}

impl OpenCase {
    fn task(&self, place: usize) -> Result<&Versioned<Task>, AppError> {
        self.tasks.get(place).ok_or_else(|| AppError::Failed("a task of the sample is gone".to_owned()))
    }
}

impl Sampled {
    /// What one change comes to.
    fn of(change: &Change) -> Self {
        let mut sampled = Self::default();
        for record in &change.records {
            match (&record.before, &record.after) {
                (Some(_), _) => sampled.changes += 1,
                (None, Record::Case(_)) => sampled.cases += 1,
                (None, Record::Task(_)) => sampled.tasks += 1,
                (None, Record::Customer(_)) => sampled.customers += 1,
                (None, Record::Attachment(_) | Record::Usage(_) | Record::Comment(_)) => {}
            }
        }
        sampled
    }

    fn add(&mut self, other: Self) {
        let Self { cases, tasks, customers, changes } = other;
        self.cases += cases;
        self.tasks += tasks;
        self.customers += customers;
        self.changes += changes;
    }
}

fn changed(before: Versioned<Record>, after: Record, event: &'static str) -> Change {
    Change { records: vec![RecordChange { before: Some(before), after, event }] }
}

/// What looking for a customer of the sample would find: an earlier case made the profile, and nothing changed it.
fn found(customer: &Customer) -> Found {
    let profile = Versioned { version: 1, number: None, value: customer.clone() };
    Found {
        by_id: None,
        by_email: customer.email.is_some().then(|| profile.clone()),
        by_phone: customer.phone.is_some().then_some(profile),
    }
}

fn refused(faults: &Faults) -> AppError {
    let messages: Vec<String> =
        faults.list().iter().map(|fault| format!("{:?} {}", fault.key, fault.message)).collect();
    AppError::Failed(format!("a command of the sample was refused: {}", messages.join("; ")))
}

fn failed(error: CommitError) -> AppError {
    let missed =
        || AppError::Failed("somebody else works on the store, or holds an address of the sample".to_owned());
    AppError::of_commit(error).unwrap_or_else(missed)
}
