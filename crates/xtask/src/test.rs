//! `cargo xtask test`: every check that this machine can run, in one go, and what it left out.
//!
//! The steps share flags and features (see [`crate::workspace::SELECTION`]), so that each crate is compiled once for
//! checking and once for running. All steps run even when one fails; the report at the end is the answer.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::proof::{acme, failover, io, kill, power, restore, slow};
use crate::workspace::{SELECTION, Workspace};
use crate::{generate, tidy};

/// The kills that a run of all tests contains.
const PROOF_ROUNDS: u32 = 20;

/// The points that a run of all tests restores.
const RESTORE_POINTS: u32 = 10;

/// The faults that a run of all tests injects.
const IO_FAULTS: u32 = 40;

/// The disks after a power cut that a run of all tests makes.
const POWER_IMAGES: u32 = 25;

/// The slow connections that a run of all tests opens.
const SLOW_CONNECTIONS: u16 = 300;

/// How often a run of all tests kills the server that stands for a cluster.
const FAILOVER_ROUNDS: u32 = 3;

/// The tests that need no database server.
const WITHOUT_SERVER: &str = "not test(/^(postgres|nodes|sameness|served)::/)";

/// The same for `cargo test`.
const SKIP_SERVER: [&str; 9] =
    ["--", "--skip", "postgres::", "--skip", "nodes::", "--skip", "sameness::", "--skip", "served::"];

/// The tests of the binary that are run a second time, with the data on a database server: the public API. What is about
/// files, processes and quotas, or stops the clock of the runtime, is about the embedded database alone.
const ON_SERVER: &str = "test(/^(absorbed|apps|assignment|attachments|authentication|bad_input|comment_search|comment_split|comments|compression|concurrency|create_case|\
    create_task|custom_fields|customers|deadlines|feedback|idempotency|json_bodies|lifecycle|list_filters|list_oracle|list_pages|\
    merge|plans|purge_races|purged_links|purges|resources|searches|seeds|streams|token_attacks|undo|update_keys|update_values|work_lists|work_moves)::/) and not test(/takes_no_writes/)";

/// The variable that lets the tests of the binary keep their data on a database server.
const STORE_VARIABLE: (&str, &str) = ("TEST_STORE", "postgres");

/// Runs every test that this machine can run and says what it left out and how to add it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --quick")]
pub struct Arguments {
    /// Leave out what takes longest: cargo-deny, the doc tests and the proofs
    #[arg(long)]
    quick: bool,
}

