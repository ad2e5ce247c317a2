//! One text field: for each term the documents that have it, and a dictionary in order, so that a prefix is a range.
//!
//! The dictionary is cut into chunks, and each chunk keeps the union of its terms' documents. A prefix is then the unions
//! of the chunks that it covers whole and the terms of two chunks at its ends: `cs0` costs little more than `cs000123`.

use crate::limits::TERM_CHUNK_MAX;
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
    chunks: Vec<Chunk>,
    chunks_free: Vec<u32>,
    /// The chunks in the order of their terms.
    dictionary: Vec<u32>,
    /// The terms of each document.
    documents: Vec<TermList>,
}

#[derive(Debug, Default)]
struct Term {
    text: Box<str>,
    documents: Set,
    chunk: u32,
}

#[derive(Debug, Default)]
struct Chunk {
    /// In the order of their texts.
    terms: Vec<TermId>,
    documents: Set,
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
    /// Adds the terms of the next document. In bulk the dictionary is left for [`Terms::finish_bulk`].
    pub fn push(&mut self, texts: &[String], in_bulk: bool) {
        let ordinal = self.documents.len() as u32;
        let list = self.list(texts, in_bulk);
        for term in list.terms() {
            self.enter(term, ordinal, in_bulk);
        }
        self.documents.push(list);
    }

    /// Changes the terms of a document.
    pub fn set(&mut self, ordinal: u32, texts: &[String], in_bulk: bool) {
        let list = self.list(texts, in_bulk);
        let after: Vec<TermId> = list.terms().collect();
        let former = std::mem::replace(&mut self.documents[ordinal as usize], list);
        let before: Vec<TermId> = former.terms().collect();
        if before == after {
            return;
        }
        for term in after.iter().filter(|term| before.binary_search(term).is_err()) {
            self.enter(*term, ordinal, in_bulk);
        }
        let mut gone: Vec<TermId> =
            before.into_iter().filter(|term| after.binary_search(term).is_err()).collect();
        for term in &gone {
            self.terms[*term as usize].documents.remove(ordinal);
        }
        if !in_bulk {
            let mut kept: Vec<u32> = after.iter().map(|term| self.terms[*term as usize].chunk).collect();
            kept.sort_unstable();
            for term in &gone {
                let chunk = self.terms[*term as usize].chunk;
                if kept.binary_search(&chunk).is_err() {
                    self.chunks[chunk as usize].documents.remove(ordinal);
                }
            }
        }
        gone.retain(|term| self.terms[*term as usize].documents.is_empty());
        for term in gone {
            self.forget(term, in_bulk);
        }
    }

    fn list(&mut self, texts: &[String], in_bulk: bool) -> TermList {
        let mut terms: Vec<TermId> = texts.iter().map(|text| self.intern(text, in_bulk)).collect();
        terms.sort_unstable();
        terms.dedup();
        TermList::of(&terms)
    }

    fn enter(&mut self, term: TermId, ordinal: u32, in_bulk: bool) {
        let own = &mut self.terms[term as usize];
        own.documents.insert(ordinal);
        if !in_bulk {
            self.chunks[own.chunk as usize].documents.insert(ordinal);
        }
    }

    fn intern(&mut self, text: &str, in_bulk: bool) -> TermId {
        let hashed = self.term_of.hash(text.as_bytes());
        if let Some(term) = self.term_of.get(hashed, |term| *self.terms[term as usize].text == *text) {
            return term;
        }
        let fresh = Term { text: text.into(), ..Term::default() };
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
        if !in_bulk {
            self.enter_dictionary(term);
        }
        term
    }

    fn text(&self, term: TermId) -> &str {
        &self.terms[term as usize].text
    }

    /// Finds the place in the dictionary of the first chunk whose last term is not before a text.
    fn chunk_at(&self, text: &str) -> usize {
        self.dictionary.partition_point(|chunk| {
            self.chunks[*chunk as usize].terms.last().is_some_and(|last| self.text(*last) < text)
        })
    }

