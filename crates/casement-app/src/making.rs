//! Making a workspace with its first JWT app.
//!
//! Two transactions, since none spans two workspaces: first the workspace with its configuration, then the entry in
//! the installation that lists it. A crash in between leaves a workspace that nobody lists; making it again goes on
//! from there.

use std::collections::BTreeMap;

use casement_domain::actor::Actor;
use casement_domain::date::Moment;
use casement_domain::id::{AccountId, AppId, OrganisationId, StreamId, UserId, fresh_account};
use casement_domain::workspace::Workspace;
use casement_domain::workspace::defaults::{self, Identity};
use casement_domain::{case, task};
use casement_store::document::NewWorkspace;
use casement_store::error::CommitError;
use casement_store::set::{DocumentWrite, EventWrite, WriteSet};
use serde::Serialize;

use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::installation::{INSTALLATION, KIND_APP, KIND_WORKSPACE, SCOPE_CASES, WorkspaceEntry};
use crate::jwt_app::secret::Secret;
use crate::jwt_app::stored;
use crate::jwt_app::{Digest, JwtApp, Keys, Rotating};
use crate::lease::{Turn, Work};
use crate::limits;
use crate::workspace::{kinds, load_config};

/// The number that the first reference id of each counter shows; contract section 2.
const FIRST_NUMBER: u64 = 100;

/// What a new workspace shall be; what is `None` is made.
#[derive(Debug, Clone, Default)]
pub struct NewWorkspaceInput {
    /// The account.
    pub account: Option<String>,
    /// The stream.
    pub stream: Option<String>,
    /// The organisation.
    pub organisation: Option<String>,
    /// The name that administrators know it by.
    pub name: Option<String>,
}

impl NewWorkspaceInput {
    /// Checks the ids that are given.
    ///
    /// # Errors
    /// An id is not usable.
    pub fn check(&self) -> Result<(), MakeError> {
        let given =
            [("account", &self.account), ("stream", &self.stream), ("organisation", &self.organisation)];
        for (what, id) in given {
            if let Some(id) = id {
                check_id(what, id)?;
            }
        }
        Ok(())
    }
}

/// A workspace that was made, and the app that reaches it. The secret is shown this once.
#[derive(Debug)]
pub struct MadeWorkspace {
    /// The workspace.
    pub workspace: Workspace,
    /// Its first app.
    pub app: JwtApp,
    /// The secret of that app.
    pub secret: Secret,
}

/// Why a workspace could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The installation has a workspace of this stream.
    #[error("there is a workspace of the stream {0} already; nothing was changed")]
    Exists(String),
    /// An id is not usable.
    #[error("{0}")]
    Invalid(String),
    /// The store could not do it.
    #[error(transparent)]
    App(#[from] AppError),
}

impl App {
    /// Makes a workspace with defaults, and a JWT app for it whose tokens need no expiry.
    ///
    /// # Errors
    /// The stream has a workspace already, an id is not usable, or the store takes no writes.
    pub async fn make_workspace(&self, input: NewWorkspaceInput) -> Result<MadeWorkspace, MakeError> {
        let now = self.sources().now();
        let (identity, name) = self.identity(input)?;
        if self.workspace(&identity.stream).is_some() {
            return Err(MakeError::Exists(identity.stream.to_string()));
        }
        let entry = WorkspaceEntry {
            stream: identity.stream.clone(),
            account: identity.account.clone(),
            organisation: identity.organisation.clone(),
            name: name.clone(),
            created_at: now,
        };
        self.make_configuration(identity, now).await?;
        let secret = Secret::fresh(self.sources());
        let app = self.new_app(&entry, &name, secret.clone(), now);
        self.list_workspace(&entry, &app, now).await?;
        let workspace = load_config(self.store(), &entry).await?;
        Ok(MadeWorkspace { workspace, app, secret })
    }

    /// Makes the first workspace, as [`App::make_workspace`]; `None`: there is one already. Of several nodes that start at
    /// once, one makes it and the others wait for it.
    ///
    /// # Errors
    /// As [`App::make_workspace`].
    pub async fn make_first_workspace(
        &self,
        input: NewWorkspaceInput,
    ) -> Result<Option<MadeWorkspace>, MakeError> {
        loop {
            if !self.installation().workspaces.is_empty() {
                return Ok(None);
            }
            match self.turn_of(INSTALLATION, Work::FirstWorkspace).await? {
                Turn::Alone => return self.make_workspace(input).await.map(Some),
                Turn::Under(_) => {
                    // Another node may have made it before this one had the lease.
                    self.reload_installation().await?;
                    if self.installation().workspaces.is_empty() {
                        return self.make_workspace(input).await.map(Some);
                    }
                }
                Turn::Others => {
                    tokio::time::sleep(limits::CATCH_UP_WAIT).await;
                    self.reload_installation().await?;
                }
            }
        }
    }

    fn identity(&self, input: NewWorkspaceInput) -> Result<(Identity, String), MakeError> {
        let mut ids = self.sources().ids();
        let mut next = || ids.next().expect("invariant: the source of ids does not end");
        input.check()?;
        let identity = Identity {
            account: input.account.map_or_else(|| fresh_account(next()), AccountId::from_text),
            organisation: input
                .organisation
                .map_or_else(|| OrganisationId::fresh(next()), OrganisationId::from_text),
            stream: input.stream.map_or_else(|| StreamId::fresh(next()), StreamId::from_text),
        };
        Ok((identity, input.name.unwrap_or_else(|| "Casement".to_owned())))
    }