/// How a step ended.
enum Outcome {
    Passed(Duration),
    Failed(String),
    LeftOut(&'static str),
}

/// The steps so far, with their outcomes.
struct Report {
    steps: Vec<(&'static str, Outcome)>,
}

/// Runs the steps.
///
/// # Errors
/// When a step failed.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let quick = arguments.quick.then_some("--quick; run `cargo xtask test` to add it");
    let mut report = Report { steps: Vec::new() };
    report.step("format", || cargo(workspace, &["fmt", "--all", "--check"]));
    report.step("clippy", || {
        cargo(workspace, &[&["clippy"], &SELECTION[..], &["--", "-D", "warnings"]].concat())
    });
    report.step("tidy", || tidy::check(workspace));
    report.step("generated files", || generate::check(workspace));
    let deny_missing = (!is_installed("cargo-deny"))
        .then_some("cargo-deny is not installed; run `cargo install cargo-deny --locked` to add it");
    report.step_unless(quick.or(deny_missing), "dependencies", || {
        cargo(workspace, &["deny", "check", "--allow", "unused-wrapper", "bans", "licenses", "sources"])
    });
    let no_server = postgres_missing();
    if is_installed("cargo-nextest") {
        // Without a server's programs everything else still runs; what did not is named below.
        let all: &[&str] = &["nextest", "run", "--workspace"];
        let embedded = [all, &["-E", WITHOUT_SERVER]].concat();
        let chosen = if no_server.is_some() { embedded.as_slice() } else { all };
        report.step("tests (nextest)", || cargo(workspace, chosen));
        report.step_unless(no_server, "tests of the API on PostgreSQL", || {
            on_server(workspace, &["nextest", "run", "-p", "casement", "--test", "main", "-E", ON_SERVER])
        });
    } else {
        let skipped: &[&str] = if no_server.is_some() { &SKIP_SERVER } else { &[] };
        report
            .step("tests (cargo test)", || cargo(workspace, &[&["test"], &SELECTION[..], skipped].concat()));
        report.leave_out(
            "tests of the API on PostgreSQL",
            "run `cargo install cargo-nextest --locked` to add them",
        );
        report.leave_out("nextest's time limits", "run `cargo install cargo-nextest --locked` to add them");
    }
    if let Some(reason) = no_server {
        report.leave_out("the store's and the nodes' tests on PostgreSQL", reason);
    }
    report.step_unless(quick, "doc tests", || cargo(workspace, &["test", "--workspace", "--doc"]));
    report.step_unless(quick, "kill proof", || kill::run(workspace, &kill::Arguments::slice(PROOF_ROUNDS)));
    report.step_unless(quick, "restore proof", || {
        restore::run(workspace, &restore::Arguments::slice(RESTORE_POINTS))
    });
    report.step_unless(quick.or(io::missing()), "io proof", || {
        io::run(workspace, &io::Arguments::slice(IO_FAULTS))
    });
    report.step_unless(quick.or(power::missing()), "power proof", || {
        power::run(workspace, &power::Arguments::slice(POWER_IMAGES))
    });
    report.step_unless(quick.or(acme::missing()), "acme proof", || acme::run(workspace, &acme::Arguments {}));
    report.step_unless(quick, "slow clients proof", || {
        slow::run(workspace, &slow::Arguments::slice(SLOW_CONNECTIONS))
    });
    report.step_unless(quick, "failover proof, one server", || {
        failover::run(workspace, &failover::Arguments::slice(FAILOVER_ROUNDS))?;
        failover::run(workspace, &failover::Arguments::forged_slice())
    });
    if let Some(reason) = slow::tool::missing() {
        report.leave_out("slowhttptest", reason);
    }
    report.leave_out("long kill proof", "run `cargo xtask proof kill --rounds 200` to add it");
    report.leave_out("fuzzing", "needs a C++ compiler; run `cargo xtask proof fuzz` to add it");
    report.leave_out("answers as described", "needs Python; run `cargo xtask proof schema` to add it");
    report.leave_out("long restore proof", "run `cargo xtask proof restore --points 200` to add it");
    report.leave_out("long io proof", "run `cargo xtask proof io --faults 10000` to add it");
    report.leave_out("long power proof", "run `cargo xtask proof power --images 2000` to add it");
    report.leave_out("10 000 slow clients", "run `cargo xtask proof slow --release` to add it");
    report.leave_out(
        "failover of a cluster",
        "needs root, postgresql, patroni, etcd-server, haproxy and nftables; run `cargo xtask proof failover --rounds 26` to add it",
    );
    report.leave_out("benchmarks", "run `cargo xtask bench create --clients 32` to add one");
    report
        .leave_out("security advisories", "need the internet; run `cargo deny check advisories` to add them");
    report.print();
    report.failures()
}

impl Report {
    /// Runs a step under its heading.
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        println!("\n== {name}");
        let begun = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed(begun.elapsed()),
            Err(error) => {
                println!("{name}: {error:#}");
                Outcome::Failed(format!("{error:#}"))
            }
        };
        self.steps.push((name, outcome));
    }

    /// Runs a step, or leaves it out for the reason.
    fn step_unless(
        &mut self,
        reason: Option<&'static str>,
        name: &'static str,
        work: impl FnOnce() -> Result<()>,
    ) {
        match reason {
            Some(reason) => self.leave_out(name, reason),
            None => self.step(name, work),
        }
    }

    /// Notes what was not run.
    fn leave_out(&mut self, name: &'static str, reason: &'static str) {
        self.steps.push((name, Outcome::LeftOut(reason)));
    }

    /// The report's lines: what passed, what failed, what was left out.
    fn lines(&self) -> Vec<String> {
        let line = |(name, outcome): &(&str, Outcome)| match outcome {
            Outcome::Passed(time) => format!("passed    {name} ({:.1} s)", time.as_secs_f64()),
            Outcome::Failed(reason) => {
                format!("FAILED    {name}: {}", reason.lines().next().unwrap_or_default())
            }
            Outcome::LeftOut(reason) => format!("left out  {name}: {reason}"),
        };
        self.steps.iter().map(line).collect()
    }

    /// Prints the report.
    fn print(&self) {
        println!("\n== report");
        for line in self.lines() {
            println!("{line}");
        }
    }

    /// Fails when a step failed.
    fn failures(&self) -> Result<()> {
        let failed: Vec<&str> = self
            .steps
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
            .map(|(name, _)| *name)
            .collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

/// Runs cargo with the output streamed.
fn cargo(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    println!("cargo {}", arguments.join(" "));
    let status = workspace.cargo().args(arguments).status().context("cargo could not be started")?;
    ensure!(status.success(), "cargo {} ended with {status}", arguments.join(" "));
    Ok(())
}

/// Runs cargo with the tests' data on a database server.
fn on_server(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let (name, value) = STORE_VARIABLE;
    println!("{name}={value} cargo {}", arguments.join(" "));
    let status = workspace.cargo().args(arguments).env(name, value).status();
    let status = status.context("cargo could not be started")?;
    ensure!(status.success(), "cargo {} ended with {status}", arguments.join(" "));
    Ok(())
}

/// Why the tests can't start a database server.
fn postgres_missing() -> Option<&'static str> {
    crate::postgres::programs()
        .is_none()
        .then_some("PostgreSQL's programs are missing; run `apt-get install postgresql` to add them")
}

/// Whether a program can be started.
fn is_installed(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_and_the_later_ones_still_run() {
        let mut report = Report { steps: Vec::new() };
        report.step("first", || bail!("broken"));
        report.step("second", || Ok(()));
        report.step_unless(Some("no time"), "third", || bail!("must not run"));
        let lines = report.lines();
        assert_eq!(lines[0], "FAILED    first: broken");
        assert!(lines[1].starts_with("passed    second"), "{lines:?}");
        assert_eq!(lines[2], "left out  third: no time");
        assert_eq!(report.failures().expect_err("a failure must fail the run").to_string(), "failed: first");
    }

    #[test]
    fn a_report_without_failure_passes() {
        let mut report = Report { steps: Vec::new() };
        report.step("only", || Ok(()));
        report.leave_out("more", "not here");
        assert!(report.failures().is_ok());
    }
}
