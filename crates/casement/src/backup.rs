//! `casement backup`: one run of a backup.

use anyhow::bail;
use casement_app::backup::{BackupTarget, back_up};
use casement_domain::date::Moment;
use casement_store::backup::run::{BackedUp, TakeBase};
use casement_store::options::Options;
use casement_store::store::Store;
use serde_json::json;

use crate::cli::BackupArguments;
use crate::{init, sources};

/// Runs `casement backup`.
///
/// # Errors
/// There is no data, the backup is damaged or of another installation, or a directory can't be used.
pub fn run(arguments: &BackupArguments) -> anyhow::Result<()> {
    let directory = &arguments.data.path;
    if !directory.join("casement.db").exists() {
        bail!("{} holds no data; `casement init` or `casement serve` makes it", directory.display());
    }
    let target = BackupTarget { to: arguments.to.clone(), bases_kept: arguments.keep_bases };
    let base = if arguments.base { TakeBase::Now } else { TakeBase::WhenNeeded };
    let done = init::runtime()?.block_on(async {
        let (store, feed) = Store::open(Options::new(directory.clone()))?;
        let done = back_up(&store, &sources::system(), &target, base).await;
        store.close().await;
        drop(feed);
        anyhow::Ok(done?)
    })?;
    print(&done, arguments.json)
}

fn print(done: &BackedUp, as_json: bool) -> anyhow::Result<()> {
    let until = Moment::from_ms(done.until_ms).iso();
    if as_json {
        let base = done
            .base
            .as_ref()
            .map(|base| json!({"file": base.file, "bytes": base.bytes, "reason": base.reason}));
        let object = json!({
            "base": base,
            "changes": done.changes,
            "removedFiles": done.removed,
            "bases": done.bases,
            "until": until,
        });
        println!("{}", serde_json::to_string_pretty(&object)?);
        return Ok(());
    }
    if let Some(base) = &done.base {
        println!("A base was taken ({}): {}, {} bytes.", base.reason, base.file.display(), base.bytes);
    }
    println!("{} changes were added; everything up to {until} can be restored.", done.changes);
    if done.removed > 0 {
        println!("{} files that are not needed any more were removed.", done.removed);
    }
    Ok(())
}
