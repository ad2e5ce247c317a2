//! Reading a snapshot, all or nothing.

use std::io::{ErrorKind, Read};

use super::{FORMAT, HEAD_BYTES, Kind, MAGIC, hash};
use crate::column::NONE;
use crate::engine::Engine;
use crate::facet::{ChoiceId, Facet, ValueId};
use crate::layout::Layout;
use crate::limits::{DOCUMENTS_MAX, SECTION_BYTES_MAX};
use crate::terms::{TermId, TermList, Terms};

/// Why a snapshot is not used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It can't be read.
    #[error("the snapshot can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is no snapshot, or one of another format.
    #[error("it is no snapshot of format {FORMAT}")]
    Foreign,
    /// It was made of another index.
    #[error("the snapshot is of another index")]
    OtherIndex,
    /// Its documents have other facets, columns or text fields.
    #[error("the snapshot has another layout")]
    OtherLayout,
    /// Its bytes are not those that were written, or some are missing.
    #[error("the snapshot is damaged")]
    Damaged,
}

/// A snapshot that was read.
#[derive(Debug)]
pub struct Loaded {
    /// The engine as of some moments at and after the sequence.
    pub engine: Engine,
    /// Every document that changed after it must be applied.
    pub sequence: u64,
}

/// What the sections of a snapshot add up to.
struct Parts {
    engine: Engine,
    chosen: Vec<Vec<ChoiceId>>,
    choices: Vec<Vec<Vec<ValueId>>>,
    values: Vec<Vec<String>>,
    lists: Vec<Vec<TermList>>,
    /// The largest term of each field's lists.
    last_terms: Vec<Option<TermId>>,
    terms: Vec<Vec<String>>,
}

/// Reads a snapshot of the index with this name and layout.
///
/// # Errors
/// It is not exactly what was written for this index; nothing of it is used then.
pub fn load(read: &mut impl Read, name: &str, layout: Layout) -> Result<Loaded, LoadError> {
    let mut magic = [0; 12];
    read_exact(read, &mut magic)?;
    if magic[..8] != MAGIC || magic[8..] != FORMAT.to_le_bytes() {
        return Err(LoadError::Foreign);
    }
    let (kind, content) = section(read, 0)?;
    let mut header = Bytes(&content);
    let is_header = kind == Kind::Header;
    let whose = header.text().filter(|_| is_header).ok_or(LoadError::Damaged)?;
    let description = header.text().ok_or(LoadError::Damaged)?;
    let sequence = header.number().ok_or(LoadError::Damaged)?;
    if whose != name {
        return Err(LoadError::OtherIndex);
    }
    if description != layout.description() {
        return Err(LoadError::OtherLayout);
    }
    let mut parts = Parts::new(layout);
    let mut place = 0;
    loop {
        place += 1;
        let (kind, content) = section(read, place)?;
        let is_end = kind == Kind::End;
        parts.take(kind, &content).ok_or(LoadError::Damaged)?;
        if is_end {
            break;
        }
    }
    if read.read(&mut [0])? != 0 {
        return Err(LoadError::Damaged);
    }
    Ok(Loaded { engine: parts.finish().ok_or(LoadError::Damaged)?, sequence })
}

fn read_exact(read: &mut impl Read, bytes: &mut [u8]) -> Result<(), LoadError> {
    read.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => LoadError::Damaged,
        _ => LoadError::Unreadable(error),
    })
}

/// Reads a section and checks it.
fn section(read: &mut impl Read, place: u64) -> Result<(Kind, Vec<u8>), LoadError> {
    let mut head = [0; HEAD_BYTES];
    read_exact(read, &mut head)?;
    let (first, rest) = head.split_at(1);
    let (length, digest) = rest.split_at(8);
    let length = u64::from_le_bytes(length.try_into().map_err(|_| LoadError::Damaged)?);
    let length = usize::try_from(length).ok().filter(|length| *length <= SECTION_BYTES_MAX);
    let length = length.ok_or(LoadError::Damaged)?;
    let mut content = Vec::new();
    // The length is not proved yet: memory is taken as bytes come.
    if read.take(length as u64).read_to_end(&mut content)? != length {
        return Err(LoadError::Damaged);
    }
    let number = first.first().copied().unwrap_or_default();
    if hash(place, number, &content) != digest {
        return Err(LoadError::Damaged);
    }
    Ok((Kind::of(number).ok_or(LoadError::Damaged)?, content))
}

