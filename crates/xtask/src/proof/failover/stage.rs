//! What the proof runs on: a whole cluster, or one server on its embedded database that stands for both nodes.
//!
//! The latter needs nothing of the system, and shows that clients and verdict work; it knows one fault alone.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::client::{Shared, held, page};
use super::history::Listing;
use crate::client::Connection;
use crate::cluster::layout::{Layout, Machine, Replication, Role, port};
use crate::cluster::raise::raise;
use crate::cluster::{self, Up, operate};
use crate::server::{Installation, Server};

/// The page of a last listing.
const PAGE_CASES: usize = 500;

/// The most pages of a last listing.
const PAGES_MAX: usize = 10_000;

/// The system under proof.
#[derive(Debug)]
pub enum Stage {
    /// A cluster.
    Cluster(Box<Layout>),
    /// One server on an embedded database.
    Embedded(Option<Box<Server>>),
}

impl Stage {
    /// Raises a cluster in a directory, with a workspace in its database and two nodes.
    ///
    /// # Errors
    /// When it doesn't become whole.
    pub async fn cluster(
        binary: &Path,
        directory: &Path,
        number: u8,
        replication: Replication,
        settings: &[String],
    ) -> Result<(Self, Installation)> {
        let user = "postgres".to_owned();
        let mut up =
            Up { network: None, number, replication, user, casement: None, settings: settings.to_vec() };
        let layout = raise(directory, &up).await?;
        let first = Machine::of(Role::Application).next().context("a cluster has application nodes")?;
        let key_file = operate::key_file(&layout).display().to_string();
        let url = layout.database_url(port::PRIMARY);
        let settings = ["--key-file", &key_file, "--database-url", &url];
        let installation = Installation::create_with(binary, &layout.folder(first), &settings).await?;
        up.casement = Some(binary.to_owned());
        let layout = raise(directory, &up).await?;
        Ok((Self::Cluster(Box::new(layout)), installation))
    }

    /// Starts one server on an embedded database below a folder.
    ///
    /// # Errors
    /// When it doesn't start.
    pub async fn embedded(binary: &Path, folder: &Path) -> Result<(Self, Installation)> {
        let installation = Installation::create(binary, folder).await?;
        let server = Box::new(installation.start().await?);
        Ok((Self::Embedded(Some(server)), installation))
    }

    /// The nodes that clients ask.
    pub fn nodes(&self) -> Vec<(String, SocketAddr)> {
        match self {
            Self::Cluster(layout) => Machine::of(Role::Application)
                .map(|machine| {
                    (machine.name.to_owned(), SocketAddr::from((layout.address(machine), port::CASEMENT)))
                })
                .collect(),
            Self::Embedded(server) => {
                let address = server.as_ref().map(|server| server.address);
                let names = ["app1", "app2"].map(str::to_owned);
                address.map(|address| names.map(|name| (name, address)).to_vec()).unwrap_or_default()
            }
        }
    }

    /// Kills the embedded server and starts another on its directory.
    ///
    /// # Errors
    /// When it doesn't start again.
    pub async fn restart(&mut self, installation: &Installation) -> Result<()> {
        if let Self::Embedded(server) = self {
            if let Some(server) = server.take() {
                server.kill().await?;
            }
            *server = Some(Box::new(installation.start().await?));
        }
        Ok(())
    }
}

/// Ends what a former run left in a directory, with its data.
///
/// # Errors
/// When a process can't be ended.
pub async fn clear(directory: &Path) -> Result<()> {
    if directory.exists() {
        cluster::take_down(directory, true).await?;
    }
    Ok(())
}

/// Reads everything that each node lists.
///
/// # Errors
/// When a node doesn't answer.
pub async fn listings(shared: &Shared) -> Result<Vec<Listing>> {
    let nodes = held(&shared.nodes).clone();
    let mut listings = Vec::new();
    for (node, address) in nodes {
        listings.push(listing(&shared.installation, node, address).await?);
    }
    Ok(listings)
}

async fn listing(installation: &Installation, node: String, address: SocketAddr) -> Result<Listing> {
    let mut connection = Connection::open(address).await?;
    let mut listing = Listing { node, total: 0, cases: Vec::new() };
    for number in 0..PAGES_MAX {
        let body = serde_json::json!({
            "skip": number * PAGE_CASES,
            "limit": PAGE_CASES,
            "sortBy": {"refId": "asc"},
            "selectedColumns": ["_id", "refId", "name", "desc", "tags"],
        });
        let (status, answer) = connection.send(installation.request("getCases", &body)?).await?;
        let node = &listing.node;
        // Nothing is broken any more and nobody writes: a node that can't answer now never will.
        anyhow::ensure!(
            status.is_success(),
            "{node}: getCases answered {status}: {}",
            String::from_utf8_lossy(&answer)
        );
        let (total, cases) = page(&serde_json::from_slice(&answer)?)?;
        listing.total = total;
        let is_last = cases.len() < PAGE_CASES;
        listing.cases.extend(cases);
        if is_last {
            break;
        }
    }
    Ok(listing)
}
