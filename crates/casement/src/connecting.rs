//! Waiting for a database server at the start: however long it takes, and with the reason told to whoever asks.

use std::sync::Arc;
use std::time::Duration;

use casement_api::starting::Front;
use casement_app::app::{App, StoreState};
use casement_app::error::AppError;
use casement_app::making::{MadeWorkspace, MakeError, NewWorkspaceInput};
use casement_app::seal::key_file::KeyFile;
use casement_app::seal::rotate::KeyError;
use casement_store::error::StoreError;
use casement_store::feed::CommitFeed;
use casement_store::options::Server;
use casement_store::store::Store;

use crate::signals::Stops;
use crate::sources;

/// A store, what it tells of commits, and the application on it.
pub type Opened = (Store, CommitFeed, Arc<App>);

/// The first wait between two attempts to connect; it doubles.
const CONNECT_WAIT_MIN: Duration = Duration::from_millis(100);
/// How long whoever asks hears nothing while the first attempt lasts.
const SILENCE_MAX: Duration = Duration::from_secs(1);
/// The longest wait between two attempts to connect.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(3);

/// Connects to a database server and reads the installation, however long it takes; `None`: told to stop before. Meanwhile
/// the front tells why.
///
/// # Errors
/// The directory is in use, the key file can't be used, or a document is damaged.
pub async fn connect(
    server: Server,
    key_file: KeyFile,
    front: Front,
    stops: &mut Stops,
) -> anyhow::Result<(Option<Opened>, Front)> {
    waited(async || attempt(server.clone(), key_file.clone()).await, front, stops).await
}

/// What a start finds of workspaces.
#[derive(Debug)]
pub enum First {
    /// There was none, and this one was made.
    Made(Box<MadeWorkspace>),
    /// There is one.
    Known,
}

/// Makes the first workspace where there is none, however long a database server takes; `None`: told to stop before.
///
/// # Errors
/// The store takes no writes and waiting does not help.
pub async fn first_workspace(
    app: &App,
    front: Front,
    stops: &mut Stops,
) -> anyhow::Result<(Option<First>, Front)> {
    // Once: all attempts make the same one.
    let planned = app.plan_workspace(NewWorkspaceInput::default())?;
    let found = |made: Option<MadeWorkspace>| made.map_or(First::Known, |made| First::Made(Box::new(made)));
    if !app.is_shared() {
        return Ok((Some(found(app.make_first_workspace(&planned).await?)), front));
    }
    let attempt = async || match app.make_first_workspace(&planned).await {
        Ok(made) => Ok(Ok(found(made))),
        Err(MakeError::App(AppError::Unavailable(reason) | AppError::OutcomeUnknown(reason)))
            if !matches!(app.store_state(), StoreState::RestartRequired(_)) =>
        {
            Ok(Err(reason))
        }
        Err(error) => Err(error.into()),
    };
    waited(attempt, front, stops).await
}

/// Tries until an attempt gives no reason to try again; `None`: told to stop before. Meanwhile the front tells why.
async fn waited<T>(
    attempt: impl AsyncFn() -> anyhow::Result<Result<T, String>>,
    mut front: Front,
    stops: &mut Stops,
) -> anyhow::Result<(Option<T>, Front)> {
    let mut wait = CONNECT_WAIT_MIN;
    let mut told = String::new();
    loop {
        let mut trying = Box::pin(attempt());
        let tried = loop {
            tokio::select! {
                tried = &mut trying => break tried?,
                () = stops.next() => return Ok((None, front)),
                () = tokio::time::sleep(SILENCE_MAX), if told.is_empty() => {
                    told = "the database has not answered yet".to_owned();
                    front = front.tell(told.clone());
                }
            }
        };
        let reason = match tried {
            Ok(done) => {
                if !told.is_empty() {
                    tracing::info!("the database is there");
                }
                return Ok((Some(done), front));
            }
            Err(reason) => reason,
        };
        if reason != told {
            tracing::warn!(reason, "casement waits for its database and connects when it can");
        }
        front = front.tell(reason.clone());
        told = reason;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stops.next() => return Ok((None, front)),
        }
        wait = (wait * 2).min(CONNECT_WAIT_MAX);
    }
}

/// Connects once; gives the reason where trying again may help.
async fn attempt(server: Server, key_file: KeyFile) -> anyhow::Result<Result<Opened, String>> {
    let (store, feed) = match Store::connect(server).await {
        Ok(opened) => opened,
        Err(error @ (StoreError::Locked { .. } | StoreError::Io { .. })) => return Err(error.into()),
        Err(error) => return Ok(Err(error.to_string())),
    };
    match App::open(store.clone(), sources::system(), key_file).await {
        Ok(app) => Ok(Ok((store, feed, app))),
        Err(KeyError::App(AppError::Unavailable(reason))) => {
            store.close().await;
            Ok(Err(reason))
        }
        Err(error) => Err(error.into()),
    }
}
