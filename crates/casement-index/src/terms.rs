//! One text field: for each term the documents that have it, and for each document its terms.

use crate::compact::Compact;
use crate::dictionary::Dictionary;
use crate::limits::INVERTED_DOCUMENTS;
use crate::lookup::Lookup;
use crate::matches::Matches;
use crate::set::Set;

/// A term, interned.
pub type TermId = u32;

/// The terms of one text field and who has them.
#[derive(Debug, Default)]
pub struct Terms {
    terms: Vec<Term>,
    free: Vec<TermId>,
    term_of: Lookup,
    dictionary: Dictionary,
    /// The terms of each document.
    documents: Vec<TermList>,
}

/// A term and who has it.
#[derive(Debug, Default)]
pub struct Term {
    /// Its text.
    pub text: Compact,
    /// The documents that have it.
    pub documents: Set,
    /// Its chunk of the dictionary.
    pub chunk: u32,
}

/// The terms of one document: differences of sorted numbers, seven bits to a byte.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TermList(Box<[u8]>);

impl TermList {
    fn of(sorted: &[TermId]) -> Self {
        let mut bytes = Vec::with_capacity(sorted.len() * 2);
        let mut former = 0;
        for term in sorted {
            let mut rest = term - former;
            former = *term;
            while rest >= 0x80 {
                bytes.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push(rest as u8);
        }
        Self(bytes.into())
    }

    /// Takes the bytes of a snapshot and gives the largest term too; `None`: they are no list.
    pub fn restore(bytes: &[u8]) -> Option<(Self, Option<TermId>)> {
        let mut former: Option<TermId> = None;
        let mut rest = bytes;
        while !rest.is_empty() {
            let mut value = 0_u64;
            let mut shift = 0;
            loop {
                let (first, others) = rest.split_first()?;
                rest = others;
                value |= u64::from(first & 0x7F) << shift;
                shift += 7;
                if first & 0x80 == 0 {
                    break;
                }
                if shift > 28 {
                    return None;
                }
            }
            let value = TermId::try_from(value).ok()?;
            former = Some(match former {
                None => value,
                Some(former) if value > 0 => former.checked_add(value)?,
                Some(_) => return None,
            });
        }
        Some((Self(bytes.into()), former))
    }

    /// Gives the bytes, for a snapshot.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn terms(&self) -> impl Iterator<Item = TermId> {
        let mut bytes = self.0.iter();
        let mut former = 0;
        std::iter::from_fn(move || {
            let mut value = 0_u32;
            let mut shift = 0;
            loop {
                let byte = bytes.next()?;
                value |= u32::from(byte & 0x7F) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
                shift += 7;
            }
            former += value;
            Some(former)
        })
    }
}

impl Terms {
    /// Makes room for documents without terms up to a number of them.
    pub fn extend(&mut self, documents: usize) {
        if self.documents.len() < documents {
            self.documents.resize(documents, TermList::default());
        }
    }

    /// Sets the terms of a document, which may be new. In bulk the sets are left for [`Terms::finish_bulk`].
    pub fn set(&mut self, ordinal: u32, texts: &[String], is_in_bulk: bool) {
        self.extend(ordinal as usize + 1);
        let after = self.intern_all(texts, is_in_bulk);
        let list = TermList::of(&after);
        let former = std::mem::replace(&mut self.documents[ordinal as usize], list);
        if is_in_bulk || former == self.documents[ordinal as usize] {
            return;
        }
        if former.0.is_empty() {
            self.enter(ordinal, &after);
            return;
        }
        let before: Vec<TermId> = former.terms().collect();
        let fresh: Vec<TermId> =
            after.iter().filter(|term| before.binary_search(term).is_err()).copied().collect();
        let gone: Vec<TermId> =
            before.into_iter().filter(|term| after.binary_search(term).is_err()).collect();
        self.enter(ordinal, &fresh);
        let kept = self.chunks(&after);
        self.dictionary.leave(ordinal, &self.chunks(&gone), &kept);
        for term in gone {
            let own = &mut self.terms[term as usize];
            own.documents.remove(ordinal);
            if own.documents.is_empty() {
                let chunk = own.chunk;
                self.dictionary.remove(term, chunk);
                self.forget(term);
            }
        }
    }

