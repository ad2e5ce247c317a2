//! Mounting, by the system's own programs. What is mounted is unmounted when it is dropped.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

/// How often a file system that is still busy is tried again, 50 ms apart.
const UNMOUNT_ATTEMPTS: u32 = 100;

/// A mounted file.
#[derive(Debug)]
pub struct Mount {
    place: PathBuf,
    mounted: bool,
}

impl Mount {
    /// Mounts the ext4 in a file.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn new(file: &Path, place: &Path) -> Result<Self> {
        run("mount", &["-t", "ext4", "-o", "loop,noatime", path(file)?, path(place)?]).await?;
        Ok(Self { place: place.to_owned(), mounted: true })
    }

    /// Writes everything that the kernel holds back.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn sync(&self) -> Result<()> {
        run("sync", &["-f", path(&self.place)?]).await
    }

    /// Unmounts it.
    ///
    /// # Errors
    /// When somebody keeps using it.
    pub async fn unmount(mut self) -> Result<()> {
        for _ in 1..UNMOUNT_ATTEMPTS {
            if run("umount", &[path(&self.place)?]).await.is_ok() {
                self.mounted = false;
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        run("umount", &[path(&self.place)?]).await?;
        self.mounted = false;
        Ok(())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if self.mounted {
            // The failure that led here is the one that is told.
            let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.place).status();
        }
    }
}

/// Puts an ext4 with a journal into a file.
///
/// # Errors
/// When the file can't be written.
pub async fn make_file_system(file: &Path) -> Result<()> {
    run("mkfs.ext4", &["-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0", path(file)?])
        .await
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("the path is no UTF-8")
}

async fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("{program} could not be started"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {}: {}", arguments.join(" "), said.trim());
    Ok(())
}
