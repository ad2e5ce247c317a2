//! Looking at the files that a manifest needs: at a glance, by their presence and size, or each to its end.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::backup::BackupError;
use crate::backup::file::{self, Hash, Kind, hex};
use crate::backup::increment::{Increment, belongs, needed};
use crate::backup::manifest::{Base, Manifest, Series};
use crate::backup::place::{increment_name, increments, names};

/// How closely files are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Whether each base is there and has its size.
    Bases,
    /// The same, and of each increment its head too: whether they follow each other up to the end.
    Heads,
    /// Every byte of every file.
    Contents,
}

/// A file that a backup needs and that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path.display(), self.reason)
    }
}

/// A base, with what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedBase {
    /// Its file.
    pub path: PathBuf,
    /// When it was taken, in milliseconds since 1970.
    pub at_ms: i64,
    /// Up to which moment increments are to follow it, in milliseconds since 1970.
    pub until_ms: i64,
    /// Its size.
    pub bytes: u64,
    /// It and all that follows it are as they were written, as far as was looked.
    pub is_whole: bool,
}

/// What was found in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The store that it is a backup of.
    pub installation: String,
    /// Everything up to this moment is to be in it, in milliseconds since 1970.
    pub until_ms: i64,
    /// The bases, the oldest first.
    pub bases: Vec<ExaminedBase>,
    /// What is wrong.
    pub damages: Vec<Damage>,
    /// The files that were looked at.
    pub files: usize,
    /// The latest state can be restored, as far as was looked.
    pub is_latest_whole: bool,
}

/// Looks at a backup, `None` when there is none in the directory. Blocks for as long as it takes.
///
/// A backup that is continued meanwhile may be found damaged where it has just changed: then look again.
///
/// # Errors
/// The manifest is damaged, or a file can't be read.
pub fn examine(directory: &Path, look: Look) -> Result<Option<Examined>, BackupError> {
    let Some(manifest) = Manifest::read(directory)? else { return Ok(None) };
    let names = names(directory)?;
    let (mut bases, mut damages, mut files, mut is_latest_whole) = (Vec::new(), Vec::new(), 0, false);
    for series in &manifest.series {
        let found = of_series(directory, &names, &manifest.installation, series, look)?;
        is_latest_whole = found.whole.contains(&true);
        bases.extend(series.bases.iter().zip(found.whole).map(|(base, is_whole)| ExaminedBase {
            path: directory.join(&base.file),
            at_ms: base.at_ms,
            until_ms: series.end.until_ms,
            bytes: base.bytes,
            is_whole,
        }));
        damages.extend(found.damages);
        files += found.files;
    }
    let until_ms = manifest.last().end.until_ms;
    Ok(Some(Examined {
        installation: manifest.installation,
        until_ms,
        bases,
        damages,
        files,
        is_latest_whole,
    }))
}

/// What was found in a series.
pub(crate) struct OfSeries {
    /// For each base, whether it and all that follows it are whole.
    pub(crate) whole: Vec<bool>,
    pub(crate) damages: Vec<Damage>,
    files: usize,
}

/// Looks at the files of a series.
pub(crate) fn of_series(
    directory: &Path,
    names: &BTreeSet<String>,
    installation: &str,
    series: &Series,
    look: Look,
) -> Result<OfSeries, BackupError> {
    let (mut whole, mut damages) = (Vec::new(), Vec::new());
    for base in &series.bases {
        let damage = damage_of(of_base(directory, installation, &series.id, base, look))?;
        whole.push(damage.is_none());
        damages.extend(damage);
    }
    let mut files = series.bases.len();
    if look != Look::Bases {
        let oldest = series.bases.iter().map(|base| base.position).min().unwrap_or_default();
        let firsts = increments(names, &series.id);
        let mut chain = Chain { directory, installation, series, next: None, damages: Vec::new() };
        files += chain.walk(&firsts, oldest, look)?;
        for (base, whole) in series.bases.iter().zip(&mut whole) {
            let begins = match needed(series, base.position, &firsts) {
                Ok(firsts) => firsts.first().copied(),
                Err(_) => Some(base.position + 1),
            };
            *whole &= begins.is_none_or(|begins| chain.damages.iter().all(|(from, _)| *from < begins));
        }
        damages.extend(chain.damages.into_iter().map(|(_, damage)| damage));
    }
    Ok(OfSeries { whole, damages, files })
}