    fn enter(&mut self, ordinal: u32, terms: &[TermId]) {
        for term in terms {
            self.terms[*term as usize].documents.insert(ordinal);
        }
        self.dictionary.enter(ordinal, &self.chunks(terms));
    }

    /// Gives the chunks of terms, each once, in order.
    fn chunks(&self, terms: &[TermId]) -> Vec<u32> {
        let mut chunks: Vec<u32> = terms.iter().map(|term| self.terms[*term as usize].chunk).collect();
        chunks.sort_unstable();
        chunks.dedup();
        chunks
    }

    /// Gives the terms of texts, each once, in order.
    fn intern_all(&mut self, texts: &[String], is_in_bulk: bool) -> Vec<TermId> {
        let mut terms: Vec<TermId> = texts.iter().map(|text| self.intern(text, is_in_bulk)).collect();
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    fn intern(&mut self, text: &str, is_in_bulk: bool) -> TermId {
        let hashed = self.term_of.hash(text.as_bytes());
        if let Some(term) =
            self.term_of.get(hashed, |term| self.terms[term as usize].text.as_bytes() == text.as_bytes())
        {
            return term;
        }
        let fresh = Term { text: Compact::of(text), ..Term::default() };
        let term = match self.free.pop() {
            Some(term) => {
                self.terms[term as usize] = fresh;
                term
            }
            None => {
                self.terms.push(fresh);
                self.terms.len() as TermId - 1
            }
        };
        self.term_of.insert(hashed, term);
        if !is_in_bulk {
            self.dictionary.insert(term, &mut self.terms, self.documents.len());
        }
        term
    }

    /// Forgets a term that no document has.
    fn forget(&mut self, term: TermId) {
        let text = std::mem::take(&mut self.terms[term as usize]).text;
        let hashed = self.term_of.hash(text.as_bytes());
        self.term_of.remove(hashed, term);
        self.free.push(term);
    }

    /// Makes all sets and the dictionary from the lists of the documents.
    pub fn finish_bulk(&mut self) {
        self.invert();
        let mut is_free = vec![false; self.terms.len()];
        self.free.iter().for_each(|term| is_free[*term as usize] = true);
        for (term, is_free) in is_free.into_iter().enumerate() {
            if !is_free && self.terms[term].documents.is_empty() {
                self.forget(term as TermId);
            }
        }
        let mut sorted: Vec<(u128, TermId)> = Vec::with_capacity(self.terms.len());
        for (term, own) in self.terms.iter().enumerate().filter(|(_, own)| !own.documents.is_empty()) {
            sorted.push((beginning(own.text.as_bytes()), term as TermId));
        }
        let text = |term: TermId| self.terms[term as usize].text.as_bytes();
        sorted.sort_unstable_by(|left, right| {
            left.0.cmp(&right.0).then_with(|| text(left.1).cmp(text(right.1)))
        });
        let sorted: Vec<TermId> = sorted.into_iter().map(|(_, term)| term).collect();
        self.dictionary = Dictionary::of(&sorted, &mut self.terms, self.documents.len());
    }

    /// Turns the documents' terms into the terms' documents: counts first, so that each list is written where it stays.
    fn invert(&mut self) {
        self.terms.iter_mut().for_each(|term| term.documents = Set::default());
        let mut ends: Vec<u32> = Vec::new();
        let mut members: Vec<u32> = Vec::new();
        for (window, lists) in self.documents.chunks(INVERTED_DOCUMENTS).enumerate() {
            ends.clear();
            ends.resize(self.terms.len() + 1, 0);
            for term in lists.iter().flat_map(TermList::terms) {
                ends[term as usize + 1] += 1;
            }
            for term in 1..ends.len() {
                ends[term] += ends[term - 1];
            }
            members.resize(ends.last().copied().unwrap_or_default() as usize, 0);
            for (position, list) in lists.iter().enumerate() {
                let ordinal = (window * INVERTED_DOCUMENTS + position) as u32;
                for term in list.terms() {
                    members[ends[term as usize] as usize] = ordinal;
                    ends[term as usize] += 1;
                }
            }
            let mut start = 0;
            for (term, end) in self.terms.iter_mut().zip(&ends) {
                term.documents.append(&members[start..*end as usize]);
                start = *end as usize;
            }
        }
    }

    /// Adds the documents of all terms that begin with a prefix, which must not be empty, to what is found.
    pub fn find(&self, prefix: &str, found: &mut Matches) {
        self.dictionary.find(prefix, &self.terms, found);
    }

    /// Gives the terms of a document.
    pub fn list_of(&self, ordinal: u32) -> &TermList {
        &self.documents[ordinal as usize]
    }

    /// Gives the text of each term by number, for a snapshot; empty where no document has it.
    pub fn dump_texts(&self, from: usize) -> impl Iterator<Item = &str> {
        self.terms.get(from..).unwrap_or_default().iter().map(|term| term.text.as_str())
    }

    /// Counts the entries that terms have or had.
    pub fn terms_len(&self) -> usize {
        self.terms.len()
    }

    /// Takes the tables of a snapshot: the text of each term by number, and the terms of each document. A text that
    /// has two numbers, because it was forgotten and came back while the snapshot was written, gets one.
    pub fn restore(texts: &[&str], documents: Vec<TermList>) -> Self {
        let mut own = Self { documents, ..Self::default() };
        own.term_of = Lookup::with_room(texts.len());
        own.terms.reserve_exact(texts.len());
        let mut one: Vec<TermId> = Vec::with_capacity(texts.len());
        let mut is_doubled = false;
        for (number, text) in texts.iter().enumerate() {
            let number = number as TermId;
            let hashed = own.term_of.hash(text.as_bytes());
            let known =
                own.term_of.get(hashed, |term| own.terms[term as usize].text.as_bytes() == text.as_bytes());
            own.terms.push(Term::default());
            match known {
                Some(known) => {
                    is_doubled = true;
                    own.free.push(number);
                    one.push(known);
                }
                None => {
                    own.term_of.insert(hashed, number);
                    own.terms[number as usize].text = Compact::of(text);
                    one.push(number);
                }
            }
        }
        if is_doubled {
            for list in &mut own.documents {
                let mut terms: Vec<TermId> = list.terms().map(|term| one[term as usize]).collect();
                terms.sort_unstable();
                terms.dedup();
                *list = TermList::of(&terms);
            }
        }
        own.finish_bulk();
        own
    }

    /// Gives the bytes that the sets and the dictionary take.
    pub fn bytes(&self) -> usize {
        let terms: usize = self.terms.iter().map(|term| term.text.bytes() + term.documents.bytes()).sum();
        terms + self.terms.capacity() * size_of::<Term>() + self.dictionary.bytes() + self.term_of.bytes()
    }

    /// Gives the bytes that the lists of the documents' terms take.
    pub fn list_bytes(&self) -> usize {
        let lists: usize = self.documents.iter().map(|list| list.0.len()).sum();
        lists + self.documents.capacity() * size_of::<TermList>()
    }
}

/// Gives the beginning of a text as a number that sorts as the text does: most comparisons need no more.
pub fn beginning(text: &[u8]) -> u128 {
    let mut first = [0_u8; 16];
    first.iter_mut().zip(text).for_each(|(byte, own)| *byte = *own);
    u128::from_be_bytes(first)
}
