//! Giving up a lost key: every app whose secret it sealed gets a new secret.
//!
//! Such an app can't be opened, so there is no server and no follower of the log here: the store is written by itself, by
//! whoever holds its directory.

use casement_domain::change::differences;
use casement_domain::version::Versioned;
use casement_store::feed::CommitFeed;
use casement_store::set::{DocumentWrite, EventWrite};
use casement_store::store::Store;

use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::installation::{INSTALLATION, KIND_APP, stored_jwt_apps};
use crate::jwt_app::create::KeyedJwtApp;
use crate::jwt_app::secret::Secret;
use crate::jwt_app::stored::{self, StoredJwtApp};
use crate::jwt_app::write::opened;
use crate::seal::key::{Keyring, SealKey};
use crate::seal::key_file::KeyFile;
use crate::seal::rotate::KeyError;
use crate::sources::Sources;

/// Gives a new secret to every app with a secret under a key of this id, which the key file must not hold. The key file is
/// made when there is none. Closes the store.
///
/// # Errors
/// The key file holds the key or can't be used, no app needs the key, or the store takes no writes.
pub async fn forget_key(
    store: Store,
    feed: CommitFeed,
    sources: Sources,
    key_file: KeyFile,
    lost: &str,
) -> Result<Vec<KeyedJwtApp>, KeyError> {
    let acknowledging = tokio::spawn(acknowledge_all(feed));
    let outcome = give_secrets(&store, sources, key_file, lost).await;
    store.close().await;
    let ended = acknowledging.await;
    let given = outcome?;
    ended.map_err(|error| AppError::Failed(format!("the log was not followed to its end: {error}")))?;
    Ok(given)
}

async fn acknowledge_all(mut feed: CommitFeed) {
    while let Some(batch) = feed.next().await {
        for committed in batch {
            committed.acknowledge();
        }
    }
}

async fn give_secrets(
    store: &Store,
    sources: Sources,
    key_file: KeyFile,
    lost: &str,
) -> Result<Vec<KeyedJwtApp>, KeyError> {
    let under = |stored: &StoredJwtApp| stored.sealed_under().any(|id| id.to_string() == lost);
    let mut apps = stored_jwt_apps(store).await?;
    apps.retain(|stored| under(&stored.value));
    if apps.is_empty() {
        return Err(KeyError::Refused(format!("nothing is sealed under the key {lost}")));
    }
    let ring = match key_file.read()? {
        Some(ring) if ring.keys().any(|key| key.id().to_string() == lost) => {
            let path = key_file.path().display();
            return Err(KeyError::Refused(format!("the key {lost} is not lost: {path} holds it")));
        }
        Some(ring) => ring,
        None => {
            let ring = Keyring::of(SealKey::fresh(&sources));
            key_file.make(&ring)?;
            ring
        }
    };
    let app = App::closed(store.clone(), sources, key_file, ring.clone());
    let mut given = Vec::with_capacity(apps.len());
    for stored in apps {
        given.push(give_secret(&app, stored, &ring).await?);
    }
    Ok(given)
}

async fn give_secret(
    app: &App,
    stored: Versioned<StoredJwtApp>,
    ring: &Keyring,
) -> Result<KeyedJwtApp, KeyError> {
    let now = app.sources().now();
    let secret = Secret::fresh(app.sources());
    let before = stored.value.told();
    let after = opened(stored.value.with_new_secret(secret.clone(), now), ring)?;
    let id = after.client_id.to_string();
    let mut set = app.made_set(INSTALLATION, now);
    set.documents.push(DocumentWrite {
        kind: KIND_APP.to_owned(),
        id: id.clone(),
        parent: None,
        version: stored.version,
        counter: None,
        schema: stored::SCHEMA,
        body: body::encode(&app.sealed_jwt_app(&after)),
    });
    set.events.push(EventWrite {
        kind: "app.rotated".to_owned(),
        document_kind: KIND_APP.to_owned(),
        document: id,
        changes: Some(body::encode(&differences(&before, &stored::told(&after)))),
        salt: app.sources().salt(),
    });
    match app.store().commit(set).await {
        Ok(_) => Ok(KeyedJwtApp { app: after, secret: Some(secret) }),
        Err(error) => Err(AppError::of_commit(error).unwrap_or_else(crate::commit::contended).into()),
    }
}
