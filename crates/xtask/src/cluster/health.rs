//! How a cluster is: what its programs say of themselves, and whether that makes a whole cluster. It asks and changes
//! nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use serde_json::Value;

use super::layout::{Layout, Machine, Replication, Role, port};
use crate::client::Connection;

/// How long a program may take to answer before it counts as silent.
const ANSWER_WAIT: Duration = Duration::from_secs(1);

/// How often a cluster is asked while it is waited for.
const POLL: Duration = Duration::from_millis(250);

/// A member as Patroni lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its machine's name.
    pub name: String,
    /// `leader`, `sync_standby`, `replica` …
    pub role: String,
    /// `running`, `streaming`, `stopped` …
    pub state: String,
    /// How often the history of its data has forked.
    pub timeline: Option<u64>,
}

/// What all programs said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The members by Patroni's view; none when no Patroni answers.
    pub members: Vec<Member>,
    /// Whether HAProxy has a primary to lead to.
    pub front: bool,
    /// The machines whose etcd answers that it is healthy.
    pub etcd: Vec<String>,
    /// The machines whose Casement says that it is ready.
    pub ready: Vec<String>,
}

impl Health {
    /// Asks every program but those of the machines to leave out, which may be cut off or hold an old view.
    pub async fn ask(layout: &Layout, left_out: &[Machine]) -> Self {
        let mut health = Self::default();
        for machine in Machine::of(Role::Database).filter(|machine| !left_out.contains(machine)) {
            let says_healthy = get(layout, machine, port::ETCD, "/health").await;
            if says_healthy.is_ok_and(|(_, body)| body.get("health").is_some_and(|word| *word == "true")) {
                health.etcd.push(machine.name.to_owned());
            }
            if health.members.is_empty()
                && let Ok((_, body)) = get(layout, machine, port::PATRONI, "/cluster").await
            {
                health.members = members(&body);
            }
        }
        for machine in Machine::of(Role::Front) {
            let statistics = get(layout, machine, port::STATISTICS, "/;csv").await;
            health.front =
                statistics.is_ok_and(|(_, page)| leads_somewhere(page.as_str().unwrap_or_default()));
        }
        let applications = Machine::of(Role::Application).filter(|_| layout.casement.is_some());
        for machine in applications.filter(|machine| !left_out.contains(machine)) {
            if get(layout, machine, port::CASEMENT, "/readyz")
                .await
                .is_ok_and(|(status, _)| status.is_success())
            {
                health.ready.push(machine.name.to_owned());
            }
        }
        health
    }

    /// The leader's machine, where there is one.
    pub fn leader(&self) -> Option<Machine> {
        self.named("leader")
    }

    /// The machine of the standby that every commit waits for.
    pub fn synchronous_standby(&self) -> Option<Machine> {
        self.named("sync_standby")
    }

    fn named(&self, role: &str) -> Option<Machine> {
        let member = self.members.iter().find(|member| member.role == role)?;
        Machine::named(&member.name).ok()
    }

    /// What is missing of a whole cluster, in words.
    pub fn missing(&self, layout: &Layout) -> Vec<String> {
        let mut missing = Vec::new();
        for machine in Machine::of(Role::Database) {
            if !self.etcd.iter().any(|name| name == machine.name) {
                missing.push(format!("{}: etcd", machine.name));
            }
            let works = |member: &&Member| matches!(member.state.as_str(), "running" | "streaming");
            if !self.members.iter().filter(works).any(|member| member.name == machine.name) {
                missing.push(format!("{}: PostgreSQL", machine.name));
            }
        }
        if !self.front {
            missing.push("front: HAProxy with a primary".to_owned());
        }
        let Some(leader) = self.members.iter().find(|member| member.role == "leader") else {
            missing.push("a leader".to_owned());
            return missing;
        };
        for member in self.members.iter().filter(|member| member.timeline != leader.timeline) {
            missing.push(format!("{}: on the leader's timeline", member.name));
        }
        match layout.replication {
            Replication::Synchronous if self.synchronous_standby().is_none() => {
                missing.push("a synchronous standby".to_owned());
            }
            Replication::Synchronous | Replication::Asynchronous => {}
        }
        for machine in Machine::of(Role::Application).filter(|_| layout.casement.is_some()) {
            if !self.ready.iter().any(|name| name == machine.name) {
                missing.push(format!("{}: Casement", machine.name));
            }
        }
        missing
    }
}

