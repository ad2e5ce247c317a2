//! `cargo xtask cluster …`: the set-up of docs/scale.md on this machine, to try it and to break it.
//!
//! Three machines with etcd, Patroni and PostgreSQL, HAProxy before them, and two Casement nodes, in a directory of their
//! own, from the system's packages. `layout` says what is where, `config` writes the programs' files, `network` keeps the
//! machines apart, `process` starts and signals, `operate` is what can be done with a machine, `health` how all of it is.
//! The failover proof drives the same functions.

mod config;
pub mod health;
pub mod layout;
pub mod network;
pub mod operate;
pub mod process;
pub mod raise;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;
use health::Health;
use layout::{Layout, MACHINES, Machine, Network, Replication, Role, port};
use operate::Program;

/// How long a cluster may take to become whole.
pub const WHOLE_WAIT: Duration = Duration::from_secs(180);

/// Runs three PostgreSQL servers under Patroni, HAProxy and two Casement nodes on this machine.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask cluster up\n  cargo xtask cluster up --casement target/debug/casement\n  cargo xtask cluster status\n  cargo xtask cluster kill db1\n  cargo xtask cluster kill db2 --only postgres\n  cargo xtask cluster start db1\n  cargo xtask cluster stop db1 --only postgres\n  cargo xtask cluster continue db1 --only postgres\n  cargo xtask cluster cut db3\n  cargo xtask cluster heal db3\n  cargo xtask cluster switchover\n  cargo xtask cluster down --remove"
)]
pub struct Arguments {
    /// The cluster's directory; `cluster` in the target directory when absent
    #[arg(long, global = true)]
    dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Makes the cluster or starts what is missing of it, and waits until it is whole. Can be run again at any time
    Up(Up),
    /// Ends everything that `up` started
    Down {
        /// Removes the directory too, with all data
        #[arg(long)]
        remove: bool,
    },
    /// Says what runs, who leads, and what is missing
    Status,
    /// Ends programs of a machine by SIGKILL
    Kill(Target),
    /// Starts what doesn't run on a machine
    Start {
        /// The machine: db1, db2, db3, front, app1 or app2
        machine: String,
    },
    /// Stops programs of a machine by SIGSTOP: they keep what they hold and answer nothing
    Stop(Target),
    /// Lets stopped programs of a machine go on
    Continue(Target),
    /// Cuts a machine's network: every packet is dropped without a word
    Cut {
        /// The machine: db1, db2, db3, app1 or app2
        machine: String,
    },
    /// Takes a cut back
    Heal {
        /// The machine
        machine: String,
    },
    /// Hands the lead to another server in peace
    Switchover {
        /// Who shall lead; Patroni picks when absent
        #[arg(long)]
        to: Option<String>,
    },
}

/// What `up` makes.
#[derive(clap::Args)]
pub struct Up {
    /// How machines are kept apart; namespaces where the system allows them, else the loopback
    #[arg(long, value_enum)]
    pub network: Option<Network>,
    /// Which cluster of this machine, when there are several: the third number of its addresses
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=250))]
    pub number: u8,
    /// When a commit is acknowledged
    #[arg(long, value_enum, default_value = "synchronous")]
    pub replication: Replication,
    /// The system's user that databases run as; PostgreSQL refuses root
    #[arg(long, default_value = "postgres")]
    pub user: String,
    /// The Casement program for two nodes; without it there are databases alone
    #[arg(long)]
    pub casement: Option<PathBuf>,
    /// Further settings of `casement serve`, after `--`
    #[arg(last = true)]
    pub settings: Vec<String>,
}

/// Programs of a machine.
#[derive(clap::Args)]
struct Target {
    /// The machine: db1, db2, db3, front, app1 or app2
    machine: String,
    /// This program alone instead of all of them
    #[arg(long, value_enum)]
    only: Option<Program>,
}

