//! The dictionary of a text field: its terms in order, so that a prefix is a range.
//!
//! Terms stand in chunks and chunks in groups. Each chunk and each group keeps the union of its terms' documents. A
//! prefix is then the unions of the groups that it covers whole, of chunks at its two ends, and the terms at the ends of
//! those: one letter costs little more than a whole word.

use crate::limits::{TERM_CHUNK_MAX, TERM_GROUP_MAX};
use crate::matches::Matches;
use crate::set::Set;
use crate::terms::{Term, TermId};

/// Terms in order.
#[derive(Debug, Default)]
pub struct Dictionary {
    chunks: Vec<Chunk>,
    chunks_free: Vec<u32>,
    groups: Vec<Group>,
    groups_free: Vec<u32>,
    /// The groups in the order of their terms.
    order: Vec<u32>,
}

#[derive(Debug, Default)]
struct Chunk {
    /// In the order of their texts; never empty while the chunk is in use.
    terms: Vec<TermId>,
    documents: Set,
    group: u32,
}

#[derive(Debug, Default)]
struct Group {
    /// In the order of their terms; never empty while the group is in use.
    chunks: Vec<u32>,
    documents: Set,
}

/// Where a text stands or belongs: a place in the order of groups and one among the group's chunks.
#[derive(Debug, Clone, Copy)]
struct Place {
    group: usize,
    chunk: usize,
}

fn text(terms: &[Term], term: TermId) -> &[u8] {
    terms[term as usize].text.as_bytes()
}

fn take_slot<T: Default>(entries: &mut Vec<T>, free: &mut Vec<u32>) -> u32 {
    free.pop().unwrap_or_else(|| {
        entries.push(T::default());
        entries.len() as u32 - 1
    })
}

impl Dictionary {
    /// Makes the dictionary of terms that are in order.
    pub fn of(sorted: &[TermId], terms: &mut [Term], documents: usize) -> Self {
        let mut own = Self::default();
        for part in sorted.chunks(TERM_CHUNK_MAX * 3 / 4) {
            let chunk = own.new_chunk(part.to_vec(), terms, documents);
            match own.order.last() {
                Some(last) if own.groups[*last as usize].chunks.len() < TERM_GROUP_MAX * 3 / 4 => {
                    own.chunks[chunk as usize].group = *last;
                    own.groups[*last as usize].chunks.push(chunk);
                }
                Some(_) | None => own.new_group(own.order.len(), vec![chunk]),
            }
        }
        for group in own.order.clone() {
            own.unite_group(group, documents);
        }
        own
    }

