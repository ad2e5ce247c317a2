//! What a fresh read on a database server can't do without: one round of heads and a small commit, on a connection of its own.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio_postgres::{Client, NoTls, Statement};

const HEADS: &str = "SELECT id, head, config_version FROM workspace";
const BEAT: &str = "SELECT pg_logical_emit_message(true, 'casement', 'beat')";

/// A connection that asks one round after the other.
pub struct RawRound {
    client: Client,
    heads: Statement,
    beat: Statement,
    taken_us: Vec<u32>,
}

impl RawRound {
    /// Connects.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn connect(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("the database")?;
        tokio::spawn(connection);
        let (heads, beat) = (client.prepare(HEADS).await?, client.prepare(BEAT).await?);
        Ok(Self { client, heads, beat, taken_us: Vec::new() })
    }

    /// Asks rounds for so long.
    ///
    /// # Errors
    /// When the database refuses a statement.
    pub async fn drive(&mut self, time: Duration) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < time {
            let asked = Instant::now();
            let (heads, beaten) = tokio::join!(
                biased;
                self.client.query(&self.heads, &[]),
                self.client.execute(&self.beat, &[]),
            );
            heads?;
            beaten?;
            self.taken_us.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    /// The times in microseconds, the shortest first.
    pub fn sorted_us(mut self) -> Vec<u32> {
        self.taken_us.sort_unstable();
        self.taken_us
    }
}
