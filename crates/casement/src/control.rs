//! How a command reaches the data: through the server that holds the directory, or by opening the directory itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use casement_api::control::client::{Client, CommandError};
use casement_api::control::router::control_router;
use casement_api::control::socket::connect;
use casement_app::app::App;
use casement_store::error::StoreError;
use casement_store::inspect::check_not_gone;

use crate::cli::DataDirectory;
use crate::opened;

/// How long a command waits for a server that starts or stops, or for another command.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How often it looks meanwhile.
const WAIT_STEP: Duration = Duration::from_millis(50);

/// What an operator knows the keys of a command as.
const OPTIONS: [(&str, &str); 4] = [
    ("name: ", "--name "),
    ("streams: ", "--stream "),
    ("publicKey: ", "--public-key "),
    ("graceSeconds: ", "--grace "),
];

/// Carries out a command.
///
/// # Errors
/// There is no data in the directory, it can't be reached, or the command was refused.
pub fn run<T>(
    data: &DataDirectory,
    command: impl AsyncFnOnce(Client) -> Result<T, CommandError>,
) -> anyhow::Result<T> {
    ask(data, command)?.map_err(told)
}

/// Carries out a command that tells of its refusals itself.
///
/// # Errors
/// There is no data in the directory, or it can't be reached.
pub fn ask<T>(
    data: &DataDirectory,
    command: impl AsyncFnOnce(Client) -> Result<T, CommandError>,
) -> anyhow::Result<Result<T, CommandError>> {
    opened::runtime()?.block_on(carry_out(data, command))
}

async fn carry_out<T>(
    data: &DataDirectory,
    command: impl AsyncFnOnce(Client) -> Result<T, CommandError>,
) -> anyhow::Result<Result<T, CommandError>> {
    let directory = data.path.as_path();
    let database = directory.join("casement.db");
    if data.database_url.is_none()
        && !database.try_exists().with_context(|| format!("can't look for {}", database.display()))?
    {
        check_not_gone(directory)?;
        bail!("{} holds no data; `casement init` or `casement serve` makes it", directory.display());
    }
    let unreachable = || format!("the server that holds {} can't be asked", directory.display());
    let mut waited = Duration::ZERO;
    loop {
        if let Some(stream) = connect(directory).with_context(unreachable)? {
            if waited < WAIT_MAX && is_starting(Client::Server(stream)).await {
                tokio::time::sleep(WAIT_STEP).await;
                waited += WAIT_STEP;
                continue;
            }
            if let Some(stream) = connect(directory).with_context(unreachable)? {
                return Ok(command(Client::Server(stream)).await);
            }
        }
        match opened::open(data).await {
            Ok(store) => {
                let bytes = data.bytes.of_command(directory, data.database_url.is_some())?;
                let work = async |app: &Arc<App>| {
                    app.keep_attachments(bytes);
                    let router = control_router(Arc::clone(app));
                    Ok(command(Client::Here(router)).await)
                };
                return opened::with_store(store, data.key_file(), work).await;
            }
            // Somebody has it and does not listen: a server that starts or stops, or another command.
            Err(error) if waited < WAIT_MAX && is_locked(&error) => {
                tokio::time::sleep(WAIT_STEP).await;
                waited += WAIT_STEP;
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_locked(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Locked { .. }))
}

/// Tells whether a server is still building its index, and takes no commands meanwhile.
async fn is_starting(server: Client) -> bool {
    server.health().await.is_ok_and(|health| health.index == "building")
}

/// Tells an operator why a command was not carried out.
fn told(error: CommandError) -> anyhow::Error {
    let sentence = |text: String| {
        let known =
            OPTIONS.iter().find_map(|(key, option)| Some(format!("{option}{}", text.strip_prefix(key)?)));
        known.unwrap_or(text)
    };
    match error {
        CommandError::Refused(texts) => {
            CommandError::Refused(texts.into_iter().map(sentence).collect()).into()
        }
        CommandError::Broken(_) => error.into(),
    }
}
