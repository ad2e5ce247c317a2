//! The key file: where it is, its text form, who may read it, and how it is written so that a crash loses nothing.
//!
//! ```text
//! casement key file 1
//! # remarks
//! key 0123456789abcdef 64 hex digits
//! ```
//!
//! Each key stands with its id, which tells a slip of the pen. The first one seals.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::limits;
use crate::seal::key::{KeyId, Keyring, SealKey};
use crate::sources::Sources;

/// The first line of a key file.
const HEADER: &str = "casement key file 1";
/// What a new file says of itself.
const REMARK: &str = "# Opens the secrets of one Casement installation. It is in no backup: keep a copy, apart from the backups.";
/// The name of the key file in the data directory.
pub const KEY_FILE_NAME: &str = "secrets.key";
/// The name of the key among the credentials that systemd hands over.
pub const CREDENTIAL_NAME: &str = "casement.key";

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// A setting names it.
    Named,
    /// The service manager hands it over; it can be read and not written.
    Credential,
    /// It lies in the data directory.
    DataDirectory,
}

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
    origin: KeyOrigin,
}

/// Why the keys can't be had. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The file can't be worked with.
    #[error("can't {action} the key file {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Others may use it.
    #[error("the key file {} has mode {mode:o}, so that others may use it: `chmod 600` it, and if somebody may have read it, `casement key rotate` and `casement app rotate` afterwards", path.display())]
    Wide {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("the key file {} belongs to the user {owner}, and this process runs as {user}: `chown` it, or run as its owner", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user of this process.
        user: u32,
    },
    /// It is no key file.
    #[error("the key file {} is not usable: {reason}; put your copy of it in its place", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It is not there, and there are sealed secrets.
    #[error("secrets are sealed under the key {}, and there is no key file {}: put your copy of it there (mode 600), or name it by --key-file; it is in no backup", listed(ids), path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The keys that are needed.
        ids: Vec<KeyId>,
    },
    /// It lacks a key that is needed.
    #[error("secrets are sealed under the key {}, and the key file {} holds {}: name the right file by --key-file, or put your copy in its place", listed(ids), path.display(), listed(held))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The keys that are needed and not there.
        ids: Vec<KeyId>,
        /// The keys that are there.
        held: Vec<KeyId>,
    },
    /// It can't be changed.
    #[error("the key is the credential {}, which only the service manager can change: add the line of a new key (`casement key make`) before the others in its source, restart, then take the former line out", path.display())]
    Credential {
        /// The file.
        path: PathBuf,
    },
    /// A key is to be made where a file is.
    #[error("{} is there already; nothing was changed", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

