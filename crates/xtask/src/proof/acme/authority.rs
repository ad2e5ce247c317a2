//! Pebble with its name server, on ports of its own.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::process::{Child, Command};

use super::{POLL, WAIT, client};
use crate::server::free_address;

const PEBBLE: &str = "pebble";
const NAME_SERVER: &str = "pebble-challtestsrv";

/// Whether both programs can be started.
pub(super) fn is_installed() -> bool {
    [PEBBLE, NAME_SERVER].into_iter().all(|program| {
        let mut command = std::process::Command::new(program);
        // It prints its help and ends with a failure, which says that it is there.
        command.arg("-help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    })
}

/// Where everybody listens.
pub(super) struct Ports {
    authority: SocketAddr,
    management: SocketAddr,
    names: SocketAddr,
    names_management: SocketAddr,
    /// Where the authority looks for proofs.
    pub(super) proof: SocketAddr,
}

impl Ports {
    pub(super) fn free() -> Result<Self> {
        Ok(Self {
            authority: free_address()?,
            management: free_address()?,
            names: free_address()?,
            names_management: free_address()?,
            proof: free_address()?,
        })
    }

    /// The URL of the authority's directory.
    pub(super) fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.authority.port())
    }
}

/// Writes the certificate by which the authority itself is known.
pub(super) fn make_certificate(folder: &Path) -> Result<PathBuf> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    fs::write(folder.join("authority.key"), made.signing_key.serialize_pem())?;
    let path = folder.join("authority.pem");
    fs::write(&path, made.cert.pem())?;
    Ok(path)
}

/// An authority at work; dropping it ends it, and it forgets everything.
pub(super) struct Authority {
    log: PathBuf,
    management: SocketAddr,
    certificate: PathBuf,
    _processes: [Child; 2],
}

impl Authority {
    /// Starts an authority whose certificates live so many seconds.
    pub(super) async fn start(folder: &Path, ports: &Ports, life_s: u32) -> Result<Self> {
        let config = folder.join("pebble.json");
        let certificate = folder.join("authority.pem");
        let settings = json!({"pebble": {
            "listenAddress": ports.authority.to_string(),
            "managementListenAddress": ports.management.to_string(),
            "certificate": &certificate,
            "privateKey": folder.join("authority.key"),
            "httpPort": 0,
            "tlsPort": ports.proof.port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": life_s,
        }});
        fs::write(&config, settings.to_string())?;
        let names = ports.names.to_string();
        let names_management = ports.names_management.to_string();
        let resolver = spawn(
            NAME_SERVER,
            &folder.join("names.log"),
            &[
                "-defaultIPv4",
                "127.0.0.1",
                "-defaultIPv6",
                "",
                "-dns01",
                &names,
                "-management",
                &names_management,
                "-http01",
                "",
                "-https01",
                "",
                "-tlsalpn01",
                "",
            ],
        )?;
        let log = folder.join(format!("pebble-{life_s}-{}.log", fastrand::u32(..)));
        let config = config.to_str().context("the directory's path is no UTF-8")?;
        let pebble = spawn(PEBBLE, &log, &["-strict", "-config", config, "-dnsserver", &names])?;
        let authority =
            Self { log, management: ports.management, certificate, _processes: [resolver, pebble] };
        let deadline = Instant::now() + WAIT;
        while authority.root().await.is_err() {
            ensure!(
                Instant::now() < deadline,
                "pebble did not start: {}",
                fs::read_to_string(&authority.log)?
            );
            tokio::time::sleep(POLL).await;
        }
        Ok(authority)
    }

    /// The root that its certificates go back to, PEM.
    pub(super) async fn root(&self) -> Result<String> {
        let own = fs::read_to_string(&self.certificate)?;
        client::get(self.management, "localhost", &own, "/roots/0").await
    }

    /// How many certificates it has given.
    pub(super) fn issued(&self) -> Result<usize> {
        let log = fs::read_to_string(&self.log)?;
        Ok(log.lines().filter(|line| line.contains("Issued certificate serial")).count())
    }
}

fn spawn(program: &str, log: &Path, arguments: &[&str]) -> Result<Child> {
    let file = File::create(log)?;
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PEBBLE_VA_NOSLEEP", "1")
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{program} could not be started"))
}
