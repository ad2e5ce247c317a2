//! The stage of a benchmark: a fresh directory, a server on it, and so many cases in it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{requests, sampled};
use crate::client::Connection;
use crate::server::{Installation, Server};

/// How many connections fill the directory.
const PREFILL_CLIENTS: u64 = 32;

/// After so many cases a connection says how far it is.
const PROGRESS_CASES: u64 = 10_000;

/// The most ids that are remembered for updates; they are spread evenly over all cases.
const IDS_MAX: u64 = 4096;

/// A server with cases in it.
#[derive(Debug)]
pub struct Stage {
    /// The installation.
    pub installation: Installation,
    /// The server, for release.
    pub server: Server,
    /// How many cases were created before measuring.
    pub cases: u64,
    /// Ids of some of them.
    pub ids: Vec<String>,
}

impl Stage {
    /// Makes the installation, starts the server and creates the cases over HTTP; with a `database_url` on that server.
    ///
    /// # Errors
    /// When the server doesn't start or a create is refused.
    pub async fn prepare(
        binary: &Path,
        folder: &Path,
        cases: u64,
        database_url: Option<&str>,
    ) -> Result<Self> {
        let settings: Vec<&str> = database_url.into_iter().flat_map(|url| ["--database-url", url]).collect();
        let installation = Installation::create_with(binary, folder, &settings).await?;
        // The load stands for clients of many addresses, as behind a proxy: one address has a share of the server.
        let serving = [&settings[..], &["--trusted-proxies", "127.0.0.0/8"]].concat();
        let server = installation.start_with(&serving).await?;
        let mut stage = Self { installation, server, cases, ids: Vec::new() };
        if cases > 0 {
            stage.fill().await?;
        }
        Ok(stage)
    }

    /// Starts the server on a copy of sampled data; there are no ids for updates.
    ///
    /// # Errors
    /// When the data can't be made or copied, or the server doesn't start.
    pub async fn sampled(binary: &Path, data: &Path, folder: &Path, cases: u64) -> Result<Self> {
        let installation = sampled::installation(binary, data, cases).await?.copy_to(folder)?;
        let server = installation.start().await?;
        Ok(Self { installation, server, cases, ids: Vec::new() })
    }

    /// Creates the cases over parallel connections.
    async fn fill(&mut self) -> Result<()> {
        eprintln!("creating {} cases", self.cases);
        let bodies = requests::creates(&self.installation)?;
        let ids_every = self.cases.div_ceil(IDS_MAX);
        let mut at_work = JoinSet::new();
        for client in 0..PREFILL_CLIENTS {
            let mut connection = Connection::open(self.server.address).await?;
            let bodies = bodies.clone();
            let numbers = (client..self.cases).step_by(usize::try_from(PREFILL_CLIENTS)?);
            at_work.spawn(async move {
                let mut ids = Vec::new();
                for (number, body) in numbers.zip(bodies.iter().cycle().skip(usize::try_from(client)?)) {
                    let id = create(&mut connection, body.clone()).await?;
                    if number % ids_every == 0 {
                        ids.push(id);
                    }
                    if number % PROGRESS_CASES == 0 && number > 0 {
                        eprintln!("  {number} cases");
                    }
                }
                anyhow::Ok(ids)
            });
        }
        while let Some(ids) = at_work.join_next().await {
            self.ids.extend(ids??);
        }
        Ok(())
    }

    /// The file of the server's embedded database.
    ///
    /// # Errors
    /// When it is in none of the places where it should be.
    pub fn database(&self) -> Result<PathBuf> {
        let places =
            [self.installation.data.join("casement.db"), self.installation.data.join("store/casement.db")];
        match places.iter().find(|place| place.is_file()) {
            Some(place) => Ok(place.clone()),
            None => bail!("there is no casement.db in {}", self.installation.data.display()),
        }
    }
}

/// Creates one case; gives its id.
async fn create(connection: &mut Connection, request: Request<Full<Bytes>>) -> Result<String> {
    let (status, answer) = connection.send(request).await?;
    ensure!(status.is_success(), "createCase answered {status}: {}", String::from_utf8_lossy(&answer));
    let answer: Value = serde_json::from_slice(&answer).context("createCase answered no JSON")?;
    Ok(answer.get("_id").and_then(Value::as_str).context("createCase answered no _id")?.to_owned())
}