/// Waits until nothing is missing.
///
/// # Errors
/// When the time is over; the error names what is missing still.
pub async fn wait_until_whole(layout: &Layout, wait: Duration) -> Result<Health> {
    let until = Instant::now() + wait;
    loop {
        let health = Health::ask(layout, &[]).await;
        let missing = health.missing(layout);
        if missing.is_empty() {
            return Ok(health);
        }
        if Instant::now() > until {
            bail!("the cluster is not whole after {wait:?}; missing: {}", missing.join(", "));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Waits until etcd answers on most of its machines.
///
/// # Errors
/// When the time is over.
pub async fn wait_for_etcd(layout: &Layout, wait: Duration) -> Result<()> {
    let until = Instant::now() + wait;
    while Health::ask(layout, &[]).await.etcd.len() < 2 {
        if Instant::now() > until {
            bail!("etcd did not answer within {wait:?}; see etcd.log in the machines' folders");
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Waits until another machine than the former leader leads.
///
/// # Errors
/// When the time is over.
pub async fn wait_for_another_leader(
    layout: &Layout,
    former: Machine,
    left_out: &[Machine],
    wait: Duration,
) -> Result<Machine> {
    let until = Instant::now() + wait;
    loop {
        match Health::ask(layout, left_out).await.leader() {
            Some(leader) if leader != former => return Ok(leader),
            _ if Instant::now() > until => bail!("nobody took over from {} within {wait:?}", former.name),
            _ => tokio::time::sleep(POLL).await,
        }
    }
}

/// What a program answers to a GET.
///
/// # Errors
/// When it doesn't answer in time, or no JSON.
pub async fn get(layout: &Layout, machine: Machine, port: u16, path: &str) -> Result<(StatusCode, Value)> {
    let request = Request::get(path).header(HOST, machine.name).body(Full::default())?;
    tokio::time::timeout(ANSWER_WAIT, ask(layout, machine, port, request)).await?
}

/// Sends a request to a program of a machine.
///
/// # Errors
/// When it doesn't answer.
pub async fn ask(
    layout: &Layout,
    machine: Machine,
    port: u16,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Value)> {
    let address = SocketAddr::from((layout.address(machine), port));
    let (status, body) = Connection::open(address).await?.send(request).await?;
    let value =
        serde_json::from_slice(&body).or_else(|_| String::from_utf8(body.to_vec()).map(Value::String));
    Ok((status, value.context("an answer is neither JSON nor text")?))
}

/// Whether HAProxy's statistics, as CSV, show a server behind the way to the primary.
fn leads_somewhere(statistics: &str) -> bool {
    statistics
        .lines()
        .any(|line| line.starts_with("primary,BACKEND,") && line.split(',').any(|word| word == "UP"))
}

/// The members in Patroni's answer.
fn members(body: &Value) -> Vec<Member> {
    let text = |member: &Value, key: &str| -> String {
        member.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let listed = body.get("members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    listed
        .iter()
        .map(|member| Member {
            name: text(member, "name"),
            role: text(member, "role"),
            state: text(member, "state"),
            timeline: member.get("timeline").and_then(Value::as_u64),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;
    use crate::cluster::layout::{Network, Passwords};

    fn layout(replication: Replication) -> Layout {
        Layout {
            directory: PathBuf::from("/srv/cluster"),
            network: Network::Loopback,
            number: 0,
            replication,
            user: String::new(),
            postgres_programs: PathBuf::new(),
            passwords: Passwords {
                superuser: String::new(),
                replication: String::new(),
                casement: String::new(),
            },
            casement: None,
            settings: Vec::new(),
        }
    }

    fn whole() -> Health {
        let listed = json!({"members": [
            {"name": "db1", "role": "leader", "state": "running", "timeline": 2},
            {"name": "db2", "role": "sync_standby", "state": "streaming", "timeline": 2},
            {"name": "db3", "role": "replica", "state": "streaming", "timeline": 2},
        ]});
        let etcd = ["db1", "db2", "db3"].map(str::to_owned).to_vec();
        let front = leads_somewhere("# pxname,svname,status,\nprimary,BACKEND,0,UP,1,\n");
        Health { members: members(&listed), front, etcd, ready: Vec::new() }
    }

    #[test]
    fn a_whole_cluster_lacks_nothing_and_says_who_leads() {
        let health = whole();
        assert_eq!(health.missing(&layout(Replication::Synchronous)), [] as [String; 0]);
        assert_eq!(health.leader().unwrap().name, "db1");
        assert_eq!(health.synchronous_standby().unwrap().name, "db2");
    }

    #[test]
    fn whatever_is_missing_is_named() {
        let missing = |health: &Health| health.missing(&layout(Replication::Synchronous));
        let mut health = whole();
        health.etcd.pop();
        assert_eq!(missing(&health), ["db3: etcd"]);
        let mut health = whole();
        health.members[2].state = "stopped".to_owned();
        assert_eq!(missing(&health), ["db3: PostgreSQL"]);
        let mut health = whole();
        health.members[2].timeline = Some(1);
        assert_eq!(missing(&health), ["db3: on the leader's timeline"]);
        let mut health = whole();
        health.members[1].role = "replica".to_owned();
        assert_eq!(missing(&health), ["a synchronous standby"]);
        assert_eq!(health.missing(&layout(Replication::Asynchronous)), [] as [String; 0]);
        let mut health = whole();
        health.members[0].role = "replica".to_owned();
        assert_eq!(missing(&health), ["a leader"]);
        assert_eq!(missing(&Health { front: false, ..whole() }), ["front: HAProxy with a primary"]);
        assert!(!leads_somewhere("primary,db1,UP,\nprimary,BACKEND,0,DOWN,1,\ncasement,BACKEND,UP,\n"));
        let with_nodes = Layout { casement: Some("casement".into()), ..layout(Replication::Synchronous) };
        assert_eq!(whole().missing(&with_nodes), ["app1: Casement", "app2: Casement"]);
    }
}
