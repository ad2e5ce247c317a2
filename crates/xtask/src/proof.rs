//! `cargo xtask proof …`: shows that what the server promises holds when it is treated badly.
//!
//! `kill`: acknowledged writes survive SIGKILL. [`kill`] holds the flow, `writer` and `listing` speak to the server,
//! `ledger` knows what was acknowledged, `check` compares (pure, and tested itself), `chain` reads the stopped server's
//! log through `casement-store`. [`restore`]: a backup made under load gives back any moment. [`io`] fails system
//! calls, [`power`] the disk; `script` is what the server does meanwhile. [`fuzz`]: no input breaks what
//! `casement-proofs` says must hold. [`schema`]: the server answers as its description says, to a tester that knows
//! nothing else. [`slow`]: thousands of slow connections take nothing from the others. [`acme`]: certificates come from an
//! authority, and are renewed. [`failover`]: a cluster that loses machines loses nothing else.

pub mod acme;
mod chain;
mod check;
pub mod failover;
pub mod fuzz;
pub mod io;
pub mod kill;
mod ledger;
mod listing;
pub mod power;
pub mod restore;
pub mod schema;
mod script;
pub mod slow;
mod writer;

use anyhow::Result;

use crate::workspace::Workspace;

/// Proves a promise of the server from outside.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask proof kill --rounds 20\n  cargo xtask proof restore --points 200\n  cargo xtask proof fuzz --target date --seconds 10"
)]
pub struct Arguments {
    #[command(subcommand)]
    proof: Proof,
}

#[derive(clap::Subcommand)]
enum Proof {
    Kill(kill::Arguments),
    Fuzz(fuzz::Arguments),
    Schema(schema::Arguments),
    Restore(restore::Arguments),
    Io(io::Arguments),
    Power(power::Arguments),
    Slow(slow::Arguments),
    Acme(acme::Arguments),
    Failover(failover::Arguments),
}

/// Runs the named proof.
///
/// # Errors
/// When the promise doesn't hold.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    match &arguments.proof {
        Proof::Kill(arguments) => kill::run(workspace, arguments),
        Proof::Fuzz(arguments) => fuzz::run(workspace, arguments),
        Proof::Schema(arguments) => schema::run(workspace, arguments),
        Proof::Restore(arguments) => restore::run(workspace, arguments),
        Proof::Io(arguments) => io::run(workspace, arguments),
        Proof::Power(arguments) => power::run(workspace, arguments),
        Proof::Slow(arguments) => slow::run(workspace, arguments),
        Proof::Acme(arguments) => acme::run(workspace, arguments),
        Proof::Failover(arguments) => failover::run(workspace, arguments),
    }
}
