//! Which machines a cluster has, and where everything of each is: addresses, ports, folders. Pure, apart from the one
//! file that keeps it between commands.
//!
//! A machine is a name, an address and, where the system has them, a network namespace; [`super::network`] makes those.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// The file below the cluster's directory that keeps its layout.
const FILE: &str = "cluster.json";

/// The ports, the same on each machine: every machine has an address of its own.
pub mod port {
    /// PostgreSQL.
    pub const POSTGRES: u16 = 5432;
    /// Patroni's REST interface.
    pub const PATRONI: u16 = 8008;
    /// What clients ask etcd at.
    pub const ETCD: u16 = 2379;
    /// What etcd's members speak to each other at.
    pub const ETCD_PEER: u16 = 2380;
    /// HAProxy's way to the primary, which ends the sessions of a server that is no longer it.
    pub const PRIMARY: u16 = 5000;
    /// HAProxy's way to the primary that leaves sessions where they are, as a client with several hosts would.
    pub const PRIMARY_KEPT: u16 = 5001;
    /// Casement, on its machines and at HAProxy.
    pub const CASEMENT: u16 = 7400;
    /// HAProxy's page of statistics.
    pub const STATISTICS: u16 = 7000;
}

/// What a machine is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An etcd member, Patroni and PostgreSQL.
    Database,
    /// HAProxy.
    Front,
    /// A Casement node.
    Application,
}

/// One machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// The last number of its address.
    host: u8,
}

/// The machines of every cluster.
pub const MACHINES: [Machine; 6] = [
    Machine { name: "db1", role: Role::Database, host: 11 },
    Machine { name: "db2", role: Role::Database, host: 12 },
    Machine { name: "db3", role: Role::Database, host: 13 },
    Machine { name: "front", role: Role::Front, host: 1 },
    Machine { name: "app1", role: Role::Application, host: 21 },
    Machine { name: "app2", role: Role::Application, host: 22 },
];

impl Machine {
    /// The machine of a name.
    ///
    /// # Errors
    /// When there is none; the error names those that are there.
    pub fn named(name: &str) -> Result<Self> {
        let machine = MACHINES.into_iter().find(|machine| machine.name == name);
        machine.with_context(|| {
            let names: Vec<&str> = MACHINES.iter().map(|machine| machine.name).collect();
            format!("there is no machine {name}: {}", names.join(", "))
        })
    }

    /// The machines of one role.
    pub fn of(role: Role) -> impl Iterator<Item = Self> {
        MACHINES.into_iter().filter(move |machine| machine.role == role)
    }
}

/// How the machines are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Each machine in a network namespace, on one bridge: its network can be cut
    Namespaces,
    /// Addresses of the loopback: needs nothing of the system, and cuts nothing
    Loopback,
}

/// When a commit is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Replication {
    /// When a second server has it (`synchronous_mode` and `synchronous_mode_strict`)
    Synchronous,
    /// At once: a failover loses what was not copied yet. For proving that a proof finds it
    Asynchronous,
}

/// The passwords of a cluster's database users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passwords {
    /// Of `postgres`.
    pub superuser: String,
    /// Of `replicator`.
    pub replication: String,
    /// Of `casement`.
    pub casement: String,
}

/// A cluster: what was chosen when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The directory that holds all of it.
    pub directory: PathBuf,
    /// How the machines are kept apart.
    pub network: Network,
    /// Which cluster of this machine: the third number of its addresses.
    pub number: u8,
    /// When a commit is acknowledged.
    pub replication: Replication,
    /// The system's user that the databases run as.
    pub user: String,
    /// Where PostgreSQL's programs are.
    pub postgres_programs: PathBuf,
    /// The passwords.
    pub passwords: Passwords,
    /// The Casement program of the application nodes; without one there are none.
    pub casement: Option<PathBuf>,
    /// Further settings of the nodes.
    #[serde(default)]
    pub settings: Vec<String>,
}

impl Layout {
    /// The address of a machine.
    pub fn address(&self, machine: Machine) -> Ipv4Addr {
        match self.network {
            Network::Namespaces => Ipv4Addr::new(10, 77, self.number, machine.host),
            Network::Loopback => Ipv4Addr::new(127, 77, self.number, machine.host),
        }
    }

