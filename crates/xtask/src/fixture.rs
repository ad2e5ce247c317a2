//! `cargo xtask fixture`: keeps the data directory that this release writes, for the tests of all later ones.
//!
//! It drives a real server through everything that leaves something behind ([`script`]), asks it questions whose answers
//! stay the same, stops it, and writes the database, the key file, the bytes of attachments and what was said below
//! `crates/casement/tests/fixtures`. A fixture is never made anew: a later release must open what this one wrote.

mod script;
mod work;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::json;

use crate::block_on;
use crate::server::Installation;
use crate::workspace::Workspace;

/// Where the fixtures are.
const FOLDER: &str = "crates/casement/tests/fixtures";

/// The bytes that one fixture may have: it stays in the repository for good.
const BYTES_MAX: usize = 300 * 1024;

/// Keeps the data directory that this release writes, for the tests of all later ones.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask fixture --name 0.2.0\n  \
                        cargo xtask fixture --name 0.1.9 --binary former/casement")]
pub struct Arguments {
    /// What the fixture is called: the release, and what is special about it
    #[arg(long)]
    name: String,
    /// The server; without it the workspace is built
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// Makes a fixture.
///
/// # Errors
/// When there is one of this name, or the server fails.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let fine = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
    ensure!(
        !arguments.name.is_empty() && arguments.name.chars().all(fine),
        "a name is letters, digits, dots and hyphens"
    );
    let folder = workspace.root.join(FOLDER).join(&arguments.name);
    ensure!(!folder.exists(), "{} is there already; a fixture is never made anew", folder.display());
    let page = workspace.read("docs/configuration.md")?.context("docs/configuration.md is not there")?;
    let binary = match &arguments.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => workspace.build_server()?,
    };
    block_on(make(&binary, &page, &folder))?;
    println!("{} was made; its test: cargo nextest run -p casement -E 'test(fixtures)'", folder.display());
    Ok(())
}

async fn make(binary: &Path, page: &str, folder: &Path) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let installation = Installation::create(binary, directory.path()).await?;
    let played = script::play(&installation, page, directory.path()).await?;
    let recorded = json!({
        "at_ms": now_ms()?,
        "account": installation.account,
        "stream": installation.stream,
        "apps": played.apps,
        "asked": played.asked,
        "write": played.write,
    });
    let log = fs::metadata(installation.data.join("casement.db-wal")).map_or(0, |file| file.len());
    ensure!(log == 0, "the server left {log} bytes in the database's log");
    let mut files: Vec<(PathBuf, Vec<u8>)> = vec![
        ("casement.db.zlib".into(), packed(&fs::read(installation.data.join("casement.db"))?)?),
        ("recorded.json.zlib".into(), packed(recorded.to_string().as_bytes())?),
    ];
    let key = installation.data.join("secrets.key");
    if key.exists() {
        files.push(("secrets.key".into(), fs::read(key)?));
    }
    add_below(&installation.data, Path::new("attachments"), &mut files)?;
    let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
    ensure!(bytes <= BYTES_MAX, "the fixture has {bytes} bytes, at most {BYTES_MAX} are wanted");
    fs::create_dir_all(folder)?;
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, content)?;
    }
    Ok(())
}

/// Adds all files below a folder of the data directory, under their paths in it.
fn add_below(data: &Path, below: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<()> {
    for entry in fs::read_dir(data.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            add_below(data, &path, files)?;
        } else {
            files.push((path, fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn packed(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

#[expect(clippy::disallowed_methods, reason = "the moment of the recording, at which its answers hold")]
fn now_ms() -> Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
