//! What is kept of an authority in the data directory: the account and the certificate, each a file of mode 0600 in a
//! folder of mode 0700. A file is written under another name, synced and renamed, so that a name stands for a whole file.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use instant_acme::AccountCredentials;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::limits;
use crate::tls::certificate::{Certificate, Unusable};

/// The folder within the data directory.
pub const FOLDER_NAME: &str = "acme";
/// The file of the certificate.
pub const CERTIFICATE_NAME: &str = "certificate.json";
/// The file of the account.
pub const ACCOUNT_NAME: &str = "account.json";

/// A kept file that is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not hold what it should.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A certificate as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The directory of the authority that gave it.
    pub directory: String,
    /// The names that it is for.
    pub domains: Vec<String>,
    /// The chain, PEM.
    pub chain: String,
    key: String,
    /// SHA-256 of chain and key, in base64.
    hash: String,
}

impl Kept {
    pub(crate) fn new(directory: String, domains: Vec<String>, chain: String, key: String) -> Self {
        let hash = hash(&chain, &key);
        Self { directory, domains, chain, key, hash }
    }

    pub(crate) fn certificate(&self) -> Result<Certificate, Unusable> {
        Certificate::of_pem(self.chain.as_bytes(), self.key.as_bytes())
    }
}

fn hash(chain: &str, key: &str) -> String {
    STANDARD.encode(digest(&SHA256, [chain, key].join("\n").as_bytes()))
}

/// The account as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptAccount {
    pub(crate) directory: String,
    pub(crate) credentials: AccountCredentials,
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Cache(PathBuf);

impl Cache {
    /// Takes the folder, which need not be there.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Reads the certificate; `None` when none is kept.
    ///
    /// # Errors
    /// The file can't be read, or is damaged.
    pub fn certificate(&self) -> Result<Option<Kept>, CacheError> {
        let path = self.0.join(CERTIFICATE_NAME);
        let kept: Option<Kept> = read(&path)?;
        match kept {
            Some(kept) if kept.hash != hash(&kept.chain, &kept.key) => {
                Err(CacheError::Damaged { path, reason: "its hash is another".to_owned() })
            }
            kept => Ok(kept),
        }
    }

    pub(crate) fn keep_certificate(&self, kept: &Kept) -> Result<(), CacheError> {
        self.write(CERTIFICATE_NAME, kept)
    }

    pub(crate) fn account(&self) -> Result<Option<KeptAccount>, CacheError> {
        read(&self.0.join(ACCOUNT_NAME))
    }

    pub(crate) fn keep_account(&self, account: &KeptAccount) -> Result<(), CacheError> {
        self.write(ACCOUNT_NAME, account)
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), CacheError> {
        let folder = &self.0;
        let path = folder.join(name);
        let failed = |source| CacheError::Io { path: path.clone(), source };
        private_folder(folder).map_err(failed)?;
        let bytes = serde_json::to_vec(value).map_err(|error| failed(error.into()))?;
        // A temporary file has mode 0600 from its first moment.
        let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

/// Makes the folder, or takes it away from others.
fn private_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
        }
        made => made,
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, CacheError> {
    let failed = |source| CacheError::Io { path: path.to_owned(), source };
    let damaged = |reason: String| CacheError::Damaged { path: path.to_owned(), reason };
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(found) if found.len() > limits::ACME_FILE_BYTES_MAX => {
            return Err(damaged(format!("it is longer than {} bytes", limits::ACME_FILE_BYTES_MAX)));
        }
        Ok(_) => {}
    }
    let bytes = fs::read(path).map_err(failed)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string()))
}
