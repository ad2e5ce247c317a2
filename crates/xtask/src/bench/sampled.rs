//! Data by `casement sample`, kept in a folder so that it is made once for each size.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::server::Installation;

/// What all choices of the data follow from.
const SEED: &str = "1";

/// What `casement init` printed; written when the data is whole, so a folder without it is made anew.
const MADE: &str = "made.json";

/// Gives the installation with so many sampled cases in a folder; makes it where it is absent.
///
/// # Errors
/// When the program fails, or the folder can't be used.
pub async fn installation(binary: &Path, folder: &Path, cases: u64) -> Result<Installation> {
    let folder = folder_of(folder, cases);
    let made = folder.join(MADE);
    if made.is_file() {
        let made: Value = serde_json::from_slice(&std::fs::read(&made)?)?;
        return Installation::of(binary, &folder, made).await;
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{} could not be removed", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)?;
    let installation = Installation::create(binary, &folder).await?;
    eprintln!("making {cases} cases in {}", folder.display());
    let status = tokio::process::Command::new(binary)
        .args(["sample", "--cases", &cases.to_string(), "--seed", SEED, "--no-index", "--data-dir"])
        .arg(&installation.data)
        .env_clear()
        .stdout(std::io::stderr())
        .kill_on_drop(true)
        .status()
        .await?;
    ensure!(status.success(), "`casement sample` failed");
    std::fs::write(made, installation.made.to_string())?;
    Ok(installation)
}

/// The folder of a size.
fn folder_of(folder: &Path, cases: u64) -> PathBuf {
    folder.join(format!("cases-{cases}"))
}
