//! `casement key`: the key that seals secrets.

use std::path::Path;

use casement_app::seal::key::{Keyring, SealKey};
use casement_app::seal::key_file::KeyFile;

use crate::cli::{KeyMakeArguments, KeyRotateArguments};
use crate::{control, sources};

/// Runs `casement key rotate`.
///
/// # Errors
/// The key file can't be used or changed, or the data can't be reached.
pub fn rotate(arguments: &KeyRotateArguments) -> anyhow::Result<()> {
    let rotated = control::run(&arguments.data, async |client| client.rotate_key().await)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rotated)?);
        return Ok(());
    }
    println!("The key {} in {} seals from now on.", rotated.key_id, rotated.key_file);
    println!("{} apps were sealed anew.", rotated.sealed);
    println!("Keep a copy of the key file, apart from the backups.");
    if !rotated.former_key_ids.is_empty() {
        let former = rotated.former_key_ids.join(", ");
        println!("Backups until now need the former key {former}: keep your copy of it as long as these.");
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
    println!("{} holds the new key {id}. Keep a copy, apart from the backups.", arguments.to.display());
    Ok(())
}
