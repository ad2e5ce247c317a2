//! One run of a backup: a base when one is needed, then everything that was journalled since the last run.
//!
//! Blocking, on a thread of its own. It reads by a connection of its own and asks the writer only to begin a series
//! and to note how far it got. Whatever breaks it off, the manifest speaks of whole, synced files alone, and the next
//! run goes on from there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rusqlite::Connection;

use crate::backup::BackupError;
use crate::backup::entry::{self, Entry, FORMAT, Frame};
use crate::backup::examine::{Damage, Look, of_series};
use crate::backup::file::{self, Header, Kind, UNFINISHED, hex};
use crate::backup::increment::{GENESIS, Increment, unhex};
use crate::backup::inside::lies_inside;
use crate::backup::manifest::{Base, End, MANIFEST, Manifest, Series};
use crate::backup::place::{
    OF_THE_DISK, Place, base_name, increment_name, is_base_of, is_base_or_increment, names,
};
use crate::error::{Health, StoreError};
use crate::queue::Queue;
use crate::sqlite::copy::{self, Copied};
use crate::sqlite::journal::{self, JournalOrder};
use crate::sqlite::{reader, schema};
use crate::{limits, lock};

/// A clock, in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What a run is asked to do.
pub struct BackUp {
    /// The directory of the backup; made, with mode 0700, if it is absent.
    pub to: PathBuf,
    /// When to take a base.
    pub base: TakeBase,
    /// How many bases to keep; older ones go with what only they need. `None` keeps all.
    pub bases_kept: Option<NonZeroUsize>,
    /// The clock.
    pub now_ms: Clock,
    /// How closely to look at what is there already.
    pub look: Look,
    /// A backup was there before: one that is gone is not begun anew.
    pub is_continued: bool,
    /// Random bytes, fresh for each run.
    pub random: [[u8; 16]; 2],
}

/// When a run takes a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeBase {
    /// When the backup has none that this store continues.
    WhenNeeded,
    /// Also when the newest is older than so many milliseconds.
    OlderThan(i64),
    /// Always.
    Now,
}

/// What a run has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The base that was taken.
    pub base: Option<TakenBase>,
    /// The changes that were taken over into increments.
    pub changes: u64,
    /// The files that were not needed any more and removed.
    pub removed: usize,
    /// Everything up to this moment is in the backup, in milliseconds since 1970.
    pub until_ms: i64,
    /// The bases that the backup has now.
    pub bases: usize,
    /// Files that were there before and are damaged or missing: what only they hold can't be restored. Where they held
    /// the latest state, a base was taken.
    pub damages: Vec<Damage>,
}

/// A base that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenBase {
    /// Its file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Why it was taken.
    pub reason: String,
}

/// The store, as a run sees it.
pub(crate) struct Source<'a> {
    pub(crate) database: &'a Path,
    pub(crate) queue: &'a Queue,
    pub(crate) copies: &'a AtomicUsize,
}

/// What a run works with.
struct Run<'a> {
    source: &'a Source<'a>,
    order: &'a BackUp,
    place: Place,
    connection: Connection,
    changes: u64,
    damages: Vec<Damage>,
}

/// Runs a backup.
pub(crate) fn run(source: &Source<'_>, order: &BackUp) -> Result<BackedUp, BackupError> {
    refuse_within(source.database, &order.to)?;
    let connection = schema::open_reader(source.database)?;
    refuse_gone(&connection, order)?;
    let (place, found) = Place::take(&order.to)?;
    let mut run = Run { source, order, place, connection, changes: 0, damages: Vec::new() };
    let (mut manifest, mut taken) = run.begin(found)?;
    let until_former_ms = manifest.last().end.until_ms;
    run.take_increments(&mut manifest)?;
    if taken.is_none() && run.wants_base(&manifest) {
        let base = run.copy_base(&manifest.installation, &manifest.last().id)?;
        taken = Some(run.taken(&base.1, "asked for"));
        manifest.last_mut().bases.push(base.1);
    }
    let pruned = prune(&mut manifest, order.bases_kept);
    let until_ms = manifest.last().end.until_ms;
    let idle = run.changes == 0 && taken.is_none() && !pruned;
    if !idle || until_ms - until_former_ms >= limits::BACKUP_UNTIL_STEP_MS {
        manifest.write(run.place.directory())?;
    }
    let removed = if pruned { run.place.sweep(&manifest)? } else { 0 };
    run.note_progress(&manifest)?;
    let bases = manifest.series.iter().map(|series| series.bases.len()).sum();
    Ok(BackedUp { base: taken, changes: run.changes, removed, until_ms, bases, damages: run.damages })
}

