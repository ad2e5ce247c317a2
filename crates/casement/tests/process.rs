//! The process: its signals, what it tells a service manager, its health, and the unit and packages around it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::connections::certificate;
use crate::harness::http::Connection;
use crate::harness::program::{casement, failed, init, succeeded, text};
use crate::harness::server::{ACCOUNT, STREAM};

/// How long a test waits for something that must happen.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A server as a child, killed with the test.
struct Running {
    child: Child,
    data: PathBuf,
    said: Arc<Mutex<String>>,
}

impl Running {
    fn start(data: &Path, prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = casement(&["serve", "--data-dir", text(data), "--listen", "127.0.0.1:0"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        prepare(&mut command);
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (stderr, heard) = (child.stderr.take().unwrap(), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                heard.lock().unwrap().push_str(&format!("{}\n", line.unwrap()));
            }
        });
        let running = Self { child, data: data.to_owned(), said };
        running.wait_until(|running| running.data.join("control.sock").exists());
        running
    }

    fn address(&mut self) -> String {
        let mut printed = String::new();
        let stdout = self.child.stdout.as_mut().unwrap();
        while !printed.ends_with('\n') {
            let mut byte = [0];
            assert_eq!(stdout.read(&mut byte).unwrap(), 1, "it ended after {printed:?}");
            printed.push(char::from(byte[0]));
        }
        printed.trim().rsplit("http://").next().unwrap().to_owned()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn wait_until(&self, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < WAIT_MAX, "it did not happen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_healthy(&self) -> bool {
        casement(&["health", "--data-dir", text(&self.data)]).output().unwrap().status.success()
    }

    /// Waits until it has logged something.
    fn says(&self, wanted: &str) {
        self.wait_until(|running| running.said.lock().unwrap().contains(wanted));
    }

    /// Waits for the end.
    fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn data(directory: &tempfile::TempDir) -> PathBuf {
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    data
}

#[test]
fn the_second_signal_to_stop_ends_a_server_that_waits_for_an_open_request() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let made = init(&data, ACCOUNT, STREAM);
    let [id, secret] = ["clientId", "clientSecret"].map(|key| made["app"][key].as_str().unwrap().to_owned());
    let token = succeeded(&["token", "--client-id", &id, "--client-secret", &secret]);
    let mut running = Running::start(&data, |_| {});
    let mut connection = Connection::open(running.address().parse().unwrap());
    running.wait_until(Running::is_healthy);
    // A request whose body never comes holds up the stop for 20 s.
    connection.send(&format!(
        "POST /caseManagement/api/public/analytics/{STREAM}/createCase HTTP/1.1\r\nHost: x\r\nauth: {}\r\n\
         Content-Length: 10\r\nExpect: 100-continue\r\n\r\n",
        token.trim()
    ));
    assert_eq!(connection.head().status, 100);
    running.signal("-TERM");
    running.wait_until(|running| !running.data.join("control.sock").exists());
    running.signal("-INT");
    running.says("told to stop a second time");
    assert_eq!(running.ended().code(), Some(1));
}

#[test]
fn a_hangup_reads_the_log_level_anew_and_a_wrong_one_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let settings = directory.path().join("casement.toml");
    fs::write(&settings, "log = \"error\"\n").unwrap();
    let running = Running::start(&data(&directory), |command| {
        command.args(["--config", text(&settings)]);
    });
    running.wait_until(Running::is_healthy);
    assert_eq!(*running.said.lock().unwrap(), "");
    fs::write(&settings, "log = \"info\"\n").unwrap();
    running.signal("-HUP");
    running.says("this is the log level");
    fs::write(&settings, "log = \"no such[\"\n").unwrap();
    running.signal("-HUP");
    running.says("stays as it was");
    assert!(running.is_healthy());
    running.signal("-TERM");
    running.says("everything acknowledged is on disk");
    assert!(running.ended().success());
}

#[test]
fn a_service_manager_is_told_when_the_server_serves_and_when_it_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let running = Running::start(&data(&directory), |command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    let told = || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    };
    assert_eq!(told(), "READY=1");
    assert!(running.is_healthy());
    running.signal("-TERM");
    assert_eq!(told(), "STOPPING=1");
    assert!(running.ended().success());
}

#[test]
fn health_tells_whether_a_server_serves() {
    let directory = tempfile::tempdir().unwrap();
    let data = data(&directory);
    let health = ["health", "--data-dir", text(&data), "--json"];
    assert!(failed(&health).contains("no server uses"));
    let running = Running::start(&data, |_| {});
    running.wait_until(Running::is_healthy);
    let found: Value = serde_json::from_str(&succeeded(&health)).unwrap();
    assert_eq!(found, serde_json::json!({"serves": true, "index": "ready", "store": "ready"}));
}

