//! Conditions, answered block by block: bitmaps first, numbers and names only where they are still needed.

use std::cell::OnceCell;

use memchr::memmem::Finder;

use crate::block::{self, BLOCK, Bits};
use crate::column::{Column, Lie, NONE, Span};
use crate::engine::Engine;
use crate::limits::{CONDITION_DEPTH_MAX, SPARSE_MAX};
use crate::matches::Matches;
use crate::query::{Condition, QueryError};
use crate::set::Set;

/// What it takes, roughly, in nanoseconds: to test one bit and set another in turn.
const NS_PER_MEMBER: u64 = 2;
/// To compare all values of a block with a span.
const NS_PER_BLOCK: u64 = 45_000;

/// A condition with its values looked up.
pub enum Node<'a> {
    All,
    Nothing,
    Sets(Vec<&'a Set>),
    Ready(Matches),
    Range(Range<'a>),
    Name(Box<Finder<'static>>),
    Not(Box<Node<'a>>),
    And(Vec<Node<'a>>),
    Or(Vec<Node<'a>>),
}

/// A span of a column.
pub struct Range<'a> {
    column: &'a Column,
    span: Span,
    /// The documents in the span, where they are cheaper to list than to test.
    listed: OnceCell<Option<Matches>>,
}

/// Looks the values of a condition up.
pub fn node<'a>(engine: &'a Engine, condition: &Condition, depth: usize) -> Result<Node<'a>, QueryError> {
    if depth >= CONDITION_DEPTH_MAX {
        return Err(QueryError::TooDeep);
    }
    let inner = |conditions: &[Condition]| -> Result<Vec<Node<'a>>, QueryError> {
        conditions.iter().map(|condition| node(engine, condition, depth + 1)).collect()
    };
    Ok(match condition {
        Condition::All => Node::All,
        Condition::AnyOf(facet, texts) => {
            let facet = engine.facet(*facet)?;
            let mut values: Vec<u32> = texts.iter().filter_map(|text| facet.value(text)).collect();
            values.sort_unstable();
            values.dedup();
            sets(values.into_iter().map(|value| facet.documents(value)).collect())
        }
        Condition::Without(facet) => sets(vec![&engine.facet(*facet)?.missing]),
        Condition::Within(column, span) => {
            let column = engine.column(*column)?;
            if span.low > span.high {
                Node::Nothing
            } else {
                Node::Range(Range { column, span: *span, listed: OnceCell::new() })
            }
        }
        Condition::Lacking(column) => sets(vec![&engine.column(*column)?.missing]),
        Condition::NameContains(text) if text.is_empty() => Node::All,
        Condition::NameContains(text) => Node::Name(Box::new(Finder::new(text.as_bytes()).into_owned())),
        Condition::Word(_) if !engine.has_words() => return Err(QueryError::WordsMissing),
        Condition::Word(word) => {
            let (first, all) = engine.with_word(word);
            Node::Ready(all.unwrap_or(first))
        }
        Condition::Ids(ids) => {
            let mut found = Matches::none(engine.len());
            ids.iter().filter_map(|id| engine.ordinal(id)).for_each(|ordinal| found.switch_on(ordinal));
            found.settle();
            Node::Ready(found)
        }
        Condition::Not(condition) => match node(engine, condition, depth + 1)? {
            Node::All => Node::Nothing,
            Node::Nothing => Node::All,
            Node::Not(inner) => *inner,
            other => Node::Not(Box::new(other)),
        },
        Condition::And(conditions) => and(inner(conditions)?),
        Condition::Or(conditions) => Node::Or(inner(conditions)?),
    })
}

fn sets(sets: Vec<&Set>) -> Node<'_> {
    let sets: Vec<&Set> = sets.into_iter().filter(|set| !set.is_empty()).collect();
    if sets.is_empty() { Node::Nothing } else { Node::Sets(sets) }
}

/// Puts the parts of an AND in the order of their cost: what is cheap and rare first.
pub fn and<'a>(nodes: Vec<Node<'a>>) -> Node<'a> {
    let mut flat: Vec<Node<'a>> = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::All => {}
            Node::Nothing => return Node::Nothing,
            Node::And(inner) => flat.extend(inner),
            Node::Sets(_) | Node::Ready(_) | Node::Range(_) | Node::Name(_) | Node::Not(_) | Node::Or(_) => {
                flat.push(node);
            }
        }
    }
    if flat.is_empty() {
        return Node::All;
    }
    flat.sort_by_key(Node::cost);
    Node::And(flat)
}