fn of_base(
    directory: &Path,
    installation: &str,
    series: &str,
    base: &Base,
    look: Look,
) -> Result<(), BackupError> {
    let path = directory.join(&base.file);
    let wrong = |reason: String| BackupError::File { path: path.clone(), reason };
    let bytes = match fs::metadata(&path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(wrong("the file is missing".into()));
        }
        Err(source) => return Err(BackupError::io("look at", path, source)),
    };
    if bytes != base.bytes {
        return Err(wrong(format!("the file has {bytes} bytes where {} were written", base.bytes)));
    }
    if look == Look::Contents {
        let whole = file::read(&path, io::sink())?;
        belongs(&whole.header, Kind::Base, installation, series).map_err(wrong)?;
        if whole.hash != base.hash {
            return Err(wrong("it is not the file that the manifest speaks of".into()));
        }
    }
    Ok(())
}

/// The increments of a series, on the way from one to the next.
struct Chain<'a> {
    directory: &'a Path,
    installation: &'a str,
    series: &'a Series,
    /// Where the next one must begin, and the running hash there.
    next: Option<(u64, Hash)>,
    /// Each with the first position that it may concern.
    damages: Vec<(u64, Damage)>,
}

/// What an increment says of itself.
struct Link {
    to: u64,
    former: Hash,
    running: Hash,
}

impl Chain<'_> {
    /// Looks at the increments that follow a base; gives how many there are.
    fn walk(&mut self, firsts: &[u64], base_position: u64, look: Look) -> Result<usize, BackupError> {
        let end = &self.series.end;
        let firsts = match needed(self.series, base_position, firsts) {
            Ok(firsts) => firsts,
            Err((name, reason)) => {
                let damage = Damage { path: self.directory.join(name), reason };
                self.damages.push((base_position + 1, damage));
                firsts.iter().copied().filter(|from| *from > base_position).collect()
            }
        };
        let firsts: Vec<u64> = firsts.into_iter().filter(|from| *from <= end.last_from).collect();
        for from in &firsts {
            if let Some((next, _)) = &self.next
                && next != from
            {
                let next = *next;
                self.missing(next);
                self.next = None;
            }
            let path = self.directory.join(increment_name(&self.series.id, *from));
            match self.link(&path, *from, look) {
                Ok(link) => {
                    let is_other = self.next.as_ref().is_some_and(|(_, running)| *running != link.former);
                    let is_end = *from == end.last_from;
                    let is_foreign = is_end
                        && (link.to < end.position
                            || (link.to == end.position && link.running != end.running));
                    if is_other || is_foreign {
                        let reason = match is_other {
                            true => "it does not continue the increment before it",
                            false => "it is not the one that the manifest speaks of",
                        };
                        self.damages.push((*from, Damage { path, reason: reason.into() }));
                    }
                    self.next = Some((link.to + 1, link.running));
                }
                Err(error) => {
                    let damage = damage_of(Err(error))?;
                    self.damages.extend(damage.map(|damage| (*from, damage)));
                    self.next = None;
                }
            }
        }
        let last = firsts.last().copied();
        if let Some((next, _)) = self.next.take()
            && next <= end.position
            && last != Some(end.last_from)
        {
            self.missing(next);
        }
        Ok(firsts.len())
    }

    fn missing(&mut self, from: u64) {
        let path = self.directory.join(increment_name(&self.series.id, from));
        self.damages.push((from, Damage { path, reason: "the file is missing".into() }));
    }

    fn link(&self, path: &Path, from: u64, look: Look) -> Result<Link, BackupError> {
        if look == Look::Contents {
            let found = Increment::read(self.directory, &self.series.id, self.installation, from)?;
            let (to, former) = (found.to, found.former().to_owned());
            return Ok(Link { to, former, running: hex(&found.running()) });
        }
        let header = file::head(path)?;
        let wrong = |reason: String| BackupError::File { path: path.to_path_buf(), reason };
        belongs(&header, Kind::Increment, self.installation, &self.series.id).map_err(wrong)?;
        if header.from != from {
            return Err(wrong(format!("it begins at position {} under this name", header.from)));
        }
        Ok(Link { to: header.to, former: header.former, running: header.running })
    }
}

/// Takes what is wrong with a file out of an error; others remain errors.
fn damage_of(looked: Result<(), BackupError>) -> Result<Option<Damage>, BackupError> {
    match looked {
        Ok(()) => Ok(None),
        Err(BackupError::File { path, reason }) => Ok(Some(Damage { path, reason })),
        Err(error @ (BackupError::Refused(_) | BackupError::Store(_))) => Err(error),
    }
}
