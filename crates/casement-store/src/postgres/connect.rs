//! Making connections: host by host, each within its time, checked and set up before anybody uses it.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_postgres::config::{Config, Host};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::database_url::DatabaseUrl;
use crate::error::StoreError;
use crate::limits;
use crate::options::FreshReads;
use crate::postgres::judge::{self, ServerFacts};
use crate::postgres::link::Link;
use crate::postgres::tls;

/// A small commit: it writes to the server's log, so it waits for the standby as any other, and leaves nothing behind.
pub(crate) const BEAT: &str = "SELECT pg_logical_emit_message(true, 'casement', 'beat')";

/// Asked of each new connection.
const FACTS: &str = "SELECT current_setting('server_version_num'),
        pg_is_in_recovery(),
        current_setting('default_transaction_read_only'),
        current_setting('synchronous_commit'),
        current_setting('synchronous_standby_names'),
        current_setting('fsync'),
        (SELECT COUNT(*)
         FROM pg_stat_replication),
        current_setting('server_encoding')";

/// How a connection behaves, whatever the database and its user have as defaults. Each statement finds its rows by their
/// keys, so plans that read whole tables would only come from old statistics.
const SESSION: &str = "SET default_transaction_isolation = 'read committed';
     SET statement_timeout = 0;
     SET idle_session_timeout = 0;
     SET enable_seqscan = off;
     SET enable_hashjoin = off;
     SET enable_mergejoin = off;
     SET enable_memoize = off;
     SET jit = off;
     SET plan_cache_mode = force_generic_plan;
     SET bytea_output = 'hex';
     SET client_min_messages = 'warning'";

/// What a connection is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Committing.
    Write,
    /// Moving everything into the database.
    Transfer,
    /// Reading, within such a time for each answer.
    Read(Duration),
    /// Asking heads; whoever waits is told after [`limits::ROUND_WAIT`].
    Rounds,
    /// Hearing of what other nodes commit.
    News(mpsc::Sender<String>),
}

/// Where to connect to, and how.
#[derive(Clone)]
pub(crate) struct Target {
    url: DatabaseUrl,
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    fresh_reads: FreshReads,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Target").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Target {
    /// Reads what is needed for TLS.
    pub(crate) fn new(url: DatabaseUrl, fresh_reads: FreshReads) -> Result<Target, StoreError> {
        let tls = tls::connector(&url)?;
        Ok(Target { hosts: url.hosts(), tls, url, fresh_reads })
    }

    /// Connects to the first host that can be used. `generation`: see [`Link`].
    pub(crate) async fn link(&self, purpose: &Purpose, generation: u64) -> Result<Link, StoreError> {
        let mut failures: Vec<(String, StoreError)> = Vec::new();
        for config in &self.hosts {
            match tokio::time::timeout(limits::CONNECT_WAIT, self.one(config, purpose, generation)).await {
                Ok(Ok(link)) => return Ok(link),
                Ok(Err(error)) => failures.push((name(config), error)),
                Err(_) => {
                    let late = format!("no answer within {} s", limits::CONNECT_WAIT.as_secs());
                    failures.push((name(config), StoreError::Unreachable(late)));
                }
            }
        }
        Err(judged(failures))
    }

    async fn one(&self, config: &Config, purpose: &Purpose, generation: u64) -> Result<Link, StoreError> {
        let (notified, wait) = match purpose {
            Purpose::Write => (None, limits::LOCK_WAIT),
            Purpose::Transfer => (None, limits::INSPECT_WAIT),
            Purpose::Read(wait) => (None, *wait),
            Purpose::Rounds => (None, limits::ROUND_WAIT),
            Purpose::News(notified) => (Some(notified.clone()), limits::POINT_READ_WAIT),
        };
        let link = match &self.tls {
            Some(tls) => {
                let (client, connection) =
                    config.connect(tls.clone()).await.map_err(|error| explained(&error))?;
                Link::drive(client, connection, notified, generation, wait)
            }
            None => {
                let (client, connection) = config.connect(NoTls).await.map_err(|error| explained(&error))?;
                Link::drive(client, connection, notified, generation, wait)
            }
        };
        self.set_up(&link, purpose).await?;
        Ok(link)
    }

