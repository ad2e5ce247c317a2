//! `cargo xtask proof slow`: slow clients take nothing from the others, and are cut off in their time.
//!
//! Healthy clients send at a fixed pace, first alone, then beside thousands of connections that say nothing, send their
//! head, their body or read their answer a byte at a time, or idle ([`clients`]), some by HTTP/2 with several streams
//! ([`streams`]). A connection that is cut off is opened
//! again while the measurement lasts. What must hold: every healthy request is answered with success, and every slow
//! connection is cut off. Times and memory are printed, not judged: they belong to a quiet machine. When slowhttptest is
//! installed, its modes run against the same server ([`tool`]).

mod clients;
mod healthy;
mod streams;
pub mod tool;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum as _;
use serde_json::json;

use crate::server::{Installation, Server};
use crate::workspace::Workspace;
use clients::{SORTS, Sort};
use healthy::Healthy;

/// How long a slow connection may live beyond the longest timer of the server (an idle connection's 60 s) before it
/// counts as forgotten.
const CUT_WAIT: Duration = Duration::from_secs(120);

/// The healthy clients' first requests, which don't count.
const WARM_UP: Duration = Duration::from_secs(2);

/// How often the server's memory is looked at.
const MEMORY_PERIOD: Duration = Duration::from_millis(500);

/// Opens slow connections beside healthy clients.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask proof slow --connections 10000 --seconds 30 --release\n  cargo xtask proof slow --connections 300 --seconds 5\n  cargo xtask proof slow --connections 2000 --only idle --tool-seconds 0 --release"
)]
pub struct Arguments {
    /// How many slow connections are held open
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..=16_000))]
    connections: u16,
    /// How long healthy clients are measured without and with them, in seconds each
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Builds the server for release
    #[arg(long)]
    release: bool,
    /// Seconds for each mode of slowhttptest; 0 leaves it out
    #[arg(long, default_value_t = 20)]
    tool_seconds: u64,
    /// Only slow clients of this sort, or of these by turns; without it all that speak HTTP/1 and send little or take little
    #[arg(long, value_name = "SORT")]
    only: Vec<Sort>,
}

impl Arguments {
    /// The slice that `cargo xtask test` runs.
    pub fn slice(connections: u16) -> Self {
        Self {
            connections,
            seconds: 5,
            release: false,
            tool_seconds: 5,
            only: Sort::value_variants().to_vec(),
        }
    }
}

/// Runs the proof.
///
/// # Errors
/// When a healthy request fails or a slow connection is not cut off.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let binary = if arguments.release { workspace.release_server()? } else { workspace.build_server()? };
    raise_open_files(arguments.connections)?;
    println!("proof slow: {} connections, {} s", arguments.connections, arguments.seconds);
    crate::block_on(async {
        let folder = tempfile::Builder::new().prefix("proof-slow-").tempdir_in(&workspace.target)?;
        let installation = Installation::create(&binary, folder.path()).await?;
        let server = installation.start().await?;
        prove(&installation, &server, arguments).await.with_context(|| installation.log_tail())?;
        if arguments.tool_seconds > 0 && tool::missing().is_none() {
            let time = Duration::from_secs(arguments.tool_seconds);
            tool::run(&installation, &server, folder.path(), time).await?;
        }
        server.stop().await
    })
}

async fn prove(installation: &Installation, server: &Server, arguments: &Arguments) -> Result<()> {
    let time = Duration::from_secs(arguments.seconds);
    let healthy = Healthy::prepare(installation, server.address).await?;
    healthy.drive(WARM_UP).await?;
    let memory_alone = server.memory_kb()?;
    let before = healthy.drive(time).await?;
    let memory_before = server.memory_kb()?;
    let sorts = if arguments.only.is_empty() { &SORTS[..] } else { &arguments.only[..] };
    let slow = clients::open(installation, server.address, usize::from(arguments.connections), sorts).await?;
    let (during, memory_during) = tokio::join!(healthy.drive(time), memory_peak(server, time));
    let (during, memory_during) = (during?, memory_during?);
    let held = slow.held();
    // From here on nobody comes again: all that are open must be cut off.
    let (cut, after) = tokio::join!(slow.finish(CUT_WAIT), healthy.drive(time));
    let (cut, after) = (cut?, after?);
    println!("proof slow: {}", cut.explained());
    let growth_kb = memory_during.saturating_sub(memory_before);
    let alone_kb = memory_before.saturating_sub(memory_alone);
    let after_kb = server.memory_kb()?.saturating_sub(memory_before);
    let line = json!({
        "proof": "slow",
        "connections": arguments.connections,
        "held": held,
        "healthy": before.count() + during.count() + after.count(),
        "p50_before_ms": before.percentile_ms(50),
        "p99_before_ms": before.percentile_ms(99),
        "p50_during_ms": during.percentile_ms(50),
        "p99_during_ms": during.percentile_ms(99),
        "p99_factor": (during.percentile_ms(99) / before.percentile_ms(99) * 100.0).round() / 100.0,
        "memory_growth_mb": growth_kb / 1024,
        "memory_growth_alone_mb": alone_kb / 1024,
        "memory_growth_after_mb": after_kb / 1024,
        "memory_kb_each": growth_kb / u64::from(arguments.connections),
        "cut": cut.count(),
        "forgotten": cut.forgotten,
    });
    println!("{line}");
    ensure!(cut.forgotten == 0, "{} slow connections were not cut off", cut.forgotten);
    ensure!(held * 10 >= usize::from(arguments.connections) * 9, "only {held} connections were held open");
    Ok(())
}

/// The most memory that the server takes within a time.
async fn memory_peak(server: &Server, time: Duration) -> Result<u64> {
    let until = tokio::time::Instant::now() + time;
    let mut peak = 0;
    while tokio::time::Instant::now() < until {
        peak = peak.max(server.memory_kb()?);
        tokio::time::sleep(MEMORY_PERIOD).await;
    }
    Ok(peak)
}

/// Allows this process, and the server that it starts, so many open files.
fn raise_open_files(connections: u16) -> Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let needed = u64::from(connections) + 1_000;
    ensure!(
        limit.maximum.is_none_or(|maximum| maximum >= needed),
        "this process may not open {needed} files: raise the limit (ulimit -Hn)"
    );
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("the limit of open files could not be raised")
}
