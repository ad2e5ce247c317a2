//! `cargo xtask tidy`: the rules of the house that neither the compiler nor clippy holds.
//!
//! Each check is a pure function from texts to faults, with a test that shows it failing; this module reads the tree,
//! runs them all and prints every fault at once. Lengths of functions and forbidden calls are clippy's; licences and
//! third-party crates are cargo-deny's.

mod arrows;
mod logs;
mod pages;
mod sources;
mod tracked;
mod tree;

use anyhow::{Result, ensure};

use crate::workspace::Workspace;

/// Checks the rules of the house: arrows between crates, SQL, file lengths, names, pages and paths.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask tidy")]
pub struct Arguments {}

/// Runs every check.
///
/// # Errors
/// When a rule is broken; each fault was printed before.
pub fn run(workspace: &Workspace, _arguments: &Arguments) -> Result<()> {
    check(workspace)
}

/// Runs every check, as a step of `cargo xtask test`.
///
/// # Errors
/// When a rule is broken; each fault was printed before.
pub fn check(workspace: &Workspace) -> Result<()> {
    let files = tree::read(&workspace.root)?;
    let page = |path: &str| files.iter().find(|file| file.path == path).and_then(|file| file.text.as_deref());
    let mut faults = Vec::new();
    faults.extend(arrows::faults(&workspace.metadata));
    for file in &files {
        faults.extend(tracked::faults(file));
        if file.path.ends_with(".rs") {
            faults.extend(sources::faults(file));
            faults.extend(logs::faults(file));
        }
    }
    match page("ARCHITECTURE.md") {
        Some(text) => faults.extend(pages::architecture_faults(text, &files)),
        None => faults.push("ARCHITECTURE.md: missing; it names every crate".to_owned()),
    }
    match page("api/openapi.json") {
        Some(description) => {
            let prose = [page("docs/api.md"), page("README.md")];
            faults.extend(pages::route_faults(description, &prose.into_iter().flatten().collect::<Vec<_>>()));
        }
        None => faults.push("api/openapi.json: missing; `cargo xtask generate` writes it".to_owned()),
    }
    match page("docs/quirks.md") {
        Some(text) => faults.extend(pages::quirk_faults(text, &files)),
        None => faults.push(
            "docs/quirks.md: missing; it lists the oddities of the vendor's wire with their tests".to_owned(),
        ),
    }
    for fault in &faults {
        println!("{fault}");
    }
    ensure!(faults.is_empty(), "{} broken rules, listed above", faults.len());
    println!("tidy: {} files, no fault", files.len());
    Ok(())
}
