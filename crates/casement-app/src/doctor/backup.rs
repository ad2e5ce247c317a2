//! Backups: what the store knows of those that follow it, and what lies in their directories.
//!
//! One is judged: that of the settings, else the one that was continued last. The others are told of; a disk that was plugged
//! in once is no fault.

use std::fs;
use std::path::Path;

use casement_domain::date::Moment;
use casement_store::backup::examine::{Examined, Look, examine};
use casement_store::error::StoreError;
use casement_store::inspect::{Depth, Follower, Inspection};

use crate::doctor::Finding;
use crate::limits;

const CHECK: &str = "backup";

/// Judges the backups that follow the store, and what lies in the directory of the one that counts; that of the settings is
/// looked at by [`directory`].
///
/// # Errors
/// The store can't be read.
pub fn followed(
    inspection: &Inspection,
    depth: Depth,
    configured: Option<&Path>,
    now: Moment,
) -> Result<Vec<Finding>, StoreError> {
    let followers = inspection.followers()?;
    let Some(judged) = judged(&followers, configured) else {
        return Ok(vec![Finding::warning(
            CHECK,
            "no backup follows this installation",
            "run `casement backup --to DIR`, or serve with --backup-to",
        )]);
    };
    let mut findings = vec![following(judged, now)];
    if configured.is_none() {
        let place = Path::new(&judged.target);
        if is_gone(place) {
            let message = format!("{} held a backup and is absent or empty", judged.target);
            let advice = format!("look whether its disk is mounted; {}", forgetting(judged));
            findings.push(Finding::warning(CHECK, message, advice));
        } else {
            findings.push(directory(place, inspection.identity()?.as_deref(), depth, now));
        }
    }
    findings.extend(followers.iter().filter(|other| *other != judged).map(beside));
    Ok(findings)
}

/// Looks at the directory of one backup.
pub fn directory(directory: &Path, identity: Option<&str>, depth: Depth, now: Moment) -> Finding {
    let shown = directory.display();
    let again = format!("run `casement backup --to {shown}`, or look why it does not run (the server's log)");
    let look = match depth {
        Depth::Quick => Look::Heads,
        Depth::Full => Look::Contents,
    };
    match examine(directory, look) {
        Err(error) => Finding::error(
            CHECK,
            error.to_string(),
            "begin a backup in another directory, then look at this one",
        ),
        Ok(None) => Finding::error(CHECK, format!("{shown} holds no backup"), again),
        Ok(Some(Examined { installation, .. })) if Some(installation.as_str()) != identity => {
            let message = format!("{shown} holds the backup of another installation");
            Finding::error(CHECK, message, "name the backup of this one")
        }
        Ok(Some(found)) => of_files(directory, &found).unwrap_or_else(|| {
            let until = Moment::from_ms(found.until_ms).iso();
            let message = format!("{shown} has {} bases and reaches until {until}", found.bases.len());
            by_age(now.ms().saturating_sub(found.until_ms), message, &again)
        }),
    }
}

fn of_files(directory: &Path, found: &Examined) -> Option<Finding> {
    let first = found.damages.first()?;
    let shown = directory.display();
    let message =
        format!("{} files of the backup in {shown} are damaged or missing: {first}", found.damages.len());
    Some(if found.is_latest_whole {
        let advice = "the latest state can be restored, but not every moment before; \
            `casement restore --list` tells which, and --keep-bases lets the older bases go";
        Finding::warning(CHECK, message, advice)
    } else {
        let advice = format!(
            "the latest state can't be restored: run `casement backup --to {shown}`, which takes a new base"
        );
        Finding::error(CHECK, message, advice)
    })
}

/// The one of the settings, else the one that was continued last.
fn judged<'a>(followers: &'a [Follower], configured: Option<&Path>) -> Option<&'a Follower> {
    let configured = configured.and_then(|path| fs::canonicalize(path).ok());
    let of_settings =
        followers.iter().find(|follower| configured.as_deref() == Some(Path::new(&follower.target)));
    of_settings.or_else(|| followers.iter().max_by_key(|follower| follower.at_ms))
}

fn following(follower: &Follower, now: Moment) -> Finding {
    let Some(since_ms) = follower.lacks_since_ms else {
        return Finding::fine(CHECK, format!("every change is in the backup in {}", follower.target));
    };
    let since = Moment::from_ms(since_ms).iso();
    by_age(
        now.ms().saturating_sub(since_ms),
        format!("the backup in {} lacks the changes since {since}", follower.target),
        &format!(
            "run `casement backup --to {}`, or look why it does not run (the server's log)",
            follower.target
        ),
    )
}

/// A backup that is not the one that counts.
fn beside(follower: &Follower) -> Finding {
    let has = match follower.lacks_since_ms {
        None => "holds every change".to_owned(),
        Some(since_ms) => format!("lacks the changes since {}", Moment::from_ms(since_ms).iso()),
    };
    let message = format!("another backup, in {}, {has}; {}", follower.target, forgetting(follower));
    Finding::fine(CHECK, message)
}

fn forgetting(follower: &Follower) -> String {
    format!("when it is not continued any more: `casement backup --to {} --forget`", follower.target)
}

fn is_gone(directory: &Path) -> bool {
    match fs::read_dir(directory) {
        Ok(mut entries) => entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "lost+found")),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

fn by_age(age_ms: i64, message: String, advice: &str) -> Finding {
    if age_ms > limits::DOCTOR_BACKUP_ERROR_MS {
        Finding::error(CHECK, message, advice)
    } else if age_ms > limits::DOCTOR_BACKUP_WARNING_MS {
        Finding::warning(CHECK, message, advice)
    } else {
        Finding::fine(CHECK, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backup_of_the_settings_is_judged_or_the_one_continued_last_and_the_others_are_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let kept = fs::canonicalize(folder.path()).unwrap();
        let day_ms = 24 * 3_600_000;
        let once = Follower { target: "/usb".into(), at_ms: 1, lacks_since_ms: Some(2) };
        let target = kept.to_string_lossy().into_owned();
        let continued = Follower { target: target.clone(), at_ms: 20 * day_ms, lacks_since_ms: None };
        let later = Follower { target: "/later".into(), at_ms: 21 * day_ms, lacks_since_ms: None };
        let all = [once.clone(), continued.clone(), later.clone()];
        assert_eq!(judged(&all, Some(&kept)), Some(&continued));
        assert_eq!(judged(&all, None), Some(&later));
        assert_eq!(judged(&all[..2], Some(Path::new("/elsewhere"))), Some(&continued));
        assert_eq!(judged(&[], None), None);
        let now = Moment::from_ms(22 * day_ms);
        assert_eq!(following(&continued, now).level.name(), "ok");
        let finding = following(&once, now);
        assert_eq!(finding.level.name(), "error");
        assert!(finding.advice.unwrap().contains("--to /usb"));
        let finding = beside(&once);
        assert_eq!(finding.level.name(), "ok");
        assert!(finding.message.contains("--to /usb --forget"), "{}", finding.message);
    }
}
