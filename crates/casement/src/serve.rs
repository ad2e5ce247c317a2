//! `casement serve`: opens the data directory, follows the log and serves until it is told to stop.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use casement_api::api::{Api, ApiOptions};
use casement_api::control::router::control_router;
use casement_api::control::socket::{ControlSocket, SOCKET_NAME};
use casement_api::rate::Rate;
use casement_api::server::ServerOptions;
use casement_api::starting::{Front, until};
use casement_api::traces::Traces;
use casement_api::{control, limits, metrics_page, router, server};
use casement_app::app::{App, StoreState};
use casement_app::attachment;
use casement_app::backup::{self, BackupTarget};
use casement_app::index::build::Start;
use casement_app::index::snapshot;
use casement_app::installation::WorkspaceEntry;
use casement_app::limits::DOCTOR_OPEN_FILES_BESIDE;
use casement_app::making::MadeWorkspace;
use casement_app::{deadline, seal, sweep};
use casement_store::options::{Directory, Options};
use casement_store::store::Store;
use sd_notify::NotifyState;
use tokio::sync::watch;

use crate::cli::ServeArguments;
use crate::connecting::{First, connect, first_workspace};
use crate::logging::{Level, Logging};
use crate::signals::Stops;
use crate::{
    contradictions, logging, measure, open_files, opened, output, settings, signals, sources, tls, token,
};

/// How often a server looks whether its index is built, to tell the service manager.
const READY_POLL: Duration = Duration::from_millis(50);
/// The exit code after a second signal to stop.
const SECOND_STOP_EXIT: i32 = 1;

/// Runs `casement serve`.
///
/// # Errors
/// The data directory or the address can't be used, or a stored document can't be read.
pub fn run(arguments: &ServeArguments) -> anyhow::Result<()> {
    contradictions::check(arguments)?;
    let runtime = opened::runtime()?;
    let endpoint = settings::collector(arguments.otlp_endpoint.as_ref())?;
    let traces = endpoint.map(|endpoint| {
        Traces::begin(&endpoint, arguments.trace_share, env!("CARGO_PKG_VERSION"), runtime.handle().clone())
    });
    let traces = traces.transpose()?;
    let (filter, format) = (arguments.log.as_str(), arguments.log_format);
    let level = logging::begin(Logging { filter, format, access: arguments.access_log }, traces.as_ref())?;
    runtime.block_on(async {
        let outcome = serve(arguments, level, traces.is_some()).await;
        if let Some(traces) = traces {
            traces.end().await;
        }
        outcome
    })
}