impl Parts {
    fn new(layout: Layout) -> Self {
        let (facets, texts) = (layout.facets.len(), layout.texts.len());
        Self {
            engine: Engine::new(layout),
            chosen: vec![Vec::new(); facets],
            choices: vec![Vec::new(); facets],
            values: vec![Vec::new(); facets],
            lists: vec![Vec::new(); texts],
            last_terms: vec![None; texts],
            terms: vec![Vec::new(); texts],
        }
    }

    /// Takes a section; `None`: it doesn't hold what its kind says.
    fn take(&mut self, kind: Kind, content: &[u8]) -> Option<()> {
        let mut bytes = Bytes(content);
        match kind {
            Kind::Header => return None,
            Kind::Documents => {
                while !bytes.0.is_empty() {
                    self.document(&mut bytes)?;
                }
            }
            Kind::Choices => {
                let own = self.choices.get_mut(bytes.size()?)?;
                while !bytes.0.is_empty() {
                    let count = bytes.size()?;
                    let values = (0..count).map(|_| bytes.small()).collect::<Option<Vec<ValueId>>>()?;
                    own.push(values);
                }
            }
            Kind::Values => {
                let own = self.values.get_mut(bytes.size()?)?;
                while !bytes.0.is_empty() {
                    own.push(bytes.text()?.to_owned());
                }
            }
            Kind::Terms => {
                let own = self.terms.get_mut(bytes.size()?)?;
                while !bytes.0.is_empty() {
                    own.push(bytes.text()?.to_owned());
                }
            }
            Kind::End => {
                if bytes.size()? != self.engine.len() {
                    return None;
                }
            }
        }
        bytes.0.is_empty().then_some(())
    }

    fn document(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        let engine = &mut self.engine;
        let id = bytes.text()?;
        if engine.ordinal(id).is_some() || engine.len() >= DOCUMENTS_MAX {
            return None;
        }
        let ordinal = engine.len() as u32;
        engine.ordinals.insert(engine.ordinals.hash(id.as_bytes()), ordinal);
        engine.ids.push(id);
        engine.versions.push(bytes.number()?.cast_signed());
        for chosen in &mut self.chosen {
            chosen.push(bytes.small()?);
        }
        for column in &mut engine.columns {
            column.push(match bytes.part(1)? {
                [0] => NONE,
                _ => i64::from_le_bytes(bytes.part(8)?.try_into().ok()?),
            });
        }
        engine.names.push(bytes.text()?);
        for (lists, last) in self.lists.iter_mut().zip(&mut self.last_terms) {
            let (list, own) = TermList::restore(bytes.bytes()?)?;
            *last = own.max(*last);
            lists.push(list);
        }
        Some(())
    }

    /// Works out what was not written. Orders and terms side by side: each takes about half of the time.
    fn finish(self) -> Option<Engine> {
        let Self { mut engine, chosen, choices, values, lists, last_terms, terms } = self;
        for (last, terms) in last_terms.iter().zip(&terms) {
            if last.is_some_and(|last| last as usize >= terms.len()) {
                return None;
            }
        }
        let (facets, terms) = std::thread::scope(|scope| {
            let restored = scope.spawn(|| {
                let fields = terms.into_iter().zip(lists);
                fields.map(|(terms, lists)| Terms::restore(terms, lists)).collect::<Vec<Terms>>()
            });
            engine.sort_orders();
            let facets = chosen.iter().zip(&choices).zip(&values);
            let facets = facets.map(|((chosen, choices), values)| Facet::restore(values, choices, chosen));
            (facets.collect::<Option<Vec<Facet>>>(), restored.join().ok())
        });
        engine.facets = facets?;
        engine.terms = terms?;
        Some(engine)
    }
}

/// Bytes that are read from the front. `None`: there are too few, or they are not what is read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn part(&mut self, length: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        let mut shift = 0;
        loop {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            if shift > 63 {
                return None;
            }
            number |= u64::from(first & 0x7F) << shift;
            if first & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.size()?;
        self.part(length)
    }

    fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }
}
