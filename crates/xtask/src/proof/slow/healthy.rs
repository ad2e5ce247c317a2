//! Clients as they should be: a request now and then, each answer read at once.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::bench::requests::creates;
use crate::client::Connection;
use crate::server::Installation;

/// How many of them there are.
const CLIENTS: usize = 4;

/// How often each sends.
const PERIOD: Duration = Duration::from_millis(10);

/// Cases that are there before anything is measured.
const CASES: usize = 200;

/// The healthy clients and what they send in turn.
#[derive(Debug)]
pub struct Healthy {
    address: SocketAddr,
    requests: Vec<Request<Full<Bytes>>>,
}

/// The times of their requests.
#[derive(Debug, Default)]
pub struct Times {
    latencies_us: Vec<u32>,
}

impl Healthy {
    /// Makes the cases and builds the requests: creates, and lists of ten.
    ///
    /// # Errors
    /// When a create is refused.
    pub async fn prepare(installation: &Installation, address: SocketAddr) -> Result<Self> {
        let creates = creates(installation)?;
        let mut connection = Connection::open(address).await?;
        for request in creates.iter().take(CASES) {
            let (status, answer) = connection.send(request.clone()).await?;
            ensure!(status.is_success(), "answered {status}: {}", String::from_utf8_lossy(&answer));
        }
        let list = installation.request("getCases", &json!({"limit": 10}))?;
        let requests = creates.into_iter().flat_map(|create| [create, list.clone()]).collect();
        Ok(Self { address, requests })
    }

    /// Sends for so long.
    ///
    /// # Errors
    /// When an answer is no success.
    pub async fn drive(&self, time: Duration) -> Result<Times> {
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let requests: Vec<_> = self.requests.iter().skip(number).step_by(CLIENTS - 1).cloned().collect();
            clients.spawn(drive(self.address, requests, time));
        }
        let mut times = Times::default();
        while let Some(latencies) = clients.join_next().await {
            times.latencies_us.extend(latencies??);
        }
        times.latencies_us.sort_unstable();
        Ok(times)
    }
}

async fn drive(address: SocketAddr, requests: Vec<Request<Full<Bytes>>>, time: Duration) -> Result<Vec<u32>> {
    let mut connection = Connection::open(address).await?;
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let until = Instant::now() + time;
    let mut latencies_us = Vec::new();
    for request in requests.iter().cycle() {
        let sent = ticks.tick().await.into_std();
        if sent >= until {
            break;
        }
        let begun = Instant::now();
        let (status, answer) = connection.send(request.clone()).await.context("a healthy client")?;
        ensure!(status.is_success(), "a healthy client got {status}: {}", String::from_utf8_lossy(&answer));
        latencies_us.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies_us)
}

impl Times {
    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.latencies_us.len()
    }

    /// The time that so many percent of the requests don't exceed.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.latencies_us.len() * percent).div_ceil(100);
        f64::from(self.latencies_us.get(rank.saturating_sub(1)).copied().unwrap_or_default()) / 1000.0
    }
}
