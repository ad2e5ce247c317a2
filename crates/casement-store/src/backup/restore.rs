//! Restoring: choosing base and increments, checking them all, then building the data directory.
//!
//! Nothing is written before every file that is needed was read to its end and found whole. Then the base is copied,
//! the frames up to the asked point are written into it, and the result is checked. Until the last step a mark in the
//! directory keeps a server from using it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::backup::BackupError;
use crate::backup::entry::Frame;
use crate::backup::examine::Damage;
use crate::backup::file::{self, Kind, hex};
use crate::backup::increment::{Increment, belongs, frames, needed};
use crate::backup::manifest::{Base, MANIFEST, Manifest, Series};
use crate::backup::place::{increment_name, increments, names};
use crate::sqlite::replay::Replay;
use crate::{limits, lock};

/// What is to be restored.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The directory of the backup.
    pub from: PathBuf,
    /// The data directory to make; absent or empty.
    pub to: PathBuf,
    /// Up to where.
    pub point: Point,
}

/// Up to where to restore. Sets are never torn: the point is the last moment at which what is asked still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// Everything that the backup holds.
    Latest,
    /// Everything before the first set that was decided after this moment, in milliseconds since 1970.
    Time(i64),
    /// Everything before the first set that takes a workspace's log past this sequence number.
    Sequence {
        /// The workspace.
        workspace: String,
        /// The sequence number.
        sequence: u64,
    },
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The base that it was built on.
    pub base: PathBuf,
    /// The changes that were written after it.
    pub changes: u64,
    /// The files that were checked.
    pub files: usize,
    /// The workspaces with the sequence number of the last event of each.
    pub heads: Vec<(String, u64)>,
    /// Files that are damaged and were not needed, since an older base leads to the same state.
    pub damages: Vec<Damage>,
}

/// The files that a restore needs, checked.
struct Checked<'a> {
    installation: &'a str,
    series: &'a Series,
    base: &'a Base,
    /// The first positions of the increments.
    increments: Vec<u64>,
    /// The last position to restore.
    until: u64,
}

/// Restores a data directory. Blocks for as long as it takes.
///
/// # Errors
/// The backup lacks the point or a file of it is damaged, cut, missing or foreign; the directory is not empty or can't
/// be written. Only after the last of these checks anything is written.
pub fn restore(order: &Restore) -> Result<Restored, BackupError> {
    if !names(&order.to)?.is_empty() {
        return Err(BackupError::Refused(format!(
            "{} is not empty; name an empty or absent directory",
            order.to.display()
        )));
    }
    let Some(manifest) = Manifest::read(&order.from)? else {
        let path = order.from.join(MANIFEST);
        return Err(BackupError::File {
            path,
            reason: "the file is missing; there is no backup here".into(),
        });
    };
    let (checked, damages) = check(&order.from, &manifest, &order.point)?;
    Ok(Restored { damages, ..build(&order.from, &order.to, &checked)? })
}

/// Chooses the files and reads each to its end. Where a base, or what follows it, is damaged, an older base of the same
/// series leads to the same state; gives also what is damaged.
fn check<'a>(
    from: &Path,
    manifest: &'a Manifest,
    point: &Point,
) -> Result<(Checked<'a>, Vec<Damage>), BackupError> {
    let (series, newest) = choose(from, manifest, point)?;
    let mut first_error = None;
    let mut damages: Vec<Damage> = Vec::new();
    let older = series.bases.iter().rev().filter(|base| base.position <= newest.position);
    for base in older {
        match check_from(from, manifest, series, base, point) {
            Ok(checked) => return Ok((checked, damages)),
            Err(BackupError::File { path, reason }) => {
                let damage = Damage { path: path.clone(), reason: reason.clone() };
                if !damages.contains(&damage) {
                    damages.push(damage);
                }
                first_error.get_or_insert(BackupError::File { path, reason });
            }
            Err(error) => return Err(error),
        }
    }
    Err(first_error.unwrap_or_else(|| BackupError::Refused(format!("{}: it has no base", from.display()))))
}

