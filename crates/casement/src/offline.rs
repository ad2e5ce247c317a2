//! Work on a data directory that no server uses at the time.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use casement_app::app::App;
use casement_store::options::Options;
use casement_store::store::Store;
use tokio::runtime::Runtime;

use crate::sources;

/// Makes the runtime of a command.
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime can't be started")
}

/// Opens the directory, does the work and closes it again.
///
/// # Errors
/// The directory is in use or can't be read, or the work fails.
pub async fn with_app<T>(
    directory: &Path,
    work: impl AsyncFnOnce(&App) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let (store, feed) = Store::open(Options::new(directory.to_path_buf()))?;
    let app = App::open(store.clone(), sources::system()).await?;
    let follower = tokio::spawn(Arc::clone(&app).follow(feed));
    let done = work(&app).await;
    store.close().await;
    let followed = follower.await.context("the follower of the log ended early")?;
    // A refusal comes first: it may have closed the store while the follower still read it.
    let done = done?;
    followed?;
    Ok(done)
}
