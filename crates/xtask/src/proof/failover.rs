//! `cargo xtask proof failover`: nothing acknowledged is lost and nothing old is read, whatever happens to the cluster.
//!
//! Per round: clients write and read through both nodes, a fault strikes, writes come back, the fault is mended, the
//! clients end, and the whole history so far is judged. `client` is a client, `history` what it notes, `verdict` judges
//! (pure, and tested itself), `fault` strikes and mends, `stage` is what all of it runs on. The proof proves itself by
//! `--expect-failure`: on a cluster that loses writes, or with an acknowledgement forged, it must find the violation.

mod client;
mod fault;
mod history;
mod stage;
mod verdict;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use tokio::task::JoinSet;

use crate::cluster::layout::Replication;
use crate::workspace::Workspace;
use client::{Client, Shared, held};
use fault::{Fault, Struck};
use history::{Event, History, Operation, Outcome};
use stage::Stage;
use verdict::{Counts, Violation, violations};

/// How long clients work before the fault, in milliseconds.
const BEFORE_MS: std::ops::RangeInclusive<u64> = 1500..=3000;

/// How long they work after the cluster is whole again.
const AFTER: Duration = Duration::from_secs(2);

/// How long writes may take to come back before the proof gives up.
const BACK_WAIT: Duration = Duration::from_secs(150);

/// How long all writes should take at most to come back, in seconds: told where it took longer, not judged.
const BACK_AIM_S: f64 = 45.0;

/// Violations printed in full; the rest is counted.
const VIOLATIONS_SHOWN_MAX: usize = 20;

/// Strikes a cluster under load, again and again, and checks that nothing is lost, doubled or old.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask proof failover --rounds 26\n  cargo xtask proof failover --rounds 5 --faults freeze,kill-patroni --seed 7\n  cargo xtask proof failover --rounds 3 --expect-failure asynchronous\n  cargo xtask proof failover --rounds 2 --embedded\n  cargo xtask proof failover --rounds 1 --embedded --expect-failure forged\n  cargo xtask proof failover --check target/failover/history.jsonl"
)]
pub struct Arguments {
    /// How many faults strike
    #[arg(long, default_value_t = 13, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Repeats the random choices of a former run (not its timing)
    #[arg(long)]
    seed: Option<u64>,
    /// The Casement program; built as the tests build it when absent
    #[arg(long)]
    casement: Option<PathBuf>,
    /// The faults that strike by turns; all when absent
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Fault>,
    /// How many clients work at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=64))]
    clients: u64,
    /// One server on an embedded database in place of a cluster: needs nothing of the system, and is killed only
    #[arg(long)]
    embedded: bool,
    /// Succeeds only if the proof finds violations where there must be some
    #[arg(long, value_enum)]
    expect_failure: Option<Weakness>,
    /// Judges the history of a former run, and does nothing else
    #[arg(long, conflicts_with_all = ["embedded", "expect_failure"])]
    check: Option<PathBuf>,
    /// The directory of the cluster and the history; `failover` in the target directory when absent
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Which cluster of this machine: the third number of its addresses
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(0..=250))]
    number: u8,
    /// Leaves the cluster running in the end
    #[arg(long)]
    keep: bool,
    /// Further settings of `casement serve`, after `--`
    #[arg(last = true)]
    settings: Vec<String>,
}

impl Arguments {
    /// The slice that `cargo xtask test` runs: one embedded server, killed again and again.
    pub fn slice(rounds: u32) -> Self {
        Self {
            rounds,
            seed: None,
            casement: None,
            faults: Vec::new(),
            clients: 8,
            embedded: true,
            expect_failure: None,
            check: None,
            dir: None,
            number: 0,
            keep: false,
            settings: Vec::new(),
        }
    }

    /// The slice with an acknowledgement forged, which the proof must find.
    pub fn forged_slice() -> Self {
        Self { expect_failure: Some(Weakness::Forged), ..Self::slice(1) }
    }
}

/// What is made wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Weakness {
    /// A cluster that acknowledges before a second server has it
    Asynchronous,
    /// An acknowledgement that no server gave, in the history
    Forged,
    /// Whatever the settings after `--` make weak, as reads that ask nobody
    Settings,
}

/// What the rounds came to.
#[derive(Debug, Default)]
struct Summary {
    faults: BTreeMap<&'static str, u32>,
    /// The longest time without an acknowledged write through a node at work, by round, in seconds.
    pauses_s: Vec<f64>,
    takeovers_s: Vec<f64>,
    old_primaries_seen: u32,
}

