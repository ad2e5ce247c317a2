//! The commands of a sample in the order of time.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::iter::Peekable;

use casement_domain::actor::Actor;
use casement_domain::case::create::CreateCase;
use casement_domain::case::update::UpdateCase;
use casement_domain::customer::{Customer, CustomerInput};
use casement_domain::date::{DateInput, Moment};
use casement_domain::given::Given;
use casement_domain::item::input::{AssigneeInput, FieldInput, ItemInput, UpdateInput};
use casement_domain::task::update::UpdateTask;
use casement_domain::workspace::entries::Category;
use casement_domain::workspace::{Reference, Workspace};
use serde_json::{Value, json};

use crate::calendar::{self, Calendar};
use crate::configuration::{
    AMOUNT, ESCALATED, ORDER, PRODUCT, PRODUCTS, REGION, REGIONS, TEMPLATES, Template,
};
use crate::customers::{Customers, Person, time_ordered};
use crate::dice::Dice;
use crate::entries::{Entries, Missing};
use crate::life::{Life, Step};
use crate::prose::Topic;
use crate::words::Lexicon;

/// How many in a thousand cases come from somebody who never asked before.
const NEW_CUSTOMERS: u64 = 200;
/// The customers who ask more often than others.
const FREQUENT_CUSTOMERS: u64 = 2_000;

/// Where cases come from.
const SOURCES: [(u64, &str); 7] = [
    (34, "email"),
    (22, "rtm"),
    (16, "phone"),
    (14, "whatsapp"),
    (9, "webform"),
    (3, "instagram"),
    (2, "walk-in"),
];

/// Urgencies, the least first.
const URGENCIES: [(u64, usize); 4] = [(22, 0), (55, 1), (17, 2), (6, 3)];

/// Tags, the most frequent first.
const TAGS: [&str; 30] = [
    "first-contact",
    "shipping",
    "invoice",
    "warranty",
    "vip",
    "follow-up",
    "hardware",
    "login",
    "refund",
    "b2b",
    "return",
    "firmware",
    "damaged",
    "late",
    "contract",
    "spare-part",
    "price",
    "newsletter",
    "legal",
    "partner",
    "outage",
    "upgrade",
    "training",
    "feedback",
    "migration",
    "trial",
    "renewal",
    "fraud",
    "press",
    "accessibility",
];

/// What a sample is made of.
#[derive(Debug, Clone)]
pub struct Order {
    /// How many cases.
    pub cases: u64,
    /// What decides all choices.
    pub seed: u64,
    /// How many events the workspace has: no two samples of it give the same ids and addresses.
    pub events: u64,
    /// Nothing happens at this moment or later; the first case is made up to four years before it.
    pub until: Moment,
    /// Who acts where no agent does.
    pub app: Actor,
}

/// One command with its time.
#[derive(Debug)]
pub struct Deed {
    /// When.
    pub at: Moment,
    /// The case by its place in the sample.
    pub case: u64,
    /// Who.
    pub actor: Actor,
    /// What.
    pub act: Act,
    /// Whether nothing else happens to the case.
    pub is_last: bool,
    customer: Option<u128>,
    dice: Dice,
}

/// Gives the ids of what a sample's workspace begins with, without end.
pub fn fresh_ids(seed: u64, at: Moment) -> impl Iterator<Item = u128> + Send {
    let mut dice = Dice::new(seed, u64::MAX);
    std::iter::repeat_with(move || time_ordered(at, &mut dice))
}

/// What is done.
#[derive(Debug)]
pub enum Act {
    /// A case is made, with the tasks of its template.
    CreateCase(Box<NewCase>),
    /// A case is changed.
    UpdateCase(Box<UpdateCase>),
    /// The task at a place of its case is changed.
    UpdateTask(usize, Box<UpdateTask>),
    /// The due date of a case has passed.
    BreachCase,
    /// The due date of the task at a place has passed.
    BreachTask(usize),
}

