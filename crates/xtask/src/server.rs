//! A Casement installation in a directory, and a server process on it that is started, killed and stopped.
//!
//! It drives the program from outside, as a user would: through its command line, its signals and its HTTP API. A
//! process that is dropped is ended, so that no failure leaves one behind.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::client::Connection;

/// How long a start may take, with the index of a large directory built anew.
const READY_WAIT: Duration = Duration::from_secs(1800);

/// How many ports are tried where others take them first.
const PORTS_TRIED: usize = 4;
/// How often a starting server is asked whether it is ready.
const READY_POLL: Duration = Duration::from_millis(10);

/// How long a server may take to drain and end after SIGTERM.
const STOP_WAIT: Duration = Duration::from_secs(30);

/// How much of the server's log is shown when it fails, in bytes.
const LOG_TAIL_BYTES: usize = 4096;

/// A data directory with one workspace, and what is needed to speak to its server.
#[derive(Clone, Debug)]
pub struct Installation {
    binary: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    log: PathBuf,
    /// The account.
    pub account: String,
    /// The stream.
    pub stream: String,
    /// A token of the first app.
    pub token: String,
    /// What `casement init --json` printed: the ids and names of everything that the workspace begins with.
    pub made: Value,
    /// The id of the first case template.
    pub case_template: String,
    /// The id of the first task template.
    pub task_template: String,
}

/// Settings without limits of rate: one app on one machine sends everything here, as fast as it can and over as many
/// connections as it likes.
pub const UNLIMITED: [&str; 8] = [
    "--rate-per-second",
    "10000000",
    "--rate-burst",
    "10000000",
    "--connections-max",
    "20000",
    "--connections-per-address-max",
    "20000",
];

impl Installation {
    /// Makes a data directory below a folder with `casement init`, and a token with `casement token`.
    ///
    /// # Errors
    /// When the program can't be started, fails or prints something else than it promises.
    pub async fn create(binary: &Path, folder: &Path) -> Result<Self> {
        Self::create_with(binary, folder, &[]).await
    }

    /// The same with further settings.
    ///
    /// # Errors
    /// As [`Installation::create`].
    pub async fn create_with(binary: &Path, folder: &Path, settings: &[&str]) -> Result<Self> {
        let data = folder.join("data");
        let directory = data.to_str().context("the directory's path is no UTF-8")?;
        let made = output(
            binary,
            &[
                &[
                    "init",
                    "--data-dir",
                    directory,
                    "--account-id",
                    "6639f7bd58c97ffac03b0001",
                    "--stream-id",
                    "st-xtask",
                    "--json",
                ],
                settings,
            ]
            .concat(),
        )
        .await?;
        let made: Value = serde_json::from_str(&made).context("`casement init --json` printed no JSON")?;
        Self::of(binary, folder, made).await
    }

    /// Takes an installation that [`Installation::create`] made in a folder before; `made` is what was printed then.
    ///
    /// # Errors
    /// When the program can't be started, or `made` lacks something.
    pub async fn of(binary: &Path, folder: &Path, made: Value) -> Result<Self> {
        let text = |pointer: &str| -> Result<String> {
            let value = made.pointer(pointer).and_then(Value::as_str);
            Ok(value.with_context(|| format!("`casement init --json` printed no {pointer}"))?.to_owned())
        };
        let (client, secret) = (text("/app/clientId")?, text("/app/clientSecret")?);
        let token = output(binary, &["token", "--client-id", &client, "--client-secret", &secret]).await?;
        Ok(Self {
            binary: binary.to_owned(),
            log: folder.join("server.log"),
            account: text("/accountId")?,
            stream: text("/streamId")?,
            token: token.trim().to_owned(),
            case_template: text("/caseTemplates/0/_id")?,
            task_template: text("/taskTemplates/0/_id")?,
            data: folder.join("data"),
            made,
        })
    }

    /// Runs a command on the data directory, and gives what it prints.
    ///
    /// # Errors
    /// When it fails.
    pub async fn command(&self, arguments: &[&str]) -> Result<String> {
        let directory = self.data.to_str().context("the directory's path is no UTF-8")?;
        output(&self.binary, &[arguments, &["--data-dir", directory]].concat()).await
    }

