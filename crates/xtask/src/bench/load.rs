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
    /// The time of each request inside the server, in microseconds, where its answers tell it.
    pub inside_us: Vec<u32>,
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
                let (client, of_client) = ended??;
                self.clients.push(client);
                turn.latencies_us.extend(of_client.latencies_us);
                turn.inside_us.extend(of_client.inside_us);
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
    async fn drive(mut self, deadline: Instant) -> Result<(Self, Turn)> {
        let mut turn = Turn::default();
        let mut sent = Instant::now();
        while sent < deadline {
            let request = self.requests.get(self.next).context("invariant: a client has requests")?.clone();
            self.next = (self.next + 1) % self.requests.len();
            let (head, answer) = self.connection.ask(request).await?;
            let status = head.status;
            ensure!(status.is_success(), "answered {status}: {}", String::from_utf8_lossy(&answer));
            let answered = Instant::now();
            turn.latencies_us.push(u32::try_from((answered - sent).as_micros()).unwrap_or(u32::MAX));
            turn.inside_us
                .extend(head.headers.get("server-timing").and_then(|told| inside_us(told.as_bytes())));
            sent = answered;
        }
        Ok((self, turn))
    }
}

/// Reads `total;dur=0.123`, milliseconds, as microseconds.
fn inside_us(told: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(told).ok()?;
    let ms: f64 = text.split("total;dur=").nth(1)?.split([',', ';', ' ']).next()?.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a duration of a request")]
    let us = (ms * 1000.0).round() as u32;
    Some(us)
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
    fn the_time_inside_the_server_is_read_from_its_header() {
        assert_eq!(inside_us(b"total;dur=1.234"), Some(1234));
        assert_eq!(inside_us(b"index;dur=9, total;dur=0.050, x"), Some(50));
        assert_eq!(inside_us(b"index;dur=9"), None);
    }

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
