//! Whether a backup would lie in the data directory, and be lost with it.

use std::path::{Path, PathBuf};

/// Tells whether one path lies in another, or is it. Neither has to be there yet: the nearest ancestor that is tells where.
pub fn lies_inside(to: &Path, data: &Path) -> bool {
    match (found(to), found(data)) {
        (Some(to), Some(data)) => to.starts_with(data),
        (Some(_) | None, Some(_) | None) => false,
    }
}

/// The path without links, as far as it is there.
fn found(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find_map(|ancestor| {
        let there = std::fs::canonicalize(ancestor).ok()?;
        Some(path.strip_prefix(ancestor).map_or_else(|_| there.clone(), |rest| there.join(rest)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_inside_whether_it_is_there_or_not_and_through_links() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::create_dir(at("data")).unwrap();
        std::os::unix::fs::symlink(at("data"), at("link")).unwrap();
        for (to, data, expected) in [
            ("data", "data", true),
            ("data/backup", "data", true),
            ("link/backup", "data", true),
            ("new/backup", "new", true),
            ("data-2", "data", false),
            ("backup", "new", false),
            ("data/../backup", "data", false),
        ] {
            assert_eq!(lies_inside(&at(to), &at(data)), expected, "{to} in {data}");
        }
    }
}
