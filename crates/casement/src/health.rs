//! `casement health`: whether a server serves, for the checks of containers.

use anyhow::Context;
use casement_api::control::client::Client;
use casement_api::control::socket::{SOCKET_NAME, connect};

use crate::cli::HealthArguments;
use crate::opened;
use crate::output;

/// Runs `casement health`; gives the exit code: 0 when the server serves.
///
/// # Errors
/// The server can't be asked.
pub fn run(arguments: &HealthArguments) -> anyhow::Result<u8> {
    let health = opened::runtime()?.block_on(async {
        let socket =
            || format!("can't ask the server by {}", arguments.data.path.join(SOCKET_NAME).display());
        match connect(&arguments.data.path).with_context(socket)? {
            Some(stream) => Ok(Some(Client::Server(stream).health().await?)),
            None => anyhow::Ok(None),
        }
    })?;
    let Some(health) = health else { anyhow::bail!("no server uses {}", arguments.data.path.display()) };
    if arguments.json {
        output::line(format_args!("{}", serde_json::to_string_pretty(&health)?));
    } else {
        output::line(format_args!("index: {}, store: {}", health.index, health.store));
    }
    Ok(u8::from(!health.serves))
}
