//! The built program: commands that are run, and servers that run as a process.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for the program before it fails.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A command with nothing of the machine's settings.
pub fn casement(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casement"));
    command.args(arguments);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CASEMENT_")) {
        command.env_remove(name);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    casement(arguments).output().unwrap()
}

/// Runs a command that must succeed, and gives what it prints.
pub fn succeeded(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail, and gives what it says.
pub fn failed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("casement: ") && !said.contains("panicked"), "{said}");
    said
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs `casement init` and gives what it prints.
pub fn init(data: &Path, account: &str, stream: &str) -> Value {
    let arguments = [
        "init",
        "--data-dir",
        text(data),
        "--account-id",
        account,
        "--stream-id",
        stream,
        "--name",
        "Help",
        "--json",
    ];
    serde_json::from_str(&succeeded(&arguments)).unwrap()
}

/// A server that runs as a program. It is killed with the test if the test does not stop it.
pub struct Program {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Program {
    /// Serves a data directory on a free port.
    pub fn serve(data: &Path) -> Self {
        Self::serve_with(data, &[])
    }

    /// The same, with further arguments.
    pub fn serve_with(data: &Path, further: &[&str]) -> Self {
        let serve = ["serve", "--data-dir", text(data), "--listen", "127.0.0.1:0", "--log", "error"];
        let mut command = casement(&[&serve, further].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Serves a data directory on a free port, with the log in a file, whose level is among the further arguments.
    pub fn serve_logging(data: &Path, further: &[&str], log: &Path) -> Self {
        let serve = ["serve", "--data-dir", text(data), "--listen", "127.0.0.1:0"];
        let mut command = casement(&[&serve, further].concat());
        let log = File::create(log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads what is printed up to and with a line that ends so.
    pub fn printed_until(&mut self, end: &str) -> String {
        let mut printed = String::new();
        while !printed.trim_end().ends_with(end) {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the program ended after {printed:?}");
            printed.push_str(&line);
        }
        printed
    }

    /// Reads the address that the first line names.
    pub fn address(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim().rsplit("http://").next().unwrap().to_owned()
    }

    /// Sends a signal.
    pub fn tell(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits until the program ended and gives its exit code, if it was not killed.
    pub fn exit_code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Asks the program to stop and tells whether it ended with success.
    pub fn stop(mut self) -> bool {
        self.tell("-TERM");
        let (done, ended) = mpsc::channel();
        let Some(mut stderr) = self.child.stderr.take() else {
            return self.child.wait().unwrap().success();
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut said = String::new();
                stderr.read_to_string(&mut said).unwrap();
                done.send(said).unwrap();
            });
            match ended.recv_timeout(WAIT_MAX) {
                Ok(said) => assert_eq!(said, ""),
                Err(_) => {
                    self.child.kill().unwrap();
                    panic!("the program did not end");
                }
            }
        });
        self.child.wait().unwrap().success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until the server has built its index.
pub fn ready(ask: impl Fn() -> (u16, Value)) -> Value {
    let begun = Instant::now();
    loop {
        let (status, answer) = ask();
        if status == 200 {
            return answer;
        }
        assert!(status == 503 && begun.elapsed() < Duration::from_secs(30), "{answer}");
    }
}
