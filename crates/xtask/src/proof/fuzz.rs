//! `cargo xtask proof fuzz`: inputs that are made up, guided by what code they reach, break nothing that must hold.
//!
//! The targets and what must hold are in `casement-proofs`, the engine is libFuzzer. This module builds its process with
//! counters of coverage, into a directory of its own, runs the targets side by side and tells what was found: the
//! smallest input, what it broke, and the command that repeats it. What is found becomes a test with a name.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;

use anyhow::{Context as _, Result, bail, ensure};

use crate::workspace::Workspace;

/// The committed inputs: one folder for each target.
const CORPUS: &str = "crates/casement-proofs/corpus";

/// The flags that make the compiler count what an input reaches, and show the fuzzer what is compared. All are those of
/// a stable compiler.
const COVERAGE_FLAGS: [&str; 6] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Bytes of the longest input that is made up.
const INPUT_BYTES_MAX: usize = 4096;

/// Seconds after which one input counts as a hang.
const INPUT_SECONDS_MAX: u32 = 10;

/// Seconds that looking for a smaller input may take.
const MINIMISE_SECONDS: u32 = 30;

/// Lines of a failure that are shown, and characters of each.
const FAILURE_LINES_MAX: usize = 12;
const FAILURE_LINE_CHARACTERS_MAX: usize = 600;

/// Makes up inputs for whatever reads text from outside, and checks what must hold for any.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask proof fuzz\n  cargo xtask proof fuzz --target get-cases --seconds 600\n  \
                  cargo xtask proof fuzz --target date --input finding.txt"
)]
pub struct Arguments {
    /// The target; without it all of them
    #[arg(long)]
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How many targets run at once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: u32,
    /// Repeats the random choices of a former run (not its timing)
    #[arg(long)]
    seed: Option<u32>,
    /// Tries one input alone, such as a finding
    #[arg(long, requires = "target")]
    input: Option<PathBuf>,
}

/// Builds the fuzzer and runs the targets.
///
/// # Errors
/// When the build fails, there is no such target, or an input was found that breaks something.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let known = known_targets(workspace)?;
    let targets = match &arguments.target {
        None => known,
        Some(target) => {
            ensure!(known.contains(target), "there is no target {target}; there are {}", known.join(", "));
            vec![target.clone()]
        }
    };
    let fuzzer = Fuzzer {
        binary: build(workspace)?,
        corpus: workspace.root.join(CORPUS),
        folder: workspace.target.join("fuzz"),
        seconds: arguments.seconds,
        seed: arguments.seed.unwrap_or_else(|| fastrand::u32(1..)),
    };
    if let (Some(input), [target]) = (&arguments.input, targets.as_slice()) {
        return fuzzer.try_one(target, input);
    }
    println!(
        "proof fuzz: {} targets, {} s each, {} at once, seed {}",
        targets.len(),
        arguments.seconds,
        arguments.jobs,
        fuzzer.seed
    );
    let failed = run_all(&fuzzer, targets, arguments.jobs)?;
    ensure!(failed.is_empty(), "what must hold was broken in: {}", failed.join(", "));
    Ok(())
}

/// Runs the targets, so many at once, and names those in which something was found.
fn run_all(fuzzer: &Fuzzer, targets: Vec<String>, jobs: u32) -> Result<Vec<String>> {
    let waiting = Mutex::new(VecDeque::from(targets));
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.pop_front());
    let work = || -> Result<Vec<String>> {
        let mut failed = Vec::new();
        while let Some(target) = next() {
            if !fuzzer.fuzz(&target)? {
                failed.push(target);
            }
        }
        Ok(failed)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let mut failed = Vec::new();
        for worker in workers {
            let outcome = worker.join().map_err(|_| anyhow::anyhow!("a thread of the proof panicked"))?;
            failed.extend(outcome?);
        }
        Ok(failed)
    })
}

