//! Metrics: the recorder of this process, and the page that Prometheus reads.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use casement_api::metrics_page::Metrics;
use casement_app::app::App;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

/// How often old observations are let go.
const UPKEEP_PERIOD: Duration = Duration::from_secs(5);

/// Upper ends of the buckets for times, in seconds: from a tenth of a millisecond to the limit of a use case.
const TIME_BUCKETS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];
/// Upper ends of the buckets for numbers of sets.
const COUNT_BUCKETS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Begins to record. Once in a process.
///
/// # Errors
/// Something records already.
pub fn begin() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &TIME_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("_sets".to_owned()), &COUNT_BUCKETS)?
        .install_recorder()
        .context("metrics are recorded already")?;
    casement_store::measure::describe();
    casement_api::measure::describe();
    casement_app::measure::describe();
    Collector::default().describe();
    Ok(handle)
}

/// Lets old observations go until the task is ended.
pub async fn keep_up(handle: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP_PERIOD);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

/// Gives the page, which takes what is counted elsewhere when it is asked for.
pub fn page(handle: PrometheusHandle, app: Arc<App>) -> Metrics {
    Metrics::new(move || {
        casement_app::measure::observe(&app);
        Collector::default().collect();
        handle.render()
    })
}
