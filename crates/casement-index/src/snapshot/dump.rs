//! Writing a snapshot, section by section.

use std::collections::VecDeque;

use super::{FORMAT, HEAD_BYTES, Kind, MAGIC, hash};
use crate::block::BLOCK;
use crate::engine::Engine;
use crate::layout::ColumnUse;
use crate::limits::SECTION_BYTES;

/// A snapshot that is being written.
#[derive(Debug)]
pub struct Dump {
    steps: VecDeque<Step>,
    /// The documents that each engine had at the beginning; later ones come from the log.
    documents: Vec<usize>,
    /// What is left of an order that was copied.
    order: VecDeque<u32>,
    place: u64,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// These bytes, a few megabytes at most.
    Bytes(Vec<u8>),
    /// What [`Dump::label`] gives.
    Label,
    /// Nothing: the snapshot is complete.
    Nothing,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    kind: Kind,
    engine: usize,
    /// A facet, column, order or text field.
    part: usize,
    /// The block, or the entry to begin with.
    from: usize,
}

impl Dump {
    /// Begins a snapshot of engines that have their words; gives its first bytes too. `label` is what holds now.
    pub fn begin(engines: &[&Engine], label: &[u8]) -> (Self, Vec<u8>) {
        let documents: Vec<usize> = engines.iter().map(|engine| engine.len()).collect();
        let mut own = Self { steps: VecDeque::new(), documents, order: VecDeque::new(), place: 0 };
        for (number, engine) in engines.iter().enumerate() {
            own.plan_lists(number, engine);
        }
        own.plan(Kind::Label, 0, 0);
        for (number, engine) in engines.iter().enumerate() {
            for field in 0..engine.layout.texts.len() {
                own.plan(Kind::TermLists, number, field);
                own.plan(Kind::Terms, number, field);
            }
        }
        own.plan(Kind::Label, 0, 0);
        let mut out = MAGIC.to_vec();
        out.extend(FORMAT.to_le_bytes());
        let mut header = Vec::new();
        put_bytes(&mut header, label);
        for (engine, documents) in engines.iter().zip(&own.documents) {
            put_text(&mut header, &engine.layout.description());
            put_number(&mut header, *documents as u64);
        }
        out.extend(own.section(Kind::Header, header));
        (own, out)
    }

    fn plan(&mut self, kind: Kind, engine: usize, part: usize) {
        self.steps.push_back(Step { kind, engine, part, from: 0 });
    }

    /// Combinations come after the documents that have them, and values after combinations: what is named is in the
    /// tables then, unless every document that had it has changed since.
    fn plan_lists(&mut self, number: usize, engine: &Engine) {
        let blocks = engine.len().div_ceil(BLOCK);
        let columns = engine.columns.len();
        let mut by_block = |kind, part| {
            let steps = (0..blocks).map(|from| Step { kind, engine: number, part, from });
            self.steps.extend(steps);
        };
        by_block(Kind::Ids, 0);
        by_block(Kind::Names, 0);
        (0..=columns).for_each(|part| by_block(Kind::Numbers, part));
        for facet in 0..engine.facets.len() {
            (0..blocks).for_each(|from| {
                self.steps.push_back(Step { kind: Kind::Chosen, engine: number, part: facet, from });
            });
            self.plan(Kind::Choices, number, facet);
            self.plan(Kind::Values, number, facet);
        }
        self.plan(Kind::Order, number, 0);
        self.plan(Kind::Order, number, 1);
        for (column, (_, used)) in engine.layout.columns.iter().enumerate() {
            match used {
                ColumnUse::Filtered => {}
                ColumnUse::Sorted => self.plan(Kind::Order, number, column + 2),
            }
        }
    }

