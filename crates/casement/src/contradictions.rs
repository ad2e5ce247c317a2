//! Settings that can be read one by one and can't be served together: what `serve` refuses before it touches anything, and
//! `config` tells beforehand.

use std::net::SocketAddr;
use std::path::Path;

use casement_store::backup::description::describe;
use casement_store::backup::inside::lies_inside;
use casement_store::inspect::Inspection;
use casement_store::limits::NO_BACKUP;

use crate::cli::ServeArguments;
use crate::{settings, tls};

/// Refuses settings that can't be served.
///
/// # Errors
/// Names all faults.
pub fn check(arguments: &ServeArguments) -> anyhow::Result<()> {
    let faults = faults(arguments);
    if faults.is_empty() {
        return Ok(());
    }
    anyhow::bail!("the settings can't be served:\n  {}", faults.join("\n  "))
}

/// Lists what is wrong with settings as a whole.
fn faults(arguments: &ServeArguments) -> Vec<String> {
    let mut faults = tls::contradictions(arguments);
    if faults.is_empty()
        && let Err(error) = tls::of_settings(arguments)
    {
        faults.push(format!("{error:#}"));
    }
    if let Some(address) = &arguments.data.database_url
        && let Err(error) = address.url()
    {
        faults.push(format!("{error:#}"));
    }
    if let Err(error) = settings::collector(arguments.otlp_endpoint.as_ref()) {
        faults.push(format!("{error:#}"));
    }
    if let Some(metrics) = arguments.metrics_listen
        && exclude_each_other(arguments.listen, metrics)
    {
        faults.push(format!(
            "metrics_listen: {metrics} is taken by listen ({}): name another port",
            arguments.listen
        ));
    }
    if let Err(error) = arguments.data.bytes.check() {
        faults.push(format!("{error:#}"));
    }
    match (&arguments.backup_to, &arguments.data.database_url) {
        (Some(_), Some(_)) => faults.push(format!("backup_to: {NO_BACKUP}")),
        (Some(to), None) => faults.extend(hopeless(to, &arguments.data.path)),
        (None, _) => {}
    }
    faults
}

/// Why no backup of this data can ever be kept there, as far as both can be looked at.
fn hopeless(backup: &Path, data: &Path) -> Option<String> {
    let shown = backup.display();
    if lies_inside(backup, data) {
        return Some(format!(
            "backup_to: {shown} lies in the data directory and would be lost with it; name a directory outside, best on another disk"
        ));
    }
    let kept = describe(backup).ok().flatten()?;
    let identity =
        if data.join("casement.db").exists() { Inspection::open(data).ok()?.identity().ok()? } else { None };
    (identity.as_deref() != Some(kept.installation.as_str())).then(|| {
        format!("backup_to: {shown} holds the backup of another installation; name another directory")
    })
}

/// Whether one process can't listen on both.
fn exclude_each_other(one: SocketAddr, other: SocketAddr) -> bool {
    let (one_ip, other_ip) = (one.ip(), other.ip());
    let is_any = one_ip.is_unspecified() || other_ip.is_unspecified();
    one.port() != 0
        && one.port() == other.port()
        && (one_ip == other_ip || (is_any && one_ip.is_ipv4() == other_ip.is_ipv4()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_listeners_need_two_places() {
        for (one, other, expected) in [
            ("127.0.0.1:7400", "127.0.0.1:7400", true),
            ("0.0.0.0:7400", "127.0.0.1:7400", true),
            ("127.0.0.1:7400", "127.0.0.1:7401", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:7400", "127.0.0.2:7400", false),
        ] {
            assert_eq!(
                exclude_each_other(one.parse().unwrap(), other.parse().unwrap()),
                expected,
                "{one} {other}"
            );
        }
    }
}
