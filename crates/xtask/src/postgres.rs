//! Where PostgreSQL's programs are on this machine.

use std::path::{Path, PathBuf};

/// Gives the folder of the newest release that Debian has installed, else the one in the path; `None`: there is none.
pub fn programs() -> Option<PathBuf> {
    let releases = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian =
        releases.map(|release| release.path().join("bin")).filter(|bin| bin.join("initdb").is_file());
    let newest = debian.max_by_key(|bin| {
        let release = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        release.and_then(|release| release.parse::<u16>().ok())
    });
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file())
    };
    newest.or_else(in_path)
}
