//! The network of a cluster: one namespace a machine, all on one bridge, and cutting a machine off.
//!
//! A cut drops every packet to and from the machine without a word, as a pulled cable does: connections stay open at both
//! ends until somebody's patience ends. On the loopback nothing is made and nothing can be cut.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use super::layout::{Layout, MACHINES, Machine, Network, Role, port};
use super::process::output;

/// The table of nftables that cuts a machine off: it drops everything but the machine's own loopback.
const CUT: &str = "casement_cut";

/// The table that keeps what a server sends from its standbys.
const STARVED: &str = "casement_starved";

/// Refuses a number whose addresses another cluster of this machine uses.
///
/// # Errors
/// When one does.
pub fn check_free(layout: &Layout) -> Result<()> {
    let is_free = match layout.network {
        Network::Namespaces => !Path::new("/sys/class/net").join(layout.bridge()).exists(),
        Network::Loopback => Machine::of(Role::Database)
            .all(|machine| TcpListener::bind((layout.address(machine), port::ETCD)).is_ok()),
    };
    ensure!(
        is_free,
        "another cluster of this machine has the number {0}: name another by --number, or end that one",
        layout.number
    );
    Ok(())
}

/// Makes what is missing of the network.
///
/// # Errors
/// When the system refuses; the loopback needs nothing.
pub fn make(layout: &Layout) -> Result<()> {
    match layout.network {
        Network::Loopback => return Ok(()),
        Network::Namespaces => {}
    }
    let bridge = layout.bridge();
    if !Path::new("/sys/class/net").join(&bridge).exists() {
        ip(&["link", "add", &bridge, "type", "bridge"])?;
    }
    for machine in Machine::of(Role::Front) {
        let address = format!("{}/24", layout.address(machine));
        ip(&["address", "replace", &address, "dev", &bridge])?;
    }
    ip(&["link", "set", &bridge, "up"])?;
    for machine in MACHINES {
        let Some(namespace) = layout.namespace(machine) else { continue };
        if exists(&namespace) {
            continue;
        }
        let (outside, address) = (cable(layout, machine), format!("{}/24", layout.address(machine)));
        ip(&["netns", "add", &namespace])?;
        ip(&["link", "add", &outside, "type", "veth", "peer", "name", "eth0", "netns", &namespace])?;
        ip(&["link", "set", &outside, "master", &bridge, "up"])?;
        ip(&["-n", &namespace, "address", "add", &address, "dev", "eth0"])?;
        ip(&["-n", &namespace, "link", "set", "lo", "up"])?;
        ip(&["-n", &namespace, "link", "set", "eth0", "up"])?;
    }
    Ok(())
}

/// Removes the network.
///
/// # Errors
/// When the system refuses.
pub fn remove(layout: &Layout) -> Result<()> {
    for machine in MACHINES {
        if let Some(namespace) = layout.namespace(machine)
            && exists(&namespace)
        {
            // The cable goes with the namespace that holds its other end, a moment later: not by itself if a
            // process still lives there.
            let _ = ip(&["link", "delete", &cable(layout, machine)]);
            ip(&["netns", "delete", &namespace])?;
        }
    }
    let bridge = layout.bridge();
    if Path::new("/sys/class/net").join(&bridge).exists() {
        ip(&["link", "delete", &bridge])?;
    }
    Ok(())
}

/// Cuts a machine off; one that is cut off stays so.
///
/// # Errors
/// When the machine has no namespace, or nftables refuses.
pub fn cut(layout: &Layout, machine: Machine) -> Result<()> {
    let Some(namespace) = layout.namespace(machine) else {
        bail!(
            "{} shares its network with others: only a machine with a namespace can be cut off",
            machine.name
        );
    };
    if !is_cut(layout, machine) {
        let table = format!(
            "table inet {CUT} {{
                chain arriving {{ type filter hook input priority 0; policy drop; iif lo accept; }}
                chain leaving {{ type filter hook output priority 0; policy drop; oif lo accept; }}
            }}"
        );
        nft(&namespace, &[&table])?;
    }
    Ok(())
}

/// Keeps from a machine what the PostgreSQL of another sends to it, and nothing else.
///
/// # Errors
/// When the machine has no namespace, or nftables refuses.
pub fn starve(layout: &Layout, machine: Machine, sender: Machine) -> Result<()> {
    let Some(namespace) = layout.namespace(machine) else {
        bail!("{} shares its network with others: nothing can be kept from it", machine.name);
    };
    let (address, port) = (layout.address(sender), port::POSTGRES);
    let table = format!(
        "table inet {STARVED} {{
            chain arriving {{ type filter hook input priority 0; ip saddr {address} tcp sport {port} drop; }}
        }}"
    );
    nft(&namespace, &[&table])
}

/// Takes back whatever was done to a machine's network; one to which nothing was done stays so.
///
/// # Errors
/// When nftables refuses.
pub fn heal(layout: &Layout, machine: Machine) -> Result<()> {
    let Some(namespace) = layout.namespace(machine) else { return Ok(()) };
    for table in [CUT, STARVED] {
        if has_table(&namespace, table) {
            nft(&namespace, &["delete", "table", "inet", table])?;
        }
    }
    Ok(())
}

/// Whether a machine is cut off.
pub fn is_cut(layout: &Layout, machine: Machine) -> bool {
    layout.namespace(machine).is_some_and(|namespace| has_table(&namespace, CUT))
}

fn has_table(namespace: &str, table: &str) -> bool {
    nft(namespace, &["list", "table", "inet", table]).is_ok()
}

fn nft(namespace: &str, arguments: &[&str]) -> Result<()> {
    let command = [&["netns", "exec", namespace, "nft"], arguments].concat();
    output(Command::new("ip").args(command)).map(drop)
}

fn exists(namespace: &str) -> bool {
    Path::new("/run/netns").join(namespace).exists()
}

/// The outer end of a machine's cable: names of interfaces have at most 15 characters.
fn cable(layout: &Layout, machine: Machine) -> String {
    format!("csmt{}{}", layout.number, machine.name)
}

fn ip(arguments: &[&str]) -> Result<()> {
    output(Command::new("ip").args(arguments)).map(drop)
}
