//! Making a cluster, or starting what is missing of one.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::health::{self, Health};
use super::layout::{Layout, MACHINES, Machine, Network, Passwords, Role, port};
use super::operate::{self, Program};
use super::process::{self, output};
use super::{Up, WHOLE_WAIT, network};
use crate::postgres;

/// How long etcd may take to answer.
const ETCD_WAIT: Duration = Duration::from_secs(60);

/// The longest path of a socket that Linux takes, in bytes.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// What a cluster is made of, with the package that holds it.
const PROGRAMS: [(&str, &str); 6] = [
    ("etcd", "etcd-server"),
    ("patroni", "patroni"),
    ("haproxy", "haproxy"),
    ("psql", "postgresql"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
];

/// Makes the cluster of a directory, or starts what is missing of it, and waits until it is whole.
///
/// # Errors
/// When the system lacks something, the directory holds another cluster, or it doesn't become whole.
pub async fn raise(directory: &Path, up: &Up) -> Result<Layout> {
    check_programs()?;
    let layout = match Layout::read(directory)? {
        Some(layout) => kept(layout, up)?,
        None => make(directory, up)?,
    };
    network::make(&layout)?;
    for machine in MACHINES {
        make_folder(&layout, machine)?;
    }
    for machine in Machine::of(Role::Database) {
        operate::start(&layout, machine, Program::Etcd)?;
    }
    health::wait_for_etcd(&layout, ETCD_WAIT).await?;
    for machine in Machine::of(Role::Database) {
        operate::start(&layout, machine, Program::Patroni)?;
    }
    for machine in Machine::of(Role::Front) {
        operate::start(&layout, machine, Program::Haproxy)?;
    }
    let databases = Layout { casement: None, ..layout.clone() };
    let health = health::wait_until_whole(&databases, WHOLE_WAIT).await.with_context(|| logs(&layout))?;
    make_database(&layout, &health)?;
    if layout.casement.is_some() {
        for machine in Machine::of(Role::Application) {
            operate::start(&layout, machine, Program::Casement)?;
        }
        health::wait_until_whole(&layout, WHOLE_WAIT).await.with_context(|| logs(&layout))?;
    }
    Ok(layout)
}

/// Refuses with the packages that are missing.
fn check_programs() -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !there(program)).map(|(_, package)| *package).collect();
    ensure!(missing.is_empty(), "packages are missing: apt-get install {}", missing.join(" "));
    ensure!(
        rustix::process::geteuid().is_root(),
        "a cluster needs root, to run databases as another user and to make networks"
    );
    Ok(())
}

/// The layout of a cluster that is there; what was chosen when it was made stays.
fn kept(layout: Layout, up: &Up) -> Result<Layout> {
    let same = up.replication == layout.replication
        && up.network.is_none_or(|network| network == layout.network)
        && up.number == layout.number;
    ensure!(
        same,
        "{} holds a cluster that was made with other settings: end it with `cargo xtask cluster down --remove`",
        layout.directory.display()
    );
    let casement = up.casement.as_deref().map(absolute).transpose()?;
    let settings = if up.settings.is_empty() { layout.settings.clone() } else { up.settings.clone() };
    let layout = Layout { casement: casement.or(layout.casement), settings, ..layout };
    layout.write()?;
    Ok(layout)
}

/// A new layout, with its directory.
fn make(directory: &Path, up: &Up) -> Result<Layout> {
    fs::create_dir_all(directory).with_context(|| format!("{} could not be made", directory.display()))?;
    let directory = absolute(directory)?;
    let socket = directory.join("db1").join(".s.PGSQL.5432");
    ensure!(
        socket.as_os_str().len() <= SOCKET_PATH_BYTES_MAX,
        "{} is too long for a socket; name a shorter one by --dir",
        directory.display()
    );
    check_user(&directory, &up.user)?;
    let layout = Layout {
        directory,
        network: up.network.unwrap_or_else(possible_network),
        number: up.number,
        replication: up.replication,
        user: up.user.clone(),
        postgres_programs: postgres::programs()
            .context("PostgreSQL is not installed: apt-get install postgresql")?,
        passwords: Passwords { superuser: password(), replication: password(), casement: password() },
        casement: up.casement.as_deref().map(absolute).transpose()?,
        settings: up.settings.clone(),
    };
    network::check_free(&layout)?;
    layout.write()?;
    Ok(layout)
}

