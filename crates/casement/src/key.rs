//! `casement key`: the key that seals secrets.

use std::path::Path;

use casement_app::jwt_app::create::KeyedJwtApp;
use casement_app::seal::forget::forget_key;
use casement_app::seal::key::{Keyring, SealKey};
use casement_app::seal::key_file::KeyFile;
use serde_json::{Value, json};

use crate::cli::key::{KeyForgetArguments, KeyMakeArguments, KeyRotateArguments};
use crate::{control, opened, output, sources};

/// Runs `casement key rotate`.
///
/// # Errors
/// The key file can't be used or changed, or the data can't be reached.
pub fn rotate(arguments: &KeyRotateArguments) -> anyhow::Result<()> {
    if arguments.data.database_url.is_some() && !arguments.alone {
        anyhow::bail!(
            "nodes on a database server share one key, and those that lack the new one would stop: stop all nodes but one, \
             run this with --alone beside that one, then put its key file where the others have theirs and start them"
        );
    }
    let rotated = control::run(&arguments.data, async |client| client.rotate_key().await)?;
    if arguments.json {
        output::line(format_args!("{}", serde_json::to_string_pretty(&rotated)?));
        return Ok(());
    }
    output::line(format_args!("The key {} in {} seals from now on.", rotated.key_id, rotated.key_file));
    output::line(format_args!("{} apps were sealed anew.", rotated.sealed));
    output::line("Keep a copy of the key file, apart from the backups.");
    if !rotated.former_key_ids.is_empty() {
        let former = rotated.former_key_ids.join(", ");
        output::line(format_args!(
            "Backups until now need the former key {former}: keep your copy of it as long as these."
        ));
    }
    Ok(())
}

/// Runs `casement key forget`.
///
/// # Errors
/// The key is not lost or nothing needs it, or the directory is in use or can't be written.
pub fn forget(arguments: &KeyForgetArguments) -> anyhow::Result<()> {
    let directory = &arguments.data.path;
    let is_there = arguments.data.database_url.is_some() || directory.join("casement.db").exists();
    anyhow::ensure!(is_there, "{} holds no data", directory.display());
    let given = opened::runtime()?.block_on(async {
        let (store, feed) = opened::open(&arguments.data).await?;
        let key_file = arguments.data.key_file();
        anyhow::Ok(forget_key(store, feed, sources::system(), key_file, &arguments.key_id).await?)
    })?;
    let secret_of = |app: &KeyedJwtApp| app.secret.as_ref().map(|secret| secret.reveal().to_owned());
    if arguments.json {
        let apps: Vec<Value> = given
            .iter()
            .map(|given| {
                let app = &given.app;
                json!({"clientId": app.client_id, "name": app.name, "clientSecret": secret_of(given)})
            })
            .collect();
        output::line(format_args!("{:#}", json!({"apps": apps})));
        return Ok(());
    }
    output::line(format_args!(
        "The key {} is given up. These apps have new secrets, shown this once:",
        arguments.key_id
    ));
    for given in &given {
        output::line(format_args!(
            "  {}  {}  {}",
            given.app.client_id,
            secret_of(given).unwrap_or_default(),
            given.app.name
        ));
    }
    Ok(())
}

/// Runs `casement key make`.
///
/// # Errors
/// The file is there already or can't be written.
pub fn make(arguments: &KeyMakeArguments) -> anyhow::Result<()> {
    let key = SealKey::fresh(&sources::system());
    let id = key.id();
    KeyFile::of(Path::new("."), Some(&arguments.to), None).make(&Keyring::of(key))?;
    output::line(format_args!(
        "{} holds the new key {id}. Keep a copy, apart from the backups.",
        arguments.to.display()
    ));
    Ok(())
}