    fn enter_dictionary(&mut self, term: TermId) {
        let text = self.text(term);
        let place = self.chunk_at(text);
        // A term between two chunks goes to the end of the former: reference numbers come in their order.
        let former = place.checked_sub(1).and_then(|former| self.dictionary.get(former)).copied();
        let is_between = self.dictionary.get(place).is_none_or(|chunk| {
            self.chunks[*chunk as usize].terms.first().is_some_and(|first| text < self.text(*first))
        });
        let chunk = match former {
            Some(former) if is_between => {
                if self.chunks[former as usize].terms.len() >= TERM_CHUNK_MAX {
                    self.new_chunk(place, vec![term]);
                    return;
                }
                former
            }
            Some(_) | None => match self.dictionary.get(place) {
                Some(chunk) => *chunk,
                None => {
                    self.new_chunk(place, vec![term]);
                    return;
                }
            },
        };
        let own = &self.chunks[chunk as usize].terms;
        let within = own.partition_point(|other| self.text(*other) < text);
        let own = &mut self.chunks[chunk as usize];
        own.terms.insert(within, term);
        self.terms[term as usize].chunk = chunk;
        if own.terms.len() > TERM_CHUNK_MAX {
            let tail = own.terms.split_off(TERM_CHUNK_MAX / 2);
            own.documents = Set::default();
            let place = self.dictionary.iter().position(|other| *other == chunk).unwrap_or_default();
            self.new_chunk(place + 1, tail);
            self.unite(chunk);
        }
    }

    fn new_chunk(&mut self, place: usize, terms: Vec<TermId>) {
        let number = self.chunks_free.pop().unwrap_or(self.chunks.len() as u32);
        for term in &terms {
            self.terms[*term as usize].chunk = number;
        }
        let fresh = Chunk { terms, documents: Set::default() };
        match self.chunks.get_mut(number as usize) {
            Some(chunk) => *chunk = fresh,
            None => self.chunks.push(fresh),
        }
        self.dictionary.insert(place, number);
        self.unite(number);
    }

    /// Works the documents of a chunk out from its terms.
    fn unite(&mut self, chunk: u32) {
        let mut all = Matches::none(self.documents.len() + 1);
        for term in &self.chunks[chunk as usize].terms {
            all.unite_set(&self.terms[*term as usize].documents);
        }
        self.chunks[chunk as usize].documents = all.to_set();
    }

    /// Forgets a term that no document has.
    fn forget(&mut self, term: TermId, in_bulk: bool) {
        let own = std::mem::take(&mut self.terms[term as usize]);
        let hashed = self.term_of.hash(own.text.as_bytes());
        self.term_of.remove(hashed, term);
        self.free.push(term);
        if in_bulk {
            return;
        }
        let chunk = &mut self.chunks[own.chunk as usize];
        chunk.terms.retain(|other| *other != term);
        if chunk.terms.is_empty() {
            self.dictionary.retain(|other| *other != own.chunk);
            self.chunks_free.push(own.chunk);
        }
    }

    /// Makes the dictionary of all terms at once.
    pub fn finish_bulk(&mut self) {
        let mut sorted: Vec<TermId> = (0..self.terms.len() as TermId).collect();
        sorted.retain(|term| !self.terms[*term as usize].documents.is_empty());
        sorted.sort_unstable_by(|left, right| self.text(*left).cmp(self.text(*right)));
        self.chunks.clear();
        self.chunks_free.clear();
        self.dictionary.clear();
        for terms in sorted.chunks(TERM_CHUNK_MAX * 3 / 4) {
            self.new_chunk(self.dictionary.len(), terms.to_vec());
        }
        for term in &mut self.terms {
            term.documents.shrink();
        }
        self.terms.shrink_to_fit();
    }

