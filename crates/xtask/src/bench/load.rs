//! The load generator: so many connections, each with its next request as soon as it has read an answer.
//!
//! The connections stay open from turn to turn and the requests are built before; within a turn it only sends, reads
//! and notes the time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tokio::task::JoinSet;

use crate::client::Connection;

/// How long a turn may take beyond its time, for the last answers.
const OVERTIME_MAX: Duration = Duration::from_secs(30);

/// Clients with open connections.
#[derive(Debug)]
pub struct Fleet {
    clients: Vec<Client>,
}

/// One connection with its requests.
#[derive(Debug)]
struct Client {
    connection: Connection,
    requests: Vec<Request<Full<Bytes>>>,
    next: usize,
}

/// What a turn came to.
#[derive(Debug, Default)]
pub struct Turn {
    /// From the first request to the last answer.
    pub time: Duration,
    /// The time of each request, in microseconds.
    pub latencies_us: Vec<u32>,
}

impl Fleet {
    /// Opens the connections and deals the requests: each client gets every n-th, or all where there are fewer than
    /// clients. No two clients change the same case unless there are fewer cases than clients.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn connect(
        address: SocketAddr,
        requests: &[Request<Full<Bytes>>],
        clients: usize,
    ) -> Result<Self> {
        let mut fleet = Self { clients: Vec::new() };
        for number in 0..clients {
            let connection = Connection::open(address).await?;
            fleet.clients.push(Client { connection, requests: deal(requests, number, clients), next: 0 });
        }
        Ok(fleet)
    }

    /// Sends for so long.
    ///
    /// # Errors
    /// When an answer is no success or a connection is lost.
    pub async fn drive(&mut self, time: Duration) -> Result<Turn> {
        let begun = Instant::now();
        let deadline = begun + time;
        let mut at_work = JoinSet::new();
        for client in self.clients.drain(..) {
            at_work.spawn(client.drive(deadline));
        }
        let mut turn = Turn::default();
        let last_answers = tokio::time::timeout(time + OVERTIME_MAX, async {
            while let Some(ended) = at_work.join_next().await {
                let (client, latencies_us) = ended??;
                self.clients.push(client);
                turn.latencies_us.extend(latencies_us);
            }
            anyhow::Ok(())
        });
        last_answers.await.context("the last answers did not come")??;
        turn.time = begun.elapsed();
        Ok(turn)
    }
}

impl Client {
    /// Sends one request after the other until the deadline.
    async fn drive(mut self, deadline: Instant) -> Result<(Self, Vec<u32>)> {
        let mut latencies_us = Vec::new();
        let mut sent = Instant::now();
        while sent < deadline {
            let request = self.requests.get(self.next).context("invariant: a client has requests")?.clone();
            self.next = (self.next + 1) % self.requests.len();
            let (status, answer) = self.connection.send(request).await?;
            ensure!(status.is_success(), "answered {status}: {}", String::from_utf8_lossy(&answer));
            let answered = Instant::now();
            latencies_us.push(u32::try_from((answered - sent).as_micros()).unwrap_or(u32::MAX));
            sent = answered;
        }
        Ok((self, latencies_us))
    }
}

/// The requests of one client.
fn deal<T: Clone>(requests: &[T], number: usize, clients: usize) -> Vec<T> {
    if requests.len() < clients {
        return requests.to_vec();
    }
    requests.iter().skip(number).step_by(clients).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_dealt_to_exactly_one_client() {
        let requests: Vec<usize> = (0..10).collect();
        let mut dealt: Vec<usize> = (0..4).flat_map(|number| deal(&requests, number, 4)).collect();
        dealt.sort_unstable();
        assert_eq!(dealt, requests);
    }

    #[test]
    fn every_client_has_requests_where_there_are_fewer_than_clients() {
        assert_eq!(deal(&[7], 3, 4), [7]);
    }
}
