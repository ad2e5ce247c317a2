//! Writing a snapshot, section by section.

use super::{FORMAT, HEAD_BYTES, Kind, MAGIC, hash};
use crate::column::NONE;
use crate::engine::Engine;
use crate::facet::Facet;
use crate::limits::SECTION_BYTES;
use crate::terms::Terms;

/// A snapshot that is being written.
#[derive(Debug)]
pub struct Dump {
    name: String,
    sequence: u64,
    /// The documents there were at the beginning; later ones come from the log.
    documents: usize,
    next: Next,
    place: u64,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Header,
    Documents { from: usize },
    Choices { facet: usize, from: usize },
    Values { facet: usize, from: usize },
    Terms { field: usize, from: usize },
    End,
    Nothing,
}

impl Dump {
    /// Begins a snapshot. `name` says which index it is of, `sequence` up to where the engine has followed the log.
    pub fn begin(engine: &Engine, name: &str, sequence: u64) -> Self {
        Self { name: name.to_owned(), sequence, documents: engine.len(), next: Next::Header, place: 0 }
    }

    /// Gives the next bytes to be written, a few megabytes at most; `None` when the snapshot is complete. The engine may
    /// change between two calls, so a lock need not be held longer than one.
    ///
    /// Combinations come after the documents that have them, and values after combinations: what is named is in the
    /// tables then, unless every document that had it has changed since.
    pub fn next(&mut self, engine: &Engine) -> Option<Vec<u8>> {
        let mut out = if self.place == 0 {
            let mut out = MAGIC.to_vec();
            out.extend(FORMAT.to_le_bytes());
            out
        } else {
            Vec::new()
        };
        let head = out.len();
        out.resize(head + HEAD_BYTES, 0);
        let (kind, next) = self.write(engine, &mut out)?;
        let length = (out.len() - head - HEAD_BYTES) as u64;
        let digest = hash(self.place, kind as u8, &out[head + HEAD_BYTES..]);
        out[head] = kind as u8;
        out[head + 1..head + 9].copy_from_slice(&length.to_le_bytes());
        out[head + 9..head + HEAD_BYTES].copy_from_slice(&digest);
        self.place += 1;
        self.next = next;
        Some(out)
    }

    fn write(&self, engine: &Engine, out: &mut Vec<u8>) -> Option<(Kind, Next)> {
        Some(match self.next {
            Next::Header => {
                put_text(out, &self.name);
                put_text(out, &engine.layout.description());
                put_number(out, self.sequence);
                (Kind::Header, Next::Documents { from: 0 })
            }
            Next::Documents { from } => {
                let end = put_documents(engine, from, self.documents, out);
                let is_done = end >= self.documents;
                let next = if is_done { choices_of(engine, 0) } else { Next::Documents { from: end } };
                (Kind::Documents, next)
            }
            Next::Choices { facet, from } => {
                let own = engine.facets.get(facet)?;
                put_number(out, facet as u64);
                let entries = own.dump_choices().skip(from);
                let end = from
                    + put_some(out, entries, |out, values| {
                        put_number(out, values.len() as u64);
                        values.iter().for_each(|value| put_number(out, u64::from(*value)));
                    });
                let is_done = end >= own.choices_len();
                let next = if is_done {
                    Next::Values { facet, from: 0 }
                } else {
                    Next::Choices { facet, from: end }
                };
                (Kind::Choices, next)
            }
            Next::Values { facet, from } => {
                let own: &Facet = engine.facets.get(facet)?;
                put_number(out, facet as u64);
                let end = from + put_some(out, own.dump_texts().skip(from), put_text);
                let is_done = end >= own.values_len();
                let next =
                    if is_done { choices_of(engine, facet + 1) } else { Next::Values { facet, from: end } };
                (Kind::Values, next)
            }
            Next::Terms { field, from } => {
                let own: &Terms = engine.terms.get(field)?;
                put_number(out, field as u64);
                let end = from + put_some(out, own.dump_texts(from), put_text);
                let is_done = end >= own.terms_len();
                let next =
                    if is_done { terms_of(engine, field + 1) } else { Next::Terms { field, from: end } };
                (Kind::Terms, next)
            }
            Next::End => {
                put_number(out, self.documents as u64);
                (Kind::End, Next::Nothing)
            }
            Next::Nothing => return None,
        })
    }
}

fn choices_of(engine: &Engine, facet: usize) -> Next {
    if facet < engine.facets.len() { Next::Choices { facet, from: 0 } } else { terms_of(engine, 0) }
}

fn terms_of(engine: &Engine, field: usize) -> Next {
    if field < engine.terms.len() { Next::Terms { field, from: 0 } } else { Next::End }
}

/// Writes documents from an ordinal on, until the section is full; gives the ordinal after the last.
fn put_documents(engine: &Engine, from: usize, until: usize, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    let mut end = from;
    while end < until && out.len() - start < SECTION_BYTES {
        let ordinal = end as u32;
        put_text(out, engine.id(ordinal));
        put_number(out, engine.version(ordinal));
        for facet in &engine.facets {
            put_number(out, u64::from(facet.choice(ordinal)));
        }
        for column in &engine.columns {
            let value = column.get(ordinal);
            out.push(u8::from(value != NONE));
            if value != NONE {
                out.extend(value.to_le_bytes());
            }
        }
        put_text(out, engine.names.text(ordinal));
        for terms in &engine.terms {
            put_bytes(out, terms.list_of(ordinal).as_bytes());
        }
        end += 1;
    }
    end
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