/// Refuses a user that can't enter the directory, and root.
fn check_user(directory: &Path, user: &str) -> Result<()> {
    let id =
        output(Command::new("id").args(["-u", user])).with_context(|| format!("there is no user {user}"))?;
    ensure!(id.trim() != "0", "PostgreSQL does not run as root: name another user by --user");
    let (uid, gid) = (format!("--reuid={user}"), format!("--regid={user}"));
    let folder = directory.display().to_string();
    output(Command::new("setpriv").args([&uid, &gid, "--init-groups", "test", "-x", &folder]))
        .map(drop)
        .with_context(|| format!("{user} may not enter {folder}: name another directory by --dir"))
}

/// Namespaces where the system makes one, else the loopback.
fn possible_network() -> Network {
    let probe = "casement-probe";
    let made = output(Command::new("ip").args(["netns", "add", probe])).is_ok();
    if made && output(Command::new("ip").args(["netns", "delete", probe])).is_ok() {
        Network::Namespaces
    } else {
        println!("no network namespaces here: the loopback it is, and no network can be cut");
        Network::Loopback
    }
}

/// A password of letters and digits. It guards a cluster on this machine's own addresses.
fn password() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(24).collect()
}

fn absolute(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).with_context(|| format!("{} is not there", path.display()))
}

/// Makes a machine's folder, the database user's own where databases run in it.
fn make_folder(layout: &Layout, machine: Machine) -> Result<()> {
    let folder = layout.folder(machine);
    fs::create_dir_all(&folder)?;
    match machine.role {
        Role::Application => return Ok(()),
        Role::Database | Role::Front => {}
    }
    let mode = fs::metadata(&folder)?.permissions().mode();
    if fs::metadata(&folder)?.uid() == 0 || mode & 0o077 != 0 {
        output(Command::new("chown").arg(format!("{0}:{0}", layout.user)).arg(&folder))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes the role and the database of Casement, unless they are there.
fn make_database(layout: &Layout, health: &Health) -> Result<()> {
    let leader = health.leader().context("there is no leader")?;
    let password = &layout.passwords.casement;
    let roles = psql(layout, leader, "\\du casement")?;
    if !roles.contains("casement") {
        psql(layout, leader, &format!("CREATE ROLE casement LOGIN PASSWORD '{password}'"))?;
    }
    let databases = psql(layout, leader, "\\l casement")?;
    if !databases.contains("casement") {
        psql(layout, leader, "CREATE DATABASE casement OWNER casement")?;
    }
    Ok(())
}

/// What a command of psql prints, as the superuser over a machine's socket, also when the machine is cut off.
///
/// # Errors
/// When the server doesn't answer, or refuses.
pub fn psql(layout: &Layout, machine: Machine, command: &str) -> Result<String> {
    let psql = layout.postgres_programs.join("psql");
    let port = port::POSTGRES.to_string();
    let mut psql = process::command(layout, machine, Some(&layout.user), &psql);
    psql.env("PGPASSWORD", &layout.passwords.superuser);
    psql.env("PGCONNECT_TIMEOUT", "5").arg("--host").arg(layout.folder(machine));
    psql.args([
        "--port",
        &port,
        "--username",
        "postgres",
        "--dbname",
        "postgres",
        "-XAtq",
        "-v",
        "ON_ERROR_STOP=1",
    ]);
    let output = psql.args(["-c", command]).output().context("psql could not be started")?;
    // Without the command, which may hold a password.
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "psql on {} failed: {}", machine.name, complaint.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The ends of the logs, for an error.
fn logs(layout: &Layout) -> String {
    let mut text = String::from("the ends of the logs:");
    for machine in MACHINES {
        for program in Program::of(machine.role) {
            let tail = process::log_tail(layout, machine, program.name());
            let last: Vec<&str> = tail.lines().rev().take(3).collect();
            for line in last.into_iter().rev() {
                text.push_str(&format!("\n{} {}: {line}", machine.name, program.name()));
            }
        }
    }
    text
}
