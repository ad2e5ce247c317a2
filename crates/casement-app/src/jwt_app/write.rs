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
use crate::jwt_app::stored::told;

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

impl App {
    /// Loads an app from the store.
    pub(crate) async fn stored_jwt_app(&self, client_id: &str) -> Result<Versioned<JwtApp>, JwtAppError> {
        // What memory does not know is not in the store either, and need not be a key that the store takes.
        if self.jwt_app(client_id).is_none() {
            return Err(JwtAppError::NotFound);
        }
        let stored =
            self.store().document(INSTALLATION, KIND_APP, client_id).await.map_err(AppError::from)?;
        Ok(body::decode(&stored.ok_or(JwtAppError::NotFound)?)?)
    }

    /// Commits a change of one app. It holds for the next request once this returns. `false`: what was read has
    /// changed since, decide anew.
    pub(crate) async fn write_jwt_app(&self, write: AppWrite<'_>) -> Result<bool, AppError> {
        self.check_followed()?;
        let AppWrite { event, before, after, guards } = write;
        let id = after.client_id.to_string();
        let mut set = self.made_set(INSTALLATION, self.sources().now());
        set.guards = guards;
        set.documents.push(DocumentWrite {
            kind: KIND_APP.to_owned(),
            id: id.clone(),
            parent: None,
            version: before.map_or(0, |before| before.version),
            counter: None,
            schema: body::SCHEMA,
            body: body::encode(after),
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
