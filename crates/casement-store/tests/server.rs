//! A PostgreSQL server for tests, with a database for each: one server for all test processes of a user, started by the
//! first that needs it and ended by a watcher when none has used it for a while.
//!
//! Test processes hold a lock on a file as long as they live; the watcher ends the server when it can have the file alone.
//! It stands in a file of its own so that the tests of other crates can take it in too, and needs nothing but the standard
//! library and the server's programs.

use std::fs::{self, File, OpenOptions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the watcher runs: `$1` the lock, `$2` the folder, `$3` and what follows a command that stops the server.
const WATCHER: &str = r#"
lock=$1 folder=$2
shift 2
free=0
while [ $free -lt 5 ]; do
    sleep 4
    if flock -n -x "$lock" true; then free=$((free + 1)); else free=0; fi
done
flock -x "$lock" sh -c 'folder=$1; shift; "$@"; rm -rf "$folder"' sh "$folder" "$@"
"#;

/// The running server.
struct Server {
    port: u16,
    bin: PathBuf,
    _lock: File,
}

/// A database that is removed when this is dropped.
#[derive(Debug)]
pub struct Database {
    /// Its name.
    pub name: String,
}

impl Database {
    /// Makes an empty database.
    pub fn fresh() -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        sql("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        sql("postgres", &format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"));
        Database { name }
    }

    /// Gives its address.
    pub fn url(&self) -> String {
        format!("postgres://casement@127.0.0.1:{}/{}", self.port(), self.name)
    }

    /// Gives the port of its server.
    pub fn port(&self) -> u16 {
        server().port
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        sql("postgres", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn sql(database: &str, statements: &str) -> String {
    let server = server();
    psql(&server.bin, server.port, database, statements)
}

/// Runs statements in a database; gives what they print, one line a row.
pub fn psql(bin: &Path, port: u16, database: &str, statements: &str) -> String {
    let output = Command::new(bin.join("psql"))
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "casement"])
        .args(["-p", &port.to_string(), "-d", database, "-c", statements])
        .env("PGOPTIONS", "-c client_min_messages=warning")
        .output()
        .expect("psql can be run");
    assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(find_or_start)
}

fn find_or_start() -> Server {
    let bin = programs();
    let user = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap();
    let base = std::env::temp_dir().join(format!("casement-tests-postgres-{user}"));
    fs::create_dir_all(&base).unwrap();
    fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).unwrap();
    let lock_path = base.join("lock");
    let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock_path);
    let lock = open().unwrap();
    let folder = base.join("server");
    loop {
        lock.lock_shared().unwrap();
        if let Some(port) = running(&folder) {
            return Server { port, bin, _lock: lock };
        }
        lock.unlock().unwrap();
        let alone = open().unwrap();
        alone.lock().unwrap();
        if running(&folder).is_none() {
            start_shared(&bin, &folder, &lock_path);
        }
    }
}

/// Gives the port of the server in a folder while it runs: its own file says which process it is and where it listens.
fn running(folder: &Path) -> Option<u16> {
    let told: u16 = fs::read_to_string(folder.join("port")).ok()?.trim().parse().ok()?;
    let own = fs::read_to_string(folder.join("data/postmaster.pid")).ok()?;
    let mut lines = own.lines();
    let (process, port) = (lines.next()?.trim(), lines.nth(2)?.trim());
    let is_own = Path::new("/proc").join(process).exists() && port.parse() == Ok(told);
    (is_own && TcpStream::connect(("127.0.0.1", told)).is_ok()).then_some(told)
}

/// The user that the server runs as: it refuses to be root, and is nobody then.
fn user() -> &'static [&'static str] {
    if is_root() { &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] } else { &["env"] }
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0
}

/// Runs one of the server's programs; what it complains about is in the panic. Not by a pipe: the server would keep it open.
pub fn run(bin: &Path, program: &str, arguments: &[&str]) {
    let complaints = std::env::temp_dir().join(format!("casement-{program}-{}", std::process::id()));
    let (first, others) = user().split_first().unwrap();
    let status = Command::new(first)
        .args(others)
        .arg(bin.join(program))
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&complaints).unwrap())
        .status()
        .unwrap();
    let told = fs::read_to_string(&complaints).unwrap_or_default();
    let _ = fs::remove_file(&complaints);
    assert!(status.success(), "{program} {arguments:?}: {told}");
}

/// Makes and starts a server in a folder; gives its port.
pub fn start(bin: &Path, folder: &Path) -> u16 {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    if is_root() {
        std::os::unix::fs::chown(folder, Some(65534), Some(65534)).unwrap();
    }
    let data = folder.join("data");
    let data = data.to_str().unwrap();
    run(bin, "initdb", &["-D", data, "-U", "casement", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // As many tests as processors run at once, each with up to three nodes of nine connections, and some of its own.
    let connections = 64 + 40 * std::thread::available_parallelism().map_or(8, usize::from);
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections={connections} \
         -c shared_buffers=64MB -c autovacuum_naptime=10s"
    );
    let log = folder.join("log");
    run(bin, "pg_ctl", &["-D", data, "-w", "-l", log.to_str().unwrap(), "-o", &options, "start"]);
    port
}

/// Starts the server that all tests share, and its watcher.
fn start_shared(bin: &Path, folder: &Path, lock: &Path) {
    let port = start(bin, folder);
    fs::write(folder.join("port"), port.to_string()).unwrap();
    let status = Command::new("setsid")
        .args(["--fork", "sh", "-c", WATCHER, "sh"])
        .args([lock, folder])
        .args(user())
        .arg(bin.join("pg_ctl"))
        .args(["-D", folder.join("data").to_str().unwrap(), "-m", "immediate", "stop"])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "the watcher can't be started");
}

/// The folder of the server's programs: that of the newest release there is.
pub fn programs() -> PathBuf {
    let releases = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = releases.map(|release| release.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    let newest = debian.max_by_key(|bin| {
        let release = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        release.and_then(|release| release.parse::<u32>().ok())
    });
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    };
    newest.or_else(in_path).expect(
        "these tests need PostgreSQL's programs (apt install postgresql); leave the tests out with \
         cargo nextest run -E 'not test(/postgres/)'",
    )
}
