//! `cargo xtask proof io`: whatever system call on the data fails, nothing acknowledged is lost and no answer lies.
//!
//! A scripted run is made once under strace, which counts the calls that write, sync, cut or rename files of the data
//! directory. Then it is made again for a fault at the n-th of them: an error (EIO, ENOSPC, EINTR), once or from there
//! on, a write that writes nothing, or, by a limit on the size of files, one that writes a part. Afterwards the server is
//! ended, by SIGTERM or SIGKILL, and started without faults: everything acknowledged is there, nothing that was refused
//! is, numbers have no gap, the hash chains are whole.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::task::JoinSet;

use super::ledger::Ledger;
use super::listing::Listing;
use super::script::{self, Played};
use super::{chain, check};
use crate::client::Connection;
use crate::server::Installation;
use crate::workspace::Workspace;

/// The calls that change files or make them durable.
const CALLS: [&str; 7] = ["pwrite64", "write", "fdatasync", "fsync", "ftruncate", "rename", "unlink"];

/// The errors that a call may give.
const ERRORS: [&str; 3] = ["EIO", "ENOSPC", "EINTR"];

/// The requests of the script.
const REQUESTS: u32 = 12;

/// The sizes of files past which a write is cut, in bytes: from within the first pages of the log to past its end.
const SIZE_LIMITS: std::ops::Range<u64> = 4_000..900_000;

/// Of all faults one in so many is a limit on the size of files.
const SIZE_LIMIT_EVERY: usize = 8;

/// The files of the data directory that are watched.
const WATCHED: [&str; 5] = ["casement.db", "casement.db-wal", "casement.db-shm", "lock", ""];

/// Fails the system calls of a working server, one after the other, and checks that nothing acknowledged is lost.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask proof io --faults 200\n  cargo xtask proof io --faults 20 --seed 7"
)]
pub struct Arguments {
    /// How many faults are injected; they are picked among all that the script allows, each once before any twice
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    faults: u32,
    /// Repeats the random choices of a former run (not its timing)
    #[arg(long)]
    seed: Option<u64>,
    /// How many servers run at once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    parallel: u32,
}

impl Arguments {
    /// The slice that `cargo xtask test` runs.
    pub fn slice(faults: u32) -> Self {
        Self { faults, seed: None, parallel: 2 }
    }
}

