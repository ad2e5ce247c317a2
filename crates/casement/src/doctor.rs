//! `casement doctor`: looks at an installation, prints what it finds, and says by its exit code how grave that is.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Context;
use casement_api::acme::cache::{CERTIFICATE_NAME, Cache, FOLDER_NAME};
use casement_api::control::socket::{SOCKET_NAME, connect};
use casement_api::tls::Tls;
use casement_api::tls::certificate::validity;
use casement_app::certificate::Validity;
use casement_app::doctor::host::{Access, Host};
use casement_app::doctor::{
    Finding, Level, attachments, backup, certificate as tls, data, gravest, host, secrets,
};
use casement_store::error::StoreError;
use casement_store::inspect::{Inspection, check_not_gone, is_in_use, is_unfinished};
use casement_store::options::{Directory, Server};
use rustix::process::geteuid;
use serde_json::{Value, json};

use crate::cli::DoctorArguments;
use crate::settings::Settings;
use crate::{open_files, opened, output, sources};

/// Runs `casement doctor`; gives the exit code: 0 all is well, 1 warnings, 2 errors.
///
/// # Errors
/// The machine can't be asked.
pub fn run(arguments: &DoctorArguments, settings: &Settings) -> anyhow::Result<u8> {
    let findings = findings(arguments, settings)?;
    let level = gravest(&findings);
    if arguments.json {
        output::line(format_args!("{:#}", as_json(level, &findings)));
    } else {
        print(&findings);
    }
    Ok(level.exit_code())
}

fn findings(arguments: &DoctorArguments, settings: &Settings) -> anyhow::Result<Vec<Finding>> {
    let directory = &arguments.data.path;
    let shown = directory.display();
    let mut findings = vec![Finding::fine("version", format!("casement {}", env!("CARGO_PKG_VERSION")))];
    if let Some(file) = settings.file_with_secret() {
        findings.push(host::settings_file(&access(file)?));
    }
    if let Some(server) = arguments.data.server(Directory::Common)? {
        findings.extend(served(arguments, &server)?);
        return Ok(findings);
    }
    if is_unfinished(directory) {
        let advice = "remove what is in the directory and restore again";
        findings.push(Finding::error("directory", format!("the restore into {shown} did not end"), advice));
        return Ok(findings);
    }
    if let Err(error) = check_not_gone(directory) {
        let advice = "find out where the database went before anything is put there";
        findings.push(Finding::error("directory", error.to_string(), advice));
        return Ok(findings);
    }
    if !directory.join("casement.db").exists() {
        let advice = "name the right directory; `casement init` or `casement serve` makes a new one";
        findings.push(Finding::error("directory", format!("{shown} holds no data"), advice));
        return Ok(findings);
    }
    findings.push(Finding::fine("directory", format!("the data is in {shown}")));
    findings.extend(host::judge(&machine(directory, arguments.connections_max.into())?));
    findings.extend(certificates(arguments)?);
    let identity = match examine(arguments) {
        Ok((found, identity)) => {
            findings.extend(found);
            identity
        }
        Err(error) => {
            let advice = match error {
                StoreError::NewerSchema { .. } => {
                    "run the doctor of the release that wrote it; the data need nothing"
                }
                _ => {
                    "keep a copy of the directory as it is; restore the last backup into a new one if it is damaged"
                }
            };
            findings.push(Finding::error("database", error.to_string(), advice));
            None
        }
    };
    if let Some(place) = &arguments.backup_to {
        findings.push(backup::directory(place, identity.as_deref(), arguments.depth(), sources::now()));
    }
    Ok(findings)
}

/// Looks at an installation on a database server, and at what the node keeps beside it.
fn served(arguments: &DoctorArguments, server: &Server) -> anyhow::Result<Vec<Finding>> {
    let directory = &arguments.data.path;
    let mut findings = Vec::new();
    if directory.exists() {
        findings.extend(host::judge(&machine(directory, arguments.connections_max.into())?));
    }
    findings.extend(certificates(arguments)?);
    let examined = Inspection::connect(server).and_then(|inspection| {
        let mut found =
            data::examine(&inspection, arguments.depth(), arguments.backup_to.as_deref(), sources::now())?;
        found.push(bytes(arguments, &inspection, true)?);
        found.push(secrets::examine(&inspection, &arguments.data.key_file())?);
        Ok(found)
    });
    match examined {
        Ok(found) => findings.extend(found),
        Err(error) => {
            let advice = "look at the address and at the server; docs/operations.md tells how one is set up";
            findings.push(Finding::error("database", error.to_string(), advice));
        }
    }
    Ok(findings)
}

