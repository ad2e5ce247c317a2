//! The configuration files of a cluster's programs, as text: etcd, Patroni, HAProxy. Pure.
//!
//! The same functions make the files of the script and those of docs/scale.md, which a test holds together: what the page
//! shows is what the failover proof runs on, with other addresses and folders.

use std::path::PathBuf;

use super::layout::{Layout, Machine, Passwords, Replication, Role, port};

/// Where a database machine keeps its things.
#[derive(Clone, Debug)]
pub struct Folders {
    /// etcd's data.
    pub etcd: PathBuf,
    /// PostgreSQL's data.
    pub postgres: PathBuf,
    /// PostgreSQL's socket.
    pub socket: PathBuf,
    /// The file where Patroni keeps passwords for its own connections.
    pub passwords: PathBuf,
    /// PostgreSQL's programs.
    pub programs: PathBuf,
}

/// What the texts need to know of a cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Each database machine: name, address.
    pub databases: Vec<(String, String)>,
    /// Each application machine: name, address.
    pub applications: Vec<(String, String)>,
    /// The address of the front.
    pub front: String,
    /// The network that connections come from.
    pub connections_from: String,
    /// When a commit is acknowledged.
    pub replication: Replication,
    /// The passwords.
    pub passwords: Passwords,
}

impl Cluster {
    /// What the texts need of a layout.
    pub fn of(layout: &Layout) -> Self {
        let machines = |role: Role| -> Vec<(String, String)> {
            Machine::of(role)
                .map(|machine| (machine.name.to_owned(), layout.address(machine).to_string()))
                .collect()
        };
        Self {
            databases: machines(Role::Database),
            applications: machines(Role::Application),
            front: machines(Role::Front).into_iter().map(|(_, address)| address).collect(),
            connections_from: layout.connections_from(),
            replication: layout.replication,
            passwords: layout.passwords.clone(),
        }
    }

    fn address(&self, name: &str) -> &str {
        let machine = self.databases.iter().find(|(known, _)| known == name);
        machine.map_or("", |(_, address)| address)
    }
}

/// etcd's settings on a machine, as its environment.
pub fn etcd(cluster: &Cluster, name: &str, folders: &Folders) -> Vec<(&'static str, String)> {
    let address = cluster.address(name);
    let members: Vec<String> = cluster
        .databases
        .iter()
        .map(|(name, address)| format!("{name}=http://{address}:{}", port::ETCD_PEER))
        .collect();
    let (client, peer) =
        (format!("http://{address}:{}", port::ETCD), format!("http://{address}:{}", port::ETCD_PEER));
    vec![
        ("ETCD_NAME", name.to_owned()),
        ("ETCD_DATA_DIR", folders.etcd.display().to_string()),
        ("ETCD_LISTEN_CLIENT_URLS", client.clone()),
        ("ETCD_ADVERTISE_CLIENT_URLS", client),
        ("ETCD_LISTEN_PEER_URLS", peer.clone()),
        ("ETCD_INITIAL_ADVERTISE_PEER_URLS", peer),
        ("ETCD_INITIAL_CLUSTER", members.join(",")),
        ("ETCD_INITIAL_CLUSTER_STATE", "new".to_owned()),
        ("ETCD_INITIAL_CLUSTER_TOKEN", "casement".to_owned()),
        ("ETCD_ENABLE_V2", "true".to_owned()),
        ("ETCD_HEARTBEAT_INTERVAL", "200".to_owned()),
        ("ETCD_ELECTION_TIMEOUT", "2000".to_owned()),
        ("ETCD_AUTO_COMPACTION_RETENTION", "1".to_owned()),
    ]
}

/// Patroni's file on a machine.
pub fn patroni(cluster: &Cluster, name: &str, folders: &Folders) -> String {
    let address = cluster.address(name);
    let etcd: String =
        cluster.databases.iter().map(|(_, address)| format!("    - {address}:{}\n", port::ETCD)).collect();
    let synchronous = match cluster.replication {
        Replication::Synchronous => true,
        Replication::Asynchronous => false,
    };
    let Passwords { superuser, replication, .. } = &cluster.passwords;
    let network = &cluster.connections_from;
    let (postgres, patroni) = (port::POSTGRES, port::PATRONI);
    let (data, programs) = (folders.postgres.display(), folders.programs.display());
    let (socket, passfile) = (folders.socket.display(), folders.passwords.display());
    format!(
        "\
scope: casement
name: {name}

restapi:
  listen: {address}:{patroni}
  connect_address: {address}:{patroni}

# The second interface of etcd: Patroni before 3.0.3 may take the lead back by the third one (etcd3) after a freeze.
etcd:
  hosts:
{etcd}
bootstrap:
  # Goes into etcd when the cluster is made; later by `patronictl edit-config`.
  dcs:
    ttl: 20
    loop_wait: 5
    retry_timeout: 5
    synchronous_mode: {synchronous}
    synchronous_mode_strict: {synchronous}
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 100
        max_wal_senders: 10
        max_replication_slots: 10
        wal_keep_size: 512MB
        synchronous_commit: 'on'
        # A client that vanished without a word is noticed after 10 s, and its locks are free.
        tcp_keepalives_idle: 5
        tcp_keepalives_interval: 2
        tcp_keepalives_count: 3
        tcp_user_timeout: 10s
        # A standby that fell silent is left alone after 10 s.
        wal_sender_timeout: 10s
        wal_receiver_timeout: 10s
  initdb:
    - encoding: UTF8
    - locale: C.UTF-8
    - data-checksums
  pg_hba:
    - local all all scram-sha-256
    - host replication replicator {network} scram-sha-256
    - host all all {network} scram-sha-256

postgresql:
  listen: {address}:{postgres}
  connect_address: {address}:{postgres}
  data_dir: {data}
  bin_dir: {programs}
  pgpass: {passfile}
  authentication:
    superuser: {{username: postgres, password: '{superuser}'}}
    replication: {{username: replicator, password: '{replication}'}}
  parameters:
    unix_socket_directories: '{socket}'
    password_encryption: scram-sha-256

# `required` where the machine has /dev/watchdog: a primary whose Patroni hangs is then reset.
watchdog:
  mode: 'off'
"
    )
}