/// The targets by the folders of the corpus, which a test of `casement-proofs` holds against its list.
fn known_targets(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.root.join(CORPUS);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("{CORPUS} could not be listed"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Builds the fuzzer's process with counters of coverage. The flags are not those of other builds, so the directory is
/// not theirs either.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let host = host()?;
    let directory = workspace.target.join("fuzz");
    let status = workspace
        .cargo()
        .args(["build", "--package", "casement-proofs", "--features", "engine", "--bin", "casement-fuzz"])
        // Naming the platform keeps the flags away from build scripts and macros, which run in the compiler.
        .args(["--profile", "fuzz", "--target", &host])
        .env("CARGO_TARGET_DIR", &directory)
        .env("RUSTFLAGS", COVERAGE_FLAGS.join(" "))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .context("cargo build could not be started")?;
    ensure!(status.success(), "the fuzzer could not be built; it needs a C++ compiler");
    Ok(directory.join(host).join("fuzz").join("casement-fuzz"))
}

/// The platform that the compiler builds for by itself.
fn host() -> Result<String> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("-vV").output().context("rustc could not be started")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

/// The built process and how it is run.
struct Fuzzer {
    binary: PathBuf,
    corpus: PathBuf,
    folder: PathBuf,
    seconds: u32,
    seed: u32,
}

impl Fuzzer {
    /// The process for one target.
    fn process(&self, target: &str) -> Command {
        let mut process = Command::new(&self.binary);
        process.env("CASEMENT_FUZZ_TARGET", target).env_remove("RUST_BACKTRACE").stdin(Stdio::null());
        process.arg(format!("-timeout={INPUT_SECONDS_MAX}"));
        process
    }

    /// A folder of this target below the fuzzer's own.
    fn own(&self, purpose: &str, target: &str) -> Result<PathBuf> {
        let folder = self.folder.join(purpose).join(target);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} could not be made", folder.display()))?;
        Ok(folder)
    }

    /// Runs a target for its time; false when something was found.
    fn fuzz(&self, target: &str) -> Result<bool> {
        let (learned, findings) = (self.own("corpus", target)?, self.own("findings", target)?);
        let log = self.own("logs", target)?.join("run.log");
        let finding = findings.join(format!("seed-{}", self.seed));
        remove(&finding)?;
        let mut process = self.process(target);
        process
            .arg(format!("-max_total_time={}", self.seconds))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg(format!("-seed={}", self.seed))
            .arg(format!("-exact_artifact_path={}", finding.display()))
            .arg("-print_final_stats=1")
            .arg(&learned)
            .arg(self.corpus.join(target));
        let status = logged(&mut process, &log)?;
        let text = read_lossy(&log)?;
        if status.success() {
            println!("{target}: {}", Statistics::of(&text));
            return Ok(true);
        }
        ensure!(finding.is_file(), "{target}: the fuzzer ended with {status}; {} says why", log.display());
        self.tell(target, &finding, &text)?;
        Ok(false)
    }

    /// Makes a finding smaller and prints it with what it broke.
    fn tell(&self, target: &str, finding: &Path, first_log: &str) -> Result<()> {
        let smaller = finding.with_extension("smallest");
        remove(&smaller)?;
        let log = self.own("logs", target)?.join("minimise.log");
        let mut process = self.process(target);
        process
            .arg("-minimize_crash=1")
            .arg(format!("-max_total_time={MINIMISE_SECONDS}"))
            .arg(format!("-exact_artifact_path={}", smaller.display()))
            .arg(finding);
        logged(&mut process, &log)?;
        let smallest = if smaller.is_file() { smaller.as_path() } else { finding };
        let input = std::fs::read(smallest)?;
        println!("\n{target}: FOUND an input of {} bytes:\n{}\n", input.len(), input.escape_ascii());
        println!("{}\n", failure(first_log));
        println!(
            "repeat it: cargo xtask proof fuzz --target {target} --input {}\n\
             mend it, and keep it as a test with a name in crates/casement-proofs/tests/findings.rs\n",
            smallest.display()
        );
        Ok(())
    }

    /// Hands one input to a target.
    fn try_one(&self, target: &str, input: &Path) -> Result<()> {
        ensure!(input.is_file(), "{} is no file", input.display());
        let status = self.process(target).arg(input).status().context("the fuzzer could not be started")?;
        if !status.success() {
            bail!("{target}: the input breaks what must hold");
        }
        println!("{target}: the input breaks nothing");
        Ok(())
    }
}

/// Runs a process with all that it prints in a file.
fn logged(process: &mut Command, log: &Path) -> Result<ExitStatus> {
    let file = File::create(log).with_context(|| format!("{} could not be made", log.display()))?;
    process.stdout(file.try_clone()?).stderr(file);
    process.status().context("the fuzzer could not be started")
}

fn read_lossy(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("{} could not be read", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} could not be removed", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The beginning of what a target complained about.
fn failure(log: &str) -> String {
    let lines =
        log.lines().skip_while(|line| !line.contains("panicked at") && !line.contains("ERROR: libFuzzer"));
    let lines = lines.take_while(|line| !line.starts_with("note:") && !line.starts_with("stack backtrace"));
    let cut = |line: &str| line.chars().take(FAILURE_LINE_CHARACTERS_MAX).collect::<String>();
    lines.take(FAILURE_LINES_MAX).map(cut).collect::<Vec<_>>().join("\n")
}

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
struct Statistics {
    inputs: u64,
    per_second: u64,
    coverage: u64,
}

impl Statistics {
    /// Reads the last lines of libFuzzer's report.
    fn of(log: &str) -> Self {
        let number = |mark: &str| {
            let found = log.rsplit_once(mark).map(|(_, rest)| rest.trim_start());
            let digits = found.map(|rest| rest.split(|character: char| !character.is_ascii_digit()));
            digits.and_then(|mut digits| digits.next()?.parse().ok()).unwrap_or_default()
        };
        Self {
            inputs: number("stat::number_of_executed_units:"),
            per_second: number("stat::average_exec_per_sec:"),
            coverage: number(" cov: "),
        }
    }
}

impl std::fmt::Display for Statistics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { inputs, per_second, coverage } = self;
        write!(formatter, "{inputs} inputs, {per_second} a second, {coverage} places reached, nothing found")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "#2 INITED cov: 10 ft: 11\n#9 NEW    cov: 250 ft: 900 corp: 5/1b\n#9 DONE   cov: 251 ft: 901\n\
                       stat::number_of_executed_units: 123456\nstat::average_exec_per_sec:     2000\n";

    #[test]
    fn the_last_numbers_of_a_run_are_read() {
        let statistics = Statistics::of(LOG);
        assert_eq!(statistics, Statistics { inputs: 123_456, per_second: 2000, coverage: 251 });
        assert_eq!(Statistics::of(""), Statistics { inputs: 0, per_second: 0, coverage: 0 });
    }

    #[test]
    fn a_failure_is_shown_without_what_the_engine_says_around_it() {
        let log = "#1\nthread 'x' panicked at a.rs:1:\nassertion failed\n  left: 1\nnote: run with\nmore\n";
        assert_eq!(failure(log), "thread 'x' panicked at a.rs:1:\nassertion failed\n  left: 1");
    }
}
