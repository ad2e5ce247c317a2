//! The installation: the list of workspaces and the JWT apps. It is a workspace of its own in the store.

use std::collections::HashMap;
use std::sync::Arc;

use casement_domain::date::Moment;
use casement_domain::id::{AccountId, OrganisationId, StreamId};
use casement_domain::version::Versioned;
use casement_store::store::Store;
use serde::{Deserialize, Serialize};

use crate::body;
use crate::error::AppError;
use crate::jwt_app::JwtApp;
use crate::jwt_app::stored::{self, StoredJwtApp};
use crate::jwt_app::write::opened;
use crate::scan::scan_all;
use crate::seal::key::Keyring;

/// The id of the installation's own workspace in the store.
pub const INSTALLATION: &str = "installation";
/// The kind of JWT apps in the installation.
pub const KIND_APP: &str = "app";
/// The kind of the entries that list the workspaces.
pub const KIND_WORKSPACE: &str = "workspace";
/// The scope that reaches the case management API; contract section 1.
pub const SCOPE_CASES: &str = "case-management-configuration";

/// An entry in the list of workspaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceEntry {
    /// The stream that it is.
    pub stream: StreamId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// The organisation that it belongs to.
    pub organisation: OrganisationId,
    /// The name that administrators know it by.
    pub name: String,
    /// When it was made.
    pub created_at: Moment,
}

/// The installation as of one moment of its log.
#[derive(Debug, Clone, Default)]
pub struct Installation {
    /// The workspaces in the order of their making.
    pub workspaces: Vec<WorkspaceEntry>,
    /// The apps by client id.
    pub apps: HashMap<String, Arc<JwtApp>>,
}

/// Reads all apps as they are stored.
///
/// # Errors
/// The store can't be read, or a document in it is damaged.
pub(crate) async fn stored_jwt_apps(store: &Store) -> Result<Vec<Versioned<StoredJwtApp>>, AppError> {
    scan_all(store, INSTALLATION, KIND_APP).await?.iter().map(stored::decode).collect()
}

/// Reads the installation; `ring` gives the keys, and is asked after everything is read. An app that is as it was in `former` stays the same value, so that tokens of it that were
/// verified stay so.
///
/// # Errors
/// The store can't be read, or a document in it is damaged or can't be opened.
pub(crate) async fn load(
    store: &Store,
    ring: impl Fn() -> Arc<Keyring>,
    former: &Installation,
) -> Result<Installation, AppError> {
    let mut workspaces: Vec<WorkspaceEntry> = Vec::new();
    for document in scan_all(store, INSTALLATION, KIND_WORKSPACE).await? {
        workspaces.push(body::decode(&document)?.value);
    }
    workspaces.sort_by_key(|entry| entry.created_at);
    let mut apps = HashMap::new();
    let stored = stored_jwt_apps(store).await?;
    let ring = ring();
    for stored in stored {
        let app = opened(stored.value, &ring)?;
        let id = app.client_id.to_string();
        let unchanged = former.apps.get(&id).filter(|known| ***known == app).cloned();
        apps.insert(id, unchanged.unwrap_or_else(|| Arc::new(app)));
    }
    Ok(Installation { workspaces, apps })
}