/// HAProxy's file: the way to the primary, and the way to Casement.
pub fn haproxy(cluster: &Cluster) -> String {
    let servers = |port: u16, check: u16| -> String {
        let line = |(name, address): &(String, String)| {
            format!("    server {name} {address}:{port} check port {check}\n")
        };
        cluster.databases.iter().map(line).collect()
    };
    let databases = servers(port::POSTGRES, port::PATRONI);
    let applications: String = cluster
        .applications
        .iter()
        .map(|(name, address)| format!("    server {name} {address}:{} check\n", port::CASEMENT))
        .collect();
    let front = &cluster.front;
    let (primary, casement, statistics) = (port::PRIMARY, port::CASEMENT, port::STATISTICS);
    format!(
        "\
global
    maxconn 4000

defaults
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    timeout check 1s
    option clitcpka
    option srvtcpka

# The primary is the server whose Patroni answers 200 to /primary: it holds the leader's key.
listen primary
    bind {front}:{primary}
    mode tcp
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{databases}
listen casement
    bind {front}:{casement}
    mode http
    option forwardfor
    option httpchk GET /readyz
    http-check expect status 200
    default-server inter 1s fall 2 rise 1
{applications}
listen statistics
    bind {front}:{statistics}
    mode http
    stats enable
    stats uri /
"
    )
}

/// What the proof adds to HAProxy: a second way to the primary that leaves sessions on a server that is no longer it, so
/// that a node is seen to notice by itself.
pub fn haproxy_kept(cluster: &Cluster) -> String {
    let line = |(name, address): &(String, String)| {
        format!("    server {name} {address}:{} check port {}\n", port::POSTGRES, port::PATRONI)
    };
    let databases: String = cluster.databases.iter().map(line).collect();
    let (front, kept) = (&cluster.front, port::PRIMARY_KEPT);
    format!(
        "
listen primary-kept
    bind {front}:{kept}
    mode tcp
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 1s fall 2 rise 1
{databases}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cluster that docs/scale.md describes.
    fn of_the_page() -> (Cluster, Folders) {
        let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
        let cluster = Cluster {
            databases: vec![pair("db1", "10.0.0.11"), pair("db2", "10.0.0.12"), pair("db3", "10.0.0.13")],
            applications: vec![pair("app1", "10.0.0.21"), pair("app2", "10.0.0.22")],
            front: "10.0.0.10".to_owned(),
            connections_from: "10.0.0.0/24".to_owned(),
            replication: Replication::Synchronous,
            passwords: Passwords {
                superuser: "CHANGE-1".to_owned(),
                replication: "CHANGE-2".to_owned(),
                casement: "CHANGE-3".to_owned(),
            },
        };
        let folders = Folders {
            etcd: "/var/lib/etcd/casement".into(),
            postgres: "/var/lib/postgresql/casement".into(),
            socket: "/var/run/postgresql".into(),
            passwords: "/var/lib/postgresql/.pgpass-patroni".into(),
            programs: "/usr/lib/postgresql/15/bin".into(),
        };
        (cluster, folders)
    }

    #[test]
    fn the_page_on_scale_shows_the_files_that_the_proof_runs_on() {
        let page =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scale.md")).unwrap();
        let (cluster, folders) = of_the_page();
        let etcd: String = etcd(&cluster, "db1", &folders)
            .iter()
            .map(|(key, value)| format!("{key}=\"{value}\"\n"))
            .collect();
        for text in [etcd, patroni(&cluster, "db1", &folders), haproxy(&cluster)] {
            assert!(page.contains(&text), "docs/scale.md lacks this file:\n{text}");
        }
    }

    #[test]
    fn each_member_has_its_own_name_and_address_in_the_same_cluster() {
        let (cluster, folders) = of_the_page();
        let (first, second) = (patroni(&cluster, "db1", &folders), patroni(&cluster, "db2", &folders));
        assert!(first.contains("name: db1\n") && first.contains("listen: 10.0.0.11:5432"));
        assert!(second.contains("name: db2\n") && second.contains("listen: 10.0.0.12:5432"));
        for text in [&first, &second] {
            assert_eq!(text.matches(":2379").count(), 3, "{text}");
        }
    }

    #[test]
    fn the_losing_set_up_differs_in_its_replication_alone() {
        let (cluster, folders) = of_the_page();
        let loses = Cluster { replication: Replication::Asynchronous, ..cluster.clone() };
        let (sound, loses) = (patroni(&cluster, "db1", &folders), patroni(&loses, "db1", &folders));
        let differing: Vec<&str> = sound
            .lines()
            .zip(loses.lines())
            .filter(|(one, other)| one != other)
            .map(|(one, _)| one.trim())
            .collect();
        assert_eq!(differing, ["synchronous_mode: true", "synchronous_mode_strict: true"]);
    }
}