/// Reads a base and what follows it.
fn check_from<'a>(
    from: &Path,
    manifest: &'a Manifest,
    series: &'a Series,
    base: &'a Base,
    point: &Point,
) -> Result<Checked<'a>, BackupError> {
    let names = names(from)?;
    let base_path = from.join(&base.file);
    let wrong = |reason: String| BackupError::File { path: base_path.clone(), reason };
    let whole = file::read(&base_path, std::io::sink())?;
    belongs(&whole.header, Kind::Base, &manifest.installation, &series.id).map_err(wrong)?;
    if whole.hash != base.hash {
        return Err(wrong("it is not the file that the manifest speaks of".into()));
    }
    let firsts = needed(series, base.position, &increments(&names, &series.id))
        .map_err(|(name, reason)| BackupError::File { path: from.join(name), reason })?;
    let mut checked = Checked {
        installation: &manifest.installation,
        series,
        base,
        increments: Vec::new(),
        until: base.position,
    };
    let mut former: Option<Increment> = None;
    for first in firsts {
        let increment = Increment::read(from, &series.id, &manifest.installation, first)?;
        follows(from, series, former.as_ref(), &increment)?;
        checked.increments.push(first);
        let passed = find_point(from, &increment, &mut checked, point)?;
        former = Some(increment);
        if passed {
            return Ok(checked);
        }
    }
    let reached = former.map_or(base.position, |increment| increment.to);
    if reached < series.end.position {
        let path = from.join(increment_name(&series.id, reached + 1));
        return Err(BackupError::File { path, reason: "the file is missing".into() });
    }
    Ok(checked)
}

/// Finds the newest base from which the point can be reached.
fn choose<'a>(
    from: &Path,
    manifest: &'a Manifest,
    point: &Point,
) -> Result<(&'a Series, &'a Base), BackupError> {
    let refused = |reason: String| BackupError::Refused(format!("{}: {reason}", from.display()));
    match point {
        Point::Latest => manifest.bases().next().ok_or_else(|| refused("it has no base".into())),
        Point::Time(at_ms) => {
            let found = manifest.bases().find(|(_, base)| base.at_ms <= *at_ms);
            let (series, base) = found.ok_or_else(|| {
                refused("its oldest base was taken after that time; nothing earlier can be restored".into())
            })?;
            if series.end.until_ms < *at_ms {
                return Err(refused(
                    "it does not reach that time; without a time, all that it holds is restored".into(),
                ));
            }
            Ok((series, base))
        }
        Point::Sequence { workspace, sequence } => {
            let head = |base: &Base| base.heads.get(workspace).copied().unwrap_or_default();
            let reaches =
                |series: &Series| series.end.heads.get(workspace).is_some_and(|(last, _)| last >= sequence);
            manifest.bases().find(|(series, base)| head(base) <= *sequence && reaches(series)).ok_or_else(
                || {
                    refused(format!(
                        "it can't be restored to event {sequence} of stream {workspace}: {}",
                        known_sequences(manifest, workspace)
                    ))
                },
            )
        }
    }
}

/// Tells which sequence numbers of a workspace can be restored.
fn known_sequences(manifest: &Manifest, workspace: &str) -> String {
    let spans: Vec<String> = manifest
        .series
        .iter()
        .filter_map(|series| {
            let (last, _) = series.end.heads.get(workspace)?;
            let first = series.bases.first()?.heads.get(workspace).copied().unwrap_or_default();
            Some(format!("{first} to {last}"))
        })
        .collect();
    if spans.is_empty() { "it knows no such stream".into() } else { format!("it holds {}", spans.join(", ")) }
}