async fn serve(arguments: &ServeArguments, level: Level, has_traces: bool) -> anyhow::Result<()> {
    let options = server_options(arguments)?;
    let needed = options.connections_max as u64 + DOCTOR_OPEN_FILES_BESIDE;
    if let Some(most) = open_files::raise().filter(|most| *most < needed) {
        tracing::warn!(
            "only {most} files may be open, and connections_max needs {needed}: raise the limit (ulimit -Hn, LimitNOFILE)"
        );
    }
    // The address first: a port in use must not leave a data directory behind.
    let listener =
        server::listen(arguments.listen).with_context(|| format!("can't listen on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    let metrics_listener = match arguments.metrics_listen {
        Some(address) => {
            let listener = server::listen(address);
            Some(listener.with_context(|| format!("can't listen on {address} for metrics"))?)
        }
        None => None,
    };
    let recorder = measure::begin()?;
    let is_on_server = arguments.data.database_url.is_some();
    // Before anybody can know the address: a stop that comes at once is a stop like any other.
    let mut stops = Stops::take()?;
    let (stop, stopped) = watch::channel(false);
    let front = Front::new(listener, options.clone(), stopped.clone());
    let (opened, front) = match arguments.data.server(Directory::Own)? {
        Some(server) => connect(server, arguments.data.key_file(), front, &mut stops).await?,
        None => {
            let (store, feed) = Store::open(Options::new(arguments.data.path.clone()))?;
            let app = App::open(store.clone(), sources::system(), arguments.data.key_file()).await?;
            (Some((store, feed, app)), front)
        }
    };
    // After the store, which has the directory now.
    let attachments =
        arguments.data.bytes.of_server(&arguments.data.path, is_on_server, &arguments.attachments)?;
    let Some((store, feed, app)) = opened else {
        // Told to stop before there was a database.
        let _ = stop.send(true);
        return front.end().await.context("the accept loop ended early");
    };
    let control = ControlSocket::bind(&arguments.data.path).with_context(|| {
        format!("the control socket {} can't be made", arguments.data.path.join(SOCKET_NAME).display())
    })?;
    app.keep_attachments(attachments);
    let target = arguments
        .backup_to
        .clone()
        .map(|to| BackupTarget { to, bases_kept: Some(arguments.backup_keep_bases) });
    let snapshots = arguments.data.path.join(snapshot::DIRECTORY);
    let start = Start { snapshots: Some(snapshots.clone()), ..Start::default() };
    let mut follower = tokio::spawn(Arc::clone(&app).follow_from(feed, start));
    let keeping = tokio::spawn(snapshot::run::run(Arc::clone(&app), snapshots.clone()));
    let mut deadlines = tokio::spawn(deadline::run(Arc::clone(&app)));
    let sealing = tokio::spawn(seal::rotate::run(Arc::clone(&app)));
    let mut sweeps = tokio::spawn(sweep::run(Arc::clone(&app)));
    let mut byte_sweeps = tokio::spawn(attachment::sweep::run(Arc::clone(&app)));
    let backups = target.clone().map(|target| tokio::spawn(backup::follow(Arc::clone(&app), target)));
    if let Some(tls) = &options.tls {
        tls.recall(sources::now());
    }
    let reloading = tokio::spawn(signals::reload(options.tls.clone(), level)?);
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let base = format!("{scheme}://{address}");
    let (first, front) = first_workspace(&app, front, &mut stops).await?;
    match first {
        Some(First::Made(made)) => print_made(&made, &base)?,
        Some(First::Known) => print_known(&app.installation().workspaces, &base),
        None => {
            // Told to stop while the database was waited for.
            let _ = stop.send(true);
            store.close().await;
            return front.end().await.context("the accept loop ended early");
        }
    }
    tracing::info!(%address, data.directory = %arguments.data.place(), "casement serves");
    let metrics = measure::page(recorder.clone(), Arc::clone(&app));
    let upkeep = tokio::spawn(measure::keep_up(recorder));
    let mut api_options = api_options(arguments, &options, has_traces);
    let metrics_server = match metrics_listener {
        Some(listener) => {
            let (router, stopped) = (metrics_page::router(metrics), stop.subscribe());
            let options = ServerOptions {
                connections_max: limits::METRICS_CONNECTIONS_MAX,
                connections_per_address_max: limits::METRICS_CONNECTIONS_PER_ADDRESS_MAX,
                ..ServerOptions::default()
            };
            Some(tokio::spawn(server::serve(listener, router, options, until(stopped))))
        }
        None => {
            api_options.metrics = Some(metrics);
            None
        }
    };
    let api = Api::new(Arc::clone(&app), &api_options);
    let controlling = tokio::spawn(control::serve::serve(
        control,
        control_router(Arc::clone(&app)),
        until(stopped.clone()),
    ));
    let load = tokio::spawn(api.load.clone().follow());
    let certificate = options.tls.clone().map(|tls| tokio::spawn(tls.follow(sources::system())));
    let mut serving = front.serve(router::router_of(api));

    let readiness = tokio::spawn(tell_ready(Arc::clone(&app)));

    let failure = tokio::select! {
        () = stops.next() => None,
        ended = &mut follower => Some(ended),
        ended = &mut serving => { ended.context("the accept loop ended early")?; None }
        ended = &mut deadlines => { ended.context("the look for passed deadlines ended early")?; None }
        ended = &mut byte_sweeps => { ended.context("the sweep of attachments ended early")?; None }
        ended = &mut sweeps => { ended.context("the sweep of ended claims ended early")?; None }
    };
    tracing::info!("casement stops");
    readiness.abort();
    tell_manager(NotifyState::Stopping);
    tokio::spawn(end_at_once(stops));
    // Two writers of one file are one too many: the stop writes what is due.
    keeping.abort();
    // The receiver lives as long as the accept loop; when that is gone, there is nothing to tell.
    let _ = stop.send(true);
    if !serving.is_finished() {
        serving.await.context("the accept loop ended early")?;
    }
    controlling.await.context("the control socket's loop ended early")?;
    deadlines.abort();
    sealing.abort();
    // Until it has ended it may hold the keys; that it was aborted is known.
    let _ = sealing.await;
    sweeps.abort();
    byte_sweeps.abort();
    load.abort();
    reloading.abort();
    upkeep.abort();
    if let Some(metrics_server) = metrics_server {
        metrics_server.await.context("the listener for metrics ended early")?;
    }
    if let Some(certificate) = certificate {
        certificate.abort();
    }
    if let (Some(backups), Some(target)) = (backups, target) {
        backups.abort();
        // Until it has ended it may begin another run; that it was aborted is known.
        let _ = backups.await;
        // What was served last belongs to the backup too.
        if let Err(error) = app.back_up_at_end(&target).await {
            tracing::error!(%error, "the backup could not be continued before the end");
        }
    }
    match failure {
        Some(ended) => {
            ended.context("the follower of the log ended early")??;
            anyhow::bail!("the follower of the log ended before the server was told to stop");
        }
        None => {
            seal_the_rest(&app).await;
            if matches!(
                app.store_state(),
                StoreState::Ready | StoreState::Full(_) | StoreState::Unreachable(_)
            ) {
                app.keep_all(&snapshots).await;
            }
            store.close().await;
            follower.await.context("the follower of the log ended early")??;
            match app.store_state() {
                StoreState::RestartRequired(reason) => {
                    tracing::error!(reason, "casement stopped after a failed write")
                }
                StoreState::Ready | StoreState::Full(_) | StoreState::Unreachable(_) => {
                    tracing::info!("casement stopped; everything acknowledged is on disk");
                }
            }
            Ok(())
        }
    }
}

fn server_options(arguments: &ServeArguments) -> anyhow::Result<ServerOptions> {
    Ok(ServerOptions {
        connections_max: usize::try_from(arguments.connections_max)?,
        connections_per_address_max: usize::try_from(arguments.connections_per_address_max)?,
        trusted_proxies: arguments.trusted_proxies.as_slice().into(),
        tls: tls::of_settings(arguments)?,
    })
}

fn api_options(arguments: &ServeArguments, server: &ServerOptions, has_traces: bool) -> ApiOptions {
    let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    ApiOptions {
        rate: Rate {
            per_second: at_least_one(arguments.rate_per_second),
            burst: at_least_one(arguments.rate_burst),
        },
        trusted_proxies: Arc::clone(&server.trusted_proxies),
        metrics: None,
        tls: server.tls.clone(),
        has_access_log: arguments.access_log,
        has_traces,
        server_timing: arguments.server_timing,
    }
}

/// Seals what a server that is stopped at once has not come to.
async fn seal_the_rest(app: &App) {
    if app.is_ready()
        && app.store_state() == StoreState::Ready
        && let Err(error) = seal::rotate::seal_all(app).await
    {
        tracing::error!(%error, "what is not under the key could not be sealed; the next start tries it again");
    }
}

/// Tells the service manager, where there is one, that the server serves.
async fn tell_ready(app: Arc<App>) {
    while !app.is_ready() {
        tokio::time::sleep(READY_POLL).await;
    }
    tell_manager(NotifyState::Ready);
}

fn tell_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

/// Ends the process at the next signal: whoever asks twice does not want to wait for open requests.
async fn end_at_once(mut stops: Stops) {
    stops.next().await;
    tracing::warn!("told to stop a second time: casement ends at once; everything acknowledged is on disk");
    std::process::exit(SECOND_STOP_EXIT);
}

fn print_known(entries: &[WorkspaceEntry], base: &str) {
    output::line(format_args!("Casement serves on {base}"));
    for entry in entries {
        output::line(format_args!("  {}: account {}, stream {}", entry.name, entry.account, entry.stream));
    }
    output::line("  `casement token --help` tells how to make a token.");
}

fn print_made(made: &MadeWorkspace, base: &str) -> anyhow::Result<()> {
    let MadeWorkspace { workspace, app, secret } = made;
    let token = token::of_app(app, secret, sources::now())?;
    let template = workspace.case_templates.first().map_or("General", |template| template.name.as_str());
    let url = format!("{base}/caseManagement/api/public/analytics/{}", workspace.stream);
    output::line(format_args!(
        r#"Casement serves on {base}

A workspace with defaults was made for you:
  account       {account}
  stream        {stream}
  client id     {client_id}
  client secret {secret}  (shown this once)
  token (24 h)  {token}

Create a case:
  curl -s '{url}/createCase' \
    -H 'auth: {token}' \
    -H 'Content-Type: application/json' \
    -d '{{"caseTmp": "{template}", "name": "My first case", "desc": "Made with curl", "userInfo": {{"name": "John"}}, "emailId": "john.doe@example.com", "dueDate": "2030-01-31", "source": "rtm"}}'

List it:
  curl -s '{url}/getCases' \
    -H 'auth: {token}' \
    -H 'AccountId: {account}' \
    -H 'Content-Type: application/json' \
    -d '{{}}'
"#,
        account = workspace.account,
        stream = workspace.stream,
        client_id = app.client_id,
        secret = secret.reveal(),
    ));
    Ok(())
}
