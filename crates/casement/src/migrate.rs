//! `casement migrate`: moves an embedded database, or a backup of one, to a database server.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use casement_store::backup::description::describe;
use casement_store::backup::restore::{Point, Restore, restore};
use casement_store::inspect::is_unfinished;
use casement_store::options::Server;
use casement_store::transfer::{Course, Moved, transfer};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::cli::MigrateArguments;
use crate::opened;
use crate::output;

/// How often the progress is told on a terminal, and in lines elsewhere.
const BAR_STEP: Duration = Duration::from_millis(100);
const LINE_STEP: Duration = Duration::from_secs(5);

/// Runs `casement migrate`. A transfer that was broken off goes on when it is run again.
///
/// # Errors
/// The directory is in use, the database can't be used or holds something else, or what was moved is not what was there.
pub fn run(arguments: &MigrateArguments) -> anyhow::Result<()> {
    let server = Server::new(arguments.to.url()?.clone());
    let from = source(arguments)?;
    let course = Arc::new(Course::default());
    let moved = opened::runtime()?.block_on(async {
        let shown = show(Arc::clone(&course));
        let moved = transfer(&from, server, course).await;
        shown.abort();
        // That it was aborted is known; a bar is gone when it has ended.
        let _ = shown.await;
        moved
    })?;
    if arguments.json {
        output::line(format_args!("{:#}", as_json(&moved)));
    } else {
        tell(arguments, &moved);
    }
    Ok(())
}

/// Gives the directory to move: the one named, or what the backup named gives.
fn source(arguments: &MigrateArguments) -> anyhow::Result<PathBuf> {
    let from = &arguments.from;
    if from.join("casement.db").exists() || describe(from)?.is_none() {
        return Ok(from.clone());
    }
    let Some(work) = &arguments.work else {
        bail!(
            "{} is a backup: name an empty directory by --work, into which it is restored first",
            from.display()
        );
    };
    if work.join("casement.db").exists() && !is_unfinished(work) {
        // Restored by a run that was broken off later.
        return Ok(work.clone());
    }
    if is_unfinished(work) {
        std::fs::remove_dir_all(work).with_context(|| format!("can't remove {}", work.display()))?;
    }
    restore(&Restore { from: from.clone(), to: work.clone(), point: Point::Latest })?;
    Ok(work.clone())
}

/// Shows how far the transfer is: a bar on a terminal, else a line every few seconds.
fn show(course: Arc<Course>) -> JoinHandle<()> {
    if !std::io::stderr().is_terminal() {
        return tokio::spawn(async move {
            loop {
                tokio::time::sleep(LINE_STEP).await;
                let (total, done) = course.rows();
                output::aside(format_args!("{done} of {total} rows copied and checked"));
            }
        });
    }
    let bar = ProgressBar::new(0);
    let style = "{wide_bar} {pos} of {len} rows copied and checked, {per_sec}, {eta} left";
    // A style that can't be read leaves the plain one.
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    tokio::spawn(async move {
        // Dropped with the task, which takes the bar from the terminal.
        let bar = Shown(bar);
        loop {
            let (total, done) = course.rows();
            bar.0.set_length(total);
            bar.0.set_position(done);
            tokio::time::sleep(BAR_STEP).await;
        }
    })
}

/// A bar that is taken away in the end.
struct Shown(ProgressBar);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn as_json(moved: &[Moved]) -> Value {
    let workspaces = moved.iter().map(|moved| {
        json!({
            "workspace": moved.workspace,
            "events": moved.events,
            "documents": moved.documents,
            "claims": moved.claims,
            "headHash": moved.head_hash,
            "contentHash": moved.content_hash,
        })
    });
    json!({"workspaces": workspaces.collect::<Vec<Value>>()})
}

fn tell(arguments: &MigrateArguments, moved: &[Moved]) {
    output::line("Everything was moved, read again on both sides and found equal.");
    output::line("");
    for Moved { workspace, events, documents, claims, content_hash, .. } in moved {
        output::line(format_args!(
            "  {workspace}: {events} events, {documents} documents, {claims} claims, hash {}",
            short(content_hash)
        ));
    }
    output::line("");
    output::line(format_args!(
        "Put the key file (secrets.key of {}) into each node's data directory, or name it",
        arguments.from.display()
    ));
    output::line("by --key-file: no database holds it. Keep the old directory until you have made a backup.");
    output::line(format_args!(
        "The bytes of attachments were not moved: copy the folder `attachments` as it is to a directory that all nodes"
    ));
    output::line("share, or into a bucket, and name that by --attachments.");
}

fn short(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}
