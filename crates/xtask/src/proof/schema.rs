//! `cargo xtask proof schema`: the server answers as `api/openapi.json` says, also to what the description forbids.
//!
//! Schemathesis makes up requests from the description and sends them to a server with a fresh data directory. This
//! module installs it at pinned versions into a directory of its own, starts the server, and tells the tester what no
//! description can: the names that this workspace is configured with ([`narrow`]).

#![expect(clippy::indexing_slicing, reason = "an absent key of JSON is null, and the tester then tells")]

mod narrow;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use hyper::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::client::Connection;
use crate::server::{Installation, Server};
use crate::workspace::Workspace;

/// The tester and what it leans on, at pinned versions.
const REQUIREMENTS: &str = include_str!("schema/requirements.txt");

/// Requests of a stranger for each operation: all of them are refused in the same few ways.
const STRANGER_EXAMPLES_MAX: u32 = 20;

/// How long the tester may take before it counts as stuck.
const TESTER_WAIT: Duration = Duration::from_secs(20 * 60);

/// Tests the server against its own description, from outside.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask proof schema\n  cargo xtask proof schema --examples 1000 --seed 7"
)]
pub struct Arguments {
    /// How many requests are made up for each operation, beside those at each bound
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..))]
    examples: u32,
    /// The seed of the random choices; a run with the same seed makes the same requests
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// Builds the server, installs the tester and runs it.
///
/// # Errors
/// When an answer is not as the description says, or something could not be built, installed or started.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let binary = workspace.build_server()?;
    let text = workspace.read("api/openapi.json")?.context("api/openapi.json is missing")?;
    let description: Value = serde_json::from_str(&text).context("api/openapi.json is no JSON")?;
    crate::block_on(async {
        let tester = install(&workspace.target.join("schemathesis")).await?;
        let folder = tempfile::Builder::new().prefix("proof-schema-").tempdir_in(&workspace.target)?;
        let installation = Installation::create(&binary, folder.path()).await?;
        let server = installation.start().await?;
        let stage = Stage {
            tester,
            folder: folder.path(),
            installation: &installation,
            server: &server,
            seed: arguments.seed,
        };
        println!("proof schema: a stranger, who knows no stream of the app's");
        let few = arguments.examples.min(STRANGER_EXAMPLES_MAX);
        stage.test("stranger", &description, &stranger(&installation), few).await?;
        println!("\nproof schema: a client of the app, with documents of its own");
        let known = known_documents(&installation, &server).await?;
        let narrowed = narrow::narrowed(&description, &installation.made, &known)?;
        stage.test("client", &narrowed, &client(&installation, &known), arguments.examples).await?;
        server.stop().await
    })
}

/// Installs the tester, unless these versions are there, and names its program.
async fn install(folder: &Path) -> Result<PathBuf> {
    let (program, installed) = (folder.join("bin").join("schemathesis"), folder.join("installed.txt"));
    if std::fs::read_to_string(&installed).is_ok_and(|versions| versions == REQUIREMENTS) && program.is_file()
    {
        return Ok(program);
    }
    std::fs::create_dir_all(folder)?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS)?;
    println!("installing schemathesis into {}", folder.display());
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder).status().await;
    let made = made.context("python3 could not be started")?;
    ensure!(made.success(), "python3 can't make an environment; on Debian it needs the package python3-venv");
    std::fs::write(&requirements, REQUIREMENTS)?;
    let pip = folder.join("bin").join("pip");
    let arguments = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    let status = Command::new(pip).args(arguments).arg(&requirements).status().await?;
    ensure!(status.success(), "pip could not install {}", requirements.display());
    std::fs::write(&installed, REQUIREMENTS)?;
    Ok(program)
}

/// A case and a task of it.
#[derive(Debug)]
struct Known {
    case: Value,
    task: Value,
    /// Others that may be deleted without ending what the rest can reach.
    spare_case: Value,
    spare_task: Value,
    /// One to link with, and one that may be merged away.
    other_case: Value,
    merged_case: Value,
    /// A link for feedback.
    link: Value,
}

