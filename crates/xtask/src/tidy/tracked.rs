//! What no file of the repository may be called, be or hold: vague names, built files, paths of one machine.
//!
//! It looks at every file that git tracks or would track, not only at Rust.

use super::tree::File;

/// Names that say nothing about what a file holds (see STYLE.md).
const VAGUE_NAMES: [&str; 5] = ["utils", "helpers", "common", "manager", "service"];

/// Folders that hold what was built or fetched.
const BUILT_FOLDERS: [&str; 5] = ["node_modules", "dist", "target", "__pycache__", "casement-data"];

/// Endings of files that a compiler, a database or an archiver makes.
const BUILT_ENDINGS: [&str; 16] = [
    ".a", ".o", ".so", ".dylib", ".rlib", ".rmeta", ".exe", ".wasm", ".pyc", ".class", ".sqlite3", ".db",
    ".db-wal", ".zip", ".tar", ".gz",
];

/// Folders of somebody's machine.
const MACHINE_PATHS: [&str; 4] = ["/home/", "/root/", "/work/", "/Users/"];

/// Registries whose addresses belong into a lock file and a user's own settings.
const REGISTRIES: [&str; 4] = ["npmjs", "pypi", "debian", "crates"];

/// Files that name registries by their nature.
const LOCK_FILES: [&str; 3] = ["Cargo.lock", "package-lock.json", ".npmrc"];

/// Every fault of one file, whatever its kind.
pub fn faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    if is_vague(file) {
        faults.push(format!("{}: the name says nothing; name it after what it holds", file.path));
    }
    if is_built(file) {
        faults.push(format!("{}: a built file is not committed", file.path));
    }
    if !LOCK_FILES.contains(&file.name()) && !is_tidy_itself(file) {
        for (number, line) in file.lines() {
            if let Some(path) = MACHINE_PATHS.iter().find(|path| holds_absolute(line, path)) {
                faults.push(format!("{}:{number}: a path of one machine ({path}…)", file.path));
            }
            if let Some(host) = registry_host(line) {
                faults.push(format!("{}:{number}: the address of a registry ({host})", file.path));
            }
        }
    }
    faults
}

/// Whether a Rust file, or a folder that holds it, has a name that says nothing.
fn is_vague(file: &File) -> bool {
    file.path.strip_suffix(".rs").is_some_and(|path| path.split('/').any(|part| VAGUE_NAMES.contains(&part)))
}

/// Whether the path is that of something built or fetched.
fn is_built(file: &File) -> bool {
    let folders = file.path.strip_suffix(file.name()).unwrap_or_default();
    folders.split('/').any(|folder| BUILT_FOLDERS.contains(&folder))
        || BUILT_ENDINGS.iter().any(|ending| file.name().ends_with(ending))
}

/// This file holds the marks that it looks for.
fn is_tidy_itself(file: &File) -> bool {
    file.path.ends_with("xtask/src/tidy/tracked.rs")
}

/// Whether an absolute path starts here, not a piece of a longer one or of an address.
fn holds_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(place, _)| {
        let before = line.get(..place).and_then(|start| start.chars().next_back());
        before.is_none_or(|character| " \t\"'`(=:,>[".contains(character))
    })
}

/// The host of the first address in the line that is a registry's.
fn registry_host(line: &str) -> Option<&str> {
    line.split("://").skip(1).find_map(|rest| {
        let host = rest
            .split(|character: char| !(character.is_ascii_alphanumeric() || ".-".contains(character)))
            .next()?;
        let is_registry = host.split('.').any(|label| REGISTRIES.contains(&label));
        is_registry.then_some(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: Some(text.to_owned()) }
    }

    #[test]
    fn a_vague_name_is_a_fault_for_a_file_and_for_a_folder() {
        for path in ["crates/casement-app/src/utils.rs", "crates/casement-app/src/common/case.rs"] {
            assert_eq!(faults(&file(path, "")).len(), 1, "{path}");
        }
        assert!(faults(&file("crates/casement-app/src/service_level.rs", "")).is_empty());
        assert!(faults(&file("docs/common.md", "")).is_empty());
    }

    #[test]
    fn a_built_file_is_a_fault() {
        for path in [
            "console/dist/index.html",
            "target/debug/casement",
            "fixtures/store.db",
            "console/node_modules/x/y.js",
        ] {
            assert_eq!(faults(&file(path, "")).len(), 1, "{path}");
        }
        assert!(faults(&file("docs/target.md", "")).is_empty());
    }

    #[test]
    fn a_path_of_one_machine_is_a_fault_and_a_piece_of_an_address_is_none() {
        for line in ["see /work/main", "\"/home/somebody\"", "DIR=/root/data", "`/work/`"] {
            assert_eq!(faults(&file("README.md", line)).len(), 1, "{line}");
        }
        for line in ["https://example.com/home/page", "crates/work/src", "the /workspace/ folder"] {
            assert!(faults(&file("README.md", line)).is_empty(), "{line}");
        }
    }

    #[test]
    fn the_address_of_a_registry_is_a_fault_outside_a_lock_file() {
        for host in ["registry.npmjs.org", "pypi.org", "index.crates.io"] {
            let line = format!("from https://{host}/x");
            assert_eq!(faults(&file("console/vite.config.ts", &line)).len(), 1, "{line}");
            assert!(faults(&file("Cargo.lock", &line)).is_empty());
        }
        assert!(faults(&file("README.md", "https://docs.rs/axum and crates/casement")).is_empty());
    }
}
