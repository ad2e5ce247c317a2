//! Words that are made beside an engine which answers lists already: words cost ten times what all the rest does.
//!
//! Documents are put in, in any order and also more than once, the last one counts; then sets and dictionaries are made,
//! and the engine takes them.

use crate::layout::Layout;
use crate::terms::Terms;

/// The terms of all text fields of an engine.
#[derive(Debug)]
pub struct Words {
    terms: Vec<Terms>,
    is_in_bulk: bool,
}

impl Words {
    /// Begins with no document.
    pub fn new(layout: &Layout) -> Self {
        Self { terms: layout.texts.iter().map(|_| Terms::default()).collect(), is_in_bulk: true }
    }

    /// Takes terms that are complete.
    pub(crate) fn of(terms: Vec<Terms>) -> Self {
        Self { terms, is_in_bulk: false }
    }

    /// Sets the terms of a document, for each text field.
    pub fn set(&mut self, ordinal: u32, terms: &[Vec<String>]) {
        for (position, own) in self.terms.iter_mut().enumerate() {
            own.set(ordinal, terms.get(position).map_or(&[], Vec::as_slice), self.is_in_bulk);
        }
    }

    /// Makes the sets and dictionaries. Documents may still be put in afterwards, each at the cost of a change.
    pub fn finish_bulk(&mut self) {
        if self.is_in_bulk {
            self.terms.iter_mut().for_each(Terms::finish_bulk);
            self.is_in_bulk = false;
        }
    }

    pub(crate) fn into_terms(mut self, documents: usize) -> Vec<Terms> {
        self.finish_bulk();
        self.terms.iter_mut().for_each(|terms| terms.extend(documents));
        self.terms
    }
}
