//! Reading a snapshot: first its lists, then its words, each all or nothing.

use std::io::Read;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;

use super::lists::{self, Job, Made, Share, What};
use super::section::{Bytes, Section, read_exact};
use super::{FORMAT, Kind, MAGIC};
use crate::engine::Engine;
use crate::layout::Layout;
use crate::limits::{DOCUMENTS_MAX, PARTS_WAITING_MAX};
use crate::terms::{TermId, TermList, Terms};
use crate::words::Words;

/// Why a snapshot is not used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It can't be read.
    #[error("the snapshot can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is no snapshot, or one of another format.
    #[error("it is no snapshot of format {FORMAT}")]
    Foreign,
    /// Its documents have other facets, columns or text fields.
    #[error("the snapshot has another layout")]
    OtherLayout,
    /// Its bytes are not those that were written, or some are missing.
    #[error("the snapshot is damaged")]
    Damaged,
}

/// A snapshot that is being read.
#[derive(Debug)]
pub struct Snapshot<R> {
    read: R,
    place: u64,
    label: Vec<u8>,
    layouts: Vec<Layout>,
    documents: Vec<usize>,
}

/// The lists of a snapshot.
#[derive(Debug)]
pub struct Lists {
    /// The engines, without words, as of moments between the two labels.
    pub engines: Vec<Engine>,
    /// The label behind the lists.
    pub label: Vec<u8>,
}

/// The words of a snapshot.
#[derive(Debug)]
pub struct AllWords {
    /// The words of each engine, as of moments between the second label and the last.
    pub words: Vec<Words>,
    /// The last label.
    pub label: Vec<u8>,
}

/// Begins to read a snapshot of engines with these layouts.
///
/// # Errors
/// It is none of this format and of these layouts.
pub fn open<R: Read>(mut read: R, layouts: Vec<Layout>) -> Result<Snapshot<R>, LoadError> {
    let mut magic = [0; 12];
    read_exact(&mut read, &mut magic)?;
    if magic[..8] != MAGIC || magic[8..] != FORMAT.to_le_bytes() {
        return Err(LoadError::Foreign);
    }
    let section = Section::read(&mut read, 0)?;
    let mut header = Bytes(section.checked_whole().ok_or(LoadError::Damaged)?);
    if section.kind != Kind::Header {
        return Err(LoadError::Damaged);
    }
    let label = header.bytes().ok_or(LoadError::Damaged)?.to_vec();
    let mut documents = Vec::with_capacity(layouts.len());
    for layout in &layouts {
        let description = header.text().ok_or(LoadError::OtherLayout)?;
        if description != layout.description() {
            return Err(LoadError::OtherLayout);
        }
        documents.push(header.size().filter(|count| *count <= DOCUMENTS_MAX).ok_or(LoadError::Damaged)?);
    }
    if !header.0.is_empty() {
        return Err(LoadError::OtherLayout);
    }
    Ok(Snapshot { read, place: 0, label, layouts, documents })
}

impl<R: Read> Snapshot<R> {
    /// Gives the first label.
    pub fn label(&self) -> &[u8] {
        &self.label
    }

    /// Counts the documents of all engines.
    pub fn documents(&self) -> usize {
        self.documents.iter().sum()
    }

    fn section(&mut self) -> Result<Section, LoadError> {
        self.place += 1;
        Section::read(&mut self.read, self.place)
    }

