//! The log of a stopped server, read through `casement-store`: every workspace's hash chain, without a gap.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use casement_store::options::Options;
use casement_store::store::Store;

/// Verifies the chains of all workspaces in a data directory that no server holds; gives the number of events.
///
/// # Errors
/// When the directory can't be opened, a chain is broken or an event is missing below the head.
pub async fn verify(data: &Path) -> Result<u64> {
    let (store, feed) =
        Store::open(Options::new(data.to_owned())).context("the store could not be opened")?;
    let mut events_total = 0;
    let workspaces = store.workspaces().await.context("the workspaces could not be listed")?;
    ensure!(!workspaces.is_empty(), "the store holds no workspace");
    for workspace in workspaces {
        let report = store.verify(&workspace.id).await.context("the chain could not be read")?;
        if let Some(fault) = report.fault {
            bail!("{}: the hash chain is broken at event {}: {}", workspace.id, fault.sequence, fault.reason);
        }
        let (events, head) = (report.events, workspace.head);
        ensure!(events == head, "{}: {events} events, the head is {head}", workspace.id);
        events_total += events;
    }
    // The next server needs the directory's lock.
    store.close().await;
    drop(feed);
    Ok(events_total)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use casement_store::document::NewWorkspace;

    use super::*;

    #[tokio::test]
    async fn a_store_without_a_workspace_proves_nothing_and_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(verify(folder.path()).await.is_err());
    }

    #[tokio::test]
    async fn the_directory_is_free_again_after_the_check() {
        let folder = tempfile::tempdir().unwrap();
        let (store, feed) = Store::open(Options::new(folder.path().to_owned())).unwrap();
        let workspace = NewWorkspace {
            id: "st-1".to_owned(),
            account: "a".to_owned(),
            organisation: "o".to_owned(),
            counters: BTreeMap::new(),
        };
        store.create_workspace(workspace).await.unwrap();
        assert!(verify(folder.path()).await.is_err(), "a running store holds the directory");
        store.close().await;
        drop(feed);
        for _ in 0..2 {
            assert_eq!(verify(folder.path()).await.unwrap(), 0);
        }
    }
}