/// Runs the proof.
///
/// # Errors
/// When the promise is broken; with `--expect-failure` when it is not.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    if let Some(path) = &arguments.check {
        let history = History::read(path)?;
        return judge(&history).map(|counts| println!("{}", told(&counts)));
    }
    let binary = match &arguments.casement {
        Some(binary) => {
            std::fs::canonicalize(binary).with_context(|| format!("{} is not there", binary.display()))?
        }
        None => workspace.build_server()?,
    };
    let name = if arguments.embedded { "failover-embedded" } else { "failover" };
    let directory = arguments.dir.clone().unwrap_or_else(|| workspace.target.join(name));
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("proof failover: {} rounds, {} clients, seed {seed}", arguments.rounds, arguments.clients);
    let outcome = crate::block_on(Box::pin(prove(&binary, &directory, arguments, seed)));
    if !arguments.keep && !arguments.embedded {
        // Also after an interruption; the data stays for whoever looks for what went wrong.
        crate::block_on(crate::cluster::take_down(&directory.join("cluster"), false))?;
    }
    match (outcome, arguments.expect_failure) {
        (outcome, None) => outcome.with_context(|| {
            format!("seed {seed}; the history: {}", directory.join("history.jsonl").display())
        }),
        (Err(error), Some(_)) if error.downcast_ref::<Broken>().is_some() => {
            println!("proof failover: found what it had to find: {error:#}");
            Ok(())
        }
        (Err(error), Some(_)) => Err(error),
        (Ok(()), Some(weakness)) => bail!("the proof found nothing wrong although it had to ({weakness:?})"),
    }
}

/// The promise is broken.
#[derive(Debug)]
struct Broken {
    violations: usize,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} violations", self.violations)
    }
}

impl std::error::Error for Broken {}

async fn prove(binary: &Path, directory: &Path, arguments: &Arguments, seed: u64) -> Result<()> {
    let cluster = directory.join("cluster");
    if !arguments.embedded {
        stage::clear(&cluster).await?;
    }
    std::fs::create_dir_all(directory)?;
    let replication = match arguments.expect_failure {
        Some(Weakness::Asynchronous) => Replication::Asynchronous,
        Some(Weakness::Forged | Weakness::Settings) | None => Replication::Synchronous,
    };
    let embedded = tempfile::Builder::new().prefix("proof-failover-").tempdir_in(directory)?;
    let (mut stage, installation) = if arguments.embedded {
        Stage::embedded(binary, embedded.path()).await?
    } else {
        Stage::cluster(binary, &cluster, arguments.number, replication, &arguments.settings).await?
    };
    let history = History::create(&directory.join("history.jsonl"))?;
    let shared = Arc::new(Shared::new(installation, history));
    held(&shared.nodes).clone_from(&stage.nodes());
    let faults = faults(arguments);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut summary = Summary::default();
    for (round, fault) in (1..=arguments.rounds).zip(faults.into_iter().cycle()) {
        let struck = play(&mut stage, &shared, fault, arguments.clients, &mut random).await;
        let struck = match struck {
            Ok(struck) => struck,
            Err(error) => {
                // What was seen until here may tell more; what was listed before it tells nothing of it.
                let seen = History::of(held(&shared.history).events.clone(), Vec::new());
                let worst = judge(&seen).err().unwrap_or(error);
                return Err(worst.context(format!("round {round}, {}", fault.name())));
            }
        };
        let pause_s = pause_s(&shared, &stage, &struck);
        let lists = stage::listings(&shared).await?;
        let total = lists.first().map_or(0, |listing| listing.total);
        {
            let mut history = held(&shared.history);
            for listing in lists {
                history.list(listing)?;
            }
            if arguments.expect_failure == Some(Weakness::Forged) {
                history.add(forged(shared.now()))?;
            }
        }
        let takeover = struck.takeover.map(|takeover| takeover.as_secs_f64());
        let led = takeover.map(|seconds| format!(", another led after {seconds:.1} s")).unwrap_or_default();
        let beside = if struck.saw_old_primary { ", the replaced primary went on beside it" } else { "" };
        let late = if pause_s > BACK_AIM_S { " (over the aim)" } else { "" };
        println!(
            "round {round:>3}: {} on {}{led}{beside}; at most {pause_s:.1} s without a write{late}; {total} cases",
            fault.name(),
            struck.machine.name
        );
        *summary.faults.entry(fault.name()).or_default() += 1;
        summary.pauses_s.push(pause_s);
        summary.takeovers_s.extend(takeover);
        summary.old_primaries_seen += u32::from(struck.saw_old_primary);
        judge(&held(&shared.history))?;
    }
    report(&shared, &summary, arguments.rounds, seed);
    Ok(())
}

/// The faults in the order in which they strike.
fn faults(arguments: &Arguments) -> Vec<Fault> {
    if !arguments.faults.is_empty() {
        return arguments.faults.clone();
    }
    match arguments.expect_failure {
        _ if arguments.embedded => vec![Fault::KillCasement],
        Some(Weakness::Asynchronous) => vec![Fault::LoseUnreplicated],
        Some(Weakness::Settings) => vec![Fault::KillPatroni, Fault::Freeze],
        Some(Weakness::Forged) | None => fault::ALL.to_vec(),
    }
}

