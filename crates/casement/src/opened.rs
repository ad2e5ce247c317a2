//! A data directory that a command opens itself, without a server.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use casement_app::app::App;
use casement_store::error::StoreError;
use casement_store::options::Options;
use casement_store::store::{CommitFeed, Store};
use tokio::runtime::Runtime;

use crate::sources;

/// Makes the runtime of a command.
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime can't be started")
}

/// Opens a directory, or makes it, and works on its installation. The index is not built: no command looks at cases.
///
/// # Errors
/// The directory can't be used, or the work failed.
pub async fn with_app<T>(
    directory: &Path,
    work: impl AsyncFnOnce(&Arc<App>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_store(open(directory)?, work).await
}

/// Opens a directory's store.
///
/// # Errors
/// The directory can't be used.
pub fn open(directory: &Path) -> Result<(Store, CommitFeed), StoreError> {
    Store::open(Options::new(directory.to_owned()))
}

/// Works on the installation of an open store, and closes it.
///
/// # Errors
/// A document can't be read, or the work failed.
pub async fn with_store<T>(
    (store, feed): (Store, CommitFeed),
    work: impl AsyncFnOnce(&Arc<App>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let app = App::open(store.clone(), sources::system()).await?;
    let follower = tokio::spawn(Arc::clone(&app).follow_installation(feed));
    let outcome = work(&app).await;
    store.close().await;
    let followed = follower.await.context("the follower of the log ended early")?;
    // A refusal comes first: it may have closed the store while the follower still read it.
    let outcome = outcome?;
    followed?;
    Ok(outcome)
}
