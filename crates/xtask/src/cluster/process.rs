//! The processes of a cluster: started detached, known by a pid file, signalled by their id.
//!
//! A pid file holds the id and the moment of the start, so that a number that the system gave to somebody else is never
//! signalled. PostgreSQL keeps a file of its own, whose process must have the data directory as its folder.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::layout::{Layout, Machine};

/// How often a process that was told to end is looked at.
const END_POLL: Duration = Duration::from_millis(50);

/// How much of a log is shown when its process ends early, in bytes.
const LOG_TAIL_BYTES: usize = 2048;

/// A running process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    id: i32,
    /// When it was started, in ticks since the machine's start.
    started: u64,
}

/// What the system tells of a process.
struct Status {
    state: char,
    parent: i32,
    started: u64,
}

impl Process {
    /// The process of an id, if it runs.
    fn of(id: i32) -> Option<Self> {
        let status = Status::read(id)?;
        (status.state != 'Z').then_some(Self { id, started: status.started })
    }

    /// Its id.
    pub fn id(self) -> i32 {
        self.id
    }

    /// Whether it runs; one that was stopped by a signal does, one that ended and was not waited for doesn't.
    pub fn runs(self) -> bool {
        Self::of(self.id) == Some(self)
    }

    /// Whether a signal has stopped it.
    pub fn is_stopped(self) -> bool {
        self.runs() && Status::read(self.id).is_some_and(|status| status.state == 'T')
    }

    /// Sends a signal, if it still runs.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn signal(self, signal: Signal) -> Result<()> {
        if !self.runs() {
            return Ok(());
        }
        let id = Pid::from_raw(self.id).context("a process has no id")?;
        match kill_process(id, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("process {} could not be signalled", self.id)),
        }
    }

    /// The process and all below it.
    pub fn with_children(self) -> Vec<Self> {
        let mut family = vec![self];
        let all: Vec<(i32, i32)> = ids().filter_map(|id| Some((id, Status::read(id)?.parent))).collect();
        let mut looked_at = 0;
        while let Some(parent) = family.get(looked_at).copied() {
            looked_at += 1;
            let children = all.iter().filter(|(_, of)| *of == parent.id);
            family.extend(children.filter_map(|(id, _)| Self::of(*id)));
        }
        family
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it still runs after the time.
    pub async fn ended(self, wait: Duration) -> Result<()> {
        let until = Instant::now() + wait;
        while self.runs() {
            ensure!(Instant::now() < until, "process {} still runs after {wait:?}", self.id);
            tokio::time::sleep(END_POLL).await;
        }
        Ok(())
    }
}

impl Status {
    fn read(id: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name stands in brackets and may hold anything, brackets too.
        let after_name = text.get(text.rfind(')')? + 1..)?;
        let mut words = after_name.split_whitespace();
        let state = words.next()?.chars().next()?;
        let parent = words.next()?.parse().ok()?;
        let started = words.nth(17)?.parse().ok()?;
        Some(Self { state, parent, started })
    }
}

/// The ids of all processes.
fn ids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The pid file of a program on a machine.
fn pid_file(layout: &Layout, machine: Machine, program: &str) -> PathBuf {
    layout.folder(machine).join(format!("{program}.pid"))
}

/// The log of a program on a machine.
pub fn log_file(layout: &Layout, machine: Machine, program: &str) -> PathBuf {
    layout.folder(machine).join(format!("{program}.log"))
}

/// The program that was started on a machine, if it runs.
pub fn find(layout: &Layout, machine: Machine, program: &str) -> Option<Process> {
    let text = fs::read_to_string(pid_file(layout, machine, program)).ok()?;
    let mut numbers = text.split_whitespace();
    let process = Process { id: numbers.next()?.parse().ok()?, started: numbers.next()?.parse().ok()? };
    process.runs().then_some(process)
}

/// The PostgreSQL server of a data directory, if it runs.
pub fn find_postgres(data: &Path) -> Option<Process> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let process = Process::of(text.lines().next()?.trim().parse().ok()?)?;
    let folder = fs::read_link(format!("/proc/{}/cwd", process.id)).ok()?;
    (folder == fs::canonicalize(data).ok()?).then_some(process)
}

/// A command inside a machine, as a user of the system where one is named.
pub fn command(layout: &Layout, machine: Machine, user: Option<&str>, program: &Path) -> Command {
    let mut words: Vec<std::ffi::OsString> = Vec::new();
    if let Some(namespace) = layout.namespace(machine) {
        words.extend(["ip", "netns", "exec", &namespace].map(Into::into));
    }
    if let Some(user) = user {
        let group = format!("--regid={user}");
        words.extend(["setpriv", &format!("--reuid={user}"), &group, "--init-groups", "--"].map(Into::into));
    }
    words.push(program.as_os_str().to_owned());
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command
        .args(words)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LANG", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

/// Starts a command that goes on when this program ends; its output goes to the program's log. Each program of the chain
/// becomes the next one, so that the id is the last one's.
///
/// # Errors
/// When it can't be started.
pub fn start(layout: &Layout, machine: Machine, program: &str, mut command: Command) -> Result<()> {
    let log = File::options().create(true).append(true).open(log_file(layout, machine, program))?;
    command.stdout(log.try_clone()?).stderr(log).process_group(0);
    let child =
        command.spawn().with_context(|| format!("{program} could not be started on {}", machine.name))?;
    let id = i32::try_from(child.id())?;
    let Some(process) = Process::of(id) else {
        bail!("{program} on {} ended at once:\n{}", machine.name, log_tail(layout, machine, program));
    };
    fs::write(pid_file(layout, machine, program), format!("{} {}\n", process.id, process.started))?;
    // Somebody must wait for it, or it stays as a shadow once it has ended; what it ends with is in its log.
    std::thread::spawn(move || {
        let mut child = child;
        child.wait()
    });
    Ok(())
}

/// The end of a program's log.
pub fn log_tail(layout: &Layout, machine: Machine, program: &str) -> String {
    let log = fs::read(log_file(layout, machine, program)).unwrap_or_default();
    let tail = log.get(log.len().saturating_sub(LOG_TAIL_BYTES)..).unwrap_or_default();
    String::from_utf8_lossy(tail).into_owned()
}

/// Runs a command to its end and gives what it prints.
///
/// # Errors
/// When it can't be started or fails; what it complained about is part of the error.
pub fn output(command: &mut Command) -> Result<String> {
    // Without the environment, which may hold a password.
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(std::ffi::OsStr::to_string_lossy)
        .collect();
    let shown = words.join(" ");
    let output = command.output().with_context(|| format!("{shown} could not be started"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{shown} failed: {}", complaint.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_another_that_got_its_number() {
        let id = i32::try_from(std::process::id()).unwrap();
        let own = Process::of(id).unwrap();
        assert!(own.runs() && !own.is_stopped());
        let former = Process { started: own.started - 1, ..own };
        assert!(!former.runs());
        former.signal(Signal::KILL).unwrap();
    }

    #[tokio::test]
    async fn a_family_is_found_and_an_ended_child_does_not_count_as_running() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let id = i32::try_from(child.id()).unwrap();
        let found = Process::of(id).unwrap();
        let own = Process::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.with_children().contains(&found));
        found.signal(Signal::STOP).unwrap();
        while !found.is_stopped() {
            tokio::task::yield_now().await;
        }
        found.signal(Signal::KILL).unwrap();
        found.ended(Duration::from_secs(10)).await.unwrap();
        child.wait().unwrap();
    }
}
