//! The server: settings, command line, wiring, shutdown. Decides nothing.

use std::process::ExitCode;

use anyhow::Context;
use clap::FromArgMatches;

mod cli;
mod config;
mod file;
mod init;
mod logging;
mod serve;
mod settings;
mod sources;
mod token;
mod version;

use cli::{Cli, Command, WorkspaceCommand};
use settings::Settings;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("casement: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let settings = Settings::read()?;
    let matches = settings.command.clone().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command {
        Command::Serve(arguments) => {
            settings.check_variables()?;
            serve::run(&arguments)
        }
        Command::Init(arguments) => init::init(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Workspace(WorkspaceCommand::Create(arguments)) => init::create_workspace(&arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::Openapi => version::openapi(),
        Command::Config(arguments) => {
            settings.check_variables()?;
            let matches = matches.subcommand_matches("config").context("the command is `config`")?;
            config::run(&arguments, &settings, matches);
            Ok(())
        }
    }
}
