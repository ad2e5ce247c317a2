//! What can be done with a cluster's machines: start, kill, stop and continue their programs, switch over.
//!
//! Only what [`super::process`] knows as started by the cluster is ever signalled.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, HOST};
use rustix::process::Signal;
use serde_json::json;

use super::config::{self, Cluster, Folders};
use super::health;
use super::layout::{Layout, Machine, Role, port};
use super::process::{self, Process};
use crate::server::UNLIMITED;

/// How long a killed process may take to be gone.
const KILL_WAIT: Duration = Duration::from_secs(10);

/// How long a program may take to end in peace.
const END_WAIT: Duration = Duration::from_secs(60);

/// How long a switchover may take.
const SWITCHOVER_WAIT: Duration = Duration::from_secs(60);

/// A program of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Program {
    /// The PostgreSQL server and all its processes
    Postgres,
    /// Patroni alone: its PostgreSQL goes on
    Patroni,
    /// The etcd member
    Etcd,
    /// HAProxy
    Haproxy,
    /// The Casement node
    Casement,
}

impl Program {
    /// The programs of a machine, in the order in which they end.
    pub fn of(role: Role) -> &'static [Self] {
        match role {
            Role::Database => &[Self::Patroni, Self::Postgres, Self::Etcd],
            Role::Front => &[Self::Haproxy],
            Role::Application => &[Self::Casement],
        }
    }

    /// Its name, also of its pid file and its log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Patroni => "patroni",
            Self::Etcd => "etcd",
            Self::Haproxy => "haproxy",
            Self::Casement => "casement",
        }
    }
}

/// The folders of a database machine.
pub fn folders(layout: &Layout, machine: Machine) -> Folders {
    let folder = layout.folder(machine);
    Folders {
        etcd: folder.join("etcd"),
        postgres: folder.join("postgres"),
        socket: folder.clone(),
        passwords: folder.join("pgpass"),
        programs: layout.postgres_programs.clone(),
    }
}

/// A program's process, if it runs.
pub fn find(layout: &Layout, machine: Machine, program: Program) -> Option<Process> {
    match program {
        Program::Postgres => process::find_postgres(&folders(layout, machine).postgres),
        Program::Patroni | Program::Etcd | Program::Haproxy | Program::Casement => {
            process::find(layout, machine, program.name())
        }
    }
}

/// Starts a program unless it runs. PostgreSQL is Patroni's to start.
///
/// # Errors
/// When it can't be started.
pub fn start(layout: &Layout, machine: Machine, program: Program) -> Result<()> {
    if find(layout, machine, program).is_some() {
        return Ok(());
    }
    let folder = layout.folder(machine);
    let cluster = Cluster::of(layout);
    let user = Some(layout.user.as_str());
    let command =
        |user: Option<&str>, program: &str| process::command(layout, machine, user, Path::new(program));
    let command = match program {
        Program::Postgres => return Ok(()),
        Program::Etcd => {
            let mut command = command(user, "etcd");
            command.envs(config::etcd(&cluster, machine.name, &folders(layout, machine)));
            command
        }
        Program::Patroni => {
            let file = folder.join("patroni.yml");
            fs::write(&file, config::patroni(&cluster, machine.name, &folders(layout, machine)))?;
            let mut command = command(user, "patroni");
            command.arg(file);
            command
        }
        Program::Haproxy => {
            let file = folder.join("haproxy.cfg");
            fs::write(&file, config::haproxy(&cluster) + &config::haproxy_kept(&cluster))?;
            let mut command = command(user, "haproxy");
            command.arg("-db").arg("-f").arg(file);
            command
        }
        Program::Casement => {
            let Some(binary) = &layout.casement else { return Ok(()) };
            let address = format!("{}:{}", layout.address(machine), port::CASEMENT);
            let mut command = process::command(layout, machine, None, binary);
            command
                .arg("serve")
                .arg("--data-dir")
                .arg(folder.join("data"))
                .arg("--key-file")
                .arg(key_file(layout))
                .arg("--database-url")
                .arg(layout.database_url(front_port(machine)))
                .args(["--listen", &address])
                .args(UNLIMITED)
                .args(&layout.settings)
                .env("RUST_BACKTRACE", "1");
            command
        }
    };
    process::start(layout, machine, program.name(), command)
}

