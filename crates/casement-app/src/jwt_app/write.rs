//! Reading and writing the document of an app, guarded by its version, with its event.

use casement_domain::change::differences;
use casement_domain::version::Versioned;
use casement_store::set::{DocumentWrite, EventWrite, Guard};

use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::installation::{INSTALLATION, KIND_APP};
use crate::jwt_app::JwtApp;
use crate::jwt_app::error::JwtAppError;
use crate::jwt_app::stored::{self, StoredJwtApp, told};
use crate::seal::key::Keyring;

/// A change of one app.
pub(crate) struct AppWrite<'a> {
    /// What happened.
    pub(crate) event: &'static str,
    /// The app before it, unless it is new.
    pub(crate) before: Option<&'a Versioned<JwtApp>>,
    /// The app after it.
    pub(crate) after: &'a JwtApp,
    /// What the decision read besides.
    pub(crate) guards: Vec<Guard>,
}

/// Opens the secrets of a stored app.
pub(crate) fn opened(stored: StoredJwtApp, ring: &Keyring) -> Result<JwtApp, AppError> {
    let id = stored.client_id().clone();
    stored.opened(ring).map_err(|fault| AppError::Failed(format!("app {id} is damaged: {fault}")))
}

impl App {
    /// Loads an app from the store.
    pub(crate) async fn stored_jwt_app(&self, client_id: &str) -> Result<Versioned<JwtApp>, JwtAppError> {
        // What memory does not know is not in the store either, and need not be a key that the store takes.
        if self.jwt_app(client_id).is_none() {
            return Err(JwtAppError::NotFound);
        }
        let _still = self.keys().still().await;
        let stored =
            self.store().document(INSTALLATION, KIND_APP, client_id).await.map_err(AppError::from)?;
        let stored = stored::decode(&stored.ok_or(JwtAppError::NotFound)?)?;
        Ok(self.opened_jwt_app(stored)?)
    }

    /// Opens the secrets of an app that was read from the store, with the keys of this moment.
    pub(crate) fn opened_jwt_app(
        &self,
        read: Versioned<StoredJwtApp>,
    ) -> Result<Versioned<JwtApp>, AppError> {
        let Versioned { version, number, value } = read;
        let value = opened(value, &self.keys().ring())?;
        Ok(Versioned { version, number, value })
    }

    /// Gives the body of an app as it is stored, its secrets sealed.
    pub fn sealed_jwt_app(&self, app: &JwtApp) -> StoredJwtApp {
        StoredJwtApp::sealed(app, &self.keys().ring(), self.sources())
    }

    /// Commits a change of one app. It holds for the next request once this returns. `false`: what was read has
    /// changed since, decide anew.
    pub(crate) async fn write_jwt_app(&self, write: AppWrite<'_>) -> Result<bool, AppError> {
        self.check_followed()?;
        let AppWrite { event, before, after, guards } = write;
        let id = after.client_id.to_string();
        let _still = self.keys().still().await;
        let mut set = self.made_set(INSTALLATION, self.sources().now());
        set.guards = guards;
        set.documents.push(DocumentWrite {
            kind: KIND_APP.to_owned(),
            id: id.clone(),
            parent: None,
            version: before.map_or(0, |before| before.version),
            counter: None,
            schema: stored::SCHEMA,
            body: body::encode(&self.sealed_jwt_app(after)),
        });
        set.events.push(EventWrite {
            kind: event.to_owned(),
            document_kind: KIND_APP.to_owned(),
            document: id,
            changes: before.map(|before| body::encode(&differences(&told(&before.value), &told(after)))),
            salt: self.sources().salt(),
        });
        match self.store().commit(set).await {
            Ok(_) => Ok(true),
            Err(error) => AppError::of_commit(error).map_or(Ok(false), Err),
        }
    }
}
