//! `cargo xtask proof power`: what was acknowledged is on the disk, whatever a power cut leaves of the rest.
//!
//! A file system in user space shows one file, on which a disk with ext4 lies; it records every write and every barrier
//! that the kernel sends. A server works on that disk, is stopped, killed and started in between. Then disks are made as
//! a power cut could have left them: everything before the last finished barrier, and of what came after it any part, in
//! any order, torn within a page too. On each of them ext4 is mounted and a server started: everything that had been
//! acknowledged by then is there, numbers have no gap, the hash chains are whole.

mod disk;
mod image;
mod mount;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};

use super::ledger::{Ledger, Sent};
use super::listing::{Listed, Listing};
use super::script;
use super::{chain, check};
use crate::client::Connection;
use crate::server::Installation;
use crate::workspace::Workspace;
use disk::{Disk, Recording};
use mount::Mount;

/// The requests between two ends of the server.
const REQUESTS: u32 = 15;

/// Makes disks as a power cut leaves them, starts a server on each, and checks that nothing acknowledged is lost.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask proof power --images 200\n  cargo xtask proof power --images 20 --seed 7"
)]
pub struct Arguments {
    /// How many disks are made
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    images: u32,
    /// Repeats the random choices of a former run (not its timing)
    #[arg(long)]
    seed: Option<u64>,
}

impl Arguments {
    /// The slice that `cargo xtask test` runs.
    pub fn slice(images: u32) -> Self {
        Self { images, seed: None }
    }
}

/// Says why this machine can't run the proof, `None` when it can.
pub fn missing() -> Option<&'static str> {
    let runs = |program: &str, argument: &str| {
        let command = std::process::Command::new(program)
            .arg(argument)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        command.is_ok_and(|status| status.success())
    };
    if File::options().read(true).write(true).open("/dev/fuse").is_err() {
        return Some("/dev/fuse can't be opened; run it as root on a machine with FUSE to add it");
    }
    if !runs("losetup", "--find") {
        return Some("there is no loop device; run it as root on a machine with some to add it");
    }
    (!runs("mkfs.ext4", "-V")).then_some("mkfs.ext4 is not installed; install e2fsprogs to add it")
}

/// Something that the script did, and how long the record was then.
struct Note {
    mark: usize,
    sent: Sent,
    acknowledged: Option<Listed>,
}

/// Builds the server and runs the proof.
///
/// # Errors
/// When the machine can't, the build fails or the promise is broken.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    if let Some(reason) = missing() {
        bail!("{reason}");
    }
    let binary = workspace.build_server()?;
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("proof power: {} disks, seed {seed}", arguments.images);
    crate::block_on(async {
        let folder = tempfile::Builder::new().prefix("proof-power-").tempdir_in(&workspace.target)?;
        let outcome = prove(&binary, folder.path(), arguments.images, fastrand::Rng::with_seed(seed)).await;
        if let Err(error) = outcome {
            let kept = folder.keep();
            return Err(error.context(format!("seed {seed}; the directory is kept: {}", kept.display())));
        }
        outcome
    })
}

async fn prove(binary: &Path, folder: &Path, images: u32, mut random: fastrand::Rng) -> Result<()> {
    let (recording, notes, installation) = record(binary, folder).await?;
    let mut barriers = recording.barriers();
    random.shuffle(&mut barriers);
    ensure!(!barriers.is_empty(), "the disk saw no barrier");
    println!(
        "proof power: {} writes, {} barriers; {} requests acknowledged",
        recording.writes(),
        barriers.len(),
        notes.iter().filter(|note| note.acknowledged.is_some()).count()
    );
    let (mut lost, mut torn, mut acknowledged) = (0_u64, 0_u64, 0_u64);
    for number in 0..images {
        // Every barrier comes up before any comes up twice.
        let place = usize::try_from(number)? % barriers.len();
        let cut = *barriers.get(place).context("a barrier")?;
        let made = image::make(&recording, cut, &mut random);
        lost += made.lost_pages;
        torn += made.torn_pages;
        acknowledged += try_disk(folder, &installation, &made.content, &notes, cut)
            .await
            .with_context(|| format!("disk {number}, cut at entry {cut}"))?;
    }
    println!(
        "proof power: {images} disks started, each with all that was acknowledged by then ({acknowledged} in all); \
         {lost} pages left out, {torn} torn"
    );
    Ok(())
}