/// The front's port that a node reaches the database by. The second node's sessions stay on a server that is no longer
/// the primary until the node itself leaves it: it shows whether the node does.
fn front_port(machine: Machine) -> u16 {
    if machine.name == "app2" { port::PRIMARY_KEPT } else { port::PRIMARY }
}

/// The key file that all nodes share.
pub fn key_file(layout: &Layout) -> PathBuf {
    layout.directory.join("secrets.key")
}

/// Sends SIGKILL to programs of a machine, with all below them, and waits until they are gone. Those that don't run are
/// left out; gives the names of those that did.
///
/// # Errors
/// When one can't be killed.
pub async fn kill(layout: &Layout, machine: Machine, programs: &[Program]) -> Result<Vec<&'static str>> {
    let mut killed = Vec::new();
    for program in programs {
        let Some(found) = find(layout, machine, *program) else { continue };
        let family = family(*program, found);
        for process in &family {
            process.signal(Signal::KILL)?;
        }
        for process in family {
            process.ended(KILL_WAIT).await?;
        }
        killed.push(program.name());
    }
    Ok(killed)
}

/// Stops programs of a machine by SIGSTOP, with all below them: they keep everything and answer nothing.
///
/// # Errors
/// When one doesn't run, or can't be stopped.
pub fn stop(layout: &Layout, machine: Machine, programs: &[Program]) -> Result<()> {
    for program in programs {
        let found = find(layout, machine, *program)
            .with_context(|| format!("{} does not run on {}", program.name(), machine.name))?;
        for process in family(*program, found) {
            process.signal(Signal::STOP)?;
        }
    }
    Ok(())
}

/// Lets programs of a machine that were stopped go on.
///
/// # Errors
/// When one can't be signalled.
pub fn go_on(layout: &Layout, machine: Machine, programs: &[Program]) -> Result<()> {
    for program in programs {
        if let Some(found) = find(layout, machine, *program) {
            for process in family(*program, found) {
                process.signal(Signal::CONT)?;
            }
        }
    }
    Ok(())
}

/// Ends a program in peace, if it runs; past the time, by force.
///
/// # Errors
/// When it doesn't end by force either.
pub async fn end(layout: &Layout, machine: Machine, program: Program) -> Result<()> {
    let Some(found) = find(layout, machine, program) else { return Ok(()) };
    go_on(layout, machine, &[program])?;
    // PostgreSQL takes SIGINT for "end now, in order", SIGTERM for "when the last client has left".
    let signal = match program {
        Program::Postgres => Signal::INT,
        Program::Patroni | Program::Etcd | Program::Haproxy | Program::Casement => Signal::TERM,
    };
    found.signal(signal)?;
    if found.ended(END_WAIT).await.is_err() {
        kill(layout, machine, &[program]).await?;
    }
    Ok(())
}

/// The processes that a program consists of. Patroni's PostgreSQL is below it and is no part of it.
fn family(program: Program, found: Process) -> Vec<Process> {
    match program {
        Program::Postgres | Program::Casement | Program::Haproxy | Program::Etcd => found.with_children(),
        Program::Patroni => vec![found],
    }
}

/// Hands the lead over in peace, to the named machine or to whom Patroni picks.
///
/// # Errors
/// When Patroni refuses, or nobody took over.
pub async fn switch_over(layout: &Layout, leader: Machine, to: Option<Machine>) -> Result<()> {
    let mut body = json!({"leader": leader.name});
    if let (Some(to), Some(body)) = (to, body.as_object_mut()) {
        body.insert("candidate".to_owned(), json!(to.name));
    }
    let request = Request::post("/switchover")
        .header(HOST, leader.name)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))?;
    let answer = health::ask(layout, leader, port::PATRONI, request);
    let (status, answer) = tokio::time::timeout(SWITCHOVER_WAIT, answer).await??;
    ensure!(status.is_success(), "Patroni refused the switchover: {status} {answer}");
    Ok(())
}
