//! The control API: what an operator on the same machine asks of a running server, over a Unix socket in the data
//! directory.
//!
//! HTTP with JSON in and out, problems as everywhere, but routes of its own: nothing here can be reached by the
//! network, and no token is asked for. Whoever may open the socket may do everything; only the directory's owner can.
//! The command line goes through the same router when no server runs, so a command is one route and one call of the
//! [`client`].

pub mod app;
pub mod backup;
pub mod client;
pub mod configuration;
pub mod document;
pub mod health;
pub mod key;
pub mod router;
pub mod serve;
pub mod socket;

use std::sync::Arc;

use casement_app::app::App;

/// What the routes work with.
#[derive(Debug, Clone)]
pub struct Control {
    /// The application.
    pub app: Arc<App>,
}