#[test]
fn the_service_is_installed_and_removed_below_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let binary = ["--binary", "/usr/bin/casement"];
    let install = [&["service", "install", "--root", text(root)], &binary[..]].concat();
    let uninstall = ["service", "uninstall", "--root", text(root)];
    assert!(failed(&uninstall).contains("nothing was changed"));
    succeeded(&install);
    let unit = fs::read_to_string(root.join("etc/systemd/system/casement.service")).unwrap();
    assert_eq!(unit, succeeded(&[&["service", "print"], &binary[..]].concat()));
    let settings = root.join("etc/casement/casement.toml");
    let shown: Value =
        serde_json::from_str(&succeeded(&["config", "--config", text(&settings), "--json"])).unwrap();
    assert!(shown.to_string().contains("/var/lib/casement"), "{shown}");
    fs::write(&settings, "log = \"info\"\n").unwrap();
    assert!(succeeded(&install).contains("stays as it is"));
    assert_eq!(fs::read_to_string(&settings).unwrap(), "log = \"info\"\n");
    succeeded(&uninstall);
    let left: Vec<PathBuf> = [
        "etc/systemd/system/casement.service",
        "etc/sysusers.d/casement.conf",
        "etc/tmpfiles.d/casement.conf",
    ]
    .map(|path| root.join(path))
    .into();
    assert!(left.iter().all(|path| !path.exists()) && settings.exists());
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_file_that_the_package_names_is_there_and_every_setting_of_its_file_is_one() {
    let manifest: toml::Table =
        fs::read_to_string(root().join("crates/casement/Cargo.toml")).unwrap().parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().unwrap();
    let mut targets = Vec::new();
    for asset in assets {
        let (source, target) = (asset[0].as_str().unwrap(), asset[1].as_str().unwrap());
        let is_built = source.starts_with("target/release/");
        let path = root().join("crates/casement").join(source);
        let found = if source.ends_with("/*.md") { path.parent().unwrap().is_dir() } else { path.is_file() };
        assert!(is_built || found, "{source}");
        let is_settings = target == "etc/casement/";
        assert_eq!(
            asset[2].as_str() == Some("640"),
            is_settings,
            "a password may stand in the settings: {source}"
        );
        targets.push(target);
    }
    for wanted in ["usr/bin/", "etc/casement/"] {
        assert!(targets.contains(&wanted), "{wanted}");
    }
    let units = deb["systemd-units"]["unit-scripts"].as_str().unwrap();
    for name in ["casement.service", "casement.sysusers"] {
        assert!(root().join("crates/casement").join(units).join(name).is_file(), "{name}");
    }
    let scripts = deb["maintainer-scripts"].as_str().unwrap();
    let script = fs::read_to_string(root().join("crates/casement").join(scripts).join("postinst")).unwrap();
    assert!(script.contains("#DEBHELPER#"));
    for file in deb["conf-files"].as_array().unwrap() {
        assert_eq!(file.as_str().unwrap(), "/etc/casement/casement.toml");
    }
    // Also the settings that stand there as remarks.
    let settings = fs::read_to_string(root().join("packaging/casement.toml")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let all = directory.path().join("casement.toml");
    let uncommented: String = settings
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    certificate(directory.path());
    let uncommented = uncommented.replace("/etc/casement", text(directory.path()));
    fs::write(&all, &uncommented).unwrap();
    let shown = succeeded(&["config", "--config", text(&all), "--json"]);
    assert!(shown.contains("certificate.pem") && shown.contains("/mnt/backup/casement"), "{shown}");
}

#[test]
fn half_of_tls_in_the_settings_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (settings, data) = (directory.path().join("casement.toml"), directory.path().join("data"));
    for half in ["tls_certificate", "tls_key"] {
        fs::write(&settings, format!("{half} = \"x.pem\"\n")).unwrap();
        let said = failed(&["serve", "--config", text(&settings), "--data-dir", text(&data)]);
        assert!(said.contains("belong together"), "{said}");
        assert!(!data.exists());
    }
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    let unit = root().join("packaging/casement.service");
    let written = fs::read_to_string(&unit).unwrap();
    for wanted in
        ["Type=notify", "NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077", "User=casement"]
    {
        assert!(written.lines().any(|line| line == wanted), "{wanted}");
    }
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("systemd-analyze is not here: what the unit says is not verified");
        return;
    }
    // Its program must be there for the verification.
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("casement.service");
    fs::write(&copy, written.replace("/usr/bin/casement", env!("CARGO_BIN_EXE_casement"))).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&copy).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("casement.service")).collect();
    assert!(ours.is_empty(), "{said}");
}
