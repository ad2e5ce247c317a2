//! Applying a configuration document: one guarded set of the entries that it adds or changes.

use std::collections::HashMap;

use casement_domain::actor::Actor;
use casement_domain::change::differences;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::configure::draft::{Changed, Entry};
use casement_domain::workspace::configure::input::Configure;
use casement_domain::workspace::configure::{ChangedEntry, ConfigurationChange, configure};
use casement_store::error::CommitError;
use casement_store::set::{DocumentWrite, EventWrite, WriteSet};
use casement_wire::configuration::read::read;
use casement_wire::configuration::{DocumentFault, document_faults};
use serde::Serialize;
use serde_json::{Map, Value};

use super::ConfigurationError;
use crate::app::App;
use crate::body;
use crate::commit::contended;
use crate::error::AppError;
use crate::limits;
use crate::workspace::{OpenWorkspace, kinds};

/// What documents wait for each other by.
const CONFIGURATION_TURN: &str = "configuration";

/// Whether a document is applied or only tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Its changes are committed.
    Real,
    /// Its changes are told, and nothing is written.
    Dry,
}

/// Applies a configuration document and gives what it adds and changes: nothing, when it is applied again. `stream` may
/// be absent where there is one workspace.
///
/// # Errors
/// There is no such workspace, the document has faults, or the store takes no writes now.
pub async fn apply(
    app: &App,
    stream: Option<&str>,
    document: &[u8],
    run: Run,
) -> Result<Vec<ChangedEntry>, ConfigurationError> {
    let workspace = app.configured_workspace(stream)?;
    if document.len() > limits::CONFIGURATION_BYTES_MAX {
        let message = format!("must be at most {} bytes long", limits::CONFIGURATION_BYTES_MAX);
        return Err(of_document(message));
    }
    let (command, faults) = read(document);
    apply_command(app, &workspace, &command, faults, run).await
}

/// Applies what a configuration document says. `faults` are those of its reading.
pub(crate) async fn apply_command(
    app: &App,
    workspace: &OpenWorkspace,
    command: &Configure,
    mut faults: Vec<DocumentFault>,
    run: Run,
) -> Result<Vec<ChangedEntry>, ConfigurationError> {
    // One document after the other: each change of the configuration makes all others decide anew.
    let _turn = workspace.turn(CONFIGURATION_TURN).await;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let change = match configure(&config, command, &mut app.sources().ids()) {
            Ok(change) if faults.is_empty() => change,
            Ok(_) => return Err(ConfigurationError::Faulty(faults)),
            Err(further) => {
                faults.extend(document_faults(&further));
                return Err(ConfigurationError::Faulty(faults));
            }
        };
        let entries = change.entries();
        if entries.len() > limits::CONFIGURATION_CHANGES_MAX {
            return Err(of_document(format!(
                "adds or changes {} entries; at most {} can be applied at once",
                entries.len(),
                limits::CONFIGURATION_CHANGES_MAX
            )));
        }
        if run == Run::Real && !app.is_followed() {
            return Err(AppError::Unavailable("the index is being built".to_owned()).into());
        }
        if run == Run::Dry || entries.is_empty() || commit(app, workspace, &config, &change).await? {
            return Ok(entries);
        }
    }
    Err(ConfigurationError::App(contended()))
}

fn of_document(message: String) -> ConfigurationError {
    ConfigurationError::Faulty(vec![DocumentFault { path: String::new(), message }])
}

/// Commits a change. `false`: the configuration has changed since it was read, decide anew.
async fn commit(
    app: &App,
    workspace: &OpenWorkspace,
    config: &Workspace,
    change: &ConfigurationChange,
) -> Result<bool, AppError> {
    let mut set = WriteSet {
        workspace: workspace.id().to_owned(),
        operation: app.sources().operation(),
        at_ms: app.sources().now().ms(),
        actor: Actor::server().id.to_string(),
        app: String::new(),
        config_version: Some(config.config_version),
        changes_config: true,
        guards: Vec::new(),
        claim_guards: Vec::new(),
        head_guards: Vec::new(),
        documents: Vec::new(),
        claims: Vec::new(),
        events: Vec::new(),
    };
    add_all(app, &mut set, kinds::STATUS, &change.statuses).await?;
    add_all(app, &mut set, kinds::PRIORITY, &change.priorities).await?;
    add_all(app, &mut set, kinds::QUEUE, &change.queues).await?;
    add_all(app, &mut set, kinds::AGENT, &change.agents).await?;
    add_all(app, &mut set, kinds::FIELD, &change.fields).await?;
    add_all(app, &mut set, kinds::TASK_TEMPLATE, &change.task_templates).await?;
    add_all(app, &mut set, kinds::CASE_TEMPLATE, &change.case_templates).await?;
    add_all(app, &mut set, kinds::STANDARD_RESPONSE, &change.standard_responses).await?;
    if set.documents.iter().any(|write| write.body.len() > limits::BODY_BYTES_MAX) {
        return Err(AppError::Failed("an entry of the configuration would be too large".to_owned()));
    }
    match app.store().commit(set).await {
        Ok(_) => Ok(true),
        Err(CommitError::Missed(misses)) => {
            app.wait_for_missed(workspace, &misses).await;
            Ok(false)
        }
        Err(error) => {
            let missed = || AppError::Failed("a miss was answered above".to_owned());
            Err(AppError::of_commit(error).unwrap_or_else(missed))
        }
    }
}

/// Adds the changed entries of one kind with their events. A new entry has version 0: one that somebody else adds
/// meanwhile under the same id is a miss.
async fn add_all<T: Entry + Serialize>(
    app: &App,
    set: &mut WriteSet,
    kind: &str,
    changed: &[Changed<T>],
) -> Result<(), AppError> {
    let stored = changed.iter().filter(|(before, _)| before.is_some());
    let ids: Vec<String> = stored.map(|(_, after)| after.id().to_owned()).collect();
    let documents = app.store().documents(&set.workspace, kind, &ids).await?;
    let versions: HashMap<&str, u64> =
        documents.iter().map(|document| (document.id.as_str(), document.version)).collect();
    for (before, after) in changed {
        let changes = before.as_ref().map(|before| body::encode(&differences(&tree(before), &tree(after))));
        let what = if before.is_some() { "updated" } else { "created" };
        set.events.push(EventWrite {
            kind: format!("{kind}.{what}"),
            document_kind: kind.to_owned(),
            document: after.id().to_owned(),
            changes,
            salt: app.sources().salt(),
        });
        set.documents.push(DocumentWrite {
            kind: kind.to_owned(),
            id: after.id().to_owned(),
            parent: None,
            version: versions.get(after.id()).copied().unwrap_or_default(),
            counter: None,
            schema: body::SCHEMA,
            body: body::encode(after),
        });
    }
    Ok(())
}

fn tree<T: Serialize>(entry: &T) -> Map<String, Value> {
    match serde_json::to_value(entry) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Map::new(),
    }
}
