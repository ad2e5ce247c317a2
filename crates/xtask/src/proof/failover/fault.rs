//! The faults of the proof: each strikes a machine of the cluster, is seen to have struck, and is mended again.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::client::{Shared, held};
use super::stage::Stage;
use crate::cluster::health::{self, Health};
use crate::cluster::layout::{Layout, MACHINES, Machine, Role};
use crate::cluster::operate::{self, Program};
use crate::cluster::{WHOLE_WAIT, network, raise};

/// How long another server may take to lead. Past it the cluster is at fault, not Casement.
const TAKEOVER_WAIT: Duration = Duration::from_secs(90);

/// How long a fault lasts that nobody has to take over from.
const LASTS: Duration = Duration::from_secs(4);

/// How long etcd has no majority: long enough for the primary to step down.
const LEADERLESS: Duration = Duration::from_secs(25);

/// How long a replaced primary goes on beside its successor before its Patroni comes back.
const BESIDE: Duration = Duration::from_secs(5);

/// How long replication stands still before the leader is lost in a cluster that doesn't wait for it.
const UNREPLICATED: Duration = Duration::from_secs(2);

/// What is done to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Fault {
    /// SIGKILL to the primary's PostgreSQL; its Patroni lives
    KillPrimary,
    /// SIGKILL to everything on the primary's machine
    KillMachine,
    /// SIGKILL to the PostgreSQL that commits wait for
    KillStandby,
    /// SIGSTOP to everything on the primary's machine until another leads; then the databases wake first
    Freeze,
    /// SIGKILL to the primary's Patroni: its PostgreSQL goes on beside its successor
    KillPatroni,
    /// SIGKILL to an etcd member
    KillEtcd,
    /// SIGKILL to two of the three etcd members: nobody may lead until they are back
    LoseMajority,
    /// SIGKILL to a Casement node
    KillCasement,
    /// SIGSTOP to a Casement node for a while: it wakes with an index that others have left behind
    FreezeCasement,
    /// The primary's network is cut
    CutPrimary,
    /// The network of the standby that commits wait for is cut
    CutStandby,
    /// A Casement node's network is cut
    CutCasement,
    /// The lead is handed over in peace
    Switchover,
    /// Replication stands still, then the primary's machine is lost: only a cluster that doesn't wait loses by it
    LoseUnreplicated,
}

/// The faults of a proof, in the order of its rounds.
pub const ALL: [Fault; 13] = [
    Fault::KillPrimary,
    Fault::KillCasement,
    Fault::KillMachine,
    Fault::KillStandby,
    Fault::Freeze,
    Fault::KillPatroni,
    Fault::KillEtcd,
    Fault::CutPrimary,
    Fault::CutStandby,
    Fault::CutCasement,
    Fault::FreezeCasement,
    Fault::LoseMajority,
    Fault::Switchover,
];

/// A fault that has struck.
#[derive(Debug)]
pub struct Struck {
    fault: Fault,
    /// The machine.
    pub machine: Machine,
    /// When it struck.
    pub at: u64,
    /// How long another server took to lead, where one had to.
    pub takeover: Option<Duration>,
    /// Whether a primary that was replaced was seen to go on as one.
    pub saw_old_primary: bool,
}