    async fn set_up(&self, link: &Link, purpose: &Purpose) -> Result<(), StoreError> {
        let facts = facts(&link.client).await?;
        if let Some(reason) = judge::refusal(&facts) {
            return Err(StoreError::Unusable(reason));
        }
        let client = &link.client;
        client.batch_execute(SESSION).await.map_err(|error| explained(&error))?;
        // As it was found right, whatever is set for others meanwhile.
        let kept = format!("SET synchronous_commit = {}", facts.synchronous_commit);
        client.batch_execute(&kept).await.map_err(|error| explained(&error))?;
        if facts.version >= 170_000 {
            let set = client.batch_execute("SET transaction_timeout = 0").await;
            set.map_err(|error| explained(&error))?;
        }
        match purpose {
            Purpose::Write => {
                let idle = limits::IDLE_IN_TRANSACTION_MS;
                let lock = limits::LOCK_WAIT.as_millis();
                let timers =
                    format!("SET idle_in_transaction_session_timeout = {idle}; SET lock_timeout = {lock}");
                client.batch_execute(&timers).await.map_err(|error| explained(&error))?;
            }
            Purpose::Transfer => {}
            Purpose::News(_) => {
                // Notifications are hints: nobody waits until a standby has them.
                let listen = "SET synchronous_commit = off; LISTEN casement";
                client.batch_execute(listen).await.map_err(|error| explained(&error))?;
            }
            Purpose::Read(_) | Purpose::Rounds => match self.fresh_reads {
                FreshReads::Commit => self.prove(link).await?,
                FreshReads::Plain => {}
            },
        }
        Ok(())
    }

    /// Commits something small: only the server that takes the writes can.
    async fn prove(&self, link: &Link) -> Result<(), StoreError> {
        link.take_warning();
        link.query(BEAT, &[]).await?;
        if link.take_warning() {
            return Err(StoreError::Unreachable(
                "the database server has ended the wait for its standby".into(),
            ));
        }
        Ok(())
    }

    /// Asks a server what it is, and gives what an operator should know about it.
    pub(crate) async fn warnings(&self, link: &Link) -> Result<Vec<String>, StoreError> {
        Ok(judge::warnings(&facts(&link.client).await?))
    }
}

async fn facts(client: &Client) -> Result<ServerFacts, StoreError> {
    let messages = client.simple_query(FACTS).await.map_err(|error| explained(&error))?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let text = |place: usize| row.and_then(|row| row.get(place)).unwrap_or_default().to_owned();
    let is_on = |text: &str| text == "on" || text == "t";
    Ok(ServerFacts {
        version: text(0).parse().unwrap_or_default(),
        in_recovery: is_on(&text(1)),
        read_only: is_on(&text(2)),
        synchronous_commit: text(3),
        standby_names: text(4),
        fsync: is_on(&text(5)),
        standbys: text(6).parse().unwrap_or_default(),
        encoding: text(7),
    })
}

fn name(config: &Config) -> String {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match config.get_hosts().first() {
        Some(Host::Tcp(name)) => format!("{name}:{port}"),
        Some(Host::Unix(path)) => format!("{} (port {port})", path.display()),
        None => config.get_hostaddrs().first().map(|address| format!("{address}:{port}")).unwrap_or_default(),
    }
}

/// Tells of all hosts why none could be used. While one can't be reached, trying again may help.
fn judged(failures: Vec<(String, StoreError)>) -> StoreError {
    let is_final = failures.iter().all(|(_, error)| matches!(error, StoreError::Unusable(_)));
    let told: Vec<String> = failures.into_iter().map(|(host, error)| format!("{host}: {error}")).collect();
    let told = format!("the database can't be used: {}", told.join("; "));
    if is_final { StoreError::Unusable(told) } else { StoreError::Unreachable(told) }
}

/// Says in a sentence what an error of the driver means.
pub(crate) fn explained(error: &tokio_postgres::Error) -> StoreError {
    let Some(database) = error.as_db_error() else {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        // The driver's word for a host that target_session_attrs does not fit.
        if cause.contains("does not allow writes") {
            return StoreError::Unusable(
                "the server takes no writes (a standby, or default_transaction_read_only is on); name the primary, \
                 or all hosts of the cluster separated by commas"
                    .into(),
            );
        }
        return StoreError::Unreachable(format!("{error}{cause}"));
    };
    let said = database.message();
    match database.code() {
        code if *code == SqlState::INVALID_PASSWORD
            || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
        {
            StoreError::Unusable(format!(
                "the server refuses the user ({said}); look at user and password of the address, and at pg_hba.conf"
            ))
        }
        code if *code == SqlState::INVALID_CATALOG_NAME => StoreError::Unusable(format!(
            "{said}; make it: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )),
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Unusable(format!(
            "the user may not do what is needed ({said}); let it own the database, or grant CREATE on its schema"
        )),
        code if *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
            StoreError::Unreachable(format!("the server takes no writes now ({said})"))
        }
        code if *code == SqlState::DISK_FULL => StoreError::Unreachable(format!(
            "the disk of the database server is full ({said}); make room there"
        )),
        code => StoreError::Unreachable(format!("the database server says: {said} ({})", code.code())),
    }
}
