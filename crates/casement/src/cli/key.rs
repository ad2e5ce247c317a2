//! The command line of `casement key`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use crate::cli::DataDirectory;

/// The subcommands of `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Makes a new key and seals everything under it, also while a server runs.
    Rotate(KeyRotateArguments),
    /// Gives a lost key up: each app whose secret it sealed gets a new secret. No server may use the directory.
    Forget(KeyForgetArguments),
    /// Writes a new key file, for a service manager that hands it over or a place of your own.
    Make(KeyMakeArguments),
}

/// The arguments of `key rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
The former key is not kept: backups from before need it, so keep the copy of the key file that you have of it.

Examples:
  casement key rotate
  casement key rotate --data-dir /var/lib/casement --json")]
pub struct KeyRotateArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// With a database server: every other node is stopped, and will get the new key file before it starts again.
    #[arg(long)]
    pub alone: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `key forget`.
#[derive(Debug, Args)]
#[command(after_help = "\
Look for the key file first, in every copy that you have: this can't be taken back. The server names the key that it
lacks when it does not start.

Examples:
  casement key forget 3f0c2a91d5b7e846")]
pub struct KeyForgetArguments {
    /// The id of the lost key.
    #[arg(value_name = "KEY_ID", value_parser = NonEmptyStringValueParser::new())]
    pub key_id: String,
    #[command(flatten)]
    pub data: DataDirectory,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `key make`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement key make --to /etc/casement/secrets.key")]
pub struct KeyMakeArguments {
    /// The file to make; one that is there is left as it is.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}