impl Run<'_> {
    /// Continues the backup that is there, or begins a series with a base.
    fn begin(&mut self, found: Option<Manifest>) -> Result<(Manifest, Option<TakenBase>), BackupError> {
        let identity = journal::identity(&self.connection)?;
        let (manifest, reason) = match found {
            None => (None, "the first of this backup".to_owned()),
            Some(manifest) if !self.is_own(identity.as_deref(), &manifest)? => {
                return Err(BackupError::Refused(format!(
                    "{} holds the backup of another installation; name another directory",
                    self.order.to.display()
                )));
            }
            Some(manifest) => {
                self.place.sweep(&manifest)?;
                match self.why_not_continued(&manifest)? {
                    None => return Ok((manifest, None)),
                    Some(reason) => (Some(manifest), reason),
                }
            }
        };
        let series = hex(&self.order.random[0]);
        let adopted = manifest.as_ref().map(|manifest| manifest.installation.clone());
        let identity = identity.or(adopted).unwrap_or_else(|| hex(&self.order.random[1]));
        let begun = self.tell(JournalOrder::Begin {
            identity: identity.clone(),
            series: series.clone(),
            target: resolved(&self.order.to)?.to_string_lossy().into_owned(),
            at_ms: (self.order.now_ms)(),
        });
        let reason = match begun {
            Ok(()) => reason,
            Err(BackupError::Store(StoreError::Unavailable(why)))
                if self.may_copy_alone(manifest.as_ref()) =>
            {
                format!(
                    "{reason}; the next run takes another, since the store can't note that this one was taken: {why}"
                )
            }
            Err(BackupError::Store(StoreError::Unavailable(why))) => {
                let shown = self.source.database.display();
                return Err(StoreError::Unavailable(format!(
                    "{shown} can't note that a backup begins: {why}"
                ))
                .into());
            }
            Err(error) => return Err(error),
        };
        let installation = journal::identity(&self.connection)?.unwrap_or(identity);
        let (copied, base) = self.copy_base(&installation, &series)?;
        let taken = self.taken(&base, &reason);
        let heads = copied.heads.into_iter().map(|(id, (head, hash))| (id, (head, hex(&hash)))).collect();
        let end = End {
            last_from: 0,
            position: base.position,
            running: hex(&GENESIS),
            until_ms: base.at_ms,
            heads,
        };
        let mut manifest = manifest.unwrap_or(Manifest { format: FORMAT, installation, series: Vec::new() });
        manifest.series.push(Series { id: series, bases: vec![base], end });
        manifest.write(self.place.directory())?;
        Ok((manifest, Some(taken)))
    }

    /// Says whether a backup is one of this store. A store that had no room for its identity is known by its logs.
    fn is_own(&self, identity: Option<&str>, manifest: &Manifest) -> Result<bool, BackupError> {
        match identity {
            Some(identity) => Ok(identity == manifest.installation),
            None => {
                let has_events = manifest.last().end.heads.values().any(|(sequence, _)| *sequence > 0);
                Ok(has_events && self.other_log(manifest)?.is_none())
            }
        }
    }

    /// Says whether a copy is worth its room although the store, which takes no writes, can't note it: a run that is
    /// repeated all the time would take one each time.
    fn may_copy_alone(&self, manifest: Option<&Manifest>) -> bool {
        match (self.source.queue.health(), self.order.base) {
            (Health::Ready | Health::Unreachable { .. }, _) => false,
            (Health::Full { .. } | Health::RestartRequired { .. }, TakeBase::WhenNeeded | TakeBase::Now) => {
                true
            }
            (Health::Full { .. } | Health::RestartRequired { .. }, TakeBase::OlderThan(_)) => {
                manifest.is_none_or(|manifest| self.wants_base(manifest))
            }
        }
    }

    /// Gives a workspace whose log is not the one that was backed up.
    fn other_log<'a>(&self, manifest: &'a Manifest) -> Result<Option<&'a str>, BackupError> {
        for (workspace, (sequence, hash)) in &manifest.last().end.heads {
            let Some(before) = sequence.checked_sub(1) else { continue };
            let events = reader::events(&self.connection, workspace, before, 1)?;
            if events.first().is_none_or(|event| event.sequence != *sequence || hex(&event.hash) != *hash) {
                return Ok(Some(workspace));
            }
        }
        Ok(None)
    }

    /// Looks at the files that are there; says why the latest state can't be restored from them.
    fn why_not_whole(&mut self, manifest: &Manifest) -> Result<Option<String>, BackupError> {
        let directory = self.place.directory();
        let names = names(directory)?;
        let mut reason = None;
        for series in &manifest.series {
            let found = of_series(directory, &names, &manifest.installation, series, self.order.look)?;
            reason = match found.whole.last() {
                Some(true) => None,
                Some(false) | None => found.damages.first().map(ToString::to_string),
            };
            self.damages.extend(found.damages);
        }
        Ok(reason)
    }

    /// Says why the last series can't go on, `None` when it can.
    fn why_not_continued(&mut self, manifest: &Manifest) -> Result<Option<String>, BackupError> {
        if let Some(reason) = self.why_not_whole(manifest)? {
            return Ok(Some(reason));
        }
        let Series { id, end, bases: _ } = manifest.last();
        let Some(series) = journal::series(&self.connection, id)? else {
            return Ok(Some("the store no longer keeps what this backup has yet to take".to_owned()));
        };
        if series.position > end.position {
            return Ok(Some("another copy of this backup went further".to_owned()));
        }
        if end.position > journal::last_position(&self.connection)? {
            return Ok(Some("the store is older than its backup".to_owned()));
        }
        if let Some(workspace) = self.other_log(manifest)? {
            return Ok(Some(format!("the log of workspace {workspace} is not the one that was backed up")));
        }
        if end.last_from > 0 && !self.place.directory().join(increment_name(id, end.last_from)).exists() {
            return Ok(Some("the last increment is missing".to_owned()));
        }
        Ok(None)
    }

    fn wants_base(&self, manifest: &Manifest) -> bool {
        match self.order.base {
            TakeBase::WhenNeeded => false,
            TakeBase::Now => true,
            TakeBase::OlderThan(age_ms) => {
                let newest = manifest.last().bases.iter().map(|base| base.at_ms).max();
                newest.is_none_or(|at_ms| (self.order.now_ms)().saturating_sub(at_ms) > age_ms)
            }
        }
    }

    fn taken(&self, base: &Base, reason: &str) -> TakenBase {
        let file = self.place.directory().join(&base.file);
        TakenBase { file, bytes: base.bytes, reason: reason.to_owned() }
    }

    /// Copies the database into a file of its own, then, with header and hash, into the base.
    fn copy_base(&self, installation: &str, series: &str) -> Result<(Copied, Base), BackupError> {
        let directory = self.place.directory();
        let copy_path = directory.join(format!("copy{UNFINISHED}"));
        let copied = copy::copy(self.source.database, &copy_path, self.source.copies, &*self.order.now_ms);
        let copied = copied.inspect_err(|_| {
            // What is left of it must not take the room; the failure that is told is the first.
            let _ = fs::remove_file(&copy_path);
        })?;
        let name = free_name(directory, series, copied.position)?;
        let path = directory.join(&name);
        let open = || -> std::io::Result<(File, u64)> {
            let copy = File::open(&copy_path)?;
            let bytes = copy.metadata()?.len();
            Ok((copy, bytes))
        };
        let (copy, payload_bytes) = open().map_err(|source| BackupError::io("read", &copy_path, source))?;
        let heads: BTreeMap<String, u64> =
            copied.heads.iter().map(|(id, (head, _))| (id.clone(), *head)).collect();
        let header = Header {
            format: FORMAT,
            kind: Kind::Base,
            installation: installation.to_owned(),
            series: series.to_owned(),
            from: copied.position,
            to: copied.position,
            former: String::new(),
            running: String::new(),
            at_ms: copied.at_ms,
            workspaces: heads.iter().map(|(id, head)| (id.clone(), (1, *head))).collect(),
            payload_bytes,
        };
        let hash = file::write(&path, &header, copy)?;
        fs::remove_file(&copy_path).map_err(|source| BackupError::io("remove", &copy_path, source))?;
        lock::sync(directory)?;
        let bytes = fs::metadata(&path).map_err(|source| BackupError::io("read", &path, source))?.len();
        let base = Base { file: name, bytes, hash, position: copied.position, at_ms: copied.at_ms, heads };
        Ok((copied, base))
    }

    /// Writes what was journalled since the end of the last series into increments and moves its end.
    fn take_increments(&mut self, manifest: &mut Manifest) -> Result<(), BackupError> {
        let installation = manifest.installation.clone();
        let series = manifest.last_mut();
        let until_ms = (self.order.now_ms)();
        let last = journal::last_position(&self.connection)?;
        if last > series.end.position {
            let mut increment = self.open_last(&installation, series)?;
            while increment.to < last {
                self.fill(&mut increment, last, &mut series.end)?;
                increment.write(self.place.directory(), &installation, &series.id)?;
                series.end.last_from = increment.from;
                series.end.position = increment.to;
                series.end.running = hex(&increment.running());
                increment = Increment::after(increment.to, increment.running());
                increment.to = series.end.position;
            }
            lock::sync(self.place.directory())?;
        }
        series.end.until_ms = series.end.until_ms.max(until_ms);
        Ok(())
    }

    /// Gives the last increment while it is small, else a new one.
    fn open_last(&self, installation: &str, series: &Series) -> Result<Increment, BackupError> {
        let end = &series.end;
        let path = self.place.directory().join(increment_name(&series.id, end.last_from));
        let wrong = |reason: &str| BackupError::File { path: path.clone(), reason: reason.into() };
        let running = unhex(&end.running).ok_or_else(|| wrong("the manifest names no hash of it"))?;
        let small = end.last_from > 0
            && fs::metadata(&path).is_ok_and(|found| found.len() < limits::INCREMENT_GROWS_BYTES);
        if !small {
            return Ok(Increment::after(end.position, running));
        }
        let increment = Increment::read(self.place.directory(), &series.id, installation, end.last_from)?;
        if increment.to != end.position || increment.running() != running {
            return Err(wrong("it is not the one that the manifest speaks of; take a new base (--base)"));
        }
        Ok(increment)
    }

    /// Adds rows of the journal, up to a position, until the increment is large enough.
    fn fill(&mut self, increment: &mut Increment, last: u64, end: &mut End) -> Result<(), BackupError> {
        let room = usize::try_from(limits::INCREMENT_BYTES).unwrap_or(usize::MAX);
        while increment.to < last && increment.payload().len() < room {
            let rows = journal::rows(&self.connection, increment.to, last, room - increment.payload().len())?;
            for row in &rows {
                if row.position != increment.to + 1 {
                    let reason = format!("the journal has no position {}", increment.to + 1);
                    return Err(StoreError::Damaged(reason).into());
                }
                let entry: Entry<'_> = entry::decode(&row.entry).map_err(|error| {
                    StoreError::Damaged(format!(
                        "position {} of the journal can't be read: {error}",
                        row.position
                    ))
                })?;
                let events = self.events(&entry)?;
                if let Some(event) = events.last() {
                    end.heads.insert(entry.range().0.to_owned(), (event.sequence, hex(&event.hash)));
                }
                increment.push(&Frame { position: row.position, at_ms: row.at_ms, entry, events });
                self.changes += 1;
            }
            if rows.is_empty() {
                return Err(StoreError::Damaged("the journal ends before its last position".into()).into());
            }
        }
        Ok(())
    }

    fn events(&self, entry: &Entry<'_>) -> Result<Vec<crate::event::Event>, BackupError> {
        let (workspace, first, last) = entry.range();
        let count = usize::try_from((last + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        if count == 0 {
            return Ok(Vec::new());
        }
        let events =
            reader::events(&self.connection, workspace, first - 1, count.min(limits::SET_EVENTS_MAX))?;
        if events.len() != count {
            let reason = format!("workspace {workspace} lacks events between {first} and {last}");
            return Err(StoreError::Damaged(reason).into());
        }
        Ok(events)
    }

    /// Lets the store forget what the backup holds. A store that takes no writes keeps it a while longer.
    fn note_progress(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let Series { id, end, .. } = manifest.last();
        let held = journal::series(&self.connection, id)?.map(|series| series.position);
        if held.is_none_or(|position| position >= end.position) {
            return Ok(());
        }
        let order = JournalOrder::Advance {
            series: id.clone(),
            position: end.position,
            at_ms: (self.order.now_ms)(),
        };
        match self.tell(order) {
            Err(BackupError::Store(StoreError::Unavailable(reason))) => {
                tracing::warn!(reason, "the backup is whole, but the store could not note how far it goes");
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn tell(&self, order: JournalOrder) -> Result<(), BackupError> {
        let answer = self.source.queue.push_journal(order)?;
        match answer.blocking_recv() {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                Err(StoreError::Unavailable("the writer has stopped; restart the server".into()).into())
            }
        }
    }
}

/// Nothing may have been written since the last base: then both have the same position, and a file of their own.
fn free_name(directory: &Path, series: &str, position: u64) -> Result<String, BackupError> {
    let names = names(directory)?;
    let free =
        (0..=names.len()).map(|place| base_name(series, position, place)).find(|name| !names.contains(name));
    Ok(free.expect("invariant: of more names than there are files one is free"))
}

/// Takes bases away until so many are left, and series that have none any more. Says whether any went.
fn prune(manifest: &mut Manifest, kept: Option<NonZeroUsize>) -> bool {
    let total: usize = manifest.series.iter().map(|series| series.bases.len()).sum();
    let mut excess = kept.map_or(0, |kept| total.saturating_sub(kept.get()));
    let pruned = excess > 0;
    for series in &mut manifest.series {
        let gone = excess.min(series.bases.len());
        series.bases.drain(..gone);
        excess -= gone;
    }
    manifest.series.retain(|series| !series.bases.is_empty());
    pruned
}

/// A backup that was there and is not is not begun anew: its disk may not be mounted. Nor is one whose manifest is gone:
/// what no manifest names would be removed.
///
/// A run that was broken off before its manifest has left a lock, and perhaps the base of the series that it began.
fn refuse_gone(connection: &Connection, order: &BackUp) -> Result<(), BackupError> {
    let to = order.to.display();
    let names = names(&order.to)?;
    let series = journal::series_of(connection, &resolved(&order.to)?.to_string_lossy())?;
    let is_ours = |name: &String| series.as_ref().is_some_and(|series| is_base_of(name, series));
    if !names.contains(MANIFEST) && names.iter().any(|name| is_base_or_increment(name) && !is_ours(name)) {
        return Err(BackupError::Refused(format!(
            "{to} holds files of a backup, but {MANIFEST} is missing: put it back, or name another directory"
        )));
    }
    let is_empty = names.iter().all(|name| name == OF_THE_DISK);
    if is_empty && order.base != TakeBase::Now && (order.is_continued || series.is_some()) {
        return Err(BackupError::Refused(format!(
            "{to} held a backup and is now absent or empty; look whether its disk is mounted. To begin anew there: casement \
             backup --to {to} --base"
        )));
    }
    Ok(())
}

/// The place that a path names, also where it is yet to be made.
fn resolved(to: &Path) -> Result<PathBuf, BackupError> {
    let absolute = std::path::absolute(to).map_err(|source| BackupError::io("find", to, source))?;
    for existing in absolute.ancestors() {
        if let (Ok(found), Ok(rest)) = (fs::canonicalize(existing), absolute.strip_prefix(existing)) {
            return Ok(if rest == Path::new("") { found } else { found.join(rest) });
        }
    }
    Ok(absolute)
}

/// A backup inside the data directory would be lost with it.
fn refuse_within(database: &Path, to: &Path) -> Result<(), BackupError> {
    let data = database.parent().unwrap_or(Path::new("."));
    if lies_inside(to, data) {
        return Err(BackupError::Refused(format!(
            "{} lies in the data directory and would be lost with it; name a directory outside, best on another disk",
            to.display()
        )));
    }
    Ok(())
}
