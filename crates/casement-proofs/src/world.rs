//! A configured workspace with documents in it, the same at every start.
//!
//! The documents are those of the random tests of domain and wire, drawn with a fixed seed, so that an input means the
//! same whenever it is tried again.

use std::sync::OnceLock;

use casement_domain::case::Case;
use casement_domain::date::Moment;
use casement_domain::id::{CaseId, StatusId, TaskId};
use casement_domain::item::WorkItem;
use casement_domain::task::Task;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::entries::Category;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

#[path = "../../casement-domain/tests/documents.rs"]
mod documents;

/// The time at which everything is decided: noon of the 29th of May 2025 in UTC.
pub const NOW: Moment = documents::NOW;

/// Cases and tasks in the world, of each.
const DOCUMENTS: usize = 40;

/// The workspace and its documents.
#[derive(Debug)]
pub struct World {
    /// The configuration.
    pub workspace: Workspace,
    /// Cases; the number that a reference id shows is 100 and the place.
    pub cases: Vec<Case>,
    /// Tasks of the first cases, numbered alike.
    pub tasks: Vec<Task>,
}

/// The number of the document at a place.
pub fn number(place: usize) -> u64 {
    100 + place as u64
}

/// Gives the world.
pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let workspace = documents::workspace();
        let mut runner = TestRunner::deterministic();
        let mut cases = draw(&documents::case(), &mut runner);
        let mut tasks = draw(&documents::task(), &mut runner);
        for (place, case) in cases.iter_mut().enumerate() {
            case.id = CaseId::fresh(place as u128);
            vary(&mut case.item, &workspace, place);
        }
        for (place, task) in tasks.iter_mut().enumerate() {
            task.id = TaskId::fresh(place as u128);
            task.case = CaseId::fresh(place as u128 % 8);
            vary(&mut task.item, &workspace, place);
        }
        World { workspace, cases, tasks }
    })
}

/// The app as somebody who acts.
pub fn app_actor() -> casement_domain::actor::Actor {
    documents::app_actor()
}

fn draw<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, runner: &mut TestRunner) -> Vec<T> {
    let drawn = (0..DOCUMENTS).map(|_| strategy.new_tree(runner).map(|tree| tree.current()));
    drawn.collect::<Result<_, _>>().expect("invariant: the strategies reject nothing")
}

/// Makes a document meet what inputs ask for: words, channels, statuses and moments that repeat.
fn vary(item: &mut WorkItem, workspace: &Workspace, place: usize) {
    const NAMES: [&str; 5] = ["Café Münster", "cafe", "Printer on fire", "printers of CS000101", "Zed 7"];
    const HOUR_MS: i64 = 3_600_000;
    let of = |count: usize| place % count.max(1);
    if let Some(name) = NAMES.get(of(NAMES.len() + 1)) {
        item.name = (*name).to_owned();
    }
    item.source = ["rtm", "Email"].get(of(2)).map(|source| (*source).to_owned()).unwrap_or_default();
    if of(3) == 0 {
        item.channels = vec!["RTM".to_owned(), "voice".to_owned()];
    }
    if of(4) == 0 {
        item.customer.email = Some("john.doe@example.com".to_owned());
    }
    // Around the midnights of today in several zones, a moment more than once.
    let hours = i64::try_from(of(13)).unwrap_or_default() * 6 - 36;
    item.created_at = NOW.plus_ms(hours * HOUR_MS - 1);
    item.updated_at = item.created_at.plus_ms(5);
    item.active = of(9) != 8;
    if let Some(status) = workspace.statuses.get(of(workspace.statuses.len())) {
        item.status = status.id.clone();
    }
    item.breached = false;
}

/// Gives the id of a status of a category.
pub fn status_of(workspace: &Workspace, category: Category) -> StatusId {
    let found = workspace.statuses.iter().find(|status| status.category == category);
    found.map(|status| status.id.clone()).expect("invariant: each category has a status")
}