impl Target {
    fn machine(&self) -> Result<(Machine, Vec<Program>)> {
        let machine = Machine::named(&self.machine)?;
        let all = Program::of(machine.role);
        match self.only {
            None => Ok((machine, all.to_vec())),
            Some(only) if all.contains(&only) => Ok((machine, vec![only])),
            Some(only) => bail!("{} has no {}", machine.name, only.name()),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When the system lacks something, there is no cluster, or it doesn't do what it is told.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let directory = arguments.dir.clone().unwrap_or_else(|| workspace.target.join("cluster"));
    crate::block_on(async {
        match &arguments.command {
            Command::Up(up) => {
                let layout = raise::raise(&directory, up).await?;
                println!("the cluster is whole");
                print_status(&layout).await;
            }
            Command::Down { remove } => take_down(&directory, *remove).await?,
            Command::Status => print_status(&Layout::expect(&directory)?).await,
            Command::Kill(target) => {
                let (machine, programs) = target.machine()?;
                let killed = operate::kill(&Layout::expect(&directory)?, machine, &programs).await?;
                println!("{}: killed {}", machine.name, named(&killed));
            }
            Command::Start { machine } => {
                let (layout, machine) = (Layout::expect(&directory)?, Machine::named(machine)?);
                for program in Program::of(machine.role) {
                    operate::start(&layout, machine, *program)?;
                }
            }
            Command::Stop(target) => {
                let (machine, programs) = target.machine()?;
                operate::stop(&Layout::expect(&directory)?, machine, &programs)?;
            }
            Command::Continue(target) => {
                let (machine, programs) = target.machine()?;
                operate::go_on(&Layout::expect(&directory)?, machine, &programs)?;
            }
            Command::Cut { machine } => network::cut(&Layout::expect(&directory)?, Machine::named(machine)?)?,
            Command::Heal { machine } => {
                network::heal(&Layout::expect(&directory)?, Machine::named(machine)?)?
            }
            Command::Switchover { to } => {
                let layout = Layout::expect(&directory)?;
                let leader = Health::ask(&layout, &[]).await.leader().context("there is no leader")?;
                let to = to.as_deref().map(Machine::named).transpose()?;
                operate::switch_over(&layout, leader, to).await?;
                let leader = health::wait_for_another_leader(&layout, leader, &[], WHOLE_WAIT).await?;
                println!("{} leads", leader.name);
            }
        }
        Ok(())
    })
}

/// Ends everything that a cluster started, in an order that lets each part end in peace.
///
/// # Errors
/// When a process can't be ended.
pub async fn take_down(directory: &std::path::Path, remove: bool) -> Result<()> {
    let Some(layout) = Layout::read(directory)? else {
        println!("no cluster in {}", directory.display());
        return Ok(());
    };
    for machine in MACHINES {
        network::heal(&layout, machine)?;
    }
    for role in [Role::Application, Role::Front, Role::Database] {
        for machine in Machine::of(role) {
            for program in Program::of(role).iter().filter(|program| **program != Program::Etcd) {
                operate::end(&layout, machine, *program).await?;
            }
        }
    }
    for machine in Machine::of(Role::Database) {
        operate::end(&layout, machine, Program::Etcd).await?;
    }
    network::remove(&layout)?;
    if remove {
        fs::remove_dir_all(directory)
            .with_context(|| format!("{} could not be removed", directory.display()))?;
    }
    Ok(())
}

/// Prints what is where and how it is.
async fn print_status(layout: &Layout) {
    let cut: Vec<Machine> =
        MACHINES.into_iter().filter(|machine| network::is_cut(layout, *machine)).collect();
    let health = Health::ask(layout, &cut).await;
    for machine in MACHINES {
        let mut words = Vec::new();
        for program in Program::of(machine.role) {
            if *program == Program::Casement && layout.casement.is_none() {
                continue;
            }
            words.push(match operate::find(layout, machine, *program) {
                Some(process) if process.is_stopped() => format!("{} is stopped", program.name()),
                Some(process) => format!("{} {}", program.name(), process.id()),
                None => format!("{} does not run", program.name()),
            });
        }
        if let Some(member) = health.members.iter().find(|member| member.name == machine.name) {
            words.push(format!("{} ({})", member.role, member.state));
        }
        if health.ready.iter().any(|name| name == machine.name) {
            words.push("ready".to_owned());
        }
        if cut.contains(&machine) {
            words.push("cut off".to_owned());
        }
        println!("{:<6}{:<14}{}", machine.name, layout.address(machine).to_string(), words.join(", "));
    }
    println!("database      {}", layout.database_url(port::PRIMARY));
    for machine in Machine::of(Role::Front) {
        let address = layout.address(machine);
        if layout.casement.is_some() {
            println!("Casement      http://{address}:{}", port::CASEMENT);
        }
        println!("HAProxy       http://{address}:{}", port::STATISTICS);
    }
    println!("logs, files   {}/<machine>", layout.directory.display());
    let missing = health.missing(layout);
    if !missing.is_empty() {
        println!("missing       {}", missing.join(", "));
    }
}

fn named(programs: &[&str]) -> String {
    if programs.is_empty() { "nothing: nothing of it runs".to_owned() } else { programs.join(", ") }
}