/// A case to be made.
#[derive(Debug)]
pub struct NewCase {
    /// The command.
    pub command: CreateCase,
    /// The customer's profile where an earlier case of the sample has made it.
    pub known: Option<Customer>,
}

impl Deed {
    /// Gives ids for what the command makes, without end.
    pub fn ids(&self) -> impl Iterator<Item = u128> + use<> {
        let (at, mut dice) = (self.at, self.dice.clone());
        self.customer.into_iter().chain(std::iter::repeat_with(move || time_ordered(at, &mut dice)))
    }
}

/// A step that is to come.
#[derive(Debug)]
struct Later {
    at: Moment,
    case: u64,
    place: usize,
    step: Step,
    is_last: bool,
    owner: usize,
    lexicon: &'static Lexicon,
}

impl Later {
    fn key(&self) -> (Moment, u64, usize) {
        (self.at, self.case, self.place)
    }
}

impl PartialEq for Later {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Later {}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Later {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// Gives the commands of a sample, in the order of their times. What it keeps is what is to come for the cases that are
/// being worked on: some thousands for each million.
#[derive(Debug)]
pub struct Sample {
    entries: Entries,
    customers: Customers,
    calendar: Peekable<Calendar>,
    dice: Dice,
    app: Actor,
    until: Moment,
    later: BinaryHeap<Reverse<Later>>,
    cases: u64,
    people: u64,
}

impl Sample {
    /// Begins a sample of a workspace that has what [`crate::configuration::configuration`] asks for.
    ///
    /// # Errors
    /// It lacks something.
    pub fn new(workspace: &Workspace, order: &Order) -> Result<Self, Missing> {
        let Order { cases, seed, events, until, app } = order;
        let mut mixed = Dice::new(*seed, *events);
        let seed = mixed.below(u64::MAX);
        Ok(Self {
            entries: Entries::of(workspace)?,
            customers: Customers::new(seed, *events, calendar::start(*until)),
            calendar: Calendar::new(seed, *cases, *until).peekable(),
            dice: Dice::new(seed, 0),
            app: app.clone(),
            until: *until,
            later: BinaryHeap::new(),
            cases: 0,
            people: 0,
        })
    }

    /// Gives the moment at which the history of a sample begins.
    pub fn start(until: Moment) -> Moment {
        calendar::start(until)
    }

    /// Picks the customer of the next case; tells whether an earlier case has made the profile.
    fn customer(&mut self) -> (Person, bool) {
        if self.people == 0 || self.dice.hits(NEW_CUSTOMERS) {
            self.people += 1;
            return (self.customers.person(self.people - 1), false);
        }
        let number = if self.dice.hits(300) {
            self.dice.skewed(self.people.min(FREQUENT_CUSTOMERS))
        } else {
            self.people - 1 - self.dice.skewed(self.people)
        };
        (self.customers.person(number), true)
    }

    fn create(&mut self, at: Moment) -> Deed {
        let case = self.cases;
        self.cases += 1;
        let (Person { bits, profile, lexicon }, is_known) = self.customer();
        let dice = &mut self.dice;
        let urgency = dice.weighed(&URGENCIES).unwrap_or(1);
        let life = Life::new(at, self.until, urgency, dice);
        let template = template(life.is_logged, dice);
        let life = life.with_tasks(template, at, self.until, dice);
        let owner = usize::try_from(dice.skewed(crate::configuration::AGENTS as u64)).unwrap_or_default();
        let topic = Topic::new(lexicon, dice);
        let item = new_item(&self.entries, &life, template, &topic, urgency, owner, &profile, dice);
        let command = CreateCase {
            template: Given::Value(template.name.to_owned()),
            language: Given::Value(lexicon.language.to_owned()),
            item,
            ..CreateCase::default()
        };
        let by_agent = self.entries.workers.get(owner).filter(|_| dice.hits(550));
        let actor = by_agent.map_or_else(|| self.app.clone(), |worker| worker.actor.clone());
        let last = life.steps.len().checked_sub(1);
        for (place, (at, step)) in life.steps.iter().copied().enumerate() {
            let is_last = Some(place) == last;
            self.later.push(Reverse(Later { at, case, place, step, is_last, owner, lexicon }));
        }
        Deed {
            at,
            case,
            actor,
            act: Act::CreateCase(Box::new(NewCase { command, known: is_known.then_some(profile) })),
            is_last: last.is_none(),
            customer: Some(bits),
            dice: Dice::new(dice.below(u64::MAX), case),
        }
    }

