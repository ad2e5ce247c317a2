//! The command line of `casement service`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The subcommands of `service`.
#[derive(Debug, Subcommand)]
pub enum UnitCommand {
    /// Prints the unit that `install` writes.
    Print(UnitPrintArguments),
    /// Writes the unit, the user and the settings file of the service. What the settings file holds stays.
    Install(UnitInstallArguments),
    /// Stops the service and removes its unit. Data, settings and user stay.
    Uninstall(UnitUninstallArguments),
}

/// What a unit may differ in.
#[derive(Debug, Args)]
pub struct UnitOptions {
    /// The program that the unit starts; this one when absent.
    #[arg(long, value_name = "FILE")]
    pub binary: Option<PathBuf>,
    /// Hand the key over as a credential from this file, which root alone need be able to read.
    #[arg(long, value_name = "FILE")]
    pub load_key: Option<PathBuf>,
    /// Let the server listen on ports below 1024.
    #[arg(long)]
    pub low_ports: bool,
}

/// The arguments of `service print`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement service print
  casement service print --load-key /etc/casement/secrets.key --low-ports")]
pub struct UnitPrintArguments {
    #[command(flatten)]
    pub options: UnitOptions,
}

/// The arguments of `service install`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement service install
  casement service install --root image --binary /usr/bin/casement")]
pub struct UnitInstallArguments {
    #[command(flatten)]
    pub options: UnitOptions,
    /// Write below this directory, and tell systemd nothing: for images.
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// The arguments of `service uninstall`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement service uninstall")]
pub struct UnitUninstallArguments {
    /// Remove below this directory, and tell systemd nothing: for images.
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}
