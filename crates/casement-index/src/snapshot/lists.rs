//! The lists of a snapshot: parts of engines, made of their sections side by side.

use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};

use super::Kind;
use super::section::Section;
use crate::column::{self, Column, NONE};
use crate::engine::{Engine, compare_names};
use crate::facet::{ChoiceId, Facet, ValueId};
use crate::layout::{ColumnUse, Layout};
use crate::lookup::Lookup;
use crate::order::Order;
use crate::strings::Strings;

/// The sections of one part.
pub struct Job {
    pub engine: usize,
    pub what: What,
    pub sections: Vec<Section>,
}

/// What a part is; facet and column by number. Column 0 stands for the versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Ids,
    Names,
    Column(usize),
    Facet(usize),
    Order(usize),
}

impl What {
    /// Tells which part of an engine sections of a kind belong to.
    pub fn of(kind: Kind, part: usize) -> Option<Self> {
        match kind {
            Kind::Ids => Some(Self::Ids),
            Kind::Names => Some(Self::Names),
            Kind::Numbers => Some(Self::Column(part)),
            Kind::Chosen | Kind::Choices | Kind::Values => Some(Self::Facet(part)),
            Kind::Order => Some(Self::Order(part)),
            Kind::Header | Kind::Label | Kind::TermLists | Kind::Terms => None,
        }
    }
}

/// A part that was made.
pub enum Made {
    Ids(Strings, Lookup),
    Names(Strings),
    Column(usize, Column),
    Facet(usize, Facet),
    /// Not made yet: it needs the other parts.
    Order(usize, Vec<Section>),
}

/// The parts that one worker made, each with the number of its engine; `None` where one is not what was written.
pub type Share = Vec<(usize, Option<Made>)>;

/// An order with its number; `None` where the layout asks for none.
type Placed = (usize, Option<Order>);

/// Makes parts as their sections come.
pub fn make_all(jobs: &Mutex<Receiver<Job>>, documents: &[usize]) -> Share {
    let mut made = Vec::new();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return made };
        let documents = documents.get(job.engine).copied().unwrap_or_default();
        made.push((job.engine, make(job, documents)));
    }
}

fn make(job: Job, documents: usize) -> Option<Made> {
    let sections = job.sections;
    let (made, len) = match job.what {
        What::Ids => {
            let ids = strings(&sections)?;
            let mut lookup = Lookup::with_room(ids.len());
            for ordinal in 0..ids.len() as u32 {
                lookup.insert(lookup.hash(ids.get(ordinal)), ordinal);
            }
            let len = ids.len();
            (Made::Ids(ids, lookup), len)
        }
        What::Names => {
            let names = strings(&sections)?;
            let len = names.len();
            (Made::Names(names), len)
        }
        What::Column(part) => {
            let mut column = Column::default();
            for section in &sections {
                column.restore(section.checked()?.0)?;
            }
            let len = column.len();
            (Made::Column(part, column), len)
        }
        What::Facet(part) => {
            let facet = facet(&sections)?;
            let len = facet.len();
            (Made::Facet(part, facet), len)
        }
        What::Order(part) => return Some(Made::Order(part, sections)),
    };
    (len == documents).then_some(made)
}

fn strings(sections: &[Section]) -> Option<Strings> {
    let mut strings = Strings::default();
    for section in sections {
        strings.restore_block(section.checked()?.0)?;
    }
    Some(strings)
}

fn facet(sections: &[Section]) -> Option<Facet> {
    let mut chosen: Vec<ChoiceId> = Vec::new();
    let mut choices: Vec<Vec<ValueId>> = Vec::new();
    let mut texts: Vec<&str> = Vec::new();
    for section in sections {
        let mut bytes = section.checked()?;
        match section.kind {
            Kind::Chosen => chosen.extend(bytes.ordinals()?),
            Kind::Choices => {
                while !bytes.0.is_empty() {
                    let count = bytes.size()?;
                    choices.push((0..count).map(|_| bytes.small()).collect::<Option<Vec<ValueId>>>()?);
                }
            }
            Kind::Values => {
                while !bytes.0.is_empty() {
                    texts.push(bytes.text()?);
                }
            }
            Kind::Header
            | Kind::Ids
            | Kind::Names
            | Kind::Numbers
            | Kind::Order
            | Kind::Label
            | Kind::TermLists
            | Kind::Terms => return None,
        }
    }
    Facet::restore(&texts, &choices, chosen.into_iter())
}