    /// Adds the documents of all terms that begin with a prefix, which must not be empty, to what is found.
    pub fn find(&self, prefix: &str, found: &mut Matches) {
        let start = self.chunk_at(prefix);
        for chunk in &self.dictionary[start..] {
            let own = &self.chunks[*chunk as usize];
            let (Some(first), Some(last)) = (own.terms.first(), own.terms.last()) else { continue };
            let (begins, ends) =
                (self.text(*first).starts_with(prefix), self.text(*last).starts_with(prefix));
            if begins && ends {
                found.unite_set(&own.documents);
                continue;
            }
            let from = own.terms.partition_point(|term| self.text(*term) < prefix);
            let some = own.terms[from..].iter().take_while(|term| self.text(**term).starts_with(prefix));
            for term in some {
                found.unite_set(&self.terms[*term as usize].documents);
            }
            if !ends {
                return;
            }
        }
    }

    /// Gives the terms of a document.
    pub fn list_of(&self, ordinal: u32) -> &TermList {
        &self.documents[ordinal as usize]
    }

    /// Gives the text of each term by number, for a snapshot; empty where no document has it.
    pub fn dump_texts(&self, from: usize) -> impl Iterator<Item = &str> {
        self.terms.get(from..).unwrap_or_default().iter().map(|term| &*term.text)
    }

    /// Counts the entries that terms have or had.
    pub fn terms_len(&self) -> usize {
        self.terms.len()
    }

    /// Takes the tables of a snapshot: the text of each term by number, and the terms of each document. A text that
    /// has two numbers, because it was forgotten and came back while the snapshot was written, gets one.
    pub fn restore(texts: Vec<String>, documents: Vec<TermList>) -> Self {
        let mut own = Self { documents, ..Self::default() };
        let mut one: Vec<TermId> = Vec::with_capacity(texts.len());
        let mut is_doubled = false;
        for (number, text) in texts.into_iter().enumerate() {
            let number = number as TermId;
            let hashed = own.term_of.hash(text.as_bytes());
            let known = own.term_of.get(hashed, |term| *own.terms[term as usize].text == *text);
            match known {
                Some(known) => {
                    is_doubled = true;
                    one.push(known);
                }
                None => {
                    own.term_of.insert(hashed, number);
                    one.push(number);
                }
            }
            own.terms.push(Term { text: text.into(), ..Term::default() });
        }
        for ordinal in 0..own.documents.len() {
            if is_doubled {
                let mut terms: Vec<TermId> =
                    own.documents[ordinal].terms().map(|term| one[term as usize]).collect();
                terms.sort_unstable();
                terms.dedup();
                own.documents[ordinal] = TermList::of(&terms);
            }
            for term in own.documents[ordinal].terms() {
                own.terms[term as usize].documents.insert(ordinal as u32);
            }
        }
        for (term, first) in one.iter().enumerate() {
            let is_first = *first as usize == term;
            if own.terms[term].documents.is_empty() {
                let text = std::mem::take(&mut own.terms[term]).text;
                if is_first {
                    let hashed = own.term_of.hash(text.as_bytes());
                    own.term_of.remove(hashed, term as TermId);
                }
                own.free.push(term as TermId);
            }
        }
        own.finish_bulk();
        own
    }

    /// Gives the bytes that the dictionary and the sets take.
    pub fn bytes(&self) -> usize {
        let terms: usize = self.terms.iter().map(|term| term.text.len() + term.documents.bytes()).sum();
        let chunks: usize = self
            .chunks
            .iter()
            .map(|chunk| chunk.terms.capacity() * size_of::<TermId>() + chunk.documents.bytes())
            .sum();
        let tables = self.terms.capacity() * size_of::<Term>() + self.chunks.capacity() * size_of::<Chunk>();
        terms + chunks + tables + self.dictionary.capacity() * size_of::<u32>() + self.term_of.bytes()
    }

    /// Gives the bytes that the lists of the documents' terms take.
    pub fn list_bytes(&self) -> usize {
        let lists: usize = self.documents.iter().map(|list| list.0.len()).sum();
        lists + self.documents.capacity() * size_of::<TermList>()
    }
}
