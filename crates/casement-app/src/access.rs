//! Access: the proof that a request may reach a workspace, and who acts in it.

use std::sync::Arc;

use casement_domain::actor::Actor;
use casement_domain::id::{AppId, StreamId};

use crate::app::App;
use crate::error::AppError;
use crate::installation::SCOPE_CASES;
use crate::jwt_app::JwtApp;
use crate::workspace::OpenWorkspace;

/// What a verified request may reach. Every use case takes one; only [`App::access`] makes one.
#[derive(Debug, Clone)]
pub struct Access {
    pub(crate) workspace: Arc<OpenWorkspace>,
    pub(crate) actor: Actor,
    pub(crate) app: AppId,
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
    /// user id or e-mail; else the app itself does. It never adds rights; contract section 11.10.
    ///
    /// # Errors
    /// The stream is not among the app's, or the app lacks the scope.
    pub fn access(&self, app: &JwtApp, stream: &str, subject: Option<&str>) -> Result<Access, Denied> {
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
        Ok(Access { workspace, actor, app: app.client_id.clone() })
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
