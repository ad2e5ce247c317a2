//! Use cases on the configuration of a workspace, for whoever runs the installation.

pub mod apply;
pub mod show;

use std::sync::Arc;

use casement_domain::id::StreamId;
use casement_wire::configuration::DocumentFault;

use crate::app::App;
use crate::error::AppError;
use crate::workspace::OpenWorkspace;

/// Why a configuration could not be shown or applied.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The stream is not given, and there is not exactly one workspace; or it has none. A sentence for the caller.
    #[error("{0}")]
    NoWorkspace(String),
    /// The document has faults; nothing was changed.
    #[error("{}", sentences(.0))]
    Faulty(Vec<DocumentFault>),
    /// The store could not do it.
    #[error(transparent)]
    App(#[from] AppError),
}

fn sentences(faults: &[DocumentFault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| format!("  {}", fault.sentence())).collect();
    format!("the configuration was not changed; faults in the document:\n{}", lines.join("\n"))
}

impl App {
    /// Gives the workspace of a stream, or the only one where none is named.
    pub(crate) fn configured_workspace(
        &self,
        stream: Option<&str>,
    ) -> Result<Arc<OpenWorkspace>, ConfigurationError> {
        let installation = self.installation();
        let stream = match (stream, installation.workspaces.as_slice()) {
            (Some(stream), _) => StreamId::from_text(stream),
            (None, [only]) => only.stream.clone(),
            (None, []) => {
                return Err(ConfigurationError::NoWorkspace("there is no workspace yet".to_owned()));
            }
            (None, several) => {
                let streams: Vec<&str> = several.iter().map(|entry| entry.stream.as_str()).collect();
                let sentence =
                    format!("there are several workspaces; name the stream of one: {}", streams.join(", "));
                return Err(ConfigurationError::NoWorkspace(sentence));
            }
        };
        self.workspace(&stream).ok_or_else(|| {
            ConfigurationError::NoWorkspace(format!("there is no workspace of the stream {stream}"))
        })
    }
}
