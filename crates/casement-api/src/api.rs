//! What the routes work with.

use std::sync::Arc;

use casement_app::app::App;
use ipnet::IpNet;

use crate::address_rate::AddressRates;
use crate::load::Load;
use crate::metrics_page::Metrics;
use crate::rate::{Rate, Rates};
use crate::tls::Tls;
use crate::token::Tokens;
use crate::unsent::Unsent;

/// How requests are served.
#[derive(Debug, Clone, Default)]
pub struct ApiOptions {
    /// How many requests each app may send.
    pub rate: Rate,
    /// The proxies that may say who the client is.
    pub trusted_proxies: Arc<[IpNet]>,
    /// The page of metrics, when it has no listener of its own.
    pub metrics: Option<Metrics>,
    /// The certificate, for telling whether it is there.
    pub tls: Option<Tls>,
    /// Whether each request has a line in the log.
    pub has_access_log: bool,
    /// Whether spans are collected.
    pub has_traces: bool,
    /// Whether answers tell how long they took in the server.
    pub server_timing: bool,
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
    /// The rates of addresses, where no app is asked for.
    pub address_rates: Arc<AddressRates>,
    /// The places for requests at work.
    pub load: Load,
    /// The answers that wait for their clients.
    pub unsent: Unsent,
    /// The proxies that may say who the client is.
    pub trusted_proxies: Arc<[IpNet]>,
    /// The page of metrics, for this machine alone.
    pub metrics: Option<Metrics>,
    /// The certificate, for telling whether it is there.
    pub tls: Option<Tls>,
    /// Whether each request has a line in the log.
    pub has_access_log: bool,
    /// Whether spans are collected.
    pub has_traces: bool,
    /// Whether answers tell how long they took in the server.
    pub server_timing: bool,
}

impl Api {
    /// Puts an API before an application.
    pub fn new(app: Arc<App>, options: &ApiOptions) -> Self {
        Self {
            app,
            tokens: Arc::default(),
            rates: Arc::new(Rates::new(options.rate)),
            address_rates: Arc::default(),
            load: Load::default(),
            unsent: Unsent::default(),
            trusted_proxies: Arc::clone(&options.trusted_proxies),
            metrics: options.metrics.clone(),
            tls: options.tls.clone(),
            has_access_log: options.has_access_log,
            has_traces: options.has_traces,
            server_timing: options.server_timing,
        }
    }
}
