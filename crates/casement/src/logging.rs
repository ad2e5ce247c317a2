//! Logging to standard error.

use std::fmt;
use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt as layer, reload};

use crate::cli::LogFormat;

/// What is logged; it can be changed.
#[derive(Clone)]
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl fmt::Debug for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Level")
    }
}

impl Level {
    /// Logs by another filter from now on.
    ///
    /// # Errors
    /// The filter can't be read; what was logged before is still.
    pub fn set(&self, filter: &str) -> anyhow::Result<()> {
        self.0.reload(read(filter)?).context("the log level can't be changed")
    }
}

fn read(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(filter).with_context(|| format!("{filter:?} is no log level"))
}

/// Begins to log. `filter` is a level, or levels by module.
///
/// # Errors
/// The filter can't be read.
pub fn begin(filter: &str, format: LogFormat) -> anyhow::Result<Level> {
    let (filter, handle) = reload::Layer::new(read(filter)?);
    let registry = tracing_subscriber::registry().with(filter);
    let lines = layer::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        LogFormat::Text => registry.with(lines).init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).init(),
    }
    Ok(Level(handle))
}
