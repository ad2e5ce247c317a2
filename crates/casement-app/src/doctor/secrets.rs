//! What is sealed: whether the key file is there, may be used, and opens every secret.

use std::collections::BTreeSet;

use casement_store::error::StoreError;
use casement_store::inspect::Inspection;

use crate::doctor::Finding;
use crate::installation::{INSTALLATION, KIND_APP};
use crate::jwt_app::stored::{self, StoredJwtApp};
use crate::seal::key::{KeyId, Keyring};
use crate::seal::key_file::{KeyFault, KeyFile, KeyOrigin};

const CHECK: &str = "secrets";
const FIND: &str = "find the right key file: the server does not start without it, and it is in no backup";

/// What helps against a fault of the key file.
fn advice(fault: &KeyFault) -> &'static str {
    match fault {
        KeyFault::Wide { .. } | KeyFault::Owner { .. } => {
            "set owner and mode of the key file: the server does not start before"
        }
        KeyFault::Io { .. } => {
            "look at the key file and its folder: the server does not start before it can be read"
        }
        KeyFault::Malformed { .. }
        | KeyFault::Missing { .. }
        | KeyFault::Wrong { .. }
        | KeyFault::Credential { .. }
        | KeyFault::Exists { .. } => FIND,
    }
}

/// Lists the keys that the secrets of a data directory are sealed under.
///
/// # Errors
/// The database can't be read.
pub fn keys_needed(inspection: &Inspection) -> Result<Vec<KeyId>, StoreError> {
    Ok(needed(&stored_apps(inspection)?))
}

fn needed(apps: &[StoredJwtApp]) -> Vec<KeyId> {
    let ids: BTreeSet<KeyId> = apps.iter().flat_map(StoredJwtApp::sealed_under).collect();
    ids.into_iter().collect()
}

/// Opens every secret with the keys of the key file.
///
/// # Errors
/// The database can't be read.
pub fn examine(inspection: &Inspection, key_file: &KeyFile) -> Result<Finding, StoreError> {
    let apps = stored_apps(inspection)?;
    let needed = needed(&apps);
    Ok(match key_file.read() {
        Err(fault) => Finding::error(CHECK, fault.to_string(), advice(&fault)),
        Ok(None) if needed.is_empty() => plain(&apps)
            .unwrap_or_else(|| Finding::fine(CHECK, "nothing is sealed, and there is no key file yet")),
        Ok(None) => {
            let fault = KeyFault::Missing { path: key_file.path().to_owned(), ids: needed };
            Finding::error(CHECK, fault.to_string(), advice(&fault))
        }
        Ok(Some(ring)) => match key_file.check(&ring, &needed) {
            Err(fault) => Finding::error(CHECK, fault.to_string(), advice(&fault)),
            Ok(()) => opened(apps, &ring, key_file),
        },
    })
}

/// Reads the apps that can be read; the others are a finding elsewhere.
fn stored_apps(inspection: &Inspection) -> Result<Vec<StoredJwtApp>, StoreError> {
    let mut apps = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = inspection.documents(INSTALLATION, KIND_APP, after.as_deref())?;
        let Some(last) = page.last() else { return Ok(apps) };
        after = Some(last.id.clone());
        apps.extend(page.iter().filter_map(|document| stored::decode(document).ok()).map(|read| read.value));
    }
}

fn plain(apps: &[StoredJwtApp]) -> Option<Finding> {
    let count = apps.iter().filter(|app| !app.is_sealed()).count();
    (count > 0).then(|| {
        let message = format!("the secrets of {count} apps are stored in plain");
        Finding::warning(
            CHECK,
            message,
            "the next start of a server seals them; see SECURITY.md for old backups",
        )
    })
}

fn opened(apps: Vec<StoredJwtApp>, ring: &Keyring, key_file: &KeyFile) -> Finding {
    if let Some(finding) = plain(&apps) {
        return finding;
    }
    let secrets: usize = apps.iter().map(StoredJwtApp::secrets_count).sum();
    for app in apps {
        let id = app.client_id().clone();
        if let Err(fault) = app.opened(ring) {
            let advice = "keep a copy of the directory as it is, then restore the last backup into a new one";
            return Finding::error(CHECK, format!("app {id}: {fault}"), advice);
        }
    }
    let (shown, key) = (key_file.path().display(), ring.current().id());
    let former = ring.former().len();
    if former > 0 && key_file.origin() != KeyOrigin::Credential {
        let message = format!("{shown} holds {former} keys besides {key}: a rotation has not ended");
        return Finding::warning(CHECK, message, "`casement key rotate`, or the next start, ends it");
    }
    Finding::fine(CHECK, format!("{secrets} secrets can be opened by the key {key} in {shown}"))
}
