//! The installation: the list of workspaces and the JWT apps. It is a workspace of its own in the store.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use casement_domain::actor::{Actor, NO_AVATAR};
use casement_domain::date::Moment;
use casement_domain::id::{AccountId, AppId, OrganisationId, StreamId, UserId};
use casement_store::store::Store;
use serde::{Deserialize, Serialize};

use crate::body;
use crate::error::AppError;
use crate::scan::scan_all;

/// The id of the installation's own workspace in the store.
pub const INSTALLATION: &str = "installation";
/// The kind of JWT apps in the installation.
pub const KIND_APP: &str = "app";
/// The kind of the entries that list the workspaces.
pub const KIND_WORKSPACE: &str = "workspace";
/// The scope that reaches the case management API; contract section 1.
pub const SCOPE_CASES: &str = "case-management-configuration";

/// A secret that is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Gives the secret itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// How the tokens of an app are signed. The app says it, never the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-512.
    Hs512,
}

/// A program that may call the API with tokens it signs itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwtApp {
    /// Its client id.
    pub client_id: AppId,
    /// Its name, which shows where it acts.
    pub name: String,
    /// The user that it acts as.
    pub user: UserId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// How its tokens are signed.
    pub algorithm: Algorithm,
    /// The secret that signs them.
    pub secret: Secret,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The streams that it reaches.
    pub streams: Vec<StreamId>,
    /// Whether its tokens must expire.
    pub requires_expiry: bool,
    /// False once it is revoked.
    pub active: bool,
}

impl JwtApp {
    /// Gives the app as somebody who acts.
    pub fn actor(&self) -> Actor {
        Actor { id: self.user.clone(), name: self.name.clone(), image: NO_AVATAR.to_owned() }
    }
}

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

/// Reads the installation.
///
/// # Errors
/// The store can't be read, or a document in it is damaged.
pub async fn load(store: &Store) -> Result<Installation, AppError> {
    let mut workspaces: Vec<WorkspaceEntry> = Vec::new();
    for document in scan_all(store, INSTALLATION, KIND_WORKSPACE).await? {
        workspaces.push(body::decode(&document)?.value);
    }
    workspaces.sort_by_key(|entry| entry.created_at);
    let mut apps = HashMap::new();
    for document in scan_all(store, INSTALLATION, KIND_APP).await? {
        let app: JwtApp = body::decode(&document)?.value;
        apps.insert(app.client_id.to_string(), Arc::new(app));
    }
    Ok(Installation { workspaces, apps })
}