/// Makes a case and a task.
async fn known_documents(installation: &Installation, server: &Server) -> Result<Known> {
    let mut connection = Connection::open(server.address).await?;
    let mut create = async |operation: &str, body: Value| -> Result<Value> {
        let (status, bytes) = connection.send(installation.request(operation, &body)?).await?;
        ensure!(status.is_success(), "{operation}: {status}: {}", String::from_utf8_lossy(&bytes));
        Ok(serde_json::from_slice(&bytes)?)
    };
    let customer = json!({"_id": "u-john", "name": "John"});
    let case = json!({"caseTmp": installation.case_template, "name": "Printer", "desc": "", "userInfo": customer,
        "source": "rtm", "dueDate": "2030-01-01"});
    let mut both = async || -> Result<(Value, Value)> {
        let case = create("createCase", case.clone()).await?;
        let task = json!({"caseId": case["_id"], "caseRefId": case["refId"], "taskTmp": installation.task_template,
            "userInfo": customer, "source": "rtm"});
        let task = create("createTask", task).await?;
        Ok((case, task))
    };
    let (case, task) = both().await?;
    let (_, spare_task) = both().await?;
    let (spare_case, _) = both().await?;
    let (other_case, _) = both().await?;
    let (merged_case, _) = both().await?;
    let path = format!("cases/{}/feedback-links", case["_id"].as_str().context("a case without an id")?);
    let request = installation.rest(Method::POST, &path, "{}".into())?;
    let (status, bytes) = connection.send(request).await?;
    ensure!(status.is_success(), "{path}: {status}: {}", String::from_utf8_lossy(&bytes));
    let link = serde_json::from_slice(&bytes)?;
    Ok(Known { case, task, spare_case, spare_task, other_case, merged_case, link })
}

/// The tester's settings for somebody with a token and random streams: every answer is a refusal.
fn stranger(installation: &Installation) -> String {
    settings(installation, &of_links(""))
}

/// The tester's settings for a client of the app.
fn client(installation: &Installation, known: &Known) -> String {
    let parameters = format!(
        "[parameters]\n\"path.streamId\" = {}\n\"path.caseId\" = {}\n\"path.taskId\" = {}\n\"path.agentId\" = {}\n\
         \"path.otherId\" = {}\n\"header.AccountId\" = {}\n\
         # Any version, else nearly every update would end at a 412.\n\"header.If-Match\" = \"*\"\n",
        json!(installation.stream),
        known.case["_id"],
        known.task["_id"],
        installation.made["agents"][0]["aId"],
        known.other_case["_id"],
        json!(installation.account),
    );
    let token = format!("parameters = {{ \"path.token\" = {} }}\n", known.link["token"]);
    settings(
        installation,
        &(parameters + &expressed() + &of_spares(known) + &of_moments() + &naming() + &of_links(&token)),
    )
}

/// What deletes and restores works on documents of its own.
fn of_spares(known: &Known) -> String {
    let of = |operations: &[&str], name: &str, document: &Value| {
        let operation = |id: &&str| {
            let (id, document) = (json!(id), &document["_id"]);
            format!(
                "\n[[operations]]\ninclude-operation-id = {id}\nparameters = {{ \"path.{name}\" = {document} }}\n"
            )
        };
        operations.iter().map(operation).collect::<String>()
    };
    of(&["deleteCase", "restoreCase"], "caseId", &known.spare_case)
        + &of(&["deleteTask", "restoreTask"], "taskId", &known.spare_task)
        + &of(&["mergeCases"], "caseId", &known.merged_case)
        + &of(&["revokeFeedbackLinks"], "caseId", &known.other_case)
}

/// The operations that name something else besides: a comment, a file, a version, an agent, a task of the case.
const NAMING: [&str; 14] = [
    "deleteComment",
    "getComment",
    "listCommentEvents",
    "patchComment",
    "createComment",
    "splitComment",
    "listAttachments",
    "getAttachment",
    "getAttachmentContent",
    "deleteAttachment",
    "undoCaseEvent",
    "undoTaskEvent",
    "planTask",
    "renderStandardResponse",
];

/// What they name is made up, and rightly a 404, or a 400 where a body names it.
fn naming() -> String {
    let operation = |id: &&str| {
        format!(
            "\n[[operations]]\ninclude-operation-id = {}\n[operations.checks.positive_data_acceptance]\n\
             expected-statuses = [\"2xx\", \"400\", \"401\", \"403\", \"404\", \"409\", \"412\", \"422\"]\n",
            json!(id)
        )
    };
    NAMING.iter().map(operation).collect()
}

