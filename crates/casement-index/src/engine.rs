//! The engine: all documents of one kind in one workspace, as facets, columns, names, terms and orders.
//!
//! It has one writer. Readers share it behind the caller's lock; nothing here waits or reads a clock, and what costs
//! time (making words of texts) is done before [`Engine::apply`] is called with them. A change costs microseconds, so a
//! write set can be applied under one lock; see docs/decisions for the bounds.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::column::{self, Column, NONE};
use crate::facet::Facet;
use crate::filter::stored;
use crate::layout::{ColumnId, ColumnUse, Document, FacetId, Layout};
use crate::limits::DOCUMENTS_MAX;
use crate::lookup::Lookup;
use crate::matches::Matches;
use crate::order::Order;
use crate::page;
use crate::query::{Found, QueryError, Word};
use crate::strings::Strings;
use crate::terms::{Terms, beginning};
use crate::words::Words;

/// All documents of one kind.
#[derive(Debug)]
pub struct Engine {
    pub(crate) layout: Layout,
    pub(crate) ids: Strings,
    pub(crate) ordinals: Lookup,
    pub(crate) versions: Column,
    pub(crate) facets: Vec<Facet>,
    pub(crate) columns: Vec<Column>,
    pub(crate) names: Strings,
    pub(crate) terms: Vec<Terms>,
    pub(crate) id_order: Order,
    pub(crate) name_order: Order,
    /// Orders and dictionaries are made at the end of the bulk.
    is_in_bulk: bool,
    /// While the words are made elsewhere: the terms of the documents that came meanwhile, by ordinal.
    awaited: Option<BTreeMap<u32, Vec<Vec<String>>>>,
    /// Nobody makes the words any more.
    has_given_up_words: bool,
}

/// Why a document was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The index holds as many documents as it can.
    #[error("the index holds {DOCUMENTS_MAX} documents and takes no more")]
    Full,
}

/// What a part of the index takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which part: `ids`, `orders`, `terms`, a facet's or a column's name.
    pub name: String,
    /// Its bytes in memory.
    pub bytes: usize,
}

impl Engine {
    /// Makes an empty engine.
    pub fn new(layout: Layout) -> Self {
        let columns = layout.columns.iter().map(|(_, used)| {
            let mut column = Column::default();
            column.order = match used {
                ColumnUse::Filtered => None,
                ColumnUse::Sorted => Some(Order::default()),
            };
            column
        });
        Self {
            ids: Strings::default(),
            ordinals: Lookup::default(),
            versions: Column::default(),
            facets: layout.facets.iter().map(|_| Facet::default()).collect(),
            columns: columns.collect(),
            names: Strings::default(),
            terms: layout.texts.iter().map(|_| Terms::default()).collect(),
            id_order: Order::default(),
            name_order: Order::default(),
            is_in_bulk: false,
            awaited: None,
            has_given_up_words: false,
            layout,
        }
    }

    /// Makes an empty engine whose words are made elsewhere and come by [`Engine::take_words`]. Until then it answers
    /// everything but searches. Terms of documents that come in bulk are left to whoever makes the words; those of
    /// documents that come later are kept for [`Engine::take_awaited`].
    pub fn without_words(layout: Layout) -> Self {
        Self { awaited: Some(BTreeMap::new()), ..Self::new(layout) }
    }

    /// Tells whether searches are answered.
    pub fn has_words(&self) -> bool {
        self.awaited.is_none()
    }

    /// Waits for words no longer: terms are not kept for them any more, and searches stay unanswered.
    pub fn give_up_words(&mut self) {
        drop(self.take_awaited());
        self.has_given_up_words = !self.has_words();
    }

    /// Counts the documents whose terms wait for the words.
    pub fn awaited_len(&self) -> usize {
        self.awaited.as_ref().map_or(0, BTreeMap::len)
    }

