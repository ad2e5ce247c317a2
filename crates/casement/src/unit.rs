//! `casement service`: Casement as a service of systemd, from the one unit that the package has too.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::cli::unit::{UnitInstallArguments, UnitOptions, UnitPrintArguments, UnitUninstallArguments};

use crate::output;

/// The unit as it is in the package.
const UNIT: &str = include_str!("../../../packaging/casement.service");
/// The user that it runs as.
const USER: &str = include_str!("../../../packaging/casement.sysusers");
/// The settings file to begin with.
const SETTINGS: &str = include_str!("../../../packaging/casement.toml");

const UNIT_PATH: &str = "etc/systemd/system/casement.service";
const USER_PATH: &str = "etc/sysusers.d/casement.conf";
const OWNER_PATH: &str = "etc/tmpfiles.d/casement.conf";
const SETTINGS_PATH: &str = "etc/casement/casement.toml";

/// The mode of files without secrets.
const OPEN_MODE: u32 = 0o644;
/// The mode of the settings, which may hold the password of a database: root writes, the service reads.
const SETTINGS_MODE: u32 = 0o640;
/// Gives the settings to the group of the service's user, also in an image that has no such user before it starts.
const OWNER: &str = "# The settings may hold the password of a database: the service reads them, others do not.\nz /etc/casement/casement.toml 0640 root casement -\n";

/// Where the package has the program.
const BINARY: &str = "/usr/bin/casement";
/// The line that takes a credential, as a remark.
const CREDENTIAL: &str = "#LoadCredential=casement.key:/etc/casement/secrets.key";
/// The lines that give no capabilities.
const NO_CAPABILITY: &str = "AmbientCapabilities=\nCapabilityBoundingSet=\n";
/// Those that give the one for low ports.
const LOW_PORTS: &str =
    "AmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n";

/// Runs `casement service print`.
///
/// # Errors
/// A path can't stand in a unit.
pub fn print(arguments: &UnitPrintArguments) -> anyhow::Result<()> {
    output::text(format_args!("{}", unit(&arguments.options)?));
    Ok(())
}

/// Runs `casement service install`.
///
/// # Errors
/// A path can't stand in a unit, a file can't be written, or systemd does not do as it is told.
pub fn install(arguments: &UnitInstallArguments) -> anyhow::Result<()> {
    let unit = unit(&arguments.options)?;
    let root = arguments.root.as_deref();
    write(&below(root, UNIT_PATH), &unit, OPEN_MODE)?;
    write(&below(root, USER_PATH), USER, OPEN_MODE)?;
    write(&below(root, OWNER_PATH), OWNER, OPEN_MODE)?;
    let settings = below(root, SETTINGS_PATH);
    if settings.exists() {
        output::line(format_args!("{} stays as it is.", settings.display()));
    } else {
        write(&settings, SETTINGS, SETTINGS_MODE)?;
    }
    if root.is_none() {
        tell("systemd-sysusers", &["casement.conf"])?;
        tell("systemd-tmpfiles", &["--create", "casement.conf"])?;
        tell("systemctl", &["daemon-reload"])?;
        output::line("Look at the settings, then start it: systemctl enable --now casement");
        output::line("The first start prints the first app's secret to the journal: journalctl -u casement");
    }
    Ok(())
}

/// Runs `casement service uninstall`.
///
/// # Errors
/// A file can't be removed, or systemd does not do as it is told.
pub fn uninstall(arguments: &UnitUninstallArguments) -> anyhow::Result<()> {
    let root = arguments.root.as_deref();
    let unit = below(root, UNIT_PATH);
    ensure!(unit.exists(), "there is no {}; nothing was changed", unit.display());
    if root.is_none() {
        tell("systemctl", &["disable", "--now", "casement"])?;
    }
    for path in [unit, below(root, USER_PATH), below(root, OWNER_PATH)] {
        match fs::remove_file(&path) {
            Ok(()) => output::line(format_args!("{} was removed.", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("can't remove {}", path.display())),
        }
    }
    if root.is_none() {
        tell("systemctl", &["daemon-reload"])?;
    }
    output::line("The data, the settings and the user casement stay.");
    Ok(())
}

fn unit(options: &UnitOptions) -> anyhow::Result<String> {
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe().context("this program can't be found")?,
    };
    let mut unit = UNIT.replacen(BINARY, started(&binary)?, 1);
    if let Some(key) = &options.load_key {
        unit = unit.replacen(CREDENTIAL, &format!("LoadCredential=casement.key:{}", written(key)?), 1);
    }
    if options.low_ports {
        unit = unit.replacen(NO_CAPABILITY, LOW_PORTS, 1);
    }
    Ok(unit)
}