/// Says why this machine can't run the proof, `None` when it can.
pub fn missing() -> Option<&'static str> {
    let runs = |program: &str| {
        let status = std::process::Command::new(program).arg("--version").stdout(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !runs("strace") {
        return Some("strace is not installed; install it (apt-get install strace) to add it");
    }
    (!runs("prlimit")).then_some("prlimit is not installed; install util-linux to add it")
}

/// A fault, and how the server ends after it.
#[derive(Clone, Debug, PartialEq)]
struct Fault {
    kind: Kind,
    killed: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// The n-th call of a name fails, or all from the n-th on.
    Call { call: &'static str, number: u64, how: How, lasting: bool },
    /// No file may grow past so many bytes: the write that crosses it writes a part.
    SizeLimit(u64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Error(&'static str),
    /// It writes nothing and says so.
    Nothing,
}

impl Kind {
    /// The program that a server is started by, so that the fault befalls it.
    fn program(&self, data: &Path, log: &Path) -> Vec<String> {
        match self {
            Self::Call { call, number, how, lasting } => {
                let what = match how {
                    How::Error(name) => format!("error={name}"),
                    How::Nothing => "retval=0".to_owned(),
                };
                let when = format!("{number}{}", if *lasting { "+" } else { "" });
                let mut program = strace(data, log, call);
                program.push("-e".to_owned());
                program.push(format!("inject={call}:{what}:when={when}"));
                program
            }
            Self::SizeLimit(bytes) => {
                // The signal that a crossed limit sends is ignored, so that the write fails instead.
                let script = format!("trap '' XFSZ; exec prlimit --fsize={bytes} -- \"$@\"");
                ["sh", "-c", &script, "sh"].map(str::to_owned).into()
            }
        }
    }
}

/// strace as a process beside the server, which stays the child that it would be without.
fn strace(data: &Path, log: &Path, calls: &str) -> Vec<String> {
    let mut program: Vec<String> =
        ["strace", "-D", "-f", "-qq", "--signal=none", "-o"].map(str::to_owned).into();
    program.push(log.display().to_string());
    for name in WATCHED {
        program.push("-P".to_owned());
        program.push(data.join(name).display().to_string().trim_end_matches('/').to_owned());
    }
    program.push("-e".to_owned());
    program.push(format!("trace={calls}"));
    program
}

/// Builds the server and runs the proof.
///
/// # Errors
/// When a program is missing, the build fails or the promise is broken.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    if let Some(reason) = missing() {
        bail!("{reason}");
    }
    let binary = workspace.build_server()?;
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    crate::block_on(async {
        let folder = tempfile::Builder::new().prefix("proof-io-").tempdir_in(&workspace.target)?;
        let mut random = fastrand::Rng::with_seed(seed);
        let outcome = prove(&binary, folder.path(), arguments, &mut random).await;
        if let Err(error) = outcome {
            let kept = folder.keep();
            return Err(error.context(format!("seed {seed}; the directory is kept: {}", kept.display())));
        }
        outcome
    })
    .with_context(|| format!("seed {seed}"))
}

async fn prove(
    binary: &Path,
    folder: &Path,
    arguments: &Arguments,
    random: &mut fastrand::Rng,
) -> Result<()> {
    let template = Arc::new(Installation::create(binary, &made(folder, "template")?).await?);
    let counts = count(&template, &made(folder, "count")?).await?;
    let listed: Vec<String> = counts.iter().map(|(call, count)| format!("{count} {call}")).collect();
    let all = faults(&counts, random);
    println!("proof io: {} faults of {} possible ones ({})", arguments.faults, all.len(), listed.join(", "));
    let mut wanted = all.into_iter().cycle().take(usize::try_from(arguments.faults)?).enumerate();
    let mut summary = Summary::default();
    let mut running = JoinSet::new();
    loop {
        while running.len() < usize::try_from(arguments.parallel)? {
            let Some((number, fault)) = wanted.next() else { break };
            let (template, folder) = (Arc::clone(&template), made(folder, &format!("fault-{number}"))?);
            running.spawn(async move {
                let outcome = try_fault(&template, &folder, &fault).await;
                if outcome.is_ok() {
                    std::fs::remove_dir_all(&folder)?;
                }
                outcome.with_context(|| format!("{fault:?} in {}", folder.display()))
            });
        }
        let Some(ended) = running.join_next().await else { break };
        summary.add(&ended??);
    }
    println!("{summary}");
    Ok(())
}

fn made(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    std::fs::create_dir_all(&path)?;
    Ok(path)
}

/// What the whole proof came to.
#[derive(Debug, Default)]
struct Summary {
    faults: u32,
    struck: u32,
    starts_failed: u32,
    played: Played,
}

impl Summary {
    fn add(&mut self, tried: &Tried) {
        self.faults += 1;
        self.struck += u32::from(tried.struck);
        self.starts_failed += u32::from(tried.start_failed);
        self.played.acknowledged += tried.played.acknowledged;
        self.played.refused += tried.played.refused;
        self.played.unknown += tried.played.unknown;
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Played { acknowledged, refused, unknown } = self.played;
        write!(
            formatter,
            "proof io: {} faults, {} of them struck, {} kept the server from starting; {acknowledged} writes \
             acknowledged, none lost; {refused} refused, none done; {unknown} said to be unknown",
            self.faults, self.struck, self.starts_failed
        )
    }
}

/// How one fault went.
struct Tried {
    struck: bool,
    start_failed: bool,
    played: Played,
}

/// Counts the calls of a run without faults.
async fn count(template: &Installation, folder: &Path) -> Result<Vec<(&'static str, u64)>> {
    let installation = template.copy_to(folder)?;
    let log = folder.join("strace.log");
    let server = installation.start_under(&strace(&installation.data, &log, &CALLS.join(","))).await?;
    let mut ledger = Ledger::create(&folder.join("ledger.jsonl"))?;
    let played =
        script::play(&installation, server.address, REQUESTS, "count", &mut ledger, |_, _| {}).await?;
    ensure!(played.acknowledged == REQUESTS, "without faults {played:?}");
    server.end().await?;
    let text = read_log(&log).await?;
    let count_of =
        |call: &str| text.lines().filter(|line| line.contains(&format!(" {call}("))).count() as u64;
    let counts: Vec<_> =
        CALLS.into_iter().map(|call| (call, count_of(call))).filter(|(_, count)| *count > 0).collect();
    ensure!(!counts.is_empty(), "strace saw no call: {text}");
    Ok(counts)
}

/// strace may still write when the server has ended.
async fn read_log(log: &Path) -> Result<String> {
    let mut former = None;
    loop {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        if former.as_ref() == Some(&text) {
            return Ok(text);
        }
        former = Some(text);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Every fault that the counted calls allow, in random order, with limits on the size of files in between.
fn faults(counts: &[(&'static str, u64)], random: &mut fastrand::Rng) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (call, count) in counts {
        for number in 1..=*count {
            for error in ERRORS {
                // An interrupted call is made again; one that is interrupted for ever is no fault of a disk.
                let lasting = if error == "EINTR" { &[false][..] } else { &[false, true] };
                for lasting in lasting {
                    let kind = Kind::Call { call, number, how: How::Error(error), lasting: *lasting };
                    faults.push(Fault { kind, killed: random.bool() });
                }
            }
            if call.contains("write") {
                let kind = Kind::Call { call, number, how: How::Nothing, lasting: false };
                faults.push(Fault { kind, killed: random.bool() });
            }
        }
    }
    for _ in 0..faults.len() / SIZE_LIMIT_EVERY {
        faults.push(Fault { kind: Kind::SizeLimit(random.u64(SIZE_LIMITS)), killed: random.bool() });
    }
    random.shuffle(&mut faults);
    faults
}

/// Lets a fault strike, restarts and checks.
async fn try_fault(template: &Installation, folder: &Path, fault: &Fault) -> Result<Tried> {
    let installation = template.copy_to(folder)?;
    let log = folder.join("strace.log");
    let mut ledger = Ledger::create(&folder.join("ledger.jsonl"))?;
    let mut tried = Tried { struck: false, start_failed: false, played: Played::default() };
    match installation.start_under(&fault.kind.program(&installation.data, &log)).await {
        // A server may refuse to start when the disk fails; it must start when the disk is sound again.
        Err(_) => tried.start_failed = true,
        Ok(server) => {
            tried.played =
                script::play(&installation, server.address, REQUESTS, "fault", &mut ledger, |_, _| {})
                    .await?;
            if fault.killed { server.end_by_force().await? } else { server.end().await? }
        }
    }
    tried.struck = match fault.kind {
        Kind::Call { .. } => read_log(&log).await?.contains("(INJECTED)"),
        Kind::SizeLimit(_) => tried.start_failed || tried.played.acknowledged < REQUESTS,
    };
    let server = installation.start().await.context("the start on the sound disk failed")?;
    let mut connection = Connection::open(server.address).await?;
    let cases = Listing::read(&installation, &mut connection, "getCases").await?;
    let tasks = Listing::read(&installation, &mut connection, "getTasks").await?;
    let violations = check::violations(&ledger, &cases, &tasks);
    for violation in &violations {
        println!("  {violation}");
    }
    ensure!(violations.is_empty(), "{} promises were broken", violations.len());
    ledger.settle(&cases, &tasks);
    let after = script::play(&installation, server.address, 3, "after", &mut ledger, |_, _| {}).await?;
    ensure!(after.acknowledged == 3, "the restarted server took not every write: {after:?}");
    drop(connection);
    server.stop().await?;
    chain::verify(&installation.data).await?;
    Ok(tried)
}