impl Fault {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::KillPrimary => "kill-primary",
            Self::KillMachine => "kill-machine",
            Self::KillStandby => "kill-standby",
            Self::Freeze => "freeze",
            Self::KillPatroni => "kill-patroni",
            Self::KillEtcd => "kill-etcd",
            Self::LoseMajority => "lose-majority",
            Self::KillCasement => "kill-casement",
            Self::FreezeCasement => "freeze-casement",
            Self::CutPrimary => "cut-primary",
            Self::CutStandby => "cut-standby",
            Self::CutCasement => "cut-casement",
            Self::Switchover => "switchover",
            Self::LoseUnreplicated => "lose-unreplicated",
        }
    }

    /// Whether another server must lead before the fault is mended.
    fn needs_takeover(self) -> bool {
        match self {
            Self::KillMachine
            | Self::Freeze
            | Self::KillPatroni
            | Self::CutPrimary
            | Self::Switchover
            | Self::LoseUnreplicated => true,
            Self::KillPrimary
            | Self::KillStandby
            | Self::KillEtcd
            | Self::LoseMajority
            | Self::KillCasement
            | Self::FreezeCasement
            | Self::CutStandby
            | Self::CutCasement => false,
        }
    }

    /// The machine that it strikes now.
    fn machine(self, health: &Health, random: &mut fastrand::Rng) -> Result<Machine> {
        let any =
            |role: Role, random: &mut fastrand::Rng| random.choice(Machine::of(role).collect::<Vec<_>>());
        let machine = match self {
            Self::KillPrimary
            | Self::KillMachine
            | Self::Freeze
            | Self::KillPatroni
            | Self::CutPrimary
            | Self::Switchover
            | Self::LoseUnreplicated => health.leader(),
            Self::KillStandby | Self::CutStandby => health.synchronous_standby(),
            Self::KillEtcd | Self::LoseMajority => any(Role::Database, random),
            Self::KillCasement | Self::FreezeCasement | Self::CutCasement => any(Role::Application, random),
        };
        machine.with_context(|| format!("{} has nothing to strike", self.name()))
    }

    /// Whether the struck machine's node can't answer while the fault lasts.
    fn silences_node(self) -> bool {
        matches!(self, Self::KillCasement | Self::FreezeCasement | Self::CutCasement)
    }
}

/// Strikes, and waits until the fault has done what it does.
///
/// # Errors
/// When the fault can't be made, or nobody takes over.
pub async fn strike(
    stage: &mut Stage,
    fault: Fault,
    random: &mut fastrand::Rng,
    shared: &Shared,
) -> Result<Struck> {
    let layout = match stage {
        Stage::Cluster(layout) => layout,
        Stage::Embedded(_) => {
            let machine = Machine::named("app1")?;
            let at = shared.now();
            stage.restart(&shared.installation).await?;
            held(&shared.nodes).clone_from(&stage.nodes());
            return Ok(Struck { fault, machine, at, takeover: None, saw_old_primary: false });
        }
    };
    let health = Health::ask(layout, &[]).await;
    let machine = fault.machine(&health, random)?;
    let all = Program::of(machine.role);
    let at = shared.now();
    held(&shared.history).note_fault(fault.name(), machine.name, at)?;
    match fault {
        Fault::KillPrimary | Fault::KillStandby => {
            let killed = operate::kill(layout, machine, &[Program::Postgres]).await?;
            ensure!(!killed.is_empty(), "{} had no PostgreSQL to kill", machine.name);
        }
        Fault::KillMachine => {
            let killed = operate::kill(layout, machine, all).await?;
            ensure!(killed.len() == all.len(), "{} had not all programs to kill", machine.name);
        }
        Fault::KillPatroni => {
            operate::kill(layout, machine, &[Program::Patroni]).await?;
        }
        Fault::KillEtcd => {
            operate::kill(layout, machine, &[Program::Etcd]).await?;
        }
        Fault::LoseMajority => {
            for other in Machine::of(Role::Database).filter(|other| *other != machine) {
                operate::kill(layout, other, &[Program::Etcd]).await?;
            }
        }
        Fault::KillCasement => {
            let killed = operate::kill(layout, machine, &[Program::Casement]).await?;
            ensure!(!killed.is_empty(), "the node on {} had ended by itself", machine.name);
        }
        Fault::Freeze | Fault::FreezeCasement => operate::stop(layout, machine, all)?,
        Fault::CutPrimary | Fault::CutStandby | Fault::CutCasement => network::cut(layout, machine)?,
        Fault::Switchover => {
            let to = health.synchronous_standby();
            operate::switch_over(layout, machine, to).await?;
        }
        Fault::LoseUnreplicated => {
            // What a killed server has handed to the network still arrives: the standbys get nothing until one of them leads.
            for other in Machine::of(Role::Database).filter(|other| *other != machine) {
                network::starve(layout, other, machine)?;
            }
            tokio::time::sleep(UNREPLICATED).await;
            operate::kill(layout, machine, all).await?;
        }
    }
    let mut struck = Struck { fault, machine, at, takeover: None, saw_old_primary: false };
    if fault.needs_takeover() {
        let left_out: &[Machine] = if fault == Fault::Switchover { &[] } else { &[machine] };
        health::wait_for_another_leader(layout, machine, left_out, TAKEOVER_WAIT).await?;
        struck.takeover = Some(Duration::from_micros(shared.now().saturating_sub(at)));
    } else {
        tokio::time::sleep(if fault == Fault::LoseMajority { LEADERLESS } else { LASTS }).await;
    }
    if fault == Fault::LoseUnreplicated {
        // Nodes that were there notice by themselves that the log has become shorter, and serve no more. Started anew
        // they take the database for what it is, and clients see what is gone.
        for node in Machine::of(Role::Application) {
            operate::kill(layout, node, &[Program::Casement]).await?;
            operate::start(layout, node, Program::Casement)?;
        }
    }
    struck.saw_old_primary = let_old_primary_go_on(layout, &struck).await?;
    Ok(struck)
}

