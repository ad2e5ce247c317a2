//! A certificate and its key in two PEM files, which are read anew when they change.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::tls::TlsError;
use crate::tls::certificate::Certificate;

/// The two files.
#[derive(Debug)]
pub(crate) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// When they changed last, as of the last look.
    changed: Mutex<Changed>,
}

/// When the two files changed last.
type Changed = (Option<SystemTime>, Option<SystemTime>);

impl Files {
    /// Reads the files.
    pub(crate) fn open(certificate: PathBuf, key: PathBuf) -> Result<(Self, Certificate), TlsError> {
        let changed = changed(&certificate, &key);
        let read = read(&certificate, &key)?;
        Ok((Self { certificate, key, changed: Mutex::new(changed) }, read))
    }

    /// Reads the files when they changed since the last look.
    pub(crate) fn changed(&self) -> Result<Option<Certificate>, TlsError> {
        let changed = changed(&self.certificate, &self.key);
        let mut seen = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == changed {
            return Ok(None);
        }
        *seen = changed;
        drop(seen);
        read(&self.certificate, &self.key).map(Some)
    }
}

fn changed(certificate: &Path, key: &Path) -> Changed {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    (changed(certificate), changed(key))
}

fn read(certificate: &Path, key: &Path) -> Result<Certificate, TlsError> {
    let bytes = |path: &Path| {
        std::fs::read(path).map_err(|cause| TlsError::Unreadable { path: path.to_owned(), cause })
    };
    Certificate::of_pem(&bytes(certificate)?, &bytes(key)?).map_err(|unusable| {
        let path = if unusable.what == "private key" { key } else { certificate };
        TlsError::Unusable { path: path.to_owned(), what: unusable.what, reason: unusable.reason }
    })
}
