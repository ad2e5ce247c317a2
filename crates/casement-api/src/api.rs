//! What the routes work with.

use std::sync::Arc;

use casement_app::app::App;

use crate::token::Tokens;

/// What the routes work with.
#[derive(Debug, Clone)]
pub struct Api {
    /// The application.
    pub app: Arc<App>,
    /// The tokens that were verified lately.
    pub tokens: Arc<Tokens>,
}
