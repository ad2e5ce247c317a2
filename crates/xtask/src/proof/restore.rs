//! `cargo xtask proof restore`: a restored directory equals the model at any point.
//!
//! Writers, backups, new bases and restarts go on at once in one process; the commit feed tells the model what was
//! committed, in order. Then random points, sequence numbers and times alike, are restored and compared with the model
//! to the last byte: documents, events, claims, counters. The restored store takes another set, and its numbers go on.

mod model;
mod work;

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use casement_store::backup::restore::{Point, Restore, restore};
use casement_store::options::Options;
use casement_store::store::Store;

use crate::workspace::Workspace;
use model::{Model, Step};

/// Differences printed in full; the rest is counted.
const DIFFERENCES_SHOWN_MAX: usize = 10;

/// Restores a backup that was made under load to random points and compares each with a model.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask proof restore --points 200\n  cargo xtask proof restore --points 10 --seed 7"
)]
pub struct Arguments {
    /// How many points are restored
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    points: u32,
    /// Repeats the random choices of a former run (not its timing)
    #[arg(long)]
    seed: Option<u64>,
}

impl Arguments {
    /// The slice that `cargo xtask test` runs.
    pub fn slice(points: u32) -> Self {
        Self { points, seed: None }
    }
}

/// Runs the proof.
///
/// # Errors
/// When a restored directory differs from the model.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("proof restore: {} points, seed {seed}", arguments.points);
    crate::block_on(async {
        let folder = tempfile::Builder::new().prefix("proof-restore-").tempdir_in(&workspace.target)?;
        let outcome = prove(folder.path(), arguments.points, fastrand::Rng::with_seed(seed)).await;
        if let Err(error) = outcome {
            let kept = folder.keep();
            return Err(error.context(format!("seed {seed}; the directory is kept: {}", kept.display())));
        }
        outcome
    })
}

async fn prove(folder: &Path, points: u32, mut random: fastrand::Rng) -> Result<()> {
    let worked = work::work(folder, points, &mut random).await?;
    println!(
        "proof restore: {} sets committed in {} workspaces; {} runs of the backup, {} of them with a base, {} restarts",
        worked.steps.len(),
        worked.workspaces.len(),
        worked.runs,
        worked.bases,
        worked.restarts
    );
    let mut by_time = 0;
    for number in 1..=points {
        let point = choose(&worked.steps, worked.until_ms, &mut random)?;
        by_time += u32::from(matches!(point, Point::Time(_)));
        let expected = Model::at(&worked.workspaces, &worked.steps, &point);
        compare_at(folder, &point, &expected, &worked.keys)
            .await
            .with_context(|| format!("point {number}: {point:?}"))?;
    }
    println!(
        "proof restore: {points} points restored ({by_time} times, {} sequence numbers), each equal to the model",
        points - by_time
    );
    Ok(())
}

/// Picks a moment near a set, or a sequence number of a workspace.
fn choose(steps: &[Step], until_ms: i64, random: &mut fastrand::Rng) -> Result<Point> {
    let step = random.choice(steps).context("nothing was committed")?;
    if random.bool() {
        return Ok(Point::Time((step.set.at_ms + random.i64(0..3)).min(until_ms)));
    }
    Ok(Point::Sequence { workspace: step.set.workspace.clone(), sequence: step.outcome.last_sequence })
}

/// Restores to a point and compares.
async fn compare_at(folder: &Path, point: &Point, expected: &Model, keys: &[String]) -> Result<()> {
    let to = folder.join("restored");
    let order = Restore { from: folder.join("backup"), to: to.clone(), point: point.clone() };
    tokio::task::spawn_blocking(move || restore(&order)).await?.context("the restore failed")?;
    let (store, feed) =
        Store::open(Options::new(to.clone())).context("the restored directory can't be opened")?;
    let acknowledging = tokio::spawn(work::acknowledge_all(feed));
    let found = Model::of(&store, keys).await?;
    let differences = expected.differences(&found);
    for difference in differences.iter().take(DIFFERENCES_SHOWN_MAX) {
        println!("  {difference}");
    }
    if !differences.is_empty() {
        bail!("{} differences from the model", differences.len());
    }
    goes_on(&store, expected).await?;
    store.close().await;
    acknowledging.await?;
    std::fs::remove_dir_all(&to).context("the restored directory could not be removed")
}

/// Commits one more set in each workspace: sequence and number must be the next ones.
async fn goes_on(store: &Store, expected: &Model) -> Result<()> {
    for (id, head, next) in expected.ends() {
        let committed = store.commit(work::one_more(id)).await.context("the restored store takes no set")?;
        ensure!(
            committed.first_sequence == head + 1,
            "{id}: sequence {} after {head}",
            committed.first_sequence
        );
        let number = committed.documents.first().and_then(|document| document.number);
        ensure!(number == Some(next), "{id}: number {number:?} where {next} is next");
    }
    Ok(())
}