    /// A request to one of the six operations; `operation` may carry an id after a slash.
    ///
    /// # Errors
    /// When the token or an id can't stand in a header or a path.
    pub fn request(&self, operation: &str, body: &Value) -> Result<Request<Full<Bytes>>> {
        let path = format!("/caseManagement/api/public/analytics/{}/{operation}", self.stream);
        let request = Request::post(path)
            .header(HOST, "127.0.0.1")
            .header(CONTENT_TYPE, "application/json")
            .header("AccountId", &self.account)
            .header("auth", &self.token)
            .body(Full::new(Bytes::from(body.to_string())))?;
        Ok(request)
    }

    /// A request to the REST API; `path` is below the stream.
    ///
    /// # Errors
    /// When the token can't stand in a header, or the path is none.
    pub fn rest(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/streams/{}/{path}", self.stream))
            .header(HOST, "127.0.0.1")
            .header(CONTENT_TYPE, "application/json")
            .header("auth", &self.token)
            .body(Full::new(body))?;
        Ok(request)
    }

    /// Starts a server on the directory and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or isn't ready in time; the end of its log is part of the error.
    pub async fn start(&self) -> Result<Server> {
        self.start_under(&[]).await
    }

    /// Starts a server by another program, whose arguments come first, and waits until it is ready. That program must
    /// become the server, so that signals reach it.
    ///
    /// # Errors
    /// As [`Installation::start`].
    pub async fn start_under(&self, program: &[String]) -> Result<Server> {
        self.start_as(program, &[]).await
    }

    /// Starts a server with further settings and waits until it is ready.
    ///
    /// # Errors
    /// As [`Installation::start`].
    pub async fn start_with(&self, settings: &[&str]) -> Result<Server> {
        self.start_as(&[], settings).await
    }

    /// Starts a server; on another port where somebody else has taken the first one in the meantime.
    async fn start_as(&self, program: &[String], settings: &[&str]) -> Result<Server> {
        for _ in 1..PORTS_TRIED {
            let address = free_address()?;
            match self.start_on(address, program, settings).await {
                Err(_) if self.log_tail().contains(&format!("can't listen on {address}")) => {}
                started => return started,
            }
        }
        self.start_on(free_address()?, program, settings).await
    }

    async fn start_on(&self, address: SocketAddr, program: &[String], settings: &[&str]) -> Result<Server> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = match program.split_first() {
            Some((name, arguments)) => {
                let mut command = Command::new(name);
                command.args(arguments).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        let child = command
            .arg("serve")
            .arg("--data-dir")
            .arg(&self.data)
            .arg("--listen")
            .arg(address.to_string())
            .args(UNLIMITED)
            .args(settings)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} could not be started", self.binary.display()))?;
        let mut server = Server { child, address };
        match server.wait_until_ready(&self.log).await {
            Ok(()) => Ok(server),
            Err(error) => Err(error.context(format!("the end of the server's log:\n{}", self.log_tail()))),
        }
    }

    /// The same installation with its data in another folder, where somebody puts or has put it.
    pub fn in_folder(&self, folder: &Path) -> Self {
        Self { data: folder.join("data"), log: folder.join("server.log"), ..self.clone() }
    }