    /// The network that connections between machines come from.
    pub fn connections_from(&self) -> String {
        match self.network {
            Network::Namespaces => format!("10.77.{}.0/24", self.number),
            // The system picks 127.0.0.1 as the source, whatever address of the loopback is called.
            Network::Loopback => "127.0.0.0/8".to_owned(),
        }
    }

    /// The network namespace of a machine, where it has one: the front stays outside, at the bridge's own address.
    pub fn namespace(&self, machine: Machine) -> Option<String> {
        match (self.network, machine.role) {
            (Network::Loopback, _) | (Network::Namespaces, Role::Front) => None,
            (Network::Namespaces, Role::Database | Role::Application) => {
                Some(format!("casement-{}-{}", self.number, machine.name))
            }
        }
    }

    /// The bridge that the namespaces hang on.
    pub fn bridge(&self) -> String {
        format!("csmt{}", self.number)
    }

    /// The folder of a machine.
    pub fn folder(&self, machine: Machine) -> PathBuf {
        self.directory.join(machine.name)
    }

    /// The URL of the database by one of the front's ports.
    pub fn database_url(&self, front_port: u16) -> String {
        let front = MACHINES.into_iter().find(|machine| machine.role == Role::Front);
        let address = front.map_or(Ipv4Addr::LOCALHOST, |front| self.address(front));
        format!(
            "postgres://casement:{}@{address}:{front_port}/casement?sslmode=disable",
            self.passwords.casement
        )
    }

    /// Reads the layout of the cluster in a directory; nothing where there is none.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn read(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(FILE);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .with_context(|| format!("{} is no layout of a cluster", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} could not be read", path.display())),
        }
    }

    /// Reads the layout of the cluster in a directory.
    ///
    /// # Errors
    /// When there is none.
    pub fn expect(directory: &Path) -> Result<Self> {
        match Self::read(directory)? {
            Some(layout) => Ok(layout),
            None => bail!("no cluster in {}: `cargo xtask cluster up` makes one", directory.display()),
        }
    }

    /// Keeps the layout, readable by its owner alone: it holds the passwords.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self) -> Result<()> {
        use std::io::Write as _;
        let path = self.directory.join(FILE);
        let mut file = fs::File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("{} could not be made", path.display()))?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(network: Network) -> Layout {
        let text = str::to_owned;
        Layout {
            directory: PathBuf::from("/srv/cluster"),
            network,
            number: 3,
            replication: Replication::Synchronous,
            user: text("postgres"),
            postgres_programs: PathBuf::from("/usr/lib/postgresql/15/bin"),
            passwords: Passwords { superuser: text("a"), replication: text("b"), casement: text("c") },
            casement: None,
            settings: Vec::new(),
        }
    }

    #[test]
    fn each_machine_has_an_address_and_a_namespace_of_its_own_and_the_front_stays_outside() {
        let layout = layout(Network::Namespaces);
        let mut addresses: Vec<_> = MACHINES.iter().map(|machine| layout.address(*machine)).collect();
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), MACHINES.len());
        assert_eq!(layout.namespace(Machine::named("db2").unwrap()).as_deref(), Some("casement-3-db2"));
        assert_eq!(layout.namespace(Machine::named("front").unwrap()), None);
        assert_eq!(
            layout.database_url(port::PRIMARY),
            "postgres://casement:c@10.77.3.1:5000/casement?sslmode=disable"
        );
    }

    #[test]
    fn a_layout_on_the_loopback_needs_no_namespace() {
        let layout = layout(Network::Loopback);
        assert!(MACHINES.iter().all(|machine| layout.namespace(*machine).is_none()));
        assert!(MACHINES.iter().all(|machine| layout.address(*machine).is_loopback()));
    }

    #[test]
    fn a_layout_is_kept_between_commands_and_read_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let kept = Layout { directory: folder.path().to_owned(), ..layout(Network::Namespaces) };
        assert_eq!(Layout::read(folder.path()).unwrap(), None);
        assert!(Layout::expect(folder.path()).unwrap_err().to_string().contains("cluster up"));
        kept.write().unwrap();
        assert_eq!(Layout::expect(folder.path()).unwrap(), kept);
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_unknown_machine_is_refused_with_the_names_of_those_that_are() {
        let error = Machine::named("db4").unwrap_err().to_string();
        assert!(error.contains("db4") && error.contains("db1, db2, db3"), "{error}");
    }
}