    fn change(&mut self, later: Later) -> Deed {
        let Later { at, case, step, is_last, owner, lexicon, .. } = later;
        let dice = &mut self.dice;
        let entries = &self.entries;
        let worker = entries.workers.get(owner);
        let status =
            |category, dice: &mut Dice| entries.status(category, dice).map_or(Given::Absent, Given::Value);
        let assignee = worker.map_or(Given::Absent, |worker| {
            Given::Value(Some(AssigneeInput::Profile(worker.profile.clone())))
        });
        let mut input = UpdateInput::default();
        match step {
            Step::Take => {
                input.item.status = status(Category::InProgress, dice);
                input.item.assignee = assignee;
            }
            Step::Wait => {
                input.item.status = status(Category::OnHold, dice);
            }
            Step::Note => {
                input.item.tags = Given::Value(tags(2, dice));
                input.item.priority = entries.priorities.last().cloned().map_or(Given::Absent, Given::Value);
            }
            Step::Resolve => {
                input.item.status = status(Category::Resolved, dice);
                input.item.assignee = assignee;
                if dice.hits(300) {
                    let remark = Topic::new(lexicon, dice).remark(dice);
                    input.resolution_comments = Given::Value(vec![Value::String(remark)]);
                }
            }
            Step::Reopen => input.item.status = status(Category::Open, dice),
            Step::Delete => input.active = Given::Value(false),
            Step::ResolveTask(_) => {
                input.item.status = status(Category::Resolved, dice);
                input.item.assignee = assignee;
            }
            Step::Breach | Step::BreachTask(_) => {}
        }
        let act = match step {
            Step::Take | Step::Wait | Step::Note | Step::Resolve | Step::Reopen | Step::Delete => {
                Act::UpdateCase(Box::new(UpdateCase { input, ..UpdateCase::default() }))
            }
            Step::ResolveTask(place) => {
                Act::UpdateTask(place, Box::new(UpdateTask { input, ..UpdateTask::default() }))
            }
            Step::Breach => Act::BreachCase,
            Step::BreachTask(place) => Act::BreachTask(place),
        };
        let actor = match (&act, worker) {
            (Act::BreachCase | Act::BreachTask(_), _) => Actor::server(),
            (Act::CreateCase(_) | Act::UpdateCase(_) | Act::UpdateTask(..), Some(worker)) => {
                worker.actor.clone()
            }
            (Act::CreateCase(_) | Act::UpdateCase(_) | Act::UpdateTask(..), None) => self.app.clone(),
        };
        Deed { at, case, actor, act, is_last, customer: None, dice: Dice::new(case, at.ms().unsigned_abs()) }
    }
}

impl Iterator for Sample {
    type Item = Deed;

