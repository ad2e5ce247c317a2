//! A data directory that a command opens itself, without a server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use casement_app::app::App;
use casement_app::error::AppError;
use casement_app::seal::key_file::KeyFile;
use casement_app::seal::rotate::seal_all;
use casement_app::sources::Sources;
use casement_store::feed::CommitFeed;
use casement_store::options::{Directory, Options, Server};
use casement_store::store::Store;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::cli::DataDirectory;
use crate::sources;

/// How often a command that waits for its index looks.
const INDEX_POLL: Duration = Duration::from_millis(10);

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
    data: &DataDirectory,
    work: impl AsyncFnOnce(&Arc<App>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_store(open(data).await?, data.key_file(), work).await
}

/// As [`with_app`], with another clock and other ids.
///
/// # Errors
/// As [`with_app`].
pub async fn with_sources<T>(
    data: &DataDirectory,
    sources: Sources,
    work: impl AsyncFnOnce(&Arc<App>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let (store, feed) = open(data).await?;
    let app = App::open(store.clone(), sources, data.key_file()).await?;
    let follower = tokio::spawn(Arc::clone(&app).follow_installation(feed));
    let outcome = match seal_all(&app).await {
        Ok(_) => work(&app).await,
        Err(error) => Err(error.into()),
    };
    finish(&store, follower, outcome).await
}

/// Opens a directory's store, or connects to the database server, as one node more.
///
/// # Errors
/// The directory or the server can't be used.
pub async fn open(data: &DataDirectory) -> anyhow::Result<(Store, CommitFeed)> {
    Ok(match data.server(Directory::Common)? {
        Some(server) => Store::connect(Server { writers: 1, ..server }).await?,
        None => Store::open(Options::new(data.path.clone()))?,
    })
}

/// Works on the installation of an open store, and closes it.
///
/// # Errors
/// A document can't be read, or the work failed.
pub async fn with_store<T>(
    (store, feed): (Store, CommitFeed),
    key_file: KeyFile,
    work: impl AsyncFnOnce(&Arc<App>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let app = App::open(store.clone(), sources::system(), key_file).await?;
    let follower = tokio::spawn(Arc::clone(&app).follow_installation(feed));
    let outcome = match seal_all(&app).await {
        Ok(_) => work(&app).await,
        Err(error) => Err(error.into()),
    };
    finish(&store, follower, outcome).await
}

/// Works on an open store with an index of its cases, and closes it.
///
/// # Errors
/// A document can't be read, or the work failed.
pub async fn with_index<T>(
    (store, feed): (Store, CommitFeed),
    key_file: KeyFile,
    work: impl AsyncFnOnce(&Arc<App>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let app = App::open(store.clone(), sources::system(), key_file).await?;
    let follower = tokio::spawn(Arc::clone(&app).follow(feed));
    while !app.is_ready() && !follower.is_finished() {
        tokio::time::sleep(INDEX_POLL).await;
    }
    // A follower that could not build the index says why in the end.
    let outcome = if app.is_ready() {
        match seal_all(&app).await {
            Ok(_) => work(&app).await,
            Err(error) => Err(error.into()),
        }
    } else {
        Err(anyhow!("the index was not built"))
    };
    if !app.is_ready() {
        store.close().await;
        follower.await.context("the follower of the log ended early")??;
        return outcome;
    }
    finish(&store, follower, outcome).await
}

/// Closes a store that a follower follows.
async fn finish<T>(
    store: &Store,
    follower: JoinHandle<Result<(), AppError>>,
    outcome: anyhow::Result<T>,
) -> anyhow::Result<T> {
    store.close().await;
    let followed = follower.await.context("the follower of the log ended early")?;
    // A refusal comes first: it may have closed the store while the follower still read it.
    let outcome = outcome?;
    followed?;
    Ok(outcome)
}
