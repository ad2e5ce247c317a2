//! Listing cases and tasks.

use std::sync::Arc;

use bytes::Bytes;
use casement_domain::date::Zone;
use casement_domain::list::filter::{self, CaseState};
use casement_domain::list::order::Order;
use casement_domain::list::query::ListQuery;
use casement_domain::list::row::Row;
use casement_wire::document::select_columns;
use casement_wire::list::{PageNumbers, write_page};
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::document::Numbers;
use crate::error::AppError;
use crate::workspace::Tables;

/// A row of the page with the number of its case.
struct Found {
    row: Arc<Row>,
    case_number: u64,
}

/// Answers a list: the page as bytes, with exact totals.
///
/// # Errors
/// The query has faults, or the index is still being built.
pub async fn list(
    app: &App,
    access: &Access,
    noun: Noun,
    query: ListQuery,
    zone: Zone,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let config = access.workspace.config();
    let now = app.sources().now();
    let filter = filter::resolve(&query, &config, &access.actor, zone, now).map_err(AppError::Refused)?;
    let order = Order::of(&query.sort, &filter);
    let workspace = Arc::clone(&access.workspace);
    let (skip, limit) = (query.skip, query.limit);
    let scanned_config = Arc::clone(&config);
    // A scan takes time that grows with the number of documents: it must not hold up other requests.
    let scan = tokio::task::spawn_blocking(move || {
        let tables = workspace.tables();
        let table = match noun {
            Noun::Case => &tables.cases,
            Noun::Task => &tables.tasks,
        };
        let page = table.select(
            |row| filter.matches(row, &scanned_config, now, |case| case_state(&tables, case.as_str())),
            |left, right| order.compare(left, right, &filter, &scanned_config),
            skip,
            usize::try_from(limit).unwrap_or(usize::MAX),
        );
        let found = page.rows.into_iter().map(|row| {
            let case_number = case_state(&tables, row.work.case().as_str()).map_or(0, |case| case.number);
            Found { row, case_number }
        });
        (found.collect::<Vec<Found>>(), page.total)
    });
    let (found, total) =
        scan.await.map_err(|error| AppError::Failed(format!("a scan ended early: {error}")))?;
    let render = |found: &Found| {
        let Row { version, number, work, .. } = found.row.as_ref();
        let numbers = Numbers { version: *version, number: *number, case_number: found.case_number };
        app.rendered().render(work, numbers, &config)
    };
    let documents: Vec<Bytes> = found.iter().map(render).collect();
    let numbers = PageNumbers::new(skip, limit, total);
    if query.columns.is_empty() {
        return Ok(Bytes::from(write_page(documents.iter().map(|body| body.as_ref()), numbers)));
    }
    let selected: Vec<Vec<u8>> = documents.iter().map(|body| select_columns(body, &query.columns)).collect();
    Ok(Bytes::from(write_page(selected.iter().map(Vec::as_slice), numbers)))
}

fn case_state(tables: &Tables, case: &str) -> Option<CaseState> {
    tables.cases.row(case).map(|row| CaseState { number: row.number, active: row.work.item().active })
}