    /// Copies the data of a stopped installation into another folder.
    ///
    /// # Errors
    /// When a file can't be copied.
    pub fn copy_to(&self, folder: &Path) -> Result<Self> {
        let copy = self.in_folder(folder);
        std::fs::create_dir_all(&copy.data)?;
        for entry in std::fs::read_dir(&self.data)? {
            let entry = entry?;
            // Snapshots of the index stay behind: the copy makes its own.
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), copy.data.join(entry.file_name()))?;
            }
        }
        Ok(copy)
    }

    /// Moves the data of a stopped installation to an empty database of a PostgreSQL server; its keys go into another folder.
    ///
    /// # Errors
    /// When a file can't be copied, or `casement migrate` fails.
    pub async fn move_to(&self, folder: &Path, database_url: &str) -> Result<Self> {
        let from = self.data.to_str().context("the directory's path is no UTF-8")?;
        output(&self.binary, &["migrate", "--from", from, "--to", database_url, "--json"]).await?;
        let moved = self.in_folder(folder);
        std::fs::create_dir_all(&moved.data)?;
        std::fs::copy(self.data.join("secrets.key"), moved.data.join("secrets.key"))?;
        Ok(moved)
    }

    /// The end of what the servers on this directory have logged.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let tail = log.get(log.len().saturating_sub(LOG_TAIL_BYTES)..).unwrap_or_default();
        String::from_utf8_lossy(tail).into_owned()
    }
}

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Ends the process with SIGKILL and waits for its end.
    ///
    /// # Errors
    /// When it had ended by itself, which is a fault of the server.
    pub async fn kill(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server had ended by itself before it was killed: {status}");
        }
        self.child.kill().await.context("the server could not be killed")
    }

    /// How much memory the process has, in bytes.
    ///
    /// # Errors
    /// When it has ended, or the system does not tell.
    pub fn memory_bytes(&self) -> Result<u64> {
        let id = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib =
            line.and_then(|line| line.split_whitespace().next()).context("the system tells no memory")?;
        Ok(kib.parse::<u64>()? * 1024)
    }

    /// Asks the process with SIGTERM to drain and end, and waits for its end.
    ///
    /// # Errors
    /// When it doesn't end in time or ends with a failure.
    pub async fn stop(mut self) -> Result<()> {
        let id =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        let id = id.context("the server had ended before it was stopped")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        let status = tokio::time::timeout(STOP_WAIT, self.child.wait()).await;
        let status = status.context("the server did not end within 30 s of SIGTERM")??;
        ensure!(status.success(), "the server ended with a failure after SIGTERM: {status}");
        Ok(())
    }

    /// The memory that the process holds now, in KiB.
    ///
    /// # Errors
    /// When it has ended, or this is not Linux.
    pub fn memory_kb(&self) -> Result<u64> {
        let id = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.context("the process tells no VmRSS")?.parse()?)
    }

    /// Asks the process to end and waits for it, whatever its end is like.
    ///
    /// # Errors
    /// When it doesn't end in time.
    pub async fn end(mut self) -> Result<()> {
        let id =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let ended = tokio::time::timeout(STOP_WAIT, self.child.wait()).await;
        ended.context("the server did not end within 30 s of SIGTERM")??;
        Ok(())
    }

    /// Ends the process with SIGKILL, if it has not ended by itself.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub async fn end_by_force(mut self) -> Result<()> {
        // An error says that it has ended, which is what is wanted.
        let _ = self.child.start_kill();
        self.child.wait().await.context("the server's end can't be waited for")?;
        Ok(())
    }

    /// Asks `/readyz` until it says 200, once the log says that it is this server that listens.
    async fn wait_until_ready(&mut self, log: &Path) -> Result<()> {
        let listens = format!("://{}\n", self.address);
        let deadline = Instant::now() + READY_WAIT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended while starting: {status}");
            }
            let told = std::fs::read(log).unwrap_or_default();
            if String::from_utf8_lossy(&told).contains(&listens) && self.is_ready().await {
                return Ok(());
            }
            tokio::time::sleep(READY_POLL).await;
        }
        bail!("the server was not ready after {READY_WAIT:?}")
    }

    /// Waits until searches are answered too: the words of all documents are made beside the lists, and cost processor time.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn wait_until_searched(&self) -> Result<()> {
        let deadline = Instant::now() + READY_WAIT;
        while Instant::now() < deadline {
            let request = Request::get("/readyz").header(HOST, "127.0.0.1").body(Full::default())?;
            let (_, told) = Connection::open(self.address).await?.send(request).await?;
            let told: Value = serde_json::from_slice(&told)?;
            if told.get("search").and_then(Value::as_str) == Some("ready") {
                return Ok(());
            }
            tokio::time::sleep(READY_POLL).await;
        }
        bail!("the server did not answer searches after {READY_WAIT:?}")
    }

    /// Whether `/readyz` says 200 now.
    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Connection::open(self.address).await else { return false };
        let request = Request::get("/readyz").header(HOST, "127.0.0.1").body(Full::default());
        match request {
            Ok(request) => connection.send(request).await.is_ok_and(|(status, _)| status.is_success()),
            Err(_) => false,
        }
    }
}

/// An address on the loopback that nobody listens on at this moment.
///
/// # Errors
/// When there is none.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// What the program prints for the arguments.
async fn output(binary: &Path, arguments: &[&str]) -> Result<String> {
    let command = arguments.first().copied().unwrap_or_default();
    let output = Command::new(binary)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("{} could not be started", binary.display()))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`casement {command}` failed: {}", complaint.trim());
    String::from_utf8(output.stdout).with_context(|| format!("`casement {command}` printed no UTF-8"))
}