    /// Gives the terms of the documents that came since the last call, by ordinal, for the words that are being made.
    pub fn take_awaited(&mut self) -> BTreeMap<u32, Vec<Vec<String>>> {
        self.awaited.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes the words, which are complete but for what [`Engine::take_awaited`] would still give. That is put in here,
    /// some hundred microseconds a document: the caller takes most of it out before.
    pub fn take_words(&mut self, mut words: Words) {
        for (ordinal, terms) in self.take_awaited() {
            words.set(ordinal, &terms);
        }
        self.terms = words.into_terms(self.len());
        self.awaited = None;
    }

    /// Begins a bulk of documents: they are taken faster, and queries are answered again only after
    /// [`Engine::finish_bulk`]; until then they find too little.
    pub fn begin_bulk(&mut self) {
        self.is_in_bulk = true;
        self.id_order = Order::default();
        self.name_order = Order::default();
        for column in &mut self.columns {
            column.order = column.order.take().map(|_| Order::default());
        }
    }

    /// Ends a bulk: sorts the orders and makes the dictionaries.
    pub fn finish_bulk(&mut self) {
        self.sort_orders();
        self.terms.iter_mut().for_each(Terms::finish_bulk);
        self.facets.iter_mut().for_each(Facet::shrink);
        self.is_in_bulk = false;
    }

    /// Sorts all orders anew.
    fn sort_orders(&mut self) {
        let ids = &self.ids;
        let all = 0..ids.len() as u32;
        let mut sorted: Vec<u32> = all.clone().collect();
        sorted.sort_unstable_by(|left, right| ids.get(*left).cmp(ids.get(*right)));
        self.id_order = Order::of(&sorted);
        let names = &self.names;
        let mut sorted: Vec<(u128, u32)> =
            all.map(|ordinal| (beginning(names.get(ordinal)), ordinal)).collect();
        sorted.sort_unstable_by(|left, right| {
            left.0.cmp(&right.0).then_with(|| compare_names(names, ids, left.1, right.1))
        });
        self.name_order = Order::of(&sorted.into_iter().map(|(_, ordinal)| ordinal).collect::<Vec<u32>>());
        for column in &mut self.columns {
            if column.order.is_none() {
                continue;
            }
            let mut pairs: Vec<(i64, u32)> =
                (0..column.len() as u32).map(|ordinal| (column.get(ordinal), ordinal)).collect();
            pairs.retain(|(value, _)| *value != NONE);
            pairs.sort_unstable_by(|left, right| {
                left.0.cmp(&right.0).then_with(|| ids.get(left.1).cmp(ids.get(right.1)))
            });
            let sorted: Vec<u32> = pairs.into_iter().map(|(_, ordinal)| ordinal).collect();
            column.order = Some(Order::of(&sorted));
        }
    }

    /// Takes a version of a document, unless it has this one or a newer one already; tells whether it was taken.
    ///
    /// # Errors
    /// There is no room for another document.
    pub fn apply(&mut self, document: &Document) -> Result<bool, ApplyError> {
        match self.ordinal(&document.id) {
            Some(ordinal) if self.version(ordinal) >= document.version => Ok(false),
            Some(ordinal) => {
                self.change(ordinal, document);
                Ok(true)
            }
            None if self.len() >= DOCUMENTS_MAX => Err(ApplyError::Full),
            None => {
                self.add(document);
                Ok(true)
            }
        }
    }

    fn add(&mut self, document: &Document) {
        let ordinal = self.ids.len() as u32;
        self.ids.push(&document.id);
        self.ordinals.insert(self.ordinals.hash(document.id.as_bytes()), ordinal);
        self.versions.push(document.version.cast_signed());
        for (position, facet) in self.facets.iter_mut().enumerate() {
            facet.push(document.facets.get(position).map_or(&[], Vec::as_slice));
        }
        self.add_words(ordinal, document);
        for (position, column) in self.columns.iter_mut().enumerate() {
            column.push(stored(document.columns.get(position).copied().flatten()));
        }
        self.names.push(&document.name);
        if self.is_in_bulk {
            return;
        }
        let (ids, names) = (&self.ids, &self.names);
        self.id_order.insert(ordinal, |other| ids.get(other).cmp(ids.get(ordinal)));
        self.name_order.insert(ordinal, |other| compare_names(names, ids, other, ordinal));
        for column in &mut self.columns {
            enter(column, ids, ordinal);
        }
    }

    fn change(&mut self, ordinal: u32, document: &Document) {
        self.versions.set(ordinal, document.version.cast_signed());
        for (position, facet) in self.facets.iter_mut().enumerate() {
            facet.set(ordinal, document.facets.get(position).map_or(&[], Vec::as_slice));
        }
        self.add_words(ordinal, document);
        for (position, column) in self.columns.iter_mut().enumerate() {
            let value = stored(document.columns.get(position).copied().flatten());
            if column.get(ordinal) == value {
                continue;
            }
            if !self.is_in_bulk {
                leave(column, &self.ids, ordinal);
            }
            column.set(ordinal, value);
            if !self.is_in_bulk {
                enter(column, &self.ids, ordinal);
            }
        }
        if self.names.get(ordinal) != document.name.as_bytes() {
            let ids = &self.ids;
            if !self.is_in_bulk {
                let names = &self.names;
                self.name_order.remove(ordinal, |other| compare_names(names, ids, other, ordinal));
            }
            self.names.set(ordinal, &document.name);
            if !self.is_in_bulk {
                let names = &self.names;
                self.name_order.insert(ordinal, |other| compare_names(names, ids, other, ordinal));
            }
        }
    }

    /// Takes the terms of a document that is new or changed.
    fn add_words(&mut self, ordinal: u32, document: &Document) {
        match &mut self.awaited {
            Some(_) if self.is_in_bulk || self.has_given_up_words => {}
            Some(awaited) => {
                awaited.insert(ordinal, document.terms.clone());
            }
            None => {
                for (position, terms) in self.terms.iter_mut().enumerate() {
                    terms.set(
                        ordinal,
                        document.terms.get(position).map_or(&[], Vec::as_slice),
                        self.is_in_bulk,
                    );
                }
            }
        }
    }

    /// Changes the values that a document has in one facet, without a new version: for what depends on another document.
    pub fn amend(&mut self, ordinal: u32, facet: FacetId, values: &[String]) {
        if let Some(facet) = self.facets.get_mut(facet.0)
            && (ordinal as usize) < self.ids.len()
        {
            facet.set(ordinal, values);
        }
    }

    /// Changes the value that a document has in one column, without a new version: for what depends on another document.
    pub fn amend_column(&mut self, ordinal: u32, column: ColumnId, value: Option<i64>) {
        if let Some(column) = self.columns.get_mut(column.0)
            && (ordinal as usize) < self.ids.len()
            && column.get(ordinal) != stored(value)
        {
            if !self.is_in_bulk {
                leave(column, &self.ids, ordinal);
            }
            column.set(ordinal, stored(value));
            if !self.is_in_bulk {
                enter(column, &self.ids, ordinal);
            }
        }
    }

    /// Counts the documents, deleted ones too.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Tells whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives the ordinal of a document.
    pub fn ordinal(&self, id: &str) -> Option<u32> {
        let hashed = self.ordinals.hash(id.as_bytes());
        self.ordinals.get(hashed, |ordinal| self.ids.get(ordinal) == id.as_bytes())
    }

    /// Gives the version of a document by ordinal.
    pub fn version(&self, ordinal: u32) -> u64 {
        self.versions.get(ordinal).cast_unsigned()
    }

    /// Gives the id of a document by ordinal.
    pub fn id(&self, ordinal: u32) -> &str {
        self.ids.text(ordinal)
    }

    /// Gives a document's value of a column.
    pub fn value(&self, ordinal: u32, column: ColumnId) -> Option<i64> {
        self.columns.get(column.0).map(|column| column.get(ordinal)).filter(|value| *value != NONE)
    }

    /// Gives a document's values in a facet.
    pub fn values(&self, ordinal: u32, facet: FacetId) -> Vec<&str> {
        let Some(facet) = self.facets.get(facet.0) else { return Vec::new() };
        facet.choice_values(facet.choice(ordinal)).iter().map(|value| facet.text(*value)).collect()
    }

    /// Gives the ordinals of the documents that have a value in a facet.
    pub fn with_value(&self, facet: FacetId, text: &str) -> Vec<u32> {
        let Some(facet) = self.facets.get(facet.0) else { return Vec::new() };
        facet.value(text).map(|value| facet.documents(value).ordinals()).unwrap_or_default()
    }

    /// Gives the documents whose value of a sorted column is below one, smallest first, at most `limit`.
    pub fn earliest(&self, column: ColumnId, below: i64, limit: usize) -> Vec<Found> {
        let column = self.columns.get(column.0);
        let ordinals = column.map(|column| page::earliest(column, below, limit)).unwrap_or_default();
        ordinals.into_iter().map(|ordinal| self.found(ordinal)).collect()
    }

    /// Gives what an answer says of a document.
    pub(crate) fn found(&self, ordinal: u32) -> Found {
        Found { id: self.id(ordinal).to_owned(), version: self.version(ordinal) }
    }

    /// Gives the documents in whose first text field a word is found, and those where it is found in any of its fields, where
    /// these may be more.
    pub(crate) fn with_word(&self, word: &Word) -> (Matches, Option<Matches>) {
        let mut first = Matches::none(self.len());
        let fields = self.terms.get(..word.fields).unwrap_or(&self.terms);
        let Some((leading, others)) = fields.split_first().filter(|_| !word.text.is_empty()) else {
            let all = word.elsewhere.as_ref().map(|elsewhere| Matches::clone(&elsewhere.0));
            return (first, all);
        };
        leading.find(&word.text, &mut first);
        first.settle();
        if first.total() == self.len() as u64 {
            return (first, None);
        }
        let mut all = first.clone();
        others.iter().for_each(|terms| terms.find(&word.text, &mut all));
        if let Some(elsewhere) = &word.elsewhere {
            all.unite(&elsewhere.0);
        }
        all.settle();
        (first, Some(all))
    }

    pub(crate) fn facet(&self, facet: FacetId) -> Result<&Facet, QueryError> {
        self.facets.get(facet.0).ok_or(QueryError::Unknown)
    }

    pub(crate) fn column(&self, column: ColumnId) -> Result<&Column, QueryError> {
        self.columns.get(column.0).ok_or(QueryError::Unknown)
    }

    pub(crate) fn ids(&self) -> &Strings {
        &self.ids
    }

    pub(crate) fn names(&self) -> &Strings {
        &self.names
    }

    pub(crate) fn id_order(&self) -> &Order {
        &self.id_order
    }

    pub(crate) fn name_order(&self) -> &Order {
        &self.name_order
    }

    /// Gives what each part takes in memory.
    pub fn bytes(&self) -> Vec<Part> {
        let part = |name: String, bytes| Part { name, bytes };
        let orders = self.columns.iter().filter_map(|column| column.order.as_ref()).map(Order::bytes);
        let orders = orders.sum::<usize>() + self.id_order.bytes() + self.name_order.bytes();
        let mut parts = vec![
            part("ids".to_owned(), self.ids.bytes() + self.ordinals.bytes() + self.versions.bytes()),
            part("names".to_owned(), self.names.bytes()),
            part("orders".to_owned(), orders),
        ];
        for (name, facet) in self.layout.facets.iter().zip(&self.facets) {
            parts.push(part(format!("facet {name}"), facet.bytes()));
        }
        for ((name, _), column) in self.layout.columns.iter().zip(&self.columns) {
            let order = column.order.as_ref().map_or(0, Order::bytes);
            parts.push(part(format!("column {name}"), column.bytes() - order));
        }
        for (name, terms) in self.layout.texts.iter().zip(&self.terms) {
            parts.push(part(format!("terms {name}"), terms.bytes()));
            parts.push(part(format!("term lists {name}"), terms.list_bytes()));
        }
        parts
    }
}

pub(crate) fn compare_names(names: &Strings, ids: &Strings, left: u32, right: u32) -> Ordering {
    names.get(left).cmp(names.get(right)).then_with(|| ids.get(left).cmp(ids.get(right)))
}

fn enter(column: &mut Column, ids: &Strings, ordinal: u32) {
    if column.get(ordinal) == NONE {
        return;
    }
    if let Some(mut order) = column.order.take() {
        order.insert(ordinal, |other| column::compare(column, ids, other, ordinal));
        column.order = Some(order);
    }
}

fn leave(column: &mut Column, ids: &Strings, ordinal: u32) {
    if column.get(ordinal) == NONE {
        return;
    }
    if let Some(mut order) = column.order.take() {
        order.remove(ordinal, |other| column::compare(column, ids, other, ordinal));
        column.order = Some(order);
    }
}
