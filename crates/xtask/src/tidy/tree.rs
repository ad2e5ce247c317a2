//! The files of the repository: what git tracks or would track, with their texts.
//!
//! Without git, or outside a checkout (a source archive), the tree itself is walked and the usual built folders are
//! left out. It reads; it judges nothing.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// Folders that a walk without git leaves out.
const WALK_SKIPS: [&str; 6] = [".git", "target", "node_modules", "dist", "casement-data", "test-results"];

/// A file of the repository.
#[derive(Debug)]
pub struct File {
    /// The path from the root, with forward slashes.
    pub path: String,
    /// The content, or nothing where it is no UTF-8.
    pub text: Option<String>,
}

impl File {
    /// The name of the file without its folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The content as numbered lines, counted from 1; none for a binary file.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.as_deref().unwrap_or_default().lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// Reads every file that git tracks or would track, in the order of their paths.
///
/// # Errors
/// When a file can't be read.
pub fn read(root: &Path) -> Result<Vec<File>> {
    let mut paths = match tracked(root) {
        Some(paths) => paths,
        None => {
            let mut paths = Vec::new();
            walk(root, "", &mut paths)?;
            paths
        }
    };
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        match std::fs::read(root.join(&path)) {
            Ok(content) => files.push(File { path, text: String::from_utf8(content).ok() }),
            // Deleted but still in git's index, or a link to nowhere: nothing to read.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{path} could not be read")),
        }
    }
    Ok(files)
}

/// What git tracks or would track; nothing where git is missing or the root is no checkout.
fn tracked(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(list.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// Adds the files below a folder, which is named from the root and ends with a slash unless it is the root.
fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) -> Result<()> {
    for entry in
        std::fs::read_dir(root.join(folder)).with_context(|| format!("{folder} could not be listed"))?
    {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            if !WALK_SKIPS.contains(&name.as_str()) {
                walk(root, &format!("{folder}{name}/"), paths)?;
            }
        } else {
            paths.push(format!("{folder}{name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_outside_git_is_walked_without_its_built_folders() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("crates/one/src")).unwrap();
        std::fs::create_dir_all(root.path().join("target/debug")).unwrap();
        std::fs::write(root.path().join("crates/one/src/lib.rs"), "//! One.\n").unwrap();
        std::fs::write(root.path().join("target/debug/one"), [0_u8, 255]).unwrap();
        let files = read(root.path()).unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["crates/one/src/lib.rs"]);
    }
}