    /// Gives the next bytes to be written. The engines may change between two calls, so a lock need not be held longer
    /// than one; they must be those of [`Dump::begin`], in their order.
    pub fn next(&mut self, engines: &[&Engine]) -> Next {
        let Some(step) = self.steps.pop_front() else { return Next::Nothing };
        let Some(engine) = engines.get(step.engine).filter(|_| step.kind != Kind::Label) else {
            self.steps.push_front(step);
            return Next::Label;
        };
        let mut content = Vec::with_capacity(SECTION_BYTES + SECTION_BYTES / 8);
        put_number(&mut content, step.engine as u64);
        put_number(&mut content, step.part as u64);
        if let Some(from) = self.write(step, engine, &mut content) {
            self.steps.push_front(Step { from, ..step });
        }
        Next::Bytes(self.section(step.kind, content))
    }

    /// Gives the bytes of a label that was asked for by [`Next::Label`]: what holds now.
    pub fn label(&mut self, label: &[u8]) -> Vec<u8> {
        self.steps.pop_front_if(|step| step.kind == Kind::Label);
        self.section(Kind::Label, label.to_vec())
    }

    fn section(&mut self, kind: Kind, content: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_BYTES + content.len());
        out.push(kind as u8);
        out.extend((content.len() as u64).to_le_bytes());
        out.extend(hash(self.place, kind as u8, &content));
        out.extend(content);
        self.place += 1;
        out
    }

    /// Writes a step; gives where it goes on when the section is full.
    fn write(&mut self, step: Step, engine: &Engine, out: &mut Vec<u8>) -> Option<usize> {
        let Step { kind, part, from, .. } = step;
        let documents = self.documents.get(step.engine).copied().unwrap_or_default();
        let in_block = documents.saturating_sub(from * BLOCK).min(BLOCK);
        match kind {
            Kind::Header | Kind::Label => None,
            Kind::Ids => {
                engine.ids.dump_block(from, in_block, out);
                None
            }
            Kind::Names => {
                engine.names.dump_block(from, in_block, out);
                None
            }
            Kind::Numbers => {
                let column =
                    part.checked_sub(1).map_or(Some(&engine.versions), |part| engine.columns.get(part));
                column?.dump_block(from, in_block, out);
                None
            }
            Kind::Chosen => {
                engine.facets.get(part)?.dump_block(from, in_block, out);
                None
            }
            Kind::Choices => {
                let own = engine.facets.get(part)?;
                let entries = own.dump_choices(from);
                let end = from
                    + put_some(out, entries, |out, values| {
                        put_number(out, values.len() as u64);
                        values.iter().for_each(|value| put_number(out, u64::from(*value)));
                    });
                (end < own.choices_len()).then_some(end)
            }
            Kind::Values => {
                let own = engine.facets.get(part)?;
                let end = from + put_some(out, own.dump_texts(from), put_text);
                (end < own.values_len()).then_some(end)
            }
            Kind::Order => {
                if from == 0 {
                    let order = match part {
                        0 => Some(&engine.id_order),
                        1 => Some(&engine.name_order),
                        _ => engine.columns.get(part - 2)?.order.as_ref(),
                    };
                    self.order = order.map(|order| order.dump().into()).unwrap_or_default();
                }
                let count = self.order.len().min(SECTION_BYTES / 4);
                self.order.drain(..count).for_each(|ordinal| out.extend(ordinal.to_le_bytes()));
                (!self.order.is_empty()).then_some(from + count)
            }
            Kind::TermLists => {
                let own = engine.terms.get(part)?;
                let lists = (from..documents).map(|ordinal| own.list_of(ordinal as u32).as_bytes());
                let end = from + put_some(out, lists, put_bytes);
                (end < documents).then_some(end)
            }
            Kind::Terms => {
                let own = engine.terms.get(part)?;
                let end = from + put_some(out, own.dump_texts(from), put_text);
                (end < own.terms_len()).then_some(end)
            }
        }
    }
}

/// Writes entries until the section is full; gives how many.
fn put_some<T>(out: &mut Vec<u8>, entries: impl Iterator<Item = T>, put: impl Fn(&mut Vec<u8>, T)) -> usize {
    let start = out.len();
    let mut count = 0;
    for entry in entries {
        put(out, entry);
        count += 1;
        if out.len() - start >= SECTION_BYTES {
            break;
        }
    }
    count
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}
