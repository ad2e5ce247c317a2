//! Showing the configuration of a workspace.

use casement_wire::configuration::write::write;

use super::ConfigurationError;
use crate::app::App;

/// Gives the whole configuration as the document that makes it so. `stream` may be absent where there is one workspace.
///
/// # Errors
/// There is no such workspace.
pub fn show(app: &App, stream: Option<&str>) -> Result<Vec<u8>, ConfigurationError> {
    Ok(write(&app.configured_workspace(stream)?.config()))
}
