//! What the routes work with.

use std::sync::Arc;

use casement_app::app::App;
use ipnet::IpNet;

use crate::load::Load;
use crate::rate::{Rate, Rates};
use crate::token::Tokens;

/// How requests are served.
#[derive(Debug, Clone, Default)]
pub struct ApiOptions {
    /// How many requests each app may send.
    pub rate: Rate,
    /// The proxies that may say who the client is.
    pub trusted_proxies: Arc<[IpNet]>,
}

/// What the routes work with.
#[derive(Debug, Clone)]
pub struct Api {
    /// The application.
    pub app: Arc<App>,
    /// The tokens that were verified lately.
    pub tokens: Arc<Tokens>,
    /// The apps' rates.
    pub rates: Arc<Rates>,
    /// The places for requests at work.
    pub load: Load,
    /// The proxies that may say who the client is.
    pub trusted_proxies: Arc<[IpNet]>,
}

impl Api {
    /// Puts an API before an application.
    pub fn new(app: Arc<App>, options: &ApiOptions) -> Self {
        Self {
            app,
            tokens: Arc::default(),
            rates: Arc::new(Rates::new(options.rate)),
            load: Load::default(),
            trusted_proxies: Arc::clone(&options.trusted_proxies),
        }
    }
}
