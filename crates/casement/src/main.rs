//! The server: settings, command line, wiring, shutdown. Decides nothing.

use std::process::ExitCode;

use clap::Parser;

mod cli;
mod init;
mod logging;
mod serve;
mod sources;
mod token;
mod version;

use cli::{Cli, Command, WorkspaceCommand};

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Init(arguments) => init::init(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Workspace(WorkspaceCommand::Create(arguments)) => init::create_workspace(&arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::Openapi => version::openapi(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("casement: {error:#}");
            ExitCode::FAILURE
        }
    }
}
