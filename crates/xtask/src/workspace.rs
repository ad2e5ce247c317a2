//! Where things are: the repository's root, its packages and its target directory, as cargo tells them.
//!
//! Every command gets a [`Workspace`] and runs cargo through [`Workspace::cargo`], so that the same flags, features and
//! directory are used everywhere and no step makes another one rebuild.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// The flags that choose what is built, the same in every step: other flags would mean other features, hence a rebuild.
pub const SELECTION: [&str; 2] = ["--workspace", "--all-targets"];

/// The repository that the command was started in.
#[derive(Debug)]
pub struct Workspace {
    /// The directory of the root `Cargo.toml`.
    pub root: PathBuf,
    /// Where cargo builds to.
    pub target: PathBuf,
    /// What `cargo metadata --no-deps` prints.
    pub metadata: Value,
}

impl Workspace {
    /// Asks cargo about the workspace around the current directory.
    ///
    /// # Errors
    /// When cargo can't be started or the current directory is in no workspace.
    pub fn find() -> Result<Self> {
        let output = Command::new(cargo())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stderr(Stdio::inherit())
            .output()
            .context("cargo metadata could not be started")?;
        ensure!(output.status.success(), "cargo metadata failed: run this inside the repository");
        let metadata: Value =
            serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
        let path_of = |key: &str| -> Result<PathBuf> {
            let path = metadata.get(key).and_then(Value::as_str);
            Ok(PathBuf::from(path.with_context(|| format!("cargo metadata names no {key}"))?))
        };
        Ok(Self { root: path_of("workspace_root")?, target: path_of("target_directory")?, metadata })
    }

    /// A cargo command in the root of the repository.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root);
        command
    }

    /// Builds the workspace as the tests need it and names the server's binary.
    ///
    /// # Errors
    /// When the build fails.
    pub fn build_server(&self) -> Result<PathBuf> {
        let status =
            self.cargo().arg("build").args(SELECTION).status().context("cargo build could not be started")?;
        ensure!(status.success(), "cargo build failed");
        self.binary("debug", "casement")
    }

    /// Builds the server for release and names its binary.
    ///
    /// # Errors
    /// When the build fails.
    pub fn release_server(&self) -> Result<PathBuf> {
        let status = self.cargo().args(["build", "--release", "-p", "casement"]).status()?;
        ensure!(status.success(), "cargo build --release failed");
        self.binary("release", "casement")
    }

    /// Names a binary that was built before.
    ///
    /// # Errors
    /// When it isn't there.
    pub fn binary(&self, profile: &str, name: &str) -> Result<PathBuf> {
        let path = self.target.join(profile).join(name);
        if !path.is_file() {
            bail!("{} is not there: the build made no such binary", path.display());
        }
        Ok(path)
    }

    /// Reads a file of the repository, or nothing where it isn't there.
    ///
    /// # Errors
    /// When it is there and can't be read as text.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Option<String>> {
        let path = self.root.join(path);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} could not be read", path.display())),
        }
    }
}

/// The cargo that started this program, so that nested commands use the same toolchain.
fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
