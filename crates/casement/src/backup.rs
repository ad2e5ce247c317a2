//! `casement backup`: one run of a backup, by the server that holds the data or without one.

use anyhow::Context;
use casement_api::control::document::{BackupBody, BackupDocument, ForgetBackupBody};
use casement_app::backup::check_stays_as_it_is;
use casement_store::inspect::{Inspection, check_not_gone, is_in_use, is_unfinished};
use serde_json::json;

use crate::cli::backup::BackupArguments;
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
    if arguments.forget {
        return forget(arguments, to);
    }
    check_untouched(arguments)?;
    let body = BackupBody { to, base: arguments.base, keep_bases: arguments.keep_bases };
    let done = control::run(&arguments.data, async |client| client.back_up(&body).await)?;
    print(&done, arguments.json)?;
    anyhow::ensure!(
        done.damaged.is_empty(),
        "{} files of the backup are damaged or missing, and what only they hold can't be restored (`casement restore --list` \
         tells what can; --keep-bases lets the bases before go): {}",
        done.damaged.len(),
        done.damaged.join("; ")
    );
    Ok(())
}

/// A directory that no server holds is opened by this command, which must leave it as it is.
fn check_untouched(arguments: &BackupArguments) -> anyhow::Result<()> {
    let directory = &arguments.data.path;
    if is_unfinished(directory) || !directory.join("casement.db").exists() || is_in_use(directory)? {
        return Ok(());
    }
    check_not_gone(directory)?;
    Ok(check_stays_as_it_is(&Inspection::open(directory)?, &arguments.data.key_file())?)
}

/// Ends a backup. Its directory may be gone.
fn forget(arguments: &BackupArguments, to: String) -> anyhow::Result<()> {
    let target = std::fs::canonicalize(&to).ok().and_then(|found| found.into_os_string().into_string().ok());
    let directory = &arguments.data.path;
    let followers = Inspection::open(directory)?.followers()?;
    let is_known = |name: &String| followers.iter().any(|follower| follower.target == *name);
    let Some(target) = target.into_iter().chain([to.clone()]).find(is_known) else {
        let known: Vec<&str> = followers.iter().map(|follower| follower.target.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        anyhow::bail!("no backup in {to} follows {}; these do: {known}", directory.display());
    };
    let body = ForgetBackupBody { target: target.clone() };
    control::run(&arguments.data, async |client| client.forget_backup(&body).await)?;
    if arguments.json {
        output::line(format_args!("{}", json!({"forgotten": target})));
    } else {
        output::line(format_args!("Nothing more is kept for the backup in {target}; what lies there stays."));
    }
    Ok(())
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
        "{} changes were added; the latest state, of {}, can be restored.",
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
