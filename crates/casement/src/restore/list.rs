//! What a backup holds: its bases, the moments that can be restored, what is damaged.

use anyhow::{anyhow, ensure};
use casement_domain::date::Moment;
use casement_store::backup::BackupError;
use casement_store::backup::examine::{Examined, Look, examine};
use casement_store::backup::restore::{Point, Restore};
use serde_json::{Value, json};

use crate::cli::backup::RestoreArguments;
use crate::output;

/// Runs `casement restore --list` and `--verify`.
///
/// # Errors
/// There is no backup, or a file of it is damaged or missing.
pub fn run(arguments: &RestoreArguments) -> anyhow::Result<()> {
    let from = &arguments.from;
    let look = if arguments.verify { Look::Contents } else { Look::Heads };
    let found = examine(from, look)?.ok_or_else(|| anyhow!("{}: there is no backup here", from.display()))?;
    if arguments.json {
        output::line(format_args!("{:#}", as_json(&found)));
    } else {
        print(&found, look);
    }
    ensure!(
        found.damages.is_empty(),
        "{} files of the backup are damaged or missing{}",
        found.damages.len(),
        if found.is_latest_whole {
            "; the latest state can be restored"
        } else {
            "; the latest state can't be restored"
        }
    );
    Ok(())
}

fn iso(ms: i64) -> String {
    Moment::from_ms(ms).iso()
}

fn print(found: &Examined, look: Look) {
    for base in &found.bases {
        let state = if base.is_whole { "" } else { "; it or what follows it is damaged" };
        output::line(format_args!(
            "{} to {}: from {}, {} bytes{state}",
            iso(base.at_ms),
            iso(base.until_ms),
            base.path.display(),
            base.bytes
        ));
    }
    for damage in &found.damages {
        output::line(format_args!("{damage}"));
    }
    let how = match look {
        Look::Bases | Look::Heads => "were looked at; --verify reads them to their end",
        Look::Contents => "were read to their end",
    };
    output::line(format_args!(
        "{} files {how}. Bytes of attachments are checked when they are restored.",
        found.files
    ));
}

fn as_json(found: &Examined) -> Value {
    let bases: Vec<Value> = found
        .bases
        .iter()
        .map(|base| {
            json!({
                "file": base.path,
                "bytes": base.bytes,
                "from": iso(base.at_ms),
                "until": iso(base.until_ms),
                "whole": base.is_whole,
            })
        })
        .collect();
    let damaged: Vec<String> = found.damages.iter().map(ToString::to_string).collect();
    json!({
        "bases": bases,
        "until": iso(found.until_ms),
        "latestWhole": found.is_latest_whole,
        "files": found.files,
        "damaged": damaged,
    })
}

/// Adds to the refusal of a time which times can be restored.
pub fn with_span(error: BackupError, order: &Restore) -> anyhow::Error {
    let told = match (&error, &order.point) {
        (BackupError::Refused(_), Point::Time(_)) => examine(&order.from, Look::Bases).ok().flatten(),
        (_, Point::Latest | Point::Time(_) | Point::Sequence { .. }) => None,
    };
    match told.and_then(|found| Some((iso(found.bases.first()?.at_ms), iso(found.until_ms)))) {
        Some((first, last)) => anyhow!("{error}; it holds {first} to {last} (--list tells more)"),
        None => error.into(),
    }
}
