//! `cargo xtask proof acme`: the server gets and renews its certificate from a real authority, and lives without one.
//!
//! Pebble, the authority that Let's Encrypt tests clients with, runs on private ports with a name server that says that
//! every name is this machine ([`authority`]). It refuses some good requests by design, so that a client must try again.
//! A server by the built binary is started with settings of ACME; clients greet it with the authority's root in hand.

mod authority;
mod client;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::{Child, Command};

use crate::server::free_address;
use crate::workspace::Workspace;
use authority::Authority;
use client::Greeting;

/// The names that certificates are asked for.
const NAMES: [&str; 2] = ["cases.example.com", "second.example.com"];

/// How long a step may take before it counts as failed.
const WAIT: Duration = Duration::from_secs(60);

/// How often something awaited is looked for.
const POLL: Duration = Duration::from_millis(50);

/// The life of an ordinary certificate, and of one that must be renewed while the proof looks on; in seconds.
const LIFE_LONG_S: u32 = 30 * 24 * 60 * 60;
const LIFE_SHORT_S: u32 = 15;

/// Shows that certificates come from an authority by ACME; needs Debian's package pebble.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask proof acme")]
pub struct Arguments {}

/// Says why this machine can't run the proof, `None` when it can.
pub fn missing() -> Option<&'static str> {
    (!authority::is_installed())
        .then_some("pebble is not installed; install it (apt-get install pebble) to add it")
}

/// Builds the server and runs the proof.
///
/// # Errors
/// When pebble is missing, the build fails or the promise is broken.
pub fn run(workspace: &Workspace, _: &Arguments) -> Result<()> {
    if let Some(reason) = missing() {
        bail!("{reason}");
    }
    let binary = workspace.build_server()?;
    crate::block_on(async {
        let folder = tempfile::Builder::new().prefix("proof-acme-").tempdir_in(&workspace.target)?;
        let outcome = prove(&binary, folder.path()).await;
        if let Err(error) = outcome {
            let kept = folder.keep();
            return Err(error.context(format!("the directory is kept: {}", kept.display())));
        }
        outcome
    })
}

async fn prove(binary: &Path, folder: &Path) -> Result<()> {
    let ports = authority::Ports::free()?;
    let site = Site {
        binary: binary.to_owned(),
        folder: folder.to_owned(),
        address: ports.proof,
        directory: ports.directory(),
        root: authority::make_certificate(folder)?,
    };

    let mut server = site.start("unreachable", &NAMES, true)?;
    server.says("no certificate could be had").await?;
    ensure!(
        client::greet(site.address, NAMES[0], None).await.is_err(),
        "a server without a certificate greets"
    );
    server.stop().await?;
    println!("proof acme: without an authority the server runs, says so and stops as told");

    let authority = Authority::start(folder, &ports, LIFE_LONG_S).await?;
    let root = authority.root().await?;
    let mut server = site.start("terms", &NAMES, false)?;
    server.says("the authority has terms: read").await?;
    server.stop().await?;

    let mut server = site.start("first", &NAMES, true)?;
    server.says("there is a new certificate").await?;
    let first = greeted(&site, &root).await?;
    ensure!(authority.issued()? == 1, "one certificate is asked for, not {}", authority.issued()?);
    ensure!(first.ready.contains("\"certificate\":\"ready\""), "/readyz says {}", first.ready);
    check_modes(&site.data().join("acme"))?;
    server.stop().await?;
    println!("proof acme: a certificate for {} names, trusted by the authority's root", NAMES.len());

    let mut server = site.start("again", &NAMES, true)?;
    server.says("casement serves").await?;
    let again = greeted(&site, &root).await?;
    ensure!(again.certificate == first.certificate, "the second start has another certificate");
    ensure!(authority.issued()? == 1, "the second start asked again");
    server.stop().await?;

    damage(&site.data().join("acme").join("certificate.json"))?;
    let mut server = site.start("damaged", &NAMES, true)?;
    server.says("the kept certificate is not used").await?;
    server.says("there is a new certificate").await?;
    let renewed = greeted(&site, &root).await?;
    ensure!(renewed.certificate != first.certificate, "the damaged certificate is still in use");
    ensure!(authority.issued()? == 2, "the damaged certificate was not asked for anew");
    server.stop().await?;
    println!("proof acme: a second start asks nothing; what was kept and is damaged is asked for anew");

    let mut server = site.start("fewer", &NAMES[..1], true)?;
    server.says("it is for other names").await?;
    server.says("there is a new certificate").await?;
    server.stop().await?;
    drop(authority);

    renewal(&site, folder, &ports).await?;
    not_ours(&site, folder, &ports).await
}

