//! `casement init` and `casement workspace create`: making a workspace without a server.

use std::sync::Arc;

use anyhow::bail;
use casement_app::app::App;
use casement_app::making::{MadeWorkspace, NewWorkspaceInput};
use casement_domain::workspace::Workspace;
use serde_json::{Value, json};

use crate::cli::InitArguments;
use crate::opened::{runtime, with_app};

use crate::output;

/// Runs `casement init`. A data directory that has a workspace is left as it is.
///
/// # Errors
/// There is a workspace, the directory is in use or can't be written, or an id is not usable.
pub fn init(arguments: &InitArguments) -> anyhow::Result<()> {
    // Before the directory is made: a wrong id must leave nothing behind.
    input(arguments).check()?;
    let made = runtime()?.block_on(with_app(&arguments.data, async |app: &Arc<App>| {
        if !app.installation().workspaces.is_empty() {
            bail!(
                "{} has a workspace already; nothing was changed. `casement workspace create` makes another",
                arguments.data.place()
            );
        }
        Ok(app.make_workspace(input(arguments)).await?)
    }))?;
    print(&made, arguments.json)
}

/// Runs `casement workspace create`.
///
/// # Errors
/// There is no first workspace or one of this stream, the directory is in use, or an id is not usable.
pub fn create_workspace(arguments: &InitArguments) -> anyhow::Result<()> {
    // Before the directory is made: a wrong id must leave nothing behind.
    input(arguments).check()?;
    let made = runtime()?.block_on(with_app(&arguments.data, async |app: &Arc<App>| {
        if app.installation().workspaces.is_empty() {
            bail!("{} has no workspace yet; `casement init` makes the first", arguments.data.place());
        }
        Ok(app.make_workspace(input(arguments)).await?)
    }))?;
    print(&made, arguments.json)
}

fn input(arguments: &InitArguments) -> NewWorkspaceInput {
    NewWorkspaceInput {
        account: arguments.account_id.clone(),
        stream: arguments.stream_id.clone(),
        organisation: arguments.org_id.clone(),
        name: arguments.name.clone(),
    }
}

fn print(made: &MadeWorkspace, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        output::line(format_args!("{}", serde_json::to_string_pretty(&description(made))?));
        return Ok(());
    }
    tell(made);
    Ok(())
}

/// Prints a workspace that was made for people.
pub fn tell(made: &MadeWorkspace) {
    let MadeWorkspace { workspace, app, secret } = made;
    output::line("A workspace was made.");
    output::line("");
    output::line(format_args!("  account       {}", workspace.account));
    output::line(format_args!("  stream        {}", workspace.stream));
    output::line(format_args!("  organisation  {}", workspace.organisation));
    output::line(format_args!("  app           {}", app.name));
    output::line(format_args!("  client id     {}", app.client_id));
    output::line(format_args!("  client secret {}  (shown this once)", secret.reveal()));
}

/// Describes a workspace that was made for programs.
pub fn description(made: &MadeWorkspace) -> Value {
    let MadeWorkspace { workspace, app, secret } = made;
    let Workspace { statuses, priorities, queues, case_templates, task_templates, agents, .. } = workspace;
    json!({
        "accountId": workspace.account,
        "streamId": workspace.stream,
        "orgId": workspace.organisation,
        "app": {"clientId": app.client_id, "clientSecret": secret.reveal(), "name": app.name},
        "caseTemplates": each(case_templates, |template| json!({"_id": template.id, "name": template.name})),
        "taskTemplates": each(task_templates, |template| json!({"_id": template.id, "name": template.name})),
        "statuses": each(statuses, |status| json!({
            "_id": status.id, "name": status.name, "statusCategory": status.category.name(),
        })),
        "priorities": each(priorities, |priority| json!({
            "_id": priority.id, "name": priority.name, "score": priority.score, "color": priority.color,
        })),
        "queues": each(queues, |queue| json!({"_id": queue.id, "name": queue.name})),
        "agents": each(agents, |agent| json!({
            "aId": agent.id, "agentId": agent.user, "name": agent.name, "emailId": agent.email,
        })),
    })
}

fn each<T>(entries: &[T], describe: impl Fn(&T) -> Value) -> Vec<Value> {
    entries.iter().map(describe).collect()
}
