//! `casement workspace show` and `casement workspace apply`: the configuration of a workspace as a document.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use casement_app::app::App;
use casement_app::configuration::apply::{Run, apply as apply_to};
use casement_app::configuration::show::show as show_of;
use casement_app::limits;
use casement_domain::workspace::configure::ChangedEntry;
use casement_domain::workspace::configure::fault::EntryList;
use serde_json::{Value, json};

use crate::cli::{ApplyArguments, ShowArguments};
use crate::opened::{runtime, with_app};

/// Runs `casement workspace show`.
///
/// # Errors
/// There is no such workspace, or the directory is in use.
pub fn show(arguments: &ShowArguments) -> anyhow::Result<()> {
    check_directory(&arguments.data.path)?;
    let stream = arguments.stream.as_deref();
    let document = runtime()?
        .block_on(with_app(&arguments.data.path, async |app: &Arc<App>| Ok(show_of(app, stream)?)))?;
    print(&document)
}

/// Runs `casement workspace apply`.
///
/// # Errors
/// The file can't be read or has faults, there is no such workspace, or the directory is in use.
pub fn apply(arguments: &ApplyArguments) -> anyhow::Result<()> {
    check_directory(&arguments.data.path)?;
    let document = read(&arguments.file)?;
    let run = if arguments.dry_run { Run::Dry } else { Run::Real };
    let stream = arguments.stream.as_deref();
    let entries = runtime()?.block_on(with_app(&arguments.data.path, async |app: &Arc<App>| {
        Ok(apply_to(app, stream, &document, run).await?)
    }))?;
    if arguments.json {
        return print(serde_json::to_string_pretty(&described(&entries, run))?.as_bytes());
    }
    print(report(&entries, run).as_bytes())
}

/// A directory that is not there would be made by opening it; a slip of the pen must leave nothing behind.
fn check_directory(path: &Path) -> anyhow::Result<()> {
    if !path.is_dir() {
        bail!("there is no data directory {}", path.display());
    }
    Ok(())
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

fn report(entries: &[ChangedEntry], run: Run) -> String {
    let mut lines: Vec<String> = entries
        .iter()
        .map(|entry| {
            let what = if entry.is_new { "added" } else { "changed" };
            format!("{what:<8} {:<14} {}  {:?}", noun(entry.list), entry.id, entry.name)
        })
        .collect();
    lines.push(match (entries.len(), run) {
        (0, Run::Real | Run::Dry) => "Nothing to change.".to_owned(),
        (1, Run::Real) => "1 entry was added or changed.".to_owned(),
        (1, Run::Dry) => "1 entry would be added or changed; nothing was written.".to_owned(),
        (count, Run::Real) => format!("{count} entries were added or changed."),
        (count, Run::Dry) => format!("{count} entries would be added or changed; nothing was written."),
    });
    lines.join("\n")
}

fn described(entries: &[ChangedEntry], run: Run) -> Value {
    let of = |is_new: bool| {
        let chosen = entries.iter().filter(|entry| entry.is_new == is_new);
        let written =
            chosen.map(|entry| json!({"kind": noun(entry.list), "_id": entry.id, "name": entry.name}));
        written.collect::<Vec<Value>>()
    };
    json!({"dryRun": run == Run::Dry, "added": of(true), "changed": of(false)})
}

fn noun(list: EntryList) -> &'static str {
    match list {
        EntryList::Statuses => "status",
        EntryList::Priorities => "priority",
        EntryList::Queues => "queue",
        EntryList::Agents => "agent",
        EntryList::Fields => "field",
        EntryList::TaskTemplates => "task template",
        EntryList::CaseTemplates => "case template",
    }
}

fn print(text: &[u8]) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(text).and_then(|()| output.write_all(b"\n")).context("can't write to standard output")
}
