//! Access: the proof that a request may reach a workspace, and who acts in it.

use std::sync::Arc;

use casement_domain::actor::Actor;
use casement_domain::id::{AppId, StreamId};

use crate::app::App;
use crate::error::AppError;
use crate::fresh::Fresh;
use crate::installation::SCOPE_CASES;
use crate::jwt_app::JwtApp;
use crate::workspace::OpenWorkspace;

/// What a verified request may reach. Every use case takes one; only [`App::access`] makes one.
///
/// Where other nodes write too it may be stale: what it was granted by is as this node knows it. Such a one does for a
/// write, whose commit is guarded by all that it relied on and which is made again behind a round when it ends in
/// anything but a commit ([`crate::once::Sending`]). A read needs a fresh one.
#[derive(Debug, Clone)]
pub struct Access {
    pub(crate) workspace: Arc<OpenWorkspace>,
    pub(crate) actor: Actor,
    pub(crate) app: AppId,
    pub(crate) grant: Grant,
}

/// What an access was granted by.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) app: Arc<JwtApp>,
    subject: Option<String>,
    /// Whether everything that was acknowledged before the request came was known.
    pub(crate) is_fresh: bool,
}

/// The app does not reach the stream: it is another's, or there is none. The two are not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied;

impl Access {
    /// Gives the account of the workspace.
    pub fn account(&self) -> String {
        self.workspace.config().account.as_str().to_owned()
    }

    /// Gives the stream that the workspace is.
    pub fn stream(&self) -> &str {
        self.workspace.id()
    }
}

impl App {
    /// Grants a verified app access to a stream. `subject` says who acts when it names an agent of the workspace by
    /// user id or e-mail; else the app itself does. It never adds rights; contract section 11.10. `fresh`: that of the
    /// stream, when it was asked for.
    ///
    /// # Errors
    /// The stream is not among the app's, or the app lacks the scope.
    pub fn access(
        &self,
        app: &Arc<JwtApp>,
        stream: &str,
        subject: Option<&str>,
        fresh: Option<Fresh>,
    ) -> Result<Access, Denied> {
        let reaches = app.active
            && app.scopes.iter().any(|scope| scope == SCOPE_CASES)
            && app.streams.iter().any(|own| own.as_str() == stream);
        let workspace = self.workspace(&StreamId::from_text(stream)).filter(|_| reaches).ok_or(Denied)?;
        let config = workspace.config();
        if config.account != app.account {
            return Err(Denied);
        }
        let agent = subject.and_then(|subject| config.agent_of_subject(subject));
        let actor = match agent.filter(|agent| agent.active) {
            Some(agent) => {
                Actor { id: agent.user.clone(), name: agent.name.clone(), image: agent.image.clone() }
            }
            None => app.actor(),
        };
        let is_fresh = fresh.is_some() || !self.store().is_shared();
        let grant = Grant { app: Arc::clone(app), subject: subject.map(str::to_owned), is_fresh };
        Ok(Access { workspace, actor, app: app.client_id.clone(), grant })
    }

    /// Grants the same anew, by what is acknowledged now.
    ///
    /// # Errors
    /// The database does not answer in time, or the app has changed meanwhile: whether the token is still good must be
    /// asked again.
    pub(crate) async fn renewed(&self, access: &Access) -> Result<Access, AppError> {
        let fresh = self.refresh(access.stream()).await?;
        let Grant { app, subject, .. } = &access.grant;
        self.check_granted(app)?;
        self.access(app, access.stream(), subject.as_deref(), Some(fresh)).map_err(|Denied| AppError::Revoked)
    }

    /// Tells whether an app is still as it was when it was granted access.
    ///
    /// # Errors
    /// It was revoked, or changed: whether the token is still good must be asked again.
    pub(crate) fn check_granted(&self, app: &Arc<JwtApp>) -> Result<(), AppError> {
        match self.jwt_app(app.client_id.as_str()) {
            Some(current) if Arc::ptr_eq(&current, app) => Ok(()),
            Some(current) if current.active => {
                Err(AppError::Unavailable("the app was changed while the request was carried out".to_owned()))
            }
            Some(_) | None => Err(AppError::Revoked),
        }
    }

    /// Tells whether use cases may run: the index holds every document.
    ///
    /// # Errors
    /// The index is still being built.
    pub(crate) fn check_ready(&self) -> Result<(), AppError> {
        if self.is_ready() {
            Ok(())
        } else {
            Err(AppError::Unavailable("the index is being built".to_owned()))
        }
    }
    /// Tells whether what works on the installation alone may be committed.
    ///
    /// # Errors
    /// Nobody follows the log yet: the index is still being built.
    pub(crate) fn check_followed(&self) -> Result<(), AppError> {
        if self.is_followed() {
            Ok(())
        } else {
            Err(AppError::Unavailable("the index is being built".to_owned()))
        }
    }
}