/// Lets a replaced primary that could go on do so for a while, before anything tells it that it is none any more; says
/// whether it was seen to take itself for one.
async fn let_old_primary_go_on(layout: &Layout, struck: &Struck) -> Result<bool> {
    match struck.fault {
        Fault::Freeze => operate::go_on(layout, struck.machine, &[Program::Postgres])?,
        Fault::KillPatroni => {}
        Fault::KillPrimary
        | Fault::KillMachine
        | Fault::KillStandby
        | Fault::KillEtcd
        | Fault::LoseMajority
        | Fault::KillCasement
        | Fault::FreezeCasement
        | Fault::CutPrimary
        | Fault::CutStandby
        | Fault::CutCasement
        | Fault::Switchover
        | Fault::LoseUnreplicated => return Ok(false),
    }
    tokio::time::sleep(BESIDE).await;
    let answer = raise::psql(layout, struck.machine, "SHOW in_hot_standby");
    Ok(answer.is_ok_and(|answer| answer.trim() == "off"))
}

/// The nodes that must acknowledge writes again while the fault lasts.
pub fn nodes_at_work(stage: &Stage, struck: &Struck) -> Vec<String> {
    if struck.fault == Fault::LoseMajority { Vec::new() } else { nodes_not_struck(stage, struck) }
}

/// The nodes that nothing was done to.
pub fn nodes_not_struck(stage: &Stage, struck: &Struck) -> Vec<String> {
    let names = stage.nodes().into_iter().map(|(name, _)| name);
    let is_cluster = matches!(stage, Stage::Cluster(_));
    names
        .filter(|name| !(is_cluster && struck.fault.silences_node() && *name == struck.machine.name))
        .collect()
}

/// Mends what was struck, and waits until the cluster is whole.
///
/// # Errors
/// When it doesn't become whole.
pub async fn mend(stage: &Stage, struck: &Struck) -> Result<()> {
    let Stage::Cluster(layout) = stage else { return Ok(()) };
    let machine = struck.machine;
    for machine in MACHINES {
        network::heal(layout, machine)?;
    }
    operate::go_on(layout, machine, Program::of(machine.role))?;
    for machine in MACHINES {
        for program in Program::of(machine.role) {
            operate::start(layout, machine, *program)?;
        }
    }
    health::wait_until_whole(layout, WHOLE_WAIT).await?;
    Ok(())
}