/// Looks at the certificate of the settings and its key, as `serve` would read them.
fn certificates(arguments: &DoctorArguments) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if let Some(found) = certificate(arguments) {
        findings.push(tls::judge(found, sources::now()));
    }
    if let Some(key) = arguments.tls_key.as_deref().filter(|key| key.exists()) {
        findings.push(tls::key(&access(key)?));
    }
    Ok(findings)
}

/// Reads how long the certificate of the settings holds; `None` when they name none.
fn certificate(arguments: &DoctorArguments) -> Option<Result<Option<Validity>, String>> {
    match (&arguments.tls_certificate, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            let opened = Tls::open(certificate.clone(), key.clone());
            return Some(opened.map(|tls| tls.validity()).map_err(|error| error.to_string()));
        }
        (Some(_), None) => {
            return Some(Err("tls_key is missing: a certificate and its key belong together".to_owned()));
        }
        (None, Some(_)) => {
            return Some(Err(
                "tls_certificate is missing: a certificate and its key belong together".to_owned()
            ));
        }
        (None, None) => {}
    }
    if arguments.acme_domain.is_empty() {
        return None;
    }
    let folder = arguments.data.path.join(FOLDER_NAME);
    Some(match Cache::new(folder.clone()).certificate() {
        Ok(None) => Ok(None),
        Ok(Some(kept)) => validity(kept.chain.as_bytes()).map(Some).map_err(|unusable| {
            let path = folder.join(CERTIFICATE_NAME);
            format!("{} holds no usable {}: {}", path.display(), unusable.what, unusable.reason)
        }),
        Err(error) => Err(error.to_string()),
    })
}

fn examine(arguments: &DoctorArguments) -> Result<(Vec<Finding>, Option<String>), StoreError> {
    let inspection = Inspection::open(&arguments.data.path)?;
    let mut findings =
        data::examine(&inspection, arguments.depth(), arguments.backup_to.as_deref(), sources::now())?;
    findings.push(bytes(arguments, &inspection, false)?);
    findings.push(secrets::examine(&inspection, &arguments.data.key_file())?);
    Ok((findings, inspection.identity()?))
}

/// Looks at the bytes of attachments. A directory that is not there yet is not made.
fn bytes(
    arguments: &DoctorArguments,
    inspection: &Inspection,
    is_on_server: bool,
) -> Result<Finding, StoreError> {
    let data = &arguments.data;
    let failed = |error: anyhow::Error| {
        let advice = "look at the setting `attachments`";
        Ok(Finding::error("attachments", format!("{error:#}"), advice))
    };
    let runtime = match opened::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(error),
    };
    let blobs = match data.bytes.is_absent(&data.path) {
        true => None,
        false => match data.bytes.open(&data.path, is_on_server) {
            Ok(blobs) => blobs,
            Err(error) => return failed(error),
        },
    };
    attachments::examine(&runtime, inspection, blobs.as_ref(), arguments.depth())
}

/// Asks the system about the data directory.
fn machine(directory: &Path, connections_max: u64) -> anyhow::Result<Host> {
    let failed = || format!("can't look at {}", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        files.push(access(&entry.path())?);
        if entry.file_type().with_context(failed)?.is_dir() {
            for below in fs::read_dir(entry.path()).with_context(failed)? {
                files.push(access(&below.with_context(failed)?.path())?);
            }
        }
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let in_use = is_in_use(directory)?;
    let space = rustix::fs::statvfs(directory).with_context(failed)?;
    Ok(Host {
        directory: access(directory)?,
        files,
        in_use,
        answers: if in_use { Some(answers(directory)?) } else { None },
        free_bytes: space.f_bavail.saturating_mul(space.f_frsize),
        open_files_max: open_files::most(),
        connections_max,
    })
}

fn access(path: &Path) -> anyhow::Result<Access> {
    let found = fs::symlink_metadata(path).with_context(|| format!("can't look at {}", path.display()))?;
    Ok(Access {
        path: path.display().to_string(),
        mode: found.mode() & 0o777,
        owned: found.uid() == geteuid().as_raw() || geteuid().is_root(),
    })
}

/// Whether a server takes a connection on its control socket.
fn answers(directory: &Path) -> anyhow::Result<bool> {
    let connected = opened::runtime()?.block_on(async { connect(directory).map(|stream| stream.is_some()) });
    connected.with_context(|| format!("can't ask {}", directory.join(SOCKET_NAME).display()))
}

fn print(findings: &[Finding]) {
    for Finding { check, level, message, advice } in findings {
        output::line(format_args!("{:8}{check}: {message}", level.name()));
        if let Some(advice) = advice {
            output::line(format_args!("        {:>width$}  {advice}", "->", width = check.len()));
        }
    }
}

fn as_json(level: Level, findings: &[Finding]) -> Value {
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({
                "check": finding.check,
                "level": finding.level.name(),
                "message": finding.message,
                "advice": finding.advice,
            })
        })
        .collect();
    json!({"level": level.name(), "findings": findings})
}
