//! Making a workspace with its first JWT app.
//!
//! Two transactions, since none spans two workspaces: first the workspace with its configuration, then the entry in
//! the installation that lists it. A crash in between leaves a workspace that nobody lists; making it again goes on
//! from there. What is made is planned before, so that an attempt whose answer was lost can be made again and still makes one.

use std::collections::BTreeMap;

use casement_domain::actor::Actor;
use casement_domain::date::Moment;
use casement_domain::id::{AccountId, AppId, OrganisationId, StreamId, UserId, fresh_account};
use casement_domain::workspace::Workspace;
use casement_domain::workspace::defaults::{self, Identity};
use casement_domain::{case, task};
use casement_store::document::NewWorkspace;
use casement_store::error::CommitError;
use casement_store::set::{ClaimGuard, DocumentWrite, EventWrite, WriteSet};
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

/// A workspace that is to be made: all of it that is random, so that every attempt makes the same one.
#[derive(Debug)]
pub struct PlannedWorkspace {
    entry: WorkspaceEntry,
    config: Workspace,
    /// Names the set that makes the configuration.
    operation: [u8; 16],
    app: JwtApp,
    secret: Secret,
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
        let planned = self.plan_workspace(input)?;
        self.make_planned(&planned, None).await
    }

    /// Draws what a workspace that is to be made needs, and makes nothing.
    ///
    /// # Errors
    /// An id is not usable.
    pub fn plan_workspace(&self, input: NewWorkspaceInput) -> Result<PlannedWorkspace, MakeError> {
        let created_at = self.sources().now();
        let (identity, name) = self.identity(input)?;
        let entry = WorkspaceEntry {
            stream: identity.stream.clone(),
            account: identity.account.clone(),
            organisation: identity.organisation.clone(),
            name,
            created_at,
        };
        let config = defaults::workspace(identity, created_at, &mut self.sources().ids());
        let (operation, secret) = (self.sources().operation(), Secret::fresh(self.sources()));
        let app = self.new_app(&entry, secret.clone());
        Ok(PlannedWorkspace { entry, config, operation, app, secret })
    }

    /// Makes the first workspace as it was planned; `None`: another was made before. Of several nodes that start at once, one
    /// makes it and the others wait for it. After a failure it may be called again with the same plan: what was made by then
    /// is not made twice.
    ///
    /// # Errors
    /// As [`App::make_workspace`].
    pub async fn make_first_workspace(
        &self,
        planned: &PlannedWorkspace,
    ) -> Result<Option<MadeWorkspace>, MakeError> {
        loop {
            let installation = self.installation();
            if installation.apps.contains_key(planned.app.client_id.as_str()) {
                // The answer to the commit was lost.
                return self.made(planned).await.map(Some);
            }
            if !installation.workspaces.is_empty() {
                return Ok(None);
            }
            let turn = self.turn_of(INSTALLATION, Work::FirstWorkspace).await?;
            if turn != Turn::Alone {
                // Another node may have made it before this one had the lease.
                self.reload_installation().await?;
                if !self.installation().workspaces.is_empty() {
                    continue;
                }
            }
            match turn {
                Turn::Alone => return self.make_planned(planned, None).await.map(Some),
                Turn::Under(_) => match self.make_planned(planned, turn.guard()).await {
                    // Another node has the lease by now, or an earlier attempt came through after all.
                    Err(MakeError::Exists(_)) => {}
                    ended => return ended.map(Some),
                },
                Turn::Others => {}
            }
            tokio::time::sleep(limits::CATCH_UP_WAIT).await;
            self.reload_installation().await?;
        }
    }

    /// Makes a workspace; nothing lists it where the guard does not hold.
    async fn make_planned(
        &self,
        planned: &PlannedWorkspace,
        guard: Option<ClaimGuard>,
    ) -> Result<MadeWorkspace, MakeError> {
        if self.workspace(&planned.entry.stream).is_some() {
            return Err(MakeError::Exists(planned.entry.stream.to_string()));
        }
        self.make_configuration(planned).await?;
        self.list_workspace(planned, guard).await?;
        self.made(planned).await
    }

    /// Gives a workspace that was made.
    async fn made(&self, planned: &PlannedWorkspace) -> Result<MadeWorkspace, MakeError> {
        let PlannedWorkspace { entry, app, secret, .. } = planned;
        let workspace = load_config(self.store(), entry).await?;
        Ok(MadeWorkspace { workspace, app: app.clone(), secret: secret.clone() })
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

    async fn make_configuration(&self, planned: &PlannedWorkspace) -> Result<(), MakeError> {
        let PlannedWorkspace { entry, config: workspace, operation, .. } = planned;
        let counters = [case::COUNTER, task::COUNTER].map(|counter| (counter.to_owned(), FIRST_NUMBER));
        self.store()
            .create_workspace(NewWorkspace {
                id: entry.stream.to_string(),
                account: entry.account.to_string(),
                organisation: entry.organisation.to_string(),
                counters: BTreeMap::from(counters),
            })
            .await
            .map_err(AppError::from)?;
        let row = self.store().workspace(entry.stream.as_str()).await.map_err(AppError::from)?;
        if row.is_some_and(|row| row.head > 0) {
            // Made before a crash, but never listed: its configuration is complete, since one set made it.
            return Ok(());
        }
        let mut set = made_set(*operation, entry.stream.as_str(), entry.created_at);
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
        self.commit_made(set, entry).await
    }

    async fn list_workspace(
        &self,
        planned: &PlannedWorkspace,
        guard: Option<ClaimGuard>,
    ) -> Result<(), MakeError> {
        let PlannedWorkspace { entry, app, .. } = planned;
        let mut set = self.made_set(INSTALLATION, entry.created_at);
        set.claim_guards.extend(guard);
        self.add_all(&mut set, KIND_WORKSPACE, body::SCHEMA, std::slice::from_ref(entry), |entry| {
            entry.stream.as_str()
        });
        let _still = self.keys().still().await;
        let app = [self.sealed_jwt_app(app)];
        self.add_all(&mut set, KIND_APP, stored::SCHEMA, &app, |app| app.client_id().as_str());
        self.commit_made(set, entry).await
    }

    fn new_app(&self, entry: &WorkspaceEntry, secret: Secret) -> JwtApp {
        let mut ids = self.sources().ids();
        let mut next = || ids.next().expect("invariant: the source of ids does not end");
        JwtApp {
            client_id: AppId::fresh(next()),
            name: format!("{} app", entry.name),
            user: UserId::fresh(next()),
            account: entry.account.clone(),
            keys: Keys::Hmac(Digest::Sha256, Rotating::first(secret, entry.created_at)),
            scopes: vec![SCOPE_CASES.to_owned()],
            streams: vec![entry.stream.clone()],
            requires_expiry: false,
            enforces_jti: false,
            active: true,
        }
    }

    /// Begins a write set of the server itself.
    pub(crate) fn made_set(&self, workspace: &str, now: Moment) -> WriteSet {
        made_set(self.sources().operation(), workspace, now)
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

    async fn commit_made(&self, set: WriteSet, entry: &WorkspaceEntry) -> Result<(), MakeError> {
        match self.store().commit(set).await {
            Ok(_) => Ok(()),
            Err(CommitError::Missed(_)) => Err(MakeError::Exists(entry.stream.to_string())),
            Err(error) => Err(MakeError::App(
                AppError::of_commit(error)
                    .unwrap_or_else(|| AppError::Failed("a miss was answered above".to_owned())),
            )),
        }
    }
}

fn made_set(operation: [u8; 16], workspace: &str, now: Moment) -> WriteSet {
    WriteSet {
        workspace: workspace.to_owned(),
        operation,
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
