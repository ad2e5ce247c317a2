//! slowhttptest against the server: the service must be there to its probe, second by second.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::server::{Installation, Server};

/// Connections that it opens.
const CONNECTIONS: &str = "1000";

/// Its modes: slow head, slow body, ranges, slow reading.
const MODES: [(&str, &str); 4] = [("-H", "head"), ("-B", "body"), ("-R", "range"), ("-X", "read")];

/// What this needs and the machine lacks.
pub fn missing() -> Option<&'static str> {
    std::process::Command::new("slowhttptest")
        .arg("-h")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err()
        .then_some("slowhttptest is not installed; install it (apt-get install slowhttptest) to add it")
}

/// Runs each mode for so long.
///
/// # Errors
/// When the probe found the service away in any second, or the tool fails.
pub async fn run(installation: &Installation, server: &Server, folder: &Path, time: Duration) -> Result<()> {
    for (mode, name) in MODES {
        let prefix = folder.join(format!("slowhttptest-{name}"));
        let path = match name {
            "body" => format!("/caseManagement/api/public/analytics/{}/createCase", installation.stream),
            _ => "/docs".to_owned(),
        };
        let output = tokio::process::Command::new("slowhttptest")
            .args([mode, "-c", CONNECTIONS, "-r", "500", "-i", "3", "-k", "10", "-p", "5", "-g", "-o"])
            .arg(&prefix)
            .args(["-l", &time.as_secs().to_string(), "-u", &format!("http://{}{path}", server.address)])
            .kill_on_drop(true)
            .output()
            .await
            .context("slowhttptest could not be started")?;
        let csv = prefix.with_extension("csv");
        let table = std::fs::read_to_string(&csv).with_context(|| {
            let said = [output.stdout, output.stderr].concat();
            format!("slowhttptest {mode} left no table: {}", String::from_utf8_lossy(&said))
        })?;
        let (seconds, away) = read(&table)?;
        println!("proof slow: slowhttptest {mode}: {seconds} seconds, the service away in {away}");
        ensure!(seconds > 0, "slowhttptest {mode} measured nothing");
        ensure!(
            away == 0,
            "slowhttptest {mode}: the service was away in {away} of {seconds} seconds:\n{table}"
        );
    }
    Ok(())
}

/// Reads how many seconds the table has, and in how many of them the service was away. The first one says nothing: the
/// probe may not have been sent yet.
fn read(table: &str) -> Result<(usize, usize)> {
    let mut lines = table.lines();
    let head = lines.next().context("the table is empty")?;
    let column = head.split(',').position(|name| name.trim() == "Service Available");
    let column = column.with_context(|| format!("the table has no such column: {head}"))?;
    let values =
        lines.filter_map(|line| line.split(',').nth(column)).map(|value| value.trim().parse::<u64>());
    let values: Vec<u64> = values.collect::<Result<_, _>>()?;
    let told = values.get(1..).unwrap_or_default();
    Ok((told.len(), told.iter().filter(|value| **value == 0).count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_without_the_service_are_counted() {
        let table =
            "Seconds,Closed,Pending,Connected,Service Available\n0,0,1,0,0\n1,0,1,5,1000\n2,0,1,5,0\n";
        assert_eq!(read(table).unwrap(), (2, 1));
        assert!(read("Seconds,Closed\n").is_err());
    }
}