/// A path of a program that the service can start: it sees no home.
fn started(binary: &Path) -> anyhow::Result<&str> {
    if ["/home", "/root", "/run/user"].iter().any(|home| binary.starts_with(home)) {
        bail!(
            "a service can't start {}: copy it, to /usr/local/bin for example, or name another by --binary",
            binary.display()
        );
    }
    written(binary)
}

/// A path as it may stand in a unit, without anything that would have to be escaped.
fn written(path: &Path) -> anyhow::Result<&str> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._+-".contains(character);
    let text = path.to_str().filter(|text| path.is_absolute() && text.chars().all(plain));
    text.with_context(|| {
        format!(
            "{} can't stand in a unit: it takes absolute paths of letters, digits and / . _ + -",
            path.display()
        )
    })
}

fn below(root: Option<&Path>, path: &str) -> PathBuf {
    root.unwrap_or(Path::new("/")).join(path)
}

/// Writes a file with a mode, whatever modes this process gives to new files.
fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let failed = || format!("can't write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path);
    let written = opened.and_then(|mut file| {
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())
    });
    written.with_context(failed)?;
    output::line(format_args!("{} was written.", path.display()));
    Ok(())
}

fn tell(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program).args(arguments).status();
    let status =
        status.with_context(|| format!("{program} can't be started; is this a system with systemd?"))?;
    ensure!(status.success(), "{program} {} failed: {status}", arguments.join(" "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> UnitOptions {
        UnitOptions { binary: Some(BINARY.into()), load_key: None, low_ports: false }
    }

    #[test]
    fn the_unit_of_the_package_is_the_one_that_is_installed() {
        assert_eq!(unit(&options()).unwrap(), UNIT);
    }

    #[test]
    fn each_option_changes_its_lines_alone() {
        let changed = |options: &UnitOptions| {
            let unit = unit(options).unwrap();
            let new: Vec<String> = unit
                .lines()
                .filter(|line| !UNIT.lines().any(|known| known == *line))
                .map(str::to_owned)
                .collect();
            assert_eq!(unit.lines().count(), UNIT.lines().count());
            new
        };
        let elsewhere = UnitOptions { binary: Some("/usr/local/bin/casement".into()), ..options() };
        assert_eq!(
            changed(&elsewhere),
            ["ExecStart=/usr/local/bin/casement serve --config /etc/casement/casement.toml"]
        );
        let loading = UnitOptions { load_key: Some("/etc/casement/k.key".into()), ..options() };
        assert_eq!(changed(&loading), ["LoadCredential=casement.key:/etc/casement/k.key"]);
        let low = UnitOptions { low_ports: true, ..options() };
        assert_eq!(changed(&low).concat(), LOW_PORTS.replace('\n', ""));
    }

    #[test]
    fn a_path_that_a_unit_would_read_otherwise_is_refused() {
        for wrong in [
            "casement",
            "/opt/my casement",
            "/opt/%h",
            "/opt/$x",
            "/opt/é",
            concat!("/home", "/ann/casement"),
            "/opt/a\nb",
        ] {
            assert!(unit(&UnitOptions { binary: Some(wrong.into()), ..options() }).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_unit_stops_later_than_the_server_and_has_files_for_every_connection() {
        let value = |key: &str| UNIT.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        assert_eq!(value("TimeoutStopSec="), "2min");
        assert!(casement_api::limits::DRAIN_TIMEOUT < std::time::Duration::from_secs(60));
        let connections = u64::try_from(casement_api::limits::CONNECTIONS_MAX).unwrap();
        let wanted = connections + casement_app::limits::DOCTOR_OPEN_FILES_BESIDE;
        assert!(value("LimitNOFILE=").parse::<u64>().unwrap() >= wanted);
    }
}