/// Checks that an increment goes on where the one before it ends, and ends where the manifest says.
fn follows(
    from: &Path,
    series: &Series,
    former: Option<&Increment>,
    increment: &Increment,
) -> Result<(), BackupError> {
    let path = from.join(increment_name(&series.id, increment.from));
    let wrong = |reason: &str| BackupError::File { path: path.clone(), reason: reason.into() };
    match former {
        Some(former) if increment.from != former.to + 1 => {
            let path = from.join(increment_name(&series.id, former.to + 1));
            return Err(BackupError::File { path, reason: "the file is missing".into() });
        }
        Some(former) if increment.former() != hex(&former.running()) => {
            return Err(wrong("it does not continue the increment before it"));
        }
        Some(_) | None => {}
    }
    if increment.from == series.end.last_from
        && (increment.to < series.end.position
            || (increment.to == series.end.position && hex(&increment.running()) != series.end.running))
    {
        return Err(wrong("it is not the one that the manifest speaks of"));
    }
    Ok(())
}

/// Moves the last position to restore through an increment; says whether the point lies in it.
fn find_point(
    from: &Path,
    increment: &Increment,
    checked: &mut Checked<'_>,
    point: &Point,
) -> Result<bool, BackupError> {
    for frame in frames(increment.payload()) {
        let (_, frame) = frame.map_err(|reason| BackupError::File {
            path: from.join(increment_name(&checked.series.id, increment.from)),
            reason,
        })?;
        if frame.position <= checked.base.position {
            continue;
        }
        if is_past(&frame, point) {
            return Ok(true);
        }
        checked.until = frame.position;
    }
    Ok(false)
}

fn is_past(frame: &Frame<'_>, point: &Point) -> bool {
    match point {
        Point::Latest => false,
        Point::Time(at_ms) => frame.at_ms > *at_ms,
        Point::Sequence { workspace, sequence } => {
            let (of, _, last) = frame.entry.range();
            of == workspace && last > *sequence
        }
    }
}

/// Builds the data directory from checked files.
fn build(from: &Path, to: &Path, checked: &Checked<'_>) -> Result<Restored, BackupError> {
    lock::make(to)?;
    // The mark before all else: a directory with anything in it is either restored or refused.
    let mark = to.join(lock::RESTORING);
    lock::private_file(&mark)?.sync_all().map_err(|source| BackupError::io("write", &mark, source))?;
    lock::sync(to)?;
    let _held = lock::take_new(to)?;
    let database = to.join(lock::DATABASE);
    let base_path = from.join(&checked.base.file);
    let mut out: File = lock::private_file(&database)?;
    let whole = file::read(&base_path, &mut out)?;
    if whole.hash != checked.base.hash {
        let reason = "it has changed since it was checked".into();
        return Err(BackupError::File { path: base_path, reason });
    }
    out.flush()
        .and_then(|()| out.sync_all())
        .map_err(|source| BackupError::io("write", &database, source))?;
    drop(out);
    let replay = Replay::open(&database)?;
    let mut changes = 0;
    for first in &checked.increments {
        let increment = Increment::read(from, &checked.series.id, checked.installation, *first)?;
        changes += apply(from, &replay, &increment, checked)?;
    }
    let heads = replay.finish()?;
    lock::sync(to)?;
    fs::remove_file(&mark).map_err(|source| BackupError::io("remove", &mark, source))?;
    lock::sync(to)?;
    Ok(Restored { base: base_path, changes, files: 2 + checked.increments.len(), heads, damages: Vec::new() })
}

/// Writes the frames of an increment that belong to the restored span.
fn apply(
    from: &Path,
    replay: &Replay,
    increment: &Increment,
    checked: &Checked<'_>,
) -> Result<u64, BackupError> {
    let mut changes = 0;
    replay.begin()?;
    for frame in frames(increment.payload()) {
        let (_, frame) = frame.map_err(|reason| BackupError::File {
            path: from.join(increment_name(&checked.series.id, increment.from)),
            reason,
        })?;
        if frame.position <= checked.base.position || frame.position > checked.until {
            continue;
        }
        replay.apply(&frame)?;
        changes += 1;
        if changes % limits::REPLAY_TRANSACTION_FRAMES == 0 {
            replay.commit()?;
            replay.begin()?;
        }
    }
    replay.commit()?;
    Ok(changes)
}