impl Node<'_> {
    /// Gives the sort of work and the number of documents at most.
    fn cost(&self) -> (u8, u64) {
        match self {
            Self::Nothing => (0, 0),
            Self::Sets(sets) => (1, sets.iter().map(|set| set.len() as u64).sum()),
            Self::Ready(matches) => (1, matches.total()),
            Self::All => (2, 0),
            Self::Not(inner) => {
                let (class, total) = inner.cost();
                (class + 1, u64::MAX - total)
            }
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().map(Node::cost).max().unwrap_or((2, 0)),
            Self::Range(_) => (6, 0),
            Self::Name(_) => (8, 0),
        }
    }

    /// Tells whether it is sure, without a look at any document, that nothing of a block matches.
    fn is_absent(&self, number: usize) -> bool {
        match self {
            Self::Nothing => true,
            Self::Sets(sets) => sets.iter().all(|set| set.is_absent(number)),
            Self::Ready(matches) => matches.count(number) == 0,
            Self::Range(range) => range.column.lie(number, range.span) == Lie::Outside,
            Self::And(nodes) => nodes.iter().any(|node| node.is_absent(number)),
            Self::Or(nodes) => nodes.iter().all(|node| node.is_absent(number)),
            Self::All | Self::Name(_) | Self::Not(_) => false,
        }
    }
}

/// Finds all documents that fulfil a condition.
pub fn find(engine: &Engine, node: &Node<'_>) -> Matches {
    let mut found = Matches::none(engine.len());
    let mut bits: Bits = [0; block::WORDS];
    for number in 0..found.blocks_len() {
        if node.is_absent(number) {
            continue;
        }
        let documents = (engine.len() - number * BLOCK).min(BLOCK);
        write(engine, node, number, documents, &mut bits);
        found.put(number, &bits);
    }
    found
}

/// Writes the bits of a block's documents that fulfil a condition.
fn write(engine: &Engine, node: &Node<'_>, number: usize, documents: usize, bits: &mut Bits) {
    match node {
        Node::All => block::switch_on_first(bits, documents),
        Node::Nothing => bits.fill(0),
        Node::Sets(sets) => {
            bits.fill(0);
            sets.iter().for_each(|set| set.unite_into(number, bits));
        }
        Node::Ready(matches) => match matches.bits(number) {
            Some(own) => bits.copy_from_slice(own),
            None => bits.fill(0),
        },
        Node::Range(range) => range.write(engine, number, documents, bits),
        Node::Name(finder) => {
            bits.fill(0);
            engine.names().find_into(number, finder, bits);
        }
        Node::Not(inner) => {
            write(engine, inner, number, documents, bits);
            block::invert(bits);
            let mut all = [0; block::WORDS];
            block::switch_on_first(&mut all, documents);
            block::intersect(bits, &all);
        }
        Node::And(nodes) => {
            let Some((first, rest)) = nodes.split_first() else {
                block::switch_on_first(bits, documents);
                return;
            };
            write(engine, first, number, documents, bits);
            for node in rest {
                if block::is_empty(bits) {
                    return;
                }
                narrow(engine, node, number, documents, bits);
            }
        }
        Node::Or(nodes) => {
            bits.fill(0);
            let mut own = [0; block::WORDS];
            for node in nodes.iter().filter(|node| !node.is_absent(number)) {
                write(engine, node, number, documents, &mut own);
                block::unite(bits, &own);
            }
        }
    }
}

/// Switches off the bits of a block's documents that don't fulfil a condition.
fn narrow(engine: &Engine, node: &Node<'_>, number: usize, documents: usize, bits: &mut Bits) {
    let mut own = [0; block::WORDS];
    match node {
        Node::All => {}
        Node::Ready(matches) => match matches.bits(number) {
            Some(other) => block::intersect(bits, other),
            None => bits.fill(0),
        },
        Node::Range(range) if range.column.lie(number, range.span) == Lie::Across && is_sparse(bits) => {
            let Range { column, span, .. } = range;
            retain(number, bits, |ordinal| span.contains(column.get(ordinal)));
        }
        Node::Name(finder) if is_sparse(bits) => {
            retain(number, bits, |ordinal| engine.names().contains(ordinal, finder));
        }
        Node::Not(inner) => {
            write(engine, inner, number, documents, &mut own);
            block::subtract(bits, &own);
        }
        Node::And(nodes) => {
            nodes.iter().for_each(|node| narrow(engine, node, number, documents, bits));
        }
        Node::Nothing | Node::Sets(_) | Node::Range(_) | Node::Name(_) | Node::Or(_) => {
            write(engine, node, number, documents, &mut own);
            block::intersect(bits, &own);
        }
    }
}

