//! The server: settings, command line, wiring, shutdown. Decides nothing.

// Both panic when the reader has gone: `output` prints.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use anyhow::Context;
use clap::FromArgMatches;

mod app;
mod backup;
mod cli;
mod config;
mod connecting;
mod contradictions;
mod control;
mod doctor;
mod file;
mod health;
mod init;
mod key;
mod levels;
mod logging;
mod measure;
mod migrate;
mod open_files;
mod opened;
mod output;
mod restore;
mod sample;
mod serve;
mod settings;
mod signals;
mod sources;
mod tls;
mod token;
mod unit;
mod version;
mod workspace;

use cli::app::AppCommand;
use cli::key::KeyCommand;
use cli::unit::UnitCommand;
use cli::{Cli, Command, WorkspaceCommand};
use settings::Settings;

/// A request allocates some hundred times; see docs/decisions/0034-memory-by-mimalloc.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::aside(format_args!("casement: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs the command; gives its exit code.
fn run() -> anyhow::Result<u8> {
    let settings = Settings::read()?;
    let matches = settings.command.clone().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let outcome = match cli.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Init(arguments) => init::init(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => {
            let matches = matches.subcommand_matches("restore").context("the command is `restore`")?;
            restore::run(&arguments, matches.value_source("attachments"))
        }
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Sample(arguments) => sample::run(&arguments),
        Command::Doctor(arguments) => return doctor::run(&arguments, &settings),
        Command::Workspace(WorkspaceCommand::Create(arguments)) => init::create_workspace(&arguments),
        Command::App(AppCommand::Create(arguments)) => app::create(&arguments),
        Command::App(AppCommand::List(arguments)) => app::list(&arguments),
        Command::App(AppCommand::Show(arguments)) => app::show(&arguments),
        Command::App(AppCommand::Rotate(arguments)) => app::rotate(&arguments),
        Command::App(AppCommand::Revoke(arguments)) => app::revoke(&arguments),
        Command::Workspace(WorkspaceCommand::Show(arguments)) => workspace::show(&arguments),
        Command::Workspace(WorkspaceCommand::Apply(arguments)) => workspace::apply(&arguments),
        Command::Key(KeyCommand::Rotate(arguments)) => key::rotate(&arguments),
        Command::Key(KeyCommand::Forget(arguments)) => key::forget(&arguments),
        Command::Key(KeyCommand::Make(arguments)) => key::make(&arguments),
        Command::Service(UnitCommand::Print(arguments)) => unit::print(&arguments),
        Command::Service(UnitCommand::Install(arguments)) => unit::install(&arguments),
        Command::Service(UnitCommand::Uninstall(arguments)) => unit::uninstall(&arguments),
        Command::Health(arguments) => return health::run(&arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::Openapi => version::openapi(),
        Command::Config(arguments) => {
            let matches = matches.subcommand_matches("config").context("the command is `config`")?;
            config::run(&arguments, &settings, matches)
        }
    };
    outcome.map(|()| 0)
}