/// An authority that forgot its accounts gives certificates that live for seconds; they are renewed while the server runs.
async fn renewal(site: &Site, folder: &Path, ports: &authority::Ports) -> Result<()> {
    let authority = Authority::start(folder, ports, LIFE_SHORT_S).await?;
    let root = authority.root().await?;
    let mut server = site.start("renewal", &NAMES, true)?;
    server.says("the authority does not know our account any more").await?;
    server.says("there is a new certificate").await?;
    let first = greeted(site, &root).await?;
    let deadline = Instant::now() + WAIT;
    while greeted(site, &root).await?.certificate == first.certificate {
        ensure!(Instant::now() < deadline, "the certificate was not renewed");
        tokio::time::sleep(POLL).await;
    }
    drop(authority);
    server.says("no certificate could be had").await?;
    server.stop().await?;
    println!(
        "proof acme: a certificate is renewed while the server runs; an authority that is gone ends nothing"
    );
    Ok(())
}

/// The authority looks for the proof where nobody, or somebody else, answers.
async fn not_ours(site: &Site, folder: &Path, ports: &authority::Ports) -> Result<()> {
    let authority = Authority::start(folder, ports, LIFE_LONG_S).await?;
    let elsewhere = Site { address: free_address()?, ..site.clone() };
    let mut server = elsewhere.start("elsewhere", &["third.example.com"], true)?;
    server.says("the authority did not find the proof for third.example.com").await?;
    ensure!(authority.issued()? == 0, "a certificate was given without a proof");
    server.stop().await?;
    println!("proof acme: a name that is not ours gets no certificate, and the log says why");
    Ok(())
}

/// Greets the server by each of its names.
async fn greeted(site: &Site, root: &str) -> Result<Greeting> {
    let mut last = None;
    for name in NAMES {
        let greeting = client::greet(site.address, name, Some(root)).await;
        last = Some(greeting.with_context(|| format!("the greeting as {name}"))?);
    }
    last.context("there are names")
}

fn check_modes(folder: &Path) -> Result<()> {
    let mode = |path: &Path| Ok::<_, anyhow::Error>(fs::metadata(path)?.permissions().mode() & 0o777);
    ensure!(mode(folder)? == 0o700, "the folder of certificates has mode {:o}", mode(folder)?);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        ensure!(mode(&path)? == 0o600, "{} has mode {:o}", path.display(), mode(&path)?);
    }
    Ok(())
}

/// Changes a byte in the middle of a file.
fn damage(path: &Path) -> Result<()> {
    let mut bytes = fs::read(path)?;
    let middle = bytes.len() / 2;
    let byte = bytes.get_mut(middle).context("the file is empty")?;
    *byte ^= 1;
    fs::write(path, bytes).context("the file can't be damaged")
}

/// Where servers are started, and whom they ask.
#[derive(Clone)]
struct Site {
    binary: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    directory: String,
    root: PathBuf,
}

impl Site {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn start(&self, name: &str, names: &[&str], terms: bool) -> Result<Running> {
        let log = self.folder.join(format!("{name}.log"));
        let file = File::create(&log)?;
        let child = Command::new(&self.binary)
            .args(["serve", "--acme-contact", "ops@example.com"])
            .args(["--acme-domain", &names.join(",")])
            .args(["--acme-directory", &self.directory, &format!("--acme-accept-terms={terms}")])
            .args(["--listen", &self.address.to_string()])
            .arg("--acme-root")
            .arg(&self.root)
            .arg("--data-dir")
            .arg(self.data())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} could not be started", self.binary.display()))?;
        Ok(Running { child, log })
    }
}

/// A server at work; dropping it kills it.
struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Waits until the log has a sentence.
    async fn says(&mut self, sentence: &str) -> Result<()> {
        let deadline = Instant::now() + WAIT;
        loop {
            let log = fs::read_to_string(&self.log)?;
            if log.contains(sentence) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended ({status}) before it said {sentence:?}:\n{log}");
            }
            ensure!(Instant::now() < deadline, "the server did not say {sentence:?}:\n{log}");
            tokio::time::sleep(POLL).await;
        }
    }

    async fn stop(mut self) -> Result<()> {
        let id =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        let id = id.context("the server had ended before it was stopped")?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        let status =
            tokio::time::timeout(WAIT, self.child.wait()).await.context("the server did not end")??;
        ensure!(status.success(), "the server ended with a failure: {status}");
        Ok(())
    }
}