    fn next(&mut self) -> Option<Deed> {
        let created = self.calendar.peek().copied();
        let is_later_first =
            |Reverse(later): &Reverse<Later>| created.is_none_or(|created| later.at <= created);
        if self.later.peek().is_some_and(is_later_first) {
            let Reverse(later) = self.later.pop()?;
            return Some(self.change(later));
        }
        let at = self.calendar.next()?;
        Some(self.create(at))
    }
}

/// Picks the template: what is written down when all is done makes no tasks.
fn template(is_logged: bool, dice: &mut Dice) -> &'static Template {
    let [question, delivery, complaint, repair, onboarding] = &TEMPLATES;
    let table: [(u64, &'static Template); 5] = if is_logged {
        [(70, question), (30, delivery), (0, complaint), (0, repair), (0, onboarding)]
    } else {
        [(15, question), (15, delivery), (20, complaint), (25, repair), (25, onboarding)]
    };
    dice.weighed(&table).unwrap_or(question)
}

#[expect(clippy::too_many_arguments, reason = "a case is about many things")]
fn new_item(
    entries: &Entries,
    life: &Life,
    template: &Template,
    topic: &Topic,
    urgency: usize,
    owner: usize,
    customer: &Customer,
    dice: &mut Dice,
) -> ItemInput {
    let category = if life.is_logged {
        dice.weighed(&[(62, Category::Closed), (38, Category::Resolved)])
    } else {
        dice.weighed(&[(80, Category::Open), (20, Category::InProgress)])
    };
    let status = entries.status(category.unwrap_or(Category::Open), dice);
    let priority = entries.priorities.get(urgency * entries.priorities.len() / URGENCIES.len());
    let is_assigned = dice.hits(if life.is_logged { 920 } else { 450 });
    let assignee = entries.workers.get(owner).filter(|_| is_assigned);
    let source = dice.weighed(&SOURCES).unwrap_or_default();
    let mut channels = vec![source.to_owned()];
    if dice.hits(80) {
        channels.extend(dice.weighed(&SOURCES).filter(|second| *second != source).map(str::to_owned));
    }
    let count = dice.weighed(&[(45, 0), (35, 1), (15, 2), (5, 3)]).unwrap_or_default();
    ItemInput {
        name: Given::Value(topic.title(dice)),
        description: Given::Value(topic.message(dice)),
        tags: Given::Value(tags(count, dice)),
        customer: Given::Value(CustomerInput {
            id: None,
            name: Some(customer.name.clone()),
            email: customer.email.clone(),
            phone: customer.phone.clone(),
        }),
        status: status.map_or(Given::Absent, Given::Value),
        priority: priority.cloned().map_or(Given::Absent, Given::Value),
        source: Given::Value(source.to_owned()),
        fields: Given::Value(fields(template, topic, dice)),
        queues: Given::Value(queues(entries, dice)),
        assignee: assignee.map_or(Given::Absent, |worker| {
            Given::Value(Some(AssigneeInput::Profile(worker.profile.clone())))
        }),
        due: Given::Value(DateInput::Instant(life.due)),
        channels: Given::Value(channels),
        ..ItemInput::default()
    }
}

fn tags(count: usize, dice: &mut Dice) -> Vec<String> {
    let mut tags: Vec<String> = Vec::with_capacity(count);
    for _ in 0..count {
        let tag = dice.pick_skewed(&TAGS).copied().unwrap_or_default();
        if tags.iter().all(|other| other != tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

fn queues(entries: &Entries, dice: &mut Dice) -> Vec<Reference> {
    let mut queues: Vec<Reference> = Vec::new();
    for _ in 0..dice.weighed(&[(12, 0), (84, 1), (4, 2)]).unwrap_or_default() {
        let queue = dice.pick_skewed(&entries.queues);
        queues.extend(queue.filter(|queue| !queues.contains(queue)).cloned());
    }
    queues
}

fn fields(template: &Template, topic: &Topic, dice: &mut Dice) -> Vec<FieldInput> {
    let mut fields = Vec::with_capacity(template.fields.len());
    for name in template.fields {
        let value = match *name {
            PRODUCT => dice.pick_skewed(&PRODUCTS).map(|product| json!(product)),
            REGION => dice.pick(&REGIONS).map(|region| json!(region)),
            ORDER => Some(json!(topic.order)),
            AMOUNT => Some(json!(dice.between(5, 900))),
            ESCALATED => Some(json!(dice.hits(150))),
            _ => None,
        };
        if let Some(value) = value.filter(|_| dice.hits(850)) {
            fields
                .push(FieldInput { field: Reference::Name((*name).to_owned()), value: Given::Value(value) });
        }
    }
    fields
}