/// Writes key ids one after the other.
fn listed(ids: &[KeyId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl KeyFile {
    /// Takes the file that a setting names, else the credential where there is one, else the one in the data directory.
    pub fn of(data: &Path, named: Option<&Path>, credentials: Option<&Path>) -> Self {
        let credential = credentials.map(|directory| directory.join(CREDENTIAL_NAME));
        match (named, credential.filter(|path| path.exists())) {
            (Some(path), _) => Self { path: path.to_owned(), origin: KeyOrigin::Named },
            (None, Some(path)) => Self { path, origin: KeyOrigin::Credential },
            (None, None) => Self { path: data.join(KEY_FILE_NAME), origin: KeyOrigin::DataDirectory },
        }
    }

    /// Gives its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells whose file it is.
    pub fn origin(&self) -> KeyOrigin {
        self.origin
    }

    /// Gives the keys for what is sealed under `needed`. Makes the file when nothing is sealed yet.
    ///
    /// # Errors
    /// The file can't be used, or lacks a key that is needed.
    pub fn keys(&self, needed: &[KeyId], sources: &Sources) -> Result<Keyring, KeyFault> {
        match self.read()? {
            Some(ring) => self.check(&ring, needed).map(|()| ring),
            None if needed.is_empty() => {
                let ring = Keyring::of(SealKey::fresh(sources));
                self.make(&ring)?;
                Ok(ring)
            }
            None => Err(KeyFault::Missing { path: self.path.clone(), ids: needed.to_vec() }),
        }
    }

    /// Refuses keys that are not those that are needed.
    ///
    /// # Errors
    /// One is not there.
    pub fn check(&self, ring: &Keyring, needed: &[KeyId]) -> Result<(), KeyFault> {
        let held: Vec<KeyId> = ring.keys().map(SealKey::id).collect();
        let ids: Vec<KeyId> = needed.iter().filter(|id| !held.contains(id)).cloned().collect();
        if ids.is_empty() { Ok(()) } else { Err(KeyFault::Wrong { path: self.path.clone(), ids, held }) }
    }

    /// Reads the keys; `None` when there is no file.
    ///
    /// # Errors
    /// It can't be read, others may use it, or it is no key file.
    pub fn read(&self) -> Result<Option<Keyring>, KeyFault> {
        let failed = |source| self.failed("read", source);
        // No waiting for a writer where somebody names a pipe.
        let opened = OpenOptions::new().read(true).custom_flags(NONBLOCK).open(&self.path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() {
            return Err(self.malformed("it is no file"));
        }
        let user = rustix::process::geteuid().as_raw();
        self.check_access(found.mode() & 0o777, found.uid(), user)?;
        if found.len() > limits::KEY_FILE_BYTES_MAX {
            return Err(self.malformed("it is too long"));
        }
        let mut text = String::new();
        match Read::by_ref(&mut file).take(limits::KEY_FILE_BYTES_MAX).read_to_string(&mut text) {
            Ok(_) => parse(&text).map(Some).map_err(|reason| self.malformed(&reason)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(self.malformed("it is no text")),
            Err(error) => Err(failed(error)),
        }
    }

    /// Our own file is its owner's alone. A credential is handed over by the service manager, which owns it (0400), or
    /// lets the service's user read it by an access list, which shows as 0440.
    fn check_access(&self, mode: u32, owner: u32, user: u32) -> Result<(), KeyFault> {
        let path = || self.path.clone();
        let (wide, owners) = match self.origin {
            KeyOrigin::Named | KeyOrigin::DataDirectory => (0o077, [user, user]),
            KeyOrigin::Credential => (0o037, [user, 0]),
        };
        if mode & wide != 0 {
            return Err(KeyFault::Wide { path: path(), mode });
        }
        // Root reads everything anyway: it may look after the file of another user.
        if !owners.contains(&owner) && user != 0 {
            return Err(KeyFault::Owner { path: path(), owner, user });
        }
        Ok(())
    }

    /// Makes the file, whole and durable or not at all.
    ///
    /// # Errors
    /// It is there already, or can't be written.
    pub fn make(&self, ring: &Keyring) -> Result<(), KeyFault> {
        let fresh = self.prepare(ring)?;
        // A link, since a rename would replace a file that somebody else has made meanwhile.
        match fs::hard_link(&fresh, &self.path) {
            Ok(()) => {
                fs::remove_file(&fresh).map_err(|source| self.failed("make", source))?;
                self.sync_directory()
            }
            Err(source) => {
                // What went wrong is told; that the rest stays is of no consequence.
                let _ = fs::remove_file(&fresh);
                if source.kind() == io::ErrorKind::AlreadyExists {
                    return Err(KeyFault::Exists { path: self.path.clone() });
                }
                Err(self.failed("make", source))
            }
        }
    }

    /// Puts other keys into the file: after a crash it holds the ones or the others.
    ///
    /// # Errors
    /// It is a credential, or can't be written; then it holds what it held, or both are there already.
    pub(crate) fn replace(&self, ring: &Keyring) -> Result<(), KeyFault> {
        match self.origin {
            KeyOrigin::Credential => Err(KeyFault::Credential { path: self.path.clone() }),
            KeyOrigin::Named | KeyOrigin::DataDirectory => {
                let fresh = self.prepare(ring)?;
                self.keep_owner(&fresh).map_err(|source| self.failed("replace", source))?;
                fs::rename(&fresh, &self.path).map_err(|source| self.failed("replace", source))?;
                self.sync_directory()
            }
        }
    }

    /// Writes keys beside the file.
    fn prepare(&self, ring: &Keyring) -> Result<PathBuf, KeyFault> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let fresh = self.path.with_file_name(name);
        let failed = |source| self.failed("write", source);
        match fs::remove_file(&fresh) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(failed)?;
        file.write_all(render(ring).as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(fresh)
    }

    /// Gives the file that is about to take the place of ours the same owner: root may do it for the server's user.
    fn keep_owner(&self, fresh: &Path) -> io::Result<()> {
        let (found, made) = (fs::metadata(&self.path)?, fs::metadata(fresh)?);
        if (found.uid(), found.gid()) == (made.uid(), made.gid()) {
            return Ok(());
        }
        std::os::unix::fs::chown(fresh, Some(found.uid()), Some(found.gid()))
    }

    fn sync_directory(&self) -> Result<(), KeyFault> {
        let directory = match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            Some(_) | None => Path::new("."),
        };
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|source| self.failed("sync the directory of", source))
    }

    fn failed(&self, action: &'static str, source: io::Error) -> KeyFault {
        KeyFault::Io { action, path: self.path.clone(), source }
    }

    fn malformed(&self, reason: &str) -> KeyFault {
        KeyFault::Malformed { path: self.path.clone(), reason: reason.to_owned() }
    }
}

/// `O_NONBLOCK`, for opening.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

/// Writes keys as the text of a key file.
pub fn render(ring: &Keyring) -> String {
    let keys: String = ring.keys().map(|key| format!("key {} {}\n", key.id(), key.hex())).collect();
    format!("{HEADER}\n{REMARK}\n{keys}")
}

fn parse(text: &str) -> Result<Keyring, String> {
    let mut lines = text.lines().zip(1..);
    match lines.next() {
        Some((line, _)) if line.trim_end() == HEADER => {}
        _ => return Err(format!("its first line is not {HEADER:?}")),
    }
    let mut keys = Vec::new();
    for (line, number) in lines {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let key = match words.as_slice() {
            ["key", id, hex] => SealKey::of_hex(hex).filter(|key| key.id().to_string() == *id),
            _ => None,
        };
        keys.push(key.ok_or_else(|| format!("line {number} is no key with its id"))?);
    }
    let most = limits::SEAL_KEYS_MAX;
    Keyring::of_all(keys).ok_or_else(|| format!("it must hold 1 to {most} different keys"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicU64, Ordering};

    use casement_domain::date::Moment;
    use tempfile::TempDir;

    use super::*;

    fn sources() -> Sources {
        let count = AtomicU64::new(1);
        let salt = move || u128::from(count.fetch_add(1, Ordering::Relaxed)).to_be_bytes();
        Sources::new(|| Moment::from_ms(0), || 1, salt)
    }

    fn house() -> (TempDir, KeyFile) {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyFile::of(directory.path(), None, None);
        (directory, file)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone_and_read_as_it_was_written() {
        let (directory, file) = house();
        let sources = sources();
        assert_eq!(file.read().unwrap(), None);
        let ring = file.keys(&[], &sources).unwrap();
        let found = fs::metadata(file.path()).unwrap();
        assert_eq!((found.mode() & 0o777, found.nlink()), (0o600, 1));
        assert_eq!(file.keys(&[ring.current().id()], &sources).unwrap(), ring);
        assert!(matches!(file.make(&ring), Err(KeyFault::Exists { .. })));
        let both = ring.led_by(SealKey::fresh(&sources)).unwrap();
        file.replace(&both).unwrap();
        assert_eq!(file.read().unwrap(), Some(both));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_a_crash_left_beside_the_file_is_no_obstacle() {
        let (_directory, file) = house();
        fs::write(file.path().with_file_name("secrets.key.new"), "casement key").unwrap();
        let ring = file.keys(&[], &sources()).unwrap();
        assert_eq!(file.read().unwrap(), Some(ring));
    }

    #[test]
    fn a_missing_file_is_not_made_anew_where_secrets_are_sealed() {
        let (_directory, file) = house();
        let id = SealKey::fresh(&sources()).id();
        let fault = file.keys(std::slice::from_ref(&id), &sources()).unwrap_err();
        assert!(fault.to_string().contains(&id.to_string()) && fault.to_string().contains("--key-file"));
        assert!(!file.path().exists());
    }

    #[test]
    fn the_wrong_file_is_told_by_both_ids() {
        let (_directory, file) = house();
        let sources = sources();
        let ring = file.keys(&[], &sources).unwrap();
        let needed = SealKey::fresh(&sources).id();
        let said = file.keys(std::slice::from_ref(&needed), &sources).unwrap_err().to_string();
        assert!(
            said.contains(&needed.to_string()) && said.contains(&ring.current().id().to_string()),
            "{said}"
        );
    }

    #[test]
    fn every_wider_mode_is_refused() {
        let (_directory, file) = house();
        let ring = file.keys(&[], &sources()).unwrap();
        for bit in 0..6 {
            set_mode(file.path(), 0o600 | (1 << bit));
            assert!(matches!(file.read(), Err(KeyFault::Wide { .. })), "{bit}");
        }
        for narrow in [0o600, 0o400] {
            set_mode(file.path(), narrow);
            assert_eq!(file.read().unwrap().as_ref(), Some(&ring));
        }
    }

    #[test]
    fn a_credential_may_be_root_s_and_its_group_s_to_read_and_nobody_s_to_write() {
        let credential = KeyFile { path: "x".into(), origin: KeyOrigin::Credential };
        let own = KeyFile { path: "x".into(), origin: KeyOrigin::Named };
        for mode in [0o400, 0o440, 0o600] {
            credential.check_access(mode, 0, 1000).unwrap();
            credential.check_access(mode, 1000, 1000).unwrap();
            assert!(matches!(credential.check_access(mode, 7, 1000), Err(KeyFault::Owner { .. })));
        }
        for mode in [0o444, 0o420, 0o402, 0o401, 0o410] {
            assert!(matches!(credential.check_access(mode, 0, 1000), Err(KeyFault::Wide { .. })), "{mode:o}");
        }
        assert!(matches!(own.check_access(0o440, 1000, 1000), Err(KeyFault::Wide { .. })));
        assert!(matches!(own.check_access(0o400, 0, 1000), Err(KeyFault::Owner { .. })));
    }

    #[test]
    fn the_setting_goes_before_the_credential_and_that_before_the_data_directory() {
        let directory = tempfile::tempdir().unwrap();
        let (data, credentials) = (Path::new("data"), directory.path());
        let origin = |named| KeyFile::of(data, named, Some(credentials)).origin();
        assert_eq!(origin(None), KeyOrigin::DataDirectory);
        fs::write(credentials.join(CREDENTIAL_NAME), "").unwrap();
        assert_eq!(origin(None), KeyOrigin::Credential);
        assert_eq!(origin(Some(Path::new("k"))), KeyOrigin::Named);
        let credential = KeyFile::of(data, None, Some(credentials));
        let ring = Keyring::of(SealKey::fresh(&sources()));
        assert!(matches!(credential.replace(&ring), Err(KeyFault::Credential { .. })));
    }

    #[test]
    fn what_is_no_key_file_is_refused_with_the_reason() {
        let (directory, file) = house();
        let ring = file.keys(&[], &sources()).unwrap();
        let text = render(&ring);
        let line = text.lines().last().unwrap();
        let slip = text.replace(" 0", " 1");
        let many = (0..limits::SEAL_KEYS_MAX + 1).map(|_| format!("{line}\n")).collect::<String>();
        for (wrong, reason) in [
            ("", "first line"),
            (line, "first line"),
            (HEADER, "1 to"),
            (&format!("{HEADER}\n{line} x"), "line 2"),
            (&format!("{HEADER}\n\nkey {}", ring.current().id()), "line 3"),
            (&slip, "line"),
            (&format!("{text}{line}\n"), "different"),
            (&format!("{HEADER}\n{many}"), "different"),
            (&"x".repeat(10_000), "too long"),
        ] {
            fs::write(file.path(), wrong).unwrap();
            let said = file.read().unwrap_err().to_string();
            assert!(said.contains(reason), "{wrong}: {said}");
            assert!(!said.contains(&ring.current().hex()), "{said}");
        }
        fs::write(file.path(), [0xff, 0xfe]).unwrap();
        assert!(file.read().unwrap_err().to_string().contains("no text"));
        let folder = KeyFile::of(directory.path(), Some(directory.path()), None);
        assert!(folder.read().unwrap_err().to_string().contains("no file"));
    }
}