/// A document that was made after the moment that was asked for is a 404, rightly.
fn of_moments() -> String {
    let operation = |id: &&str| {
        format!(
            "\n[[operations]]\ninclude-operation-id = {}\n[operations.checks.positive_data_acceptance]\n\
             expected-statuses = [\"2xx\", \"401\", \"403\", \"404\"]\n",
            json!(id)
        )
    };
    ["getCase", "getTask"].iter().map(operation).collect()
}

/// Whoever knows no link gets a 404, rightly, and many requests from one address a 429.
fn of_links(parameters: &str) -> String {
    let operation = |id: &&str| {
        format!(
            "\n[[operations]]\ninclude-operation-id = {}\n{parameters}[operations.checks.positive_data_acceptance]\n\
             expected-statuses = [\"2xx\", \"404\", \"409\", \"429\"]\n\
             [operations.checks.negative_data_rejection]\nexpected-statuses = [\"4xx\"]\n",
            json!(id)
        )
    };
    ["getFeedbackLink", "giveFeedback"].iter().map(operation).collect()
}

/// The operations with a text of the query language, or with a cursor.
const EXPRESSED: [&str; 7] =
    ["searchCases", "searchTasks", "countCases", "countTasks", "listCases", "listTasks", "listCaseTasks"];

/// Most texts are no expressions and no cursors, and rightly a 400; the fuzzer has a target for them, and the other keys are those of
/// lists.
fn expressed() -> String {
    let operation = |id: &&str| {
        format!(
            "\n[[operations]]\ninclude-operation-id = {}\n[operations.checks.positive_data_acceptance]\n\
             expected-statuses = [\"2xx\", \"400\", \"401\", \"403\", \"414\"]\n\
             # An empty parameter filters nothing, whatever its format; an address may be too long besides.\n\
             [operations.checks.negative_data_rejection]\n\
             expected-statuses = [\"200\", \"400\", \"401\", \"403\", \"404\", \"413\", \"414\", \"415\"]\n",
            json!(id)
        )
    };
    EXPRESSED.iter().map(operation).collect()
}

/// What both have in common.
fn settings(installation: &Installation, parameters: &str) -> String {
    format!(
        "# The token stands for an app; the tester also leaves it out and changes it.\n\
         headers = {{ auth = {} }}\n\n\
         [generation]\n\
         # No schema can say that U+0000 is refused in every string; tests of our own do.\n\
         allow-x00 = false\n\
         database = \"none\"\n\n\
         [checks.positive_data_acceptance]\n\
         # What is well formed may still meet a state that forbids it: a deleted document (409), a case with as many\n\
         # tasks as one may have, or an idempotency key that another request used (422).\n\
         expected-statuses = [\"2xx\", \"401\", \"403\", \"409\", \"422\"]\n\n{parameters}",
        json!(installation.token)
    )
}

/// What the tester is run with.
struct Stage<'a> {
    tester: PathBuf,
    folder: &'a Path,
    installation: &'a Installation,
    server: &'a Server,
    seed: u32,
}

impl Stage<'_> {
    /// Runs the tester with a description and its settings.
    async fn test(&self, name: &str, description: &Value, settings: &str, examples: u32) -> Result<()> {
        let described = self.folder.join(format!("{name}.json"));
        let configured = self.folder.join(format!("{name}.toml"));
        std::fs::write(&described, description.to_string())?;
        std::fs::write(&configured, settings)?;
        let mut tester = Command::new(&self.tester);
        tester
            .arg("--config-file")
            .arg(&configured)
            .args(["run", "--no-color", "--checks", "all", "--continue-on-failure"])
            // The description has no links, so there is nothing for the stateful phase to follow.
            .args(["--phases", "examples,coverage,fuzzing"])
            .args(["--max-examples", &examples.to_string()])
            .args(["--seed", &self.seed.to_string()])
            .arg("--url")
            .arg(format!("http://{}", self.server.address))
            .arg(&described)
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let status = tokio::time::timeout(TESTER_WAIT, tester.status()).await;
        let status =
            status.context("the tester did not end in time")?.context("the tester could not be started")?;
        if !status.success() {
            bail!(
                "{name}: an answer is not as the description says; the server's log ends:\n{}",
                self.installation.log_tail()
            );
        }
        Ok(())
    }
}
