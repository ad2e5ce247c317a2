//! What the machine gives an installation: the directory and its modes, room, open files, the clock.
//!
//! Pure: the facts are handed in by the command line, which alone asks the system.

use crate::doctor::Finding;
use crate::limits;

/// A file or directory and who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Its path.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
    /// Whether it belongs to whoever asks.
    pub owned: bool,
}

/// Facts about the machine, as far as the data directory goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The data directory.
    pub directory: Access,
    /// The files in it.
    pub files: Vec<Access>,
    /// Whether a process holds the directory.
    pub in_use: bool,
    /// Whether that process answers on its control socket; `None` where none was asked.
    pub answers: Option<bool>,
    /// The bytes that are free for us on the disk.
    pub free_bytes: u64,
    /// The files that a process of ours may have open; `None` for any number.
    pub open_files_max: Option<u64>,
    /// The connections that the server takes by its settings.
    pub connections_max: u64,
}

/// Judges the facts.
pub fn judge(host: &Host) -> Vec<Finding> {
    let mut findings = vec![permissions(host), server(host), room(host), open_files(host)];
    findings.retain(|finding| !finding.message.is_empty());
    findings
}

fn permissions(host: &Host) -> Finding {
    let check = "permissions";
    let open = |access: &Access| access.mode & 0o077 != 0;
    let mut wide: Vec<String> = Vec::new();
    if open(&host.directory) {
        wide.push(format!("{} ({:o})", host.directory.path, host.directory.mode));
    }
    wide.extend(
        host.files.iter().filter(|file| open(file)).map(|file| format!("{} ({:o})", file.path, file.mode)),
    );
    if !host.directory.owned {
        let message = format!("{} belongs to another user", host.directory.path);
        return Finding::warning(check, message, "run the doctor as the user that the server runs as");
    }
    if wide.is_empty() {
        return Finding::fine(
            check,
            format!("{} and its files are their owner's alone", host.directory.path),
        );
    }
    let message = format!("others may read: {}", wide.join(", "));
    Finding::warning(check, message, "chmod 700 the directory and 600 its files: they hold secrets")
}

/// Judges who may read a settings file that holds a password. The group may: the server's user is in it.
pub fn settings_file(file: &Access) -> Finding {
    let check = "settings";
    let message = format!("{} ({:o}) holds a password", file.path, file.mode);
    if file.mode & 0o007 == 0 {
        return Finding::fine(check, format!("{message}, and others may not read it"));
    }
    let advice = "chown root:casement and chmod 640 it, or the user and group that the server runs as; then give the database another password";
    Finding::warning(check, format!("{message}, and everybody may read it"), advice)
}

fn server(host: &Host) -> Finding {
    match (host.in_use, host.answers) {
        (false, _) => Finding::fine("server", "no server uses the directory at the moment"),
        (true, Some(true)) => Finding::fine("server", "a server uses the directory and answers"),
        (true, Some(false) | None) => Finding::warning(
            "server",
            "a process uses the directory and does not answer on its control socket",
            "it may be starting, stopping, or be another command; look again, then at its log",
        ),
    }
}

fn room(host: &Host) -> Finding {
    let free = host.free_bytes;
    let message = format!("{} MiB are free on the disk", free / (1024 * 1024));
    if free < limits::DOCTOR_FREE_BYTES_ERROR {
        return Finding::error("disk", message, "make room: writes are refused when the disk is full");
    }
    if free < limits::DOCTOR_FREE_BYTES_WARNING {
        return Finding::warning("disk", message, "make room before the disk is full");
    }
    Finding::fine("disk", message)
}

fn open_files(host: &Host) -> Finding {
    let needed = host.connections_max.saturating_add(limits::DOCTOR_OPEN_FILES_BESIDE);
    match host.open_files_max {
        Some(most) if most < needed => Finding::warning(
            "open-files",
            format!("a process may open {most} files; {} connections need {needed}", host.connections_max),
            "raise the limit (ulimit -n, LimitNOFILE) or lower connections_max",
        ),
        Some(most) => Finding::fine("open-files", format!("a process may open {most} files")),
        None => Finding::fine("open-files", "a process may open any number of files"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, gravest};

    fn sound() -> Host {
        let access = |path: &str, mode| Access { path: path.into(), mode, owned: true };
        Host {
            directory: access("data", 0o700),
            files: vec![access("casement.db", 0o600)],
            in_use: false,
            answers: None,
            free_bytes: 100 << 30,
            open_files_max: Some(65_536),
            connections_max: 10_000,
        }
    }

    fn level_of(host: &Host, check: &str) -> Level {
        judge(host).into_iter().find(|finding| finding.check == check).unwrap().level
    }

    #[test]
    fn a_sound_machine_has_nothing_to_complain_about() {
        assert_eq!(gravest(&judge(&sound())), Level::Fine);
    }

    #[test]
    fn a_settings_file_with_a_password_is_its_owners_and_groups_alone() {
        for (mode, level) in [(0o600, Level::Fine), (0o640, Level::Fine), (0o644, Level::Warning)] {
            let file = Access { path: "casement.toml".into(), mode, owned: false };
            assert_eq!(settings_file(&file).level, level, "{mode:o}");
        }
    }

    #[test]
    fn each_fault_of_the_machine_is_found_alone() {
        let wide = |mode| Access { path: "x".into(), mode, owned: true };
        let cases: [(&str, Level, Host); 8] = [
            ("permissions", Level::Warning, Host { directory: wide(0o750), ..sound() }),
            ("permissions", Level::Warning, Host { files: vec![wide(0o644)], ..sound() }),
            ("disk", Level::Warning, Host { free_bytes: limits::DOCTOR_FREE_BYTES_WARNING - 1, ..sound() }),
            ("disk", Level::Error, Host { free_bytes: limits::DOCTOR_FREE_BYTES_ERROR - 1, ..sound() }),
            ("open-files", Level::Warning, Host { open_files_max: Some(1024), ..sound() }),
            ("server", Level::Warning, Host { in_use: true, answers: Some(false), ..sound() }),
            ("server", Level::Fine, Host { in_use: true, answers: Some(true), ..sound() }),
            ("open-files", Level::Fine, Host { open_files_max: None, ..sound() }),
        ];
        for (check, level, host) in cases {
            assert_eq!(level_of(&host, check), level, "{host:?}");
            assert_eq!(gravest(&judge(&host)), level, "{host:?}");
        }
    }
}
