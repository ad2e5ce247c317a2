//! One connection: its questions, whether it still lives, and whether the server has warned.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, Row, Statement};

use crate::error::StoreError;
use crate::postgres::connect::explained;

/// The values of a statement's parameters.
pub(crate) type Values<'a> = [&'a (dyn ToSql + Sync)];

/// A connection that has shown that it can be used.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: Client,
    /// The statements that were prepared, by their text.
    statements: Mutex<HashMap<&'static str, Statement>>,
    /// Set when the server sends a warning; see [`Link::take_warning`].
    warned: Arc<AtomicBool>,
    /// Turns true when the connection has ended.
    ended: watch::Receiver<bool>,
    /// Set when an answer did not come in time: what comes now would be the answer to another question.
    given_up: AtomicBool,
    /// The round of the proof that it was made after; see [`crate::postgres::engine::Shared::generation`].
    pub(crate) generation: u64,
    /// How long an answer may take.
    wait: Duration,
    /// The generation of now, for connections whose questions end when it moves on.
    generations: Option<watch::Receiver<u64>>,
}

impl Link {
    /// Drives a connection by a task of its own; notifications go to `notified`.
    pub(crate) fn drive<S, T>(
        client: Client,
        connection: Connection<S, T>,
        notified: Option<mpsc::Sender<String>>,
        generation: u64,
        wait: Duration,
    ) -> Link
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let warned = Arc::new(AtomicBool::new(false));
        let (end, ended) = watch::channel(false);
        tokio::spawn({
            let warned = Arc::clone(&warned);
            async move {
                listen(connection, &warned, notified).await;
                // Whoever watched may have gone away.
                end.send_replace(true);
            }
        });
        Link {
            client,
            statements: Mutex::default(),
            warned,
            ended,
            given_up: AtomicBool::new(false),
            generation,
            wait,
            generations: None,
        }
    }

    /// Lets every question end when the server may have been replaced: a connection that was cut off silently would keep
    /// whoever asked waiting.
    pub(crate) fn until_replaced(mut self, generations: watch::Receiver<u64>) -> Link {
        self.generations = Some(generations);
        self
    }

    /// Tells whether questions may still be asked.
    pub(crate) fn is_usable(&self) -> bool {
        !self.client.is_closed() && !self.given_up.load(Ordering::Relaxed)
    }

    /// Lets nobody ask any more.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Waits until the connection has ended.
    pub(crate) async fn ended(&self) {
        // An error says that the task is gone, and the connection with it.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }

    /// Tells whether the server has warned since this was asked last. A warning comes before the end of the statement
    /// that it is about.
    pub(crate) fn take_warning(&self) -> bool {
        self.warned.swap(false, Ordering::AcqRel)
    }

    /// Gives a statement, prepared at its first use.
    pub(crate) async fn statement(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        let kept = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let prepared = self.client.prepare(sql).await?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, prepared.clone());
        Ok(prepared)
    }

    /// Asks a question within the time of this connection.
    pub(crate) async fn query(&self, sql: &'static str, values: &Values<'_>) -> Result<Vec<Row>, StoreError> {
        // Boxed: whoever asks holds the room for it all the while.
        let asked = Box::pin(async { self.client.query(&self.statement(sql).await?, values).await });
        self.in_time(asked).await
    }

    /// Runs a statement within the time of this connection; gives how many rows it changed.
    pub(crate) async fn execute(&self, sql: &'static str, values: &Values<'_>) -> Result<u64, StoreError> {
        let asked = Box::pin(async { self.client.execute(&self.statement(sql).await?, values).await });
        self.in_time(asked).await
    }

    async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let late = tokio::select! {
            biased;
            answer = asked => return answer.map_err(|error| explained(&error)),
            () = tokio::time::sleep(self.wait) => "the database server has not answered in time",
            () = self.replaced() => "the database server may have been replaced",
        };
        self.give_up();
        Err(StoreError::Unreachable(late.into()))
    }

    async fn replaced(&self) {
        match &self.generations {
            Some(generations) => {
                // An error says that the store is gone.
                let _ = generations.clone().wait_for(|now| *now > self.generation).await;
            }
            None => std::future::pending().await,
        }
    }
}

/// Takes what the server sends beside its answers until the connection ends.
async fn listen<S, T>(
    mut connection: Connection<S, T>,
    warned: &AtomicBool,
    notified: Option<mpsc::Sender<String>>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let next = {
            let mut message = pin!(poll_fn(|context| connection.poll_message(context)));
            message.as_mut().await
        };
        match next {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                if notice.severity() == "WARNING" {
                    warned.store(true, Ordering::Release);
                    tracing::warn!(reason = notice.message(), "the database server warns");
                }
            }
            Some(Ok(AsyncMessage::Notification(notification))) => {
                if let Some(notified) = &notified {
                    // What finds no room comes with the next poll.
                    let _ = notified.try_send(notification.payload().to_owned());
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(%error, "a connection to the database has ended");
                return;
            }
            None => return,
        }
    }
}
