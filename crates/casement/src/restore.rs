//! `casement restore`: a data directory from a backup.

use anyhow::{Context, bail};
use casement_app::attachment::restore::{Restored as BytesRestored, restore as put_back};
use casement_app::doctor::secrets::keys_needed;
use casement_app::seal::key::KeyId;
use casement_app::seal::key_file::{KEY_FILE_NAME, KeyFile};
use casement_domain::date::{DateInput, Zone};
use casement_store::backup::restore::{Point, Restore, Restored, restore};
use casement_store::inspect::Inspection;
use serde_json::{Map, Value, json};

use crate::cli::RestoreArguments;
use crate::opened;
use crate::output;

/// Runs `casement restore`.
///
/// # Errors
/// The point can't be read or reached, a file of the backup is not whole, or the directory is not empty.
pub fn run(arguments: &RestoreArguments) -> anyhow::Result<()> {
    let order = Restore {
        from: arguments.from.clone(),
        to: arguments.data.clone(),
        point: point(arguments.at.as_deref(), arguments.stream.as_deref())?,
    };
    let restored = restore(&order)?;
    let inspection = Inspection::open(&arguments.data)?;
    let needed = keys_needed(&inspection)?;
    let bytes = match arguments.bytes.open(&arguments.data, false)? {
        Some(blobs) => put_back(&opened::runtime()?, &inspection, &arguments.from, &blobs)?,
        None => BytesRestored::default(),
    };
    print(arguments, &restored, &bytes, &needed)?;
    match &arguments.key_file {
        Some(path) => check_key(&KeyFile::of(&arguments.data, Some(path), None), &needed),
        None => Ok(()),
    }
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
    restored: &Restored,
    bytes: &BytesRestored,
    needed: &[KeyId],
) -> anyhow::Result<()> {
    let ids: Vec<String> = needed.iter().map(ToString::to_string).collect();
    if arguments.json {
        let heads: Map<String, Value> =
            restored.heads.iter().map(|(stream, head)| (stream.clone(), json!(head))).collect();
        let object = json!({
            "dataDir": arguments.data,
            "base": restored.base,
            "changes": restored.changes,
            "files": restored.files,
            "sequences": heads,
            "attachments": bytes.there,
            "attachmentBytes": bytes.bytes,
            "attachmentsMissing": bytes.missing,
            "keyIds": ids,
        });
        output::line(format_args!("{}", serde_json::to_string_pretty(&object)?));
        return Ok(());
    }
    output::line(format_args!(
        "{} was restored from {} and {} changes after it; {} files were checked.",
        arguments.data.display(),
        restored.base.display(),
        restored.changes,
        restored.files
    ));
    for (stream, head) in &restored.heads {
        output::line(format_args!("  {stream}: up to event {head}"));
    }
    let place = arguments.bytes.shown(&arguments.data);
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
    if !ids.is_empty() {
        output::line(format_args!(
            "Its secrets are sealed under the key {}, which is in no backup: put your copy of the key file to {} (mode 600), or name it by --key-file when you serve.",
            ids.join(", "),
            arguments.data.join(KEY_FILE_NAME).display()
        ));
    }
    Ok(())
}
