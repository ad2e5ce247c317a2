//! `casement backup`: one run of a backup, by the server that holds the data or without one.

use anyhow::Context;
use casement_api::control::document::{BackupBody, BackupDocument};

use crate::cli::BackupArguments;
use crate::control;
use crate::output;

/// Runs `casement backup`.
///
/// # Errors
/// There is no data, the backup is damaged or of another installation, or a directory can't be used.
pub fn run(arguments: &BackupArguments) -> anyhow::Result<()> {
    arguments.data.check_embedded(
        "casement backup",
        "back a database server up with its own tools (pg_basebackup and its archived log, or pg_dump), and keep the key \
         file beside",
    )?;
    // The server may run in another folder.
    let to = std::path::absolute(&arguments.to)
        .with_context(|| format!("can't find {}", arguments.to.display()))?;
    let to = to.to_str().with_context(|| format!("{} is no UTF-8", to.display()))?.to_owned();
    let body = BackupBody { to, base: arguments.base, keep_bases: arguments.keep_bases };
    let done = control::run(&arguments.data, async |client| client.back_up(&body).await)?;
    print(&done, arguments.json)
}

fn print(done: &BackupDocument, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        output::line(format_args!("{}", serde_json::to_string_pretty(done)?));
        return Ok(());
    }
    if let Some(base) = &done.base {
        output::line(format_args!(
            "A base was taken ({}): {}, {} bytes.",
            base.reason, base.file, base.bytes
        ));
    }
    output::line(format_args!(
        "{} changes were added; everything up to {} can be restored.",
        done.changes, done.until
    ));
    if done.attachments > 0 {
        output::line(format_args!("The bytes of {} attachments were added.", done.attachments));
    }
    if done.attachments_missing > 0 {
        output::line(format_args!(
            "The bytes of {} attachments are missing or damaged where they are served from; `casement doctor` names them.",
            done.attachments_missing
        ));
    }
    if done.removed_files > 0 {
        output::line(format_args!("{} files that are not needed any more were removed.", done.removed_files));
    }
    output::line(format_args!(
        "The key {} is not in it: keep a copy of {} apart from the backup.",
        done.key_id, done.key_file
    ));
    Ok(())
}