fn is_sparse(bits: &Bits) -> bool {
    block::count(bits) as usize <= SPARSE_MAX
}

fn retain(number: usize, bits: &mut Bits, keep: impl Fn(u32) -> bool) {
    let mut gone = [0; block::WORDS];
    block::for_each_place(bits, |low| {
        if !keep(block::ordinal(number, low)) {
            block::switch_on(&mut gone, low);
        }
    });
    block::subtract(bits, &gone);
}

impl Range<'_> {
    fn write(&self, engine: &Engine, number: usize, documents: usize, bits: &mut Bits) {
        let without_missing = |bits: &mut Bits| {
            if !self.column.missing.is_absent(number) {
                let mut missing = [0; block::WORDS];
                self.column.missing.unite_into(number, &mut missing);
                block::subtract(bits, &missing);
            }
        };
        match self.column.lie(number, self.span) {
            Lie::Outside => bits.fill(0),
            Lie::Inside => {
                block::switch_on_first(bits, documents);
                without_missing(bits);
            }
            Lie::Across => match self.listed.get_or_init(|| self.list(engine)) {
                Some(listed) => match listed.bits(number) {
                    Some(own) => bits.copy_from_slice(own),
                    None => bits.fill(0),
                },
                None => {
                    bits.fill(0);
                    self.column.find_into(number, self.span, bits);
                }
            },
        }
    }

    /// Lists the documents in the span by the column's order, or those outside when they are fewer. `None`: to compare
    /// the values is cheaper.
    fn list(&self, engine: &Engine) -> Option<Matches> {
        let order = self.column.order.as_ref()?;
        let from = order.lower_bound(|ordinal| self.column.get(ordinal).cmp(&self.span.low));
        let to = match self.span.high.checked_add(1) {
            Some(behind) => order.lower_bound(|ordinal| self.column.get(ordinal).cmp(&behind)),
            None => order.end(),
        };
        let inside = order.count(from, to);
        let outside = order.len() - inside;
        let blocks = engine.len().div_ceil(BLOCK);
        let across = (0..blocks).filter(|number| self.column.lie(*number, self.span) == Lie::Across).count();
        if inside.min(outside) as u64 * NS_PER_MEMBER > across as u64 * NS_PER_BLOCK {
            return None;
        }
        let mut listed = Matches::none(engine.len());
        if inside <= outside {
            order.between(from, to).for_each(|ordinal| listed.switch_on(ordinal));
            listed.settle();
            return Some(listed);
        }
        order.between(order.start(), from).for_each(|ordinal| listed.switch_on(ordinal));
        order.between(to, order.end()).for_each(|ordinal| listed.switch_on(ordinal));
        listed.unite_set(&self.column.missing);
        listed.invert(engine.len());
        Some(listed)
    }
}

/// Gives the narrowest span that a condition surely keeps a column within, for a page in the order of that column.
pub fn span_of(condition: &Condition, wanted: crate::layout::ColumnId) -> Option<Span> {
    match condition {
        Condition::Within(column, span) if *column == wanted => Some(*span),
        Condition::And(conditions) => {
            let spans = conditions.iter().filter_map(|condition| span_of(condition, wanted));
            spans.reduce(|one, other| Span { low: one.low.max(other.low), high: one.high.min(other.high) })
        }
        Condition::All
        | Condition::AnyOf(..)
        | Condition::Without(_)
        | Condition::Within(..)
        | Condition::Lacking(_)
        | Condition::NameContains(_)
        | Condition::Word(_)
        | Condition::Ids(_)
        | Condition::Not(_)
        | Condition::Or(_) => None,
    }
}

/// Gives the value as the index keeps it.
pub fn stored(value: Option<i64>) -> i64 {
    value.unwrap_or(NONE)
}