    fn first<'a>(&self, chunk: u32, terms: &'a [Term]) -> &'a [u8] {
        self.chunks[chunk as usize].terms.first().map_or(&[], |first| text(terms, *first))
    }

    fn last<'a>(&self, chunk: u32, terms: &'a [Term]) -> &'a [u8] {
        self.chunks[chunk as usize].terms.last().map_or(&[], |last| text(terms, *last))
    }

    /// Gives the chunks of the group at a place in the order.
    fn group_at(&self, place: usize) -> Option<&Group> {
        self.order.get(place).and_then(|group| self.groups.get(*group as usize))
    }

    /// Finds the first chunk whose last term is not before a text.
    fn place(&self, wanted: &[u8], terms: &[Term]) -> Place {
        let is_before = |chunk: &u32| self.last(*chunk, terms) < wanted;
        let group = self
            .order
            .partition_point(|group| self.groups[*group as usize].chunks.last().is_some_and(is_before));
        let chunk = self.group_at(group).map_or(0, |group| group.chunks.partition_point(is_before));
        Place { group, chunk }
    }

    /// Puts a term in that is not there yet. It has no documents yet.
    pub fn insert(&mut self, term: TermId, terms: &mut [Term], documents: usize) {
        let wanted = text(terms, term);
        let place = self.place(wanted, terms);
        let found = self.group_at(place.group).and_then(|group| group.chunks.get(place.chunk)).copied();
        // A term between two chunks goes to the end of the former: reference numbers come in their order.
        let chunk = match found {
            Some(chunk) if self.first(chunk, terms) <= wanted => chunk,
            Some(_) | None => match self.before(place).or(found) {
                None => {
                    let chunk = self.new_chunk(vec![term], terms, documents);
                    self.new_group(0, vec![chunk]);
                    return;
                }
                Some(chunk)
                    if self.chunks[chunk as usize].terms.len() >= TERM_CHUNK_MAX
                        && self.last(chunk, terms) < wanted =>
                {
                    let fresh = self.new_chunk(vec![term], terms, documents);
                    self.enter_group(fresh, chunk, documents);
                    return;
                }
                Some(chunk) => chunk,
            },
        };
        let within = self.chunks[chunk as usize].terms.partition_point(|other| text(terms, *other) < wanted);
        let own = &mut self.chunks[chunk as usize].terms;
        own.insert(within, term);
        terms[term as usize].chunk = chunk;
        if own.len() > TERM_CHUNK_MAX {
            let tail = own.split_off(TERM_CHUNK_MAX / 2);
            let fresh = self.new_chunk(tail, terms, documents);
            self.unite_chunk(chunk, terms, documents);
            self.enter_group(fresh, chunk, documents);
        }
    }

    /// Gives the chunk before a place.
    fn before(&self, place: Place) -> Option<u32> {
        match place.chunk.checked_sub(1) {
            Some(chunk) => self.group_at(place.group)?.chunks.get(chunk).copied(),
            None => self.group_at(place.group.checked_sub(1)?)?.chunks.last().copied(),
        }
    }

    fn new_chunk(&mut self, own: Vec<TermId>, terms: &mut [Term], documents: usize) -> u32 {
        let number = take_slot(&mut self.chunks, &mut self.chunks_free);
        own.iter().for_each(|term| terms[*term as usize].chunk = number);
        self.chunks[number as usize].terms = own;
        self.unite_chunk(number, terms, documents);
        number
    }

    fn new_group(&mut self, place: usize, chunks: Vec<u32>) {
        let number = take_slot(&mut self.groups, &mut self.groups_free);
        chunks.iter().for_each(|chunk| self.chunks[*chunk as usize].group = number);
        self.groups[number as usize] = Group { chunks, documents: Set::default() };
        self.order.insert(place, number);
    }

    /// Puts a chunk into the group of another, behind it. Its documents are in the group already.
    fn enter_group(&mut self, fresh: u32, former: u32, documents: usize) {
        let group = self.chunks[former as usize].group;
        self.chunks[fresh as usize].group = group;
        let own = &mut self.groups[group as usize].chunks;
        let position =
            own.iter().position(|chunk| *chunk == former).map_or(own.len(), |position| position + 1);
        own.insert(position, fresh);
        if own.len() > TERM_GROUP_MAX {
            let tail = own.split_off(TERM_GROUP_MAX / 2);
            let place = self.order.iter().position(|other| *other == group).unwrap_or_default() + 1;
            self.new_group(place, tail);
            self.unite_group(group, documents);
            let fresh = self.order[place];
            self.unite_group(fresh, documents);
        }
    }

    fn unite_chunk(&mut self, chunk: u32, terms: &[Term], documents: usize) {
        let mut all = Matches::none(documents);
        for term in &self.chunks[chunk as usize].terms {
            all.unite_set(&terms[*term as usize].documents);
        }
        self.chunks[chunk as usize].documents = all.to_set();
    }

    fn unite_group(&mut self, group: u32, documents: usize) {
        let mut all = Matches::none(documents);
        for chunk in &self.groups[group as usize].chunks {
            all.unite_set(&self.chunks[*chunk as usize].documents);
        }
        self.groups[group as usize].documents = all.to_set();
    }

    /// Takes a term out.
    pub fn remove(&mut self, term: TermId, chunk: u32) {
        let own = &mut self.chunks[chunk as usize];
        own.terms.retain(|other| *other != term);
        if !own.terms.is_empty() {
            return;
        }
        let group = own.group;
        *own = Chunk::default();
        self.chunks_free.push(chunk);
        let chunks = &mut self.groups[group as usize].chunks;
        chunks.retain(|other| *other != chunk);
        if chunks.is_empty() {
            self.groups[group as usize] = Group::default();
            self.groups_free.push(group);
            self.order.retain(|other| *other != group);
        }
    }

    /// Notes that a document has terms of these chunks.
    pub fn enter(&mut self, ordinal: u32, chunks: &[u32]) {
        for chunk in chunks {
            let own = &mut self.chunks[*chunk as usize];
            if own.documents.insert(ordinal) {
                self.groups[own.group as usize].documents.insert(ordinal);
            }
        }
    }

    /// Notes that a document has no term of the first chunks any more, only of the second, which are sorted.
    pub fn leave(&mut self, ordinal: u32, gone: &[u32], kept: &[u32]) {
        let mut groups: Vec<u32> = kept.iter().map(|chunk| self.chunks[*chunk as usize].group).collect();
        groups.sort_unstable();
        for chunk in gone.iter().filter(|chunk| kept.binary_search(chunk).is_err()) {
            let own = &mut self.chunks[*chunk as usize];
            own.documents.remove(ordinal);
            if groups.binary_search(&own.group).is_err() {
                self.groups[own.group as usize].documents.remove(ordinal);
            }
        }
    }

    /// Adds the documents of all terms that begin with a prefix, which must not be empty, to what is found.
    pub fn find(&self, prefix: &str, terms: &[Term], found: &mut Matches) {
        let prefix = prefix.as_bytes();
        let start = self.place(prefix, terms);
        for (index, group) in self.order.iter().enumerate().skip(start.group) {
            let group = &self.groups[*group as usize];
            let (Some(first), Some(last)) = (group.chunks.first(), group.chunks.last()) else { continue };
            let ends = self.last(*last, terms).starts_with(prefix);
            if ends && self.first(*first, terms).starts_with(prefix) {
                found.unite_set(&group.documents);
                continue;
            }
            let from = if index == start.group { start.chunk } else { 0 };
            for chunk in &group.chunks[from..] {
                if !self.find_in_chunk(*chunk, prefix, terms, found) {
                    return;
                }
            }
        }
    }

    /// Tells whether terms of the next chunk may begin with the prefix too.
    fn find_in_chunk(&self, chunk: u32, prefix: &[u8], terms: &[Term], found: &mut Matches) -> bool {
        let own = &self.chunks[chunk as usize];
        let ends = self.last(chunk, terms).starts_with(prefix);
        if ends && self.first(chunk, terms).starts_with(prefix) {
            found.unite_set(&own.documents);
            return true;
        }
        let from = own.terms.partition_point(|term| text(terms, *term) < prefix);
        for term in own.terms[from..].iter().take_while(|term| text(terms, **term).starts_with(prefix)) {
            found.unite_set(&terms[*term as usize].documents);
        }
        ends
    }

    /// Gives the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| chunk.terms.capacity() * 4 + chunk.documents.bytes());
        let groups = self.groups.iter().map(|group| group.chunks.capacity() * 4 + group.documents.bytes());
        chunks.sum::<usize>()
            + groups.sum::<usize>()
            + self.chunks.capacity() * size_of::<Chunk>()
            + self.groups.capacity() * size_of::<Group>()
    }
}
