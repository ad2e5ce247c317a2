//! `casement restore`: a data directory from a backup. What a backup holds is told by [`list`].

mod list;

use std::path::Path;

use anyhow::{Context, bail, ensure};
use casement_app::attachment::restore::{Restored as BytesRestored, restore as put_back};
use casement_app::doctor::secrets::keys_needed;
use casement_app::seal::key::KeyId;
use casement_app::seal::key_file::{KEY_FILE_NAME, KeyFile};
use casement_domain::date::{DateInput, Zone};
use casement_store::backup::restore::{Point, Restore, Restored, restore};
use casement_store::inspect::Inspection;
use clap::parser::ValueSource;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::cli::attachments::FOLDER_NAME;
use crate::cli::backup::RestoreArguments;
use crate::opened;
use crate::output;

/// Runs `casement restore`; the place of attachments was named as `place` says.
///
/// # Errors
/// The point can't be read or reached, a file of the backup is not whole, the directory is not empty, or bytes of
/// attachments could not be put back.
pub fn run(arguments: &RestoreArguments, place: Option<ValueSource>) -> anyhow::Result<()> {
    let Some(data) = arguments.data.as_deref().filter(|_| !arguments.list && !arguments.verify) else {
        return list::run(arguments);
    };
    let point = point(arguments.at.as_deref(), arguments.stream.as_deref())?;
    let runtime = opened::runtime()?;
    if place != Some(ValueSource::CommandLine) {
        check_place(arguments, &runtime, data)?;
    }
    let order = Restore { from: arguments.from.clone(), to: data.to_path_buf(), point };
    let restored = restore(&order).map_err(|error| list::with_span(error, &order))?;
    let inspection = Inspection::open(data)?;
    let needed = keys_needed(&inspection)?;
    let bytes = match arguments.bytes.open(data, false)? {
        Some(blobs) => put_back(&runtime, &inspection, &arguments.from, &blobs)?,
        None => BytesRestored::default(),
    };
    print(arguments, data, &restored, &bytes, &needed)?;
    if let Some(path) = &arguments.key_file {
        check_key(&KeyFile::of(data, Some(path), None), &needed)?;
    }
    let lost = bytes.missing.len() + bytes.damaged.len();
    ensure!(lost == 0, "the database was restored, but not the bytes of {lost} attachments");
    Ok(())
}

/// A place that the settings name is that of an installation at work, when something is in it: it is named on the command
/// line, or left alone.
fn check_place(arguments: &RestoreArguments, runtime: &Runtime, data: &Path) -> anyhow::Result<()> {
    let Some(named) = &arguments.bytes.attachments else { return Ok(()) };
    if arguments.bytes.is_absent(data) {
        return Ok(());
    }
    let Some(blobs) = arguments.bytes.open(data, false)? else { return Ok(()) };
    let page = runtime.block_on(blobs.list().next_page(1))?;
    ensure!(
        page.is_empty(),
        "the bytes of attachments would be put into {named}, which the settings name and which is not empty: an \
         installation at work may have them there. Name the place on the command line: --attachments {named} if it is meant, \
         or another one, --attachments {} for example",
        data.join(FOLDER_NAME).display()
    );
    Ok(())
}

/// The restored directory is whole; whether its server will start is another question.
fn check_key(key_file: &KeyFile, needed: &[KeyId]) -> anyhow::Result<()> {
    let ring = key_file.read()?;
    let ring = ring.with_context(|| format!("there is no key file {}", key_file.path().display()))?;
    Ok(key_file.check(&ring, needed)?)
}

fn point(at: Option<&str>, stream: Option<&str>) -> anyhow::Result<Point> {
    match (at, stream) {
        (None, _) => Ok(Point::Latest),
        (Some(at), Some(stream)) => {
            let sequence = at.parse().with_context(|| {
                format!("--at {at}: with --stream it is the sequence number of an event, 0 or more")
            })?;
            Ok(Point::Sequence { workspace: stream.to_owned(), sequence })
        }
        (Some(at), None) => match DateInput::parse(at).and_then(|date| date.moment(Zone::UTC)) {
            Some(moment) => Ok(Point::Time(moment.ms())),
            None => bail!(
                "--at {at}: it is a date and time such as 2026-11-22T09:30:00Z, or with --stream a sequence number"
            ),
        },
    }
}

fn print(
    arguments: &RestoreArguments,
    data: &Path,
    restored: &Restored,
    bytes: &BytesRestored,
    needed: &[KeyId],
) -> anyhow::Result<()> {
    let damages: Vec<String> = restored.damages.iter().map(ToString::to_string).collect();
    let ids: Vec<String> = needed.iter().map(ToString::to_string).collect();
    if arguments.json {
        let heads: Map<String, Value> =
            restored.heads.iter().map(|(stream, head)| (stream.clone(), json!(head))).collect();
        let object = json!({
            "dataDir": data,
            "base": restored.base,
            "changes": restored.changes,
            "files": restored.files,
            "sequences": heads,
            "attachments": bytes.there,
            "attachmentBytes": bytes.bytes,
            "attachmentsMissing": bytes.missing,
            "attachmentsDamaged": bytes.damaged,
            "damaged": damages,
            "keyIds": ids,
        });
        output::line(format_args!("{}", serde_json::to_string_pretty(&object)?));
        return Ok(());
    }
    output::line(format_args!(
        "{} was restored from {} and {} changes after it; {} files were checked.",
        data.display(),
        restored.base.display(),
        restored.changes,
        restored.files
    ));
    for (stream, head) in &restored.heads {
        output::line(format_args!("  {stream}: up to event {head}"));
    }
    for damage in damages {
        output::line(format_args!("{damage}. An older base leads to the same state."));
    }
    let place = arguments.bytes.shown(data);
    if bytes.there > 0 {
        output::line(format_args!(
            "{} attachments with {} bytes are in {}.",
            bytes.there,
            bytes.bytes,
            place.display()
        ));
    }
    if !bytes.missing.is_empty() {
        output::line(format_args!(
            "The bytes of {} attachments are neither in the backup nor in {}: {}",
            bytes.missing.len(),
            place.display(),
            bytes.missing.join(", ")
        ));
    }
    if !bytes.damaged.is_empty() {
        output::line(format_args!(
            "The bytes of {} attachments are damaged in the backup and were not put back: {}",
            bytes.damaged.len(),
            bytes.damaged.join(", ")
        ));
    }
    if !ids.is_empty() {
        output::line(format_args!(
            "Its secrets are sealed under the key {}, which is in no backup: put your copy of the key file to {} (mode 600), or name it by --key-file when you serve.",
            ids.join(", "),
            data.join(KEY_FILE_NAME).display()
        ));
    }
    Ok(())
}