/// Lets a server work on a recorded disk.
async fn record(binary: &Path, folder: &Path) -> Result<(Recording, Vec<Note>, Installation)> {
    let disk = Disk::new();
    let shown = made(folder, "shown")?;
    let session = disk.mount(&shown)?;
    let file = shown.join(disk::NAME);
    mount::make_file_system(&file).await?;
    let place = made(folder, "disk")?;
    let mounted = Mount::new(&file, &place).await?;
    let installation = Installation::create(binary, &place).await?;
    mounted.sync().await?;
    disk.begin();
    let mut notes = Vec::new();
    let mut ledger = Ledger::create(&folder.join("ledger.jsonl"))?;
    for part in ["stopped", "killed", "last"] {
        let server = installation.start().await?;
        let played =
            script::play(&installation, server.address, REQUESTS, part, &mut ledger, |sent, listed| {
                notes.push(Note { mark: disk.length(), sent: sent.clone(), acknowledged: listed.cloned() });
            })
            .await?;
        ensure!(played.acknowledged == REQUESTS, "on the sound disk {played:?}");
        if part == "killed" { server.kill().await? } else { server.stop().await? }
    }
    let recording = disk.end();
    mounted.unmount().await?;
    drop(session);
    Ok((recording, notes, installation))
}

/// Mounts a disk, starts a server on it and checks; gives the number of writes that had to be there.
async fn try_disk(
    folder: &Path,
    installation: &Installation,
    content: &[u8],
    notes: &[Note],
    cut: usize,
) -> Result<u64> {
    let file = folder.join("image");
    std::fs::write(&file, content)?;
    let place = made(folder, "mounted")?;
    let mounted = Mount::new(&file, &place).await.context("ext4 can't be mounted")?;
    let outcome = check_disk(folder, &installation.in_folder(&place), notes, cut).await;
    let unmounted = mounted.unmount().await;
    let acknowledged = outcome?;
    unmounted?;
    Ok(acknowledged)
}

async fn check_disk(folder: &Path, installation: &Installation, notes: &[Note], cut: usize) -> Result<u64> {
    let (mut ledger, acknowledged) = ledger_at(folder, notes, cut)?;
    let server = installation.start().await.context("the server did not start")?;
    let mut connection = Connection::open(server.address).await?;
    let cases = Listing::read(installation, &mut connection, "getCases").await?;
    let tasks = Listing::read(installation, &mut connection, "getTasks").await?;
    let violations = check::violations(&ledger, &cases, &tasks);
    for violation in &violations {
        println!("  {violation}");
    }
    ensure!(violations.is_empty(), "{} promises were broken", violations.len());
    ledger.settle(&cases, &tasks);
    let after = script::play(installation, server.address, 2, "after", &mut ledger, |_, _| {}).await?;
    ensure!(after.acknowledged == 2, "the server took not every write: {after:?}");
    drop(connection);
    server.stop().await?;
    chain::verify(&installation.data).await?;
    Ok(acknowledged)
}

/// What was sent and acknowledged when the record had reached an entry.
fn ledger_at(folder: &Path, notes: &[Note], cut: usize) -> Result<(Ledger, u64)> {
    let mut ledger = Ledger::create(&folder.join("ledger-at-cut.jsonl"))?;
    let mut acknowledged = 0;
    for note in notes.iter().filter(|note| note.mark <= cut) {
        match &note.acknowledged {
            None => script::note_sent(&mut ledger, &note.sent)?,
            Some(document) => {
                script::note_acknowledged(&mut ledger, &note.sent, document)?;
                acknowledged += 1;
            }
        }
    }
    Ok((ledger, acknowledged))
}

fn made(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    std::fs::create_dir_all(&path)?;
    Ok(path)
}