    /// Reads the lists. `changed` names, for each engine, at least the documents that changed after the first label: what
    /// is known of them may be of several versions, so they have version 0 until the caller applies them as they are now,
    /// which must be done before the engines are asked.
    ///
    /// # Errors
    /// They are not exactly what was written; nothing of the snapshot is used then.
    pub fn lists(&mut self, changed: &[Vec<String>]) -> Result<Lists, LoadError> {
        let documents = self.documents.clone();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (sender, receiver) = sync_channel(PARTS_WAITING_MAX);
        let receiver = Mutex::new(receiver);
        let (label, parts) = std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| lists::make_all(&receiver, &documents))).collect();
            let label = self.read_lists(|job| sender.send(job).is_ok());
            drop(sender);
            let parts: Option<Vec<Share>> = workers.into_iter().map(|worker| worker.join().ok()).collect();
            (label, parts)
        });
        let label = label?;
        let mut by_engine: Vec<Vec<Made>> = self.layouts.iter().map(|_| Vec::new()).collect();
        for (engine, made) in parts.ok_or(LoadError::Damaged)?.into_iter().flatten() {
            by_engine.get_mut(engine).ok_or(LoadError::Damaged)?.push(made.ok_or(LoadError::Damaged)?);
        }
        let mut engines = Vec::with_capacity(by_engine.len());
        for (number, (parts, layout)) in by_engine.into_iter().zip(&self.layouts).enumerate() {
            let changed = changed.get(number).map_or(&[][..], Vec::as_slice);
            let engine = lists::assemble(layout.clone(), parts, changed).ok_or(LoadError::Damaged)?;
            if Some(&engine.len()) != self.documents.get(number) {
                return Err(LoadError::Damaged);
            }
            engines.push(engine);
        }
        Ok(Lists { engines, label })
    }

    /// Reads sections up to the label behind the lists, and hands each part on when it is complete.
    fn read_lists(&mut self, hand_on: impl Fn(Job) -> bool) -> Result<Vec<u8>, LoadError> {
        let mut waiting: Option<Job> = None;
        loop {
            let section = self.section()?;
            if section.kind == Kind::Label {
                if waiting.is_some_and(|job| !hand_on(job)) {
                    return Err(LoadError::Damaged);
                }
                return section.checked_whole().map(<[u8]>::to_vec).ok_or(LoadError::Damaged);
            }
            let (engine, part) = section.part().ok_or(LoadError::Damaged)?;
            let what = What::of(section.kind, part).ok_or(LoadError::Damaged)?;
            match &mut waiting {
                Some(job) if job.engine == engine && job.what == what => job.sections.push(section),
                Some(_) | None => {
                    let job = Job { engine, what, sections: vec![section] };
                    if waiting.replace(job).is_some_and(|job| !hand_on(job)) {
                        return Err(LoadError::Damaged);
                    }
                }
            }
        }
    }

    /// Reads the words, after the lists.
    ///
    /// # Errors
    /// They are not exactly what was written; they must be made of the documents then.
    pub fn words(mut self) -> Result<AllWords, LoadError> {
        let fields_of = |(layout, documents): (&Layout, &usize)| {
            layout.texts.iter().map(|_| Field::with_room(*documents)).collect()
        };
        let mut fields: Vec<Vec<Field>> = self.layouts.iter().zip(&self.documents).map(fields_of).collect();
        let label = loop {
            let section = self.section()?;
            if section.kind == Kind::Label {
                break section.checked_whole().ok_or(LoadError::Damaged)?.to_vec();
            }
            let (engine, part) = section.part().ok_or(LoadError::Damaged)?;
            let field = fields.get_mut(engine).and_then(|fields| fields.get_mut(part));
            field.ok_or(LoadError::Damaged)?.take(section).ok_or(LoadError::Damaged)?;
        };
        if self.read.read(&mut [0])? != 0 {
            return Err(LoadError::Damaged);
        }
        let words = finish_all(fields, &self.documents).ok_or(LoadError::Damaged)?;
        Ok(AllWords { words, label })
    }
}

/// Makes the terms of all fields, each on a thread of its own: a few, of which one or two are large.
fn finish_all(fields: Vec<Vec<Field>>, documents: &[usize]) -> Option<Vec<Words>> {
    std::thread::scope(|scope| {
        let finishing: Vec<Vec<_>> = fields
            .into_iter()
            .zip(documents)
            .map(|(fields, documents)| {
                fields.into_iter().map(|field| scope.spawn(|| field.finish(*documents))).collect()
            })
            .collect();
        let mut words = Vec::with_capacity(finishing.len());
        for threads in finishing {
            let terms = threads.into_iter().map(|thread| thread.join().ok().flatten());
            words.push(Words::of(terms.collect::<Option<Vec<Terms>>>()?));
        }
        Some(words)
    })
}

/// A text field as far as it was read.
#[derive(Default)]
struct Field {
    lists: Vec<TermList>,
    /// The largest term of the lists.
    last_term: Option<TermId>,
    terms: Vec<Section>,
}

impl Field {
    fn with_room(documents: usize) -> Self {
        Self { lists: Vec::with_capacity(documents), ..Self::default() }
    }

    fn take(&mut self, section: Section) -> Option<()> {
        match section.kind {
            Kind::TermLists => {
                let mut bytes = section.checked()?;
                while !bytes.0.is_empty() {
                    let (list, last) = TermList::restore(bytes.bytes()?)?;
                    self.last_term = last.max(self.last_term);
                    self.lists.push(list);
                }
                Some(())
            }
            Kind::Terms => {
                self.terms.push(section);
                Some(())
            }
            Kind::Header
            | Kind::Ids
            | Kind::Names
            | Kind::Numbers
            | Kind::Chosen
            | Kind::Choices
            | Kind::Values
            | Kind::Order
            | Kind::Label => None,
        }
    }

    fn finish(self, documents: usize) -> Option<Terms> {
        let mut texts: Vec<&str> = Vec::new();
        for section in &self.terms {
            let mut bytes = section.checked()?;
            while !bytes.0.is_empty() {
                texts.push(bytes.text()?);
            }
        }
        let is_known = self.last_term.is_none_or(|last| (last as usize) < texts.len());
        (is_known && self.lists.len() == documents).then(|| Terms::restore(&texts, self.lists))
    }
}