/// Puts the parts of one engine together. `changed` names the documents that are applied again: what their sections say
/// may be of different moments, so they are put in their places in the orders anew.
pub fn assemble(layout: Layout, parts: Vec<Made>, changed: &[String]) -> Option<Engine> {
    let mut engine = Engine::without_words(layout);
    let mut columns: Vec<Option<Column>> = (0..engine.columns.len()).map(|_| None).collect();
    let mut facets: Vec<Option<Facet>> = (0..engine.facets.len()).map(|_| None).collect();
    let mut orders: Vec<Vec<Section>> = (0..engine.columns.len() + 2).map(|_| Vec::new()).collect();
    for part in parts {
        match part {
            Made::Ids(ids, lookup) => (engine.ids, engine.ordinals) = (ids, lookup),
            Made::Names(names) => engine.names = names,
            Made::Column(0, versions) => engine.versions = versions,
            Made::Column(part, column) => *columns.get_mut(part - 1)? = Some(column),
            Made::Facet(part, facet) => *facets.get_mut(part)? = Some(facet),
            Made::Order(part, sections) => *orders.get_mut(part)? = sections,
        }
    }
    let documents = engine.ids.len();
    if documents > 0 {
        engine.columns = columns.into_iter().collect::<Option<Vec<Column>>>()?;
    }
    engine.facets = facets.into_iter().collect::<Option<Vec<Facet>>>()?;
    let mut moved: Vec<u32> = changed.iter().filter_map(|id| engine.ordinal(id)).collect();
    moved.sort_unstable();
    moved.dedup();
    // Their values may be of several versions: whatever is applied is newer.
    moved.iter().for_each(|ordinal| engine.versions.set(*ordinal, 0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let numbered: Vec<(usize, Vec<Section>)> = orders.into_iter().enumerate().collect();
    let made: Option<Vec<Vec<Placed>>> = std::thread::scope(|scope| {
        let shares = numbered.chunks(numbered.len().div_ceil(threads).max(1));
        let workers: Vec<_> = shares
            .map(|share| {
                let (engine, moved) = (&engine, &moved);
                scope.spawn(move || {
                    let orders = share
                        .iter()
                        .map(|(part, sections)| Some((*part, order_of(engine, *part, sections, moved)?)));
                    orders.collect::<Option<Vec<Placed>>>()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().ok().flatten()).collect()
    });
    for (part, order) in made?.into_iter().flatten() {
        match part {
            0 => engine.id_order = order?,
            1 => engine.name_order = order?,
            _ => engine.columns.get_mut(part - 2)?.order = order,
        }
    }
    Some(engine)
}

/// Makes an order; `Some(None)` where the layout asks for none.
#[expect(clippy::option_option, reason = "damage and absence are two things")]
fn order_of(engine: &Engine, part: usize, sections: &[Section], moved: &[u32]) -> Option<Option<Order>> {
    let documents = engine.ids.len();
    let column = match part.checked_sub(2) {
        None => None,
        Some(number) => match engine.layout.columns.get(number)? {
            (_, ColumnUse::Filtered) => return sections.is_empty().then_some(None),
            (_, ColumnUse::Sorted) => Some(engine.columns.get(number)?),
        },
    };
    let mut seen = vec![0_u64; documents.div_ceil(64)];
    moved.iter().for_each(|ordinal| seen[*ordinal as usize / 64] |= 1 << (ordinal % 64));
    let mut kept: Vec<u32> = Vec::with_capacity(documents);
    for section in sections {
        for ordinal in section.checked()?.ordinals()? {
            // Documents that came while the snapshot was written come from the log.
            let Some(word) = seen.get_mut(ordinal as usize / 64).filter(|_| (ordinal as usize) < documents)
            else {
                continue;
            };
            if *word >> (ordinal % 64) & 1 == 0 {
                *word |= 1 << (ordinal % 64);
                kept.push(ordinal);
            }
        }
    }
    let mut order = Order::of(&kept);
    let (ids, names) = (&engine.ids, &engine.names);
    for ordinal in moved.iter().copied() {
        match (part, column) {
            (0, _) => order.insert(ordinal, |other| ids.get(other).cmp(ids.get(ordinal))),
            (1, _) => order.insert(ordinal, |other| compare_names(names, ids, other, ordinal)),
            (_, Some(column)) if column.get(ordinal) != NONE => {
                order.insert(ordinal, |other| column::compare(column, ids, other, ordinal));
            }
            (_, Some(_) | None) => {}
        }
    }
    let expected = column.map_or(documents, |column| documents - column.missing.len());
    (order.len() == expected).then_some(Some(order))
}
