//! `casement workspace show` and `casement workspace apply`: the configuration of a workspace as a document.

use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use casement_api::control::client::{Client, CommandError};
use casement_api::control::document::{AppliedDocument, AppliedEntry};
use casement_app::limits;

use crate::cli::{ApplyArguments, ShowArguments};
use crate::control;

/// Runs `casement workspace show`.
///
/// # Errors
/// There is no such workspace, or the data can't be reached.
pub fn show(arguments: &ShowArguments) -> anyhow::Result<()> {
    let stream = arguments.stream.as_deref();
    let shown = control::ask(&arguments.data, async |client| client.show_configuration(stream).await)?;
    print(&serde_json::to_string_pretty(&shown?)?)
}

/// Runs `casement workspace apply`.
///
/// # Errors
/// The file can't be read or has faults, there is no such workspace, or the data can't be reached.
pub fn apply(arguments: &ApplyArguments) -> anyhow::Result<()> {
    let document = read(&arguments.file)?;
    let stream = arguments.stream.as_deref();
    let ask = async |client: Client| client.apply_configuration(stream, document, arguments.dry_run).await;
    let applied = match control::ask(&arguments.data, ask)? {
        Ok(applied) => applied,
        Err(CommandError::Refused(faults)) => {
            bail!("the configuration was not changed:\n  {}", faults.join("\n  "))
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.json {
        return print(&serde_json::to_string_pretty(&applied)?);
    }
    print(&report(&applied))
}

/// Reads a file, or standard input for `-`; one byte past the limit is enough to refuse it.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes_max = u64::try_from(limits::CONFIGURATION_BYTES_MAX).unwrap_or(u64::MAX);
    let mut document = Vec::new();
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("can't read {}", path.display()))?)
    };
    source
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut document)
        .with_context(|| format!("can't read {}", path.display()))?;
    Ok(document)
}

fn report(applied: &AppliedDocument) -> String {
    let line = |what: &str, entry: &AppliedEntry| {
        format!("{what:<8} {:<14} {}  {:?}", entry.kind, entry.id, entry.name)
    };
    let added = applied.added.iter().map(|entry| line("added", entry));
    let mut lines: Vec<String> =
        added.chain(applied.changed.iter().map(|entry| line("changed", entry))).collect();
    lines.push(match (lines.len(), applied.dry_run) {
        (0, _) => "Nothing to change.".to_owned(),
        (1, false) => "1 entry was added or changed.".to_owned(),
        (1, true) => "1 entry would be added or changed; nothing was written.".to_owned(),
        (count, false) => format!("{count} entries were added or changed."),
        (count, true) => format!("{count} entries would be added or changed; nothing was written."),
    });
    lines.join("\n")
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}").context("can't write to standard output")
}
