//! The chores of the project, as `cargo xtask …`: generate, tidy, test, proof, bench, fixture, cluster.
//!
//! Each command is one module. What they share stands in [`workspace`] (where things are), [`server`] (a Casement
//! process to drive) and [`client`] (one HTTP connection). Nothing here is part of the server, and the only crate of
//! ours that it may lean on is `casement-store`, whose hash chain the kill proof verifies.

mod bench;
mod client;
mod cluster;
mod fixture;
mod generate;
mod postgres;
mod proof;
mod server;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Runs the chores of the project.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    after_help = "Examples:\n  cargo xtask test --quick\n  cargo xtask generate --check\n  \
                  cargo xtask proof kill --rounds 20\n  cargo xtask bench create --clients 32 --seconds 10"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Generate(generate::Arguments),
    Tidy(tidy::Arguments),
    Test(test::Arguments),
    Proof(proof::Arguments),
    Bench(bench::Arguments),
    Fixture(fixture::Arguments),
    Cluster(cluster::Arguments),
    #[command(hide = true)]
    Respond(bench::responder::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command.
fn run(command: Command) -> Result<()> {
    match command {
        Command::Generate(arguments) => generate::run(&Workspace::find()?, &arguments),
        Command::Tidy(arguments) => tidy::run(&Workspace::find()?, &arguments),
        Command::Test(arguments) => test::run(&Workspace::find()?, &arguments),
        Command::Proof(arguments) => proof::run(&Workspace::find()?, &arguments),
        Command::Bench(arguments) => bench::run(&Workspace::find()?, &arguments),
        Command::Fixture(arguments) => fixture::run(&Workspace::find()?, &arguments),
        Command::Cluster(arguments) => cluster::run(&Workspace::find()?, &arguments),
        Command::Respond(arguments) => bench::responder::run(&arguments),
    }
}

/// Runs a future to its end on a runtime of its own, or until Ctrl-C or SIGTERM; either way everything that the future
/// holds (child processes, temporary directories) is dropped before this returns.
fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime could not be started")?;
    let outcome = runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            outcome = future => outcome,
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
            _ = terminate.recv() => Err(anyhow::anyhow!("terminated")),
        }
    });
    // Child processes that are ended by dropping them are reaped by the runtime: leave it a moment for that.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    outcome
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Arguments;

    #[test]
    fn the_command_line_has_no_contradiction() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_example_of_the_help_can_be_parsed() {
        let mut commands = vec![Arguments::command()];
        let mut examples = 0;
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands().cloned());
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter_map(|line| line.trim().strip_prefix("cargo xtask ")) {
                let words = ["cargo xtask"].into_iter().chain(line.split_whitespace());
                assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
                examples += 1;
            }
        }
        assert!(examples >= 10, "{examples} examples");
    }
}