/// One round: clients at work, a fault, writes back, the fault mended, clients at an end.
async fn play(
    stage: &mut Stage,
    shared: &Arc<Shared>,
    fault: Fault,
    clients: u64,
    random: &mut fastrand::Rng,
) -> Result<Struck> {
    shared.is_over.store(false, Ordering::SeqCst);
    held(&shared.acknowledged).clear();
    let seed = random.u64(..);
    let mut at_work = JoinSet::new();
    for number in 0..clients {
        at_work.spawn(Client::new(number, seed, Arc::clone(shared)).run());
    }
    tokio::time::sleep(Duration::from_millis(random.u64(BEFORE_MS))).await;
    let struck = Box::pin(fault::strike(stage, fault, random, shared)).await?;
    let nodes = fault::nodes_at_work(stage, &struck);
    wait_for_writes(shared, &nodes).await?;
    Box::pin(fault::mend(stage, &struck)).await?;
    let all: Vec<String> = stage.nodes().into_iter().map(|(name, _)| name).collect();
    wait_for_writes(shared, &all).await?;
    tokio::time::sleep(AFTER).await;
    shared.is_over.store(true, Ordering::SeqCst);
    while let Some(ended) = at_work.join_next().await {
        ended??;
    }
    Ok(struck)
}

/// Waits until each of the nodes has acknowledged a write that was sent after now.
async fn wait_for_writes(shared: &Shared, nodes: &[String]) -> Result<()> {
    let asked = shared.now();
    let until = std::time::Instant::now() + BACK_WAIT;
    loop {
        let silent: Vec<&String> = {
            let acknowledged = held(&shared.acknowledged);
            let has_written = |node: &&String| {
                acknowledged.get(*node).is_some_and(|times| times.iter().any(|(sent, _)| *sent > asked))
            };
            nodes.iter().filter(|node| !has_written(node)).collect()
        };
        if silent.is_empty() {
            return Ok(());
        }
        ensure!(
            std::time::Instant::now() < until,
            "no write was acknowledged through {silent:?} within {BACK_WAIT:?}; last answers: {:?}",
            held(&shared.surprises)
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The longest time from the fault on in which a node that was not struck acknowledged no write, in seconds.
fn pause_s(shared: &Shared, stage: &Stage, struck: &Struck) -> f64 {
    let acknowledged = held(&shared.acknowledged);
    let mut longest = 0;
    for node in fault::nodes_not_struck(stage, struck) {
        let mut ends: Vec<u64> = acknowledged.get(&node).into_iter().flatten().map(|(_, end)| *end).collect();
        ends.retain(|end| *end > struck.at);
        ends.push(struck.at);
        ends.sort_unstable();
        let gaps = ends.iter().zip(ends.iter().skip(1)).map(|(one, next)| next - one);
        longest = longest.max(gaps.max().unwrap_or_default());
    }
    Duration::from_micros(longest).as_secs_f64()
}

/// An acknowledgement that no server gave.
fn forged(now: u64) -> Event {
    let (name, value) = ("a case that nobody sent".to_owned(), "nothing".to_owned());
    let operation = Operation::Create { name, value, seen: None };
    Event {
        client: u64::MAX,
        node: "app1".to_owned(),
        key: None,
        start: now,
        end: now + 1,
        outcome: Outcome::Ok,
        operation,
    }
}

/// Refuses a history with violations, which it prints.
fn judge(history: &History) -> Result<Counts> {
    let found: Vec<Violation> = violations(history);
    for violation in found.iter().take(VIOLATIONS_SHOWN_MAX) {
        println!("violation: {violation:?}");
    }
    if !found.is_empty() {
        return Err(Broken { violations: found.len() }.into());
    }
    Ok(Counts::of(history))
}

fn told(counts: &Counts) -> String {
    let Counts { acknowledged, unknown, failed, reads } = counts;
    format!(
        "proof failover: {acknowledged} writes acknowledged and none lost, {unknown} unknown, {failed} refused or not sent, \
         {reads} reads, none old"
    )
}

fn report(shared: &Shared, summary: &Summary, rounds: u32, seed: u64) {
    let counts = Counts::of(&held(&shared.history));
    println!("{}", told(&counts));
    for (answer, times) in held(&shared.surprises).iter() {
        println!("  {times:>6} times: {answer}");
    }
    let rounded = |numbers: &[f64]| -> Vec<f64> {
        numbers.iter().map(|seconds| (seconds * 10.0).round() / 10.0).collect()
    };
    let longest = summary.pauses_s.iter().copied().fold(0.0, f64::max);
    let line = json!({
        "proof": "failover",
        "rounds": rounds,
        "seed": seed,
        "faults": summary.faults,
        "acknowledged": counts.acknowledged,
        "unknown": counts.unknown,
        "failed": counts.failed,
        "reads": counts.reads,
        "violations": 0,
        "old_primaries_seen": summary.old_primaries_seen,
        "longest_pause_s": rounded(&[longest]).first(),
        "pauses_s": rounded(&summary.pauses_s),
        "takeovers_s": rounded(&summary.takeovers_s),
    });
    println!("{line}");
}