    async fn make_configuration(&self, identity: Identity, now: Moment) -> Result<(), MakeError> {
        let counters = [case::COUNTER, task::COUNTER].map(|counter| (counter.to_owned(), FIRST_NUMBER));
        self.store()
            .create_workspace(NewWorkspace {
                id: identity.stream.to_string(),
                account: identity.account.to_string(),
                organisation: identity.organisation.to_string(),
                counters: BTreeMap::from(counters),
            })
            .await
            .map_err(AppError::from)?;
        let row = self.store().workspace(identity.stream.as_str()).await.map_err(AppError::from)?;
        if row.is_some_and(|row| row.head > 0) {
            // Made before a crash, but never listed: its configuration is complete, since one set made it.
            return Ok(());
        }
        let workspace = defaults::workspace(identity, now, &mut self.sources().ids());
        let mut set = self.made_set(workspace.stream.as_str(), now);
        set.changes_config = true;
        self.add_all(&mut set, kinds::STATUS, body::SCHEMA, &workspace.statuses, |entry| entry.id.as_str());
        self.add_all(&mut set, kinds::PRIORITY, body::SCHEMA, &workspace.priorities, |entry| {
            entry.id.as_str()
        });
        self.add_all(&mut set, kinds::QUEUE, body::SCHEMA, &workspace.queues, |entry| entry.id.as_str());
        self.add_all(&mut set, kinds::FIELD, body::SCHEMA, &workspace.fields, |entry| entry.id.as_str());
        self.add_all(&mut set, kinds::CASE_TEMPLATE, body::SCHEMA, &workspace.case_templates, |entry| {
            entry.id.as_str()
        });
        self.add_all(&mut set, kinds::TASK_TEMPLATE, body::SCHEMA, &workspace.task_templates, |entry| {
            entry.id.as_str()
        });
        self.add_all(&mut set, kinds::AGENT, body::SCHEMA, &workspace.agents, |entry| entry.id.as_str());
        self.commit_made(set).await
    }

    async fn list_workspace(
        &self,
        entry: &WorkspaceEntry,
        app: &JwtApp,
        now: Moment,
    ) -> Result<(), MakeError> {
        let mut set = self.made_set(INSTALLATION, now);
        self.add_all(&mut set, KIND_WORKSPACE, body::SCHEMA, std::slice::from_ref(entry), |entry| {
            entry.stream.as_str()
        });
        let _still = self.keys().still().await;
        let app = [self.sealed_jwt_app(app)];
        self.add_all(&mut set, KIND_APP, stored::SCHEMA, &app, |app| app.client_id().as_str());
        self.commit_made(set).await
    }

    fn new_app(&self, entry: &WorkspaceEntry, name: &str, secret: Secret, now: Moment) -> JwtApp {
        let mut ids = self.sources().ids();
        let mut next = || ids.next().expect("invariant: the source of ids does not end");
        JwtApp {
            client_id: AppId::fresh(next()),
            name: format!("{name} app"),
            user: UserId::fresh(next()),
            account: entry.account.clone(),
            keys: Keys::Hmac(Digest::Sha256, Rotating::first(secret, now)),
            scopes: vec![SCOPE_CASES.to_owned()],
            streams: vec![entry.stream.clone()],
            requires_expiry: false,
            enforces_jti: false,
            active: true,
        }
    }

    /// Begins a write set of the server itself.
    pub(crate) fn made_set(&self, workspace: &str, now: Moment) -> WriteSet {
        WriteSet {
            workspace: workspace.to_owned(),
            operation: self.sources().operation(),
            at_ms: now.ms(),
            actor: Actor::server().id.to_string(),
            app: String::new(),
            config_version: None,
            changes_config: false,
            guards: Vec::new(),
            claim_guards: Vec::new(),
            head_guards: Vec::new(),
            documents: Vec::new(),
            claims: Vec::new(),
            events: Vec::new(),
        }
    }

    fn add_all<T: Serialize>(
        &self,
        set: &mut WriteSet,
        kind: &str,
        schema: u32,
        entries: &[T],
        id: impl Fn(&T) -> &str,
    ) {
        for entry in entries {
            set.documents.push(DocumentWrite {
                kind: kind.to_owned(),
                id: id(entry).to_owned(),
                parent: None,
                version: 0,
                counter: None,
                schema,
                body: body::encode(entry),
            });
            set.events.push(EventWrite {
                kind: format!("{kind}.created"),
                document_kind: kind.to_owned(),
                document: id(entry).to_owned(),
                changes: None,
                salt: self.sources().salt(),
            });
        }
    }

    async fn commit_made(&self, set: WriteSet) -> Result<(), MakeError> {
        let workspace = set.workspace.clone();
        match self.store().commit(set).await {
            Ok(_) => Ok(()),
            Err(CommitError::Missed(_)) => Err(MakeError::Exists(workspace)),
            Err(error) => Err(MakeError::App(
                AppError::of_commit(error)
                    .unwrap_or_else(|| AppError::Failed("a miss was answered above".to_owned())),
            )),
        }
    }
}

fn check_id(what: &str, id: &str) -> Result<(), MakeError> {
    let usable = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    if id.is_empty() || id.len() > casement_domain::limits::ID_CHARACTERS_MAX || !id.chars().all(usable) {
        let sentence = format!("the {what} id must be 1 to 64 letters, digits, hyphens and underscores");
        return Err(MakeError::Invalid(sentence));
    }
    if id == INSTALLATION {
        return Err(MakeError::Invalid(format!("{INSTALLATION} is not free as the {what} id")));
    }
    Ok(())
}
