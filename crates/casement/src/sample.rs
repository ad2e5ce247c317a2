//! `casement sample`: fills a workspace with made-up cases, without a server.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use casement_app::app::App;
use casement_app::index::snapshot;
use casement_app::making::{MadeWorkspace, NewWorkspaceInput};
use casement_app::sample::{
    SampleCourse, SampleOrder, Sampled, configure_sample, run_sample, sample_sources,
};
use casement_domain::date::{Moment, Zone};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::cli::SampleArguments;
use crate::{init, opened, output, sources};

/// The earliest end of a sample: the year 2000.
const UNTIL_MIN: Moment = Moment::from_ms(946_684_800_000);
/// How often the progress is told on a terminal, and in lines elsewhere.
const BAR_STEP: Duration = Duration::from_millis(100);
const LINE_STEP: Duration = Duration::from_secs(5);

/// Runs `casement sample`.
///
/// # Errors
/// The directory is in use or can't be written, there is no such workspace, or it was interrupted.
pub fn run(arguments: &SampleArguments) -> anyhow::Result<()> {
    let now = sources::now();
    let until = arguments.until.unwrap_or(Zone::UTC.day_start(now));
    if until > now {
        bail!("--until is in the future");
    }
    if until < UNTIL_MIN {
        bail!("--until is before the year 2000");
    }
    let order =
        SampleOrder { stream: arguments.stream.clone(), cases: arguments.cases, seed: arguments.seed, until };
    let course = Arc::new(SampleCourse::default());
    let (made, sampled, time) = opened::runtime()?.block_on(fill(arguments, &order, &course))?;
    if arguments.json {
        output::line(format_args!("{:#}", as_json(made.as_ref(), sampled, time)));
    } else {
        tell(made.as_ref(), sampled, time);
    }
    if sampled.cases < order.cases {
        bail!("interrupted after {} of {} cases; what was made stays", sampled.cases, order.cases);
    }
    Ok(())
}

/// Makes the workspace where there is none, and the cases.
async fn fill(
    arguments: &SampleArguments,
    order: &SampleOrder,
    course: &Arc<SampleCourse>,
) -> anyhow::Result<(Option<MadeWorkspace>, Sampled, Duration)> {
    let seeded = sample_sources(order.seed, order.until, sources::system());
    let made = opened::with_sources(&arguments.data, seeded, async |app: &Arc<App>| {
        if !app.installation().workspaces.is_empty() {
            return Ok(None);
        }
        let input = NewWorkspaceInput { stream: order.stream.clone(), ..NewWorkspaceInput::default() };
        let made = app.make_workspace(input).await?;
        configure_sample(app, None).await?;
        Ok(Some(made))
    })
    .await?;
    let store = opened::open(&arguments.data).await?;
    let work = async |app: &Arc<App>| {
        configure_sample(app, order.stream.as_deref()).await?;
        let watching =
            [tokio::spawn(watch_signals(Arc::clone(course))?), show(order.cases, Arc::clone(course))];
        let begun = Instant::now();
        let sampled = run_sample(app, order, course).await;
        let time = begun.elapsed();
        watching.iter().for_each(JoinHandle::abort);
        if !arguments.no_index {
            // The index that was kept is there for the next start.
            app.keep_all(&arguments.data.path.join(snapshot::DIRECTORY)).await;
        }
        Ok((sampled?, time))
    };
    let (sampled, time) = if arguments.no_index {
        opened::with_store(store, arguments.data.key_file(), work).await?
    } else {
        opened::with_index(store, arguments.data.key_file(), work).await?
    };
    Ok((made, sampled, time))
}

/// Stops the sample at the first signal and ends the process at the second: what is committed is whole either way.
fn watch_signals(course: Arc<SampleCourse>) -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if course.is_stopped() {
                std::process::exit(130);
            }
            course.stop();
        }
    })
}

/// Shows how far the sample is: a bar on a terminal, else a line every few seconds.
fn show(cases: u64, course: Arc<SampleCourse>) -> JoinHandle<()> {
    if !std::io::stderr().is_terminal() {
        return tokio::spawn(async move {
            loop {
                tokio::time::sleep(LINE_STEP).await;
                output::aside(format_args!("{} of {cases} cases", course.cases()));
            }
        });
    }
    let bar = ProgressBar::new(cases);
    let style = "{wide_bar} {pos} of {len} cases, {per_sec}, {eta} left";
    // A style that can't be read leaves the plain one.
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    tokio::spawn(async move {
        // Dropped with the task, which takes the bar from the terminal.
        let bar = Shown(bar);
        loop {
            bar.0.set_position(course.cases());
            tokio::time::sleep(BAR_STEP).await;
        }
    })
}

/// A bar that is taken away in the end.
struct Shown(ProgressBar);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn tell(made: Option<&MadeWorkspace>, sampled: Sampled, time: Duration) {
    if let Some(made) = made {
        init::tell(made);
        output::line("");
    }
    let Sampled { cases, tasks, customers, changes } = sampled;
    output::line(format_args!(
        "{cases} cases with {tasks} tasks and {changes} changes, of {customers} customers, were made in {:.1} s.",
        time.as_secs_f64()
    ));
}

fn as_json(made: Option<&MadeWorkspace>, sampled: Sampled, time: Duration) -> Value {
    let Sampled { cases, tasks, customers, changes } = sampled;
    json!({
        "workspace": made.map(init::description),
        "cases": cases,
        "tasks": tasks,
        "customers": customers,
        "changes": changes,
        "seconds": (time.as_secs_f64() * 1000.0).round() / 1000.0,
    })
}
