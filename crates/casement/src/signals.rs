//! Signals: what each asks of the server.
//!
//! SIGTERM and SIGINT: stop, and let open requests end; the second one: end at once. SIGHUP: read the certificate and the
//! log level anew. Every other signal does what the system does with it; none can lose what was acknowledged.

use casement_api::tls::Tls;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::logging::Level;
use crate::{settings, sources};

/// The signals that ask the server to stop.
#[derive(Debug)]
pub struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    /// Takes these signals from now on.
    ///
    /// # Errors
    /// The system does not give them.
    pub fn take() -> anyhow::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Takes SIGHUP from now on, and gives the work that answers it until the task is ended.
///
/// # Errors
/// The system does not give it.
pub fn reload(tls: Option<Tls>, level: Level) -> anyhow::Result<impl Future<Output = ()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            match settings::log_level().and_then(|filter| level.set(&filter).map(|()| filter)) {
                Ok(filter) => tracing::info!(level = filter, "told to read anew: this is the log level"),
                Err(error) => tracing::error!(error = format!("{error:#}"), "the log level stays as it was"),
            }
            match tls.as_ref().map(Tls::refresh) {
                Some(Ok(true)) => {
                    tracing::info!("the certificate was read anew");
                    if let Some(tls) = &tls {
                        tls.tell(sources::now());
                    }
                }
                Some(Err(error)) => tracing::error!(%error, "the new certificate is not used"),
                Some(Ok(false)) | None => {}
            }
        }
    })
}
