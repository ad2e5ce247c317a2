//! Changes of a case besides updates: transfers, watchers, links, merges and resolution comments. Each is one decision on documents that are
//! loaded here, under the same guards as an update.

use casement_domain::case::Case;
use casement_domain::case::link::{LinkKind, link_cases, unlink_cases};
use casement_domain::case::merge::{MergeCase, merge_cases};
use casement_domain::case::resolution::{AddResolutionComment, add_resolution_comment};
use casement_domain::case::transfer::transfer_case;
use casement_domain::case::watch::{Watch, watch_case};
use casement_domain::change::Change;
use casement_domain::date::Moment;
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::id::CaseId;
use casement_domain::item::transfer::Transfer;
use casement_domain::limits as rules;
use casement_domain::list::row::Work;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use casement_wire::feedback::resolution_comment_entry;
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::case::linked;
use crate::commit::{Act, Reads, contended, pending};
use crate::document::{IfMatch, Rendered};
use crate::error::AppError;
use crate::limits;
use crate::once::{Attempt, Done, Outcome, Sending, Ticket};
use crate::trace;

/// What shall happen to a case. Other cases are named by id or reference id.
#[derive(Debug, Clone, PartialEq)]
pub enum CaseChange {
    /// It goes to somebody else.
    Transfer(Transfer),
    /// An agent watches it, or not any more.
    Watch(Watch),
    /// It is linked with another.
    Link {
        /// The other case.
        other: String,
        /// What the other one is to it.
        kind: LinkKind,
    },
    /// Its links with another end.
    Unlink {
        /// The other case.
        other: String,
        /// Links of which sort; `None`: of all.
        kind: Option<LinkKind>,
    },
    /// It is merged into another.
    Merge(MergeCase),
    /// It gets a resolution comment.
    Resolution(AddResolutionComment),
}

/// Changes a case that is named by id or reference id. The answer is the case; of a merge it is the one that goes on. What is
/// so already is answered without an event.
///
/// # Errors
/// There is no such case, it has another version than `if_match` demands, the change is refused, the attempt's key is not
/// usable, or the store takes no writes now.
pub async fn change_case(
    app: &App,
    access: &Access,
    named: &str,
    change: &CaseChange,
    if_match: &IfMatch,
    attempt: Option<&Attempt>,
) -> Result<Rendered, AppError> {
    app.check_ready()?;
    let mut sending = Sending::new(app, access, attempt);
    while let Some(trial) = sending.begin().await {
        let done = Box::pin(carry_out(app, sending.access(), named, change, if_match, trial.ticket())).await;
        sending.end(trial, done).await;
    }
    sending.answer()
}

async fn carry_out(
    app: &App,
    access: &Access,
    named: &str,
    change: &CaseChange,
    if_match: &IfMatch,
    ticket: Option<&Ticket<'_>>,
) -> Result<Done, AppError> {
    let workspace = &access.workspace;
    let id = app.id_of(access, Noun::Case, named).await?;
    let _turn = workspace.turn(&id).await;
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let config = workspace.config();
        let mut reads = Reads::default();
        let before = app.case(workspace.id(), &id, &mut reads).await?.ok_or(AppError::NotFound)?;
        if !if_match.accepts(before.version) {
            return Err(AppError::VersionDiffers);
        }
        let now = app.sources().now();
        let Some(change) = decide(app, access, &config, &before, change, now, &mut reads).await? else {
            let outcome = Outcome::Case { id, version: before.version };
            let case_number = before.number.unwrap_or_default();
            return Ok(Done::Unchanged(
                app.rendered_work(before.map(Work::Case), case_number, &config),
                outcome,
            ));
        };
        let act = Act::of(access, now);
        let pending = pending(&config, act, &change, reads, ticket, app.sources())?;
        if let Some(committed) = app.commit(workspace, pending, ticket).await? {
            return app.rendered_change(change, &committed, 0, &config).map(Done::Committed);
        }
    }
    Err(contended())
}

/// Loads what a change needs besides its case, and decides.
async fn decide(
    app: &App,
    access: &Access,
    config: &Workspace,
    before: &Versioned<Case>,
    change: &CaseChange,
    now: Moment,
    reads: &mut Reads,
) -> Result<Option<Change>, AppError> {
    let (actor, workspace) = (&access.actor, access.workspace.id());
    let decided = match change {
        CaseChange::Transfer(command) => {
            trace::decide().in_scope(|| transfer_case(config, actor, before, command, now))
        }
        CaseChange::Watch(command) => {
            trace::decide().in_scope(|| watch_case(config, actor, before, command, now))
        }
        CaseChange::Link { other, kind } => {
            let other = app.other_case(access, other, reads).await?;
            let above = match kind {
                LinkKind::Parent => app.cases_above(access, &other.value, reads).await?,
                LinkKind::Child => app.cases_above(access, &before.value, reads).await?,
                LinkKind::Related | LinkKind::DuplicateOf | LinkKind::DuplicatedBy | LinkKind::Merged => {
                    Vec::new()
                }
            };
            let gone = app.gone(workspace, linked(&before.value).chain(linked(&other.value))).await?;
            trace::decide().in_scope(|| link_cases(actor, before, &other, *kind, &above, &gone, now))
        }
        CaseChange::Unlink { other, kind } => {
            let other = app.other_case(access, other, reads).await?;
            let gone = app.gone(workspace, linked(&before.value).chain(linked(&other.value))).await?;
            trace::decide().in_scope(|| unlink_cases(actor, before, &other, *kind, &gone, now))
        }
        CaseChange::Merge(command) => {
            let into = match command.into.value() {
                Some(named) => {
                    let id = app.id_of(access, Noun::Case, named).await?;
                    app.case(workspace, &id, reads).await?
                }
                None => None,
            };
            let tasks = app.listed_tasks(workspace, &before.value, reads).await?;
            let others = into.iter().flat_map(|into| linked(&into.value));
            let gone = app.gone(workspace, linked(&before.value).chain(others)).await?;
            let decided = trace::decide()
                .in_scope(|| merge_cases(config, actor, before, into.as_ref(), command, &tasks, &gone, now));
            decided.map(Some)
        }
        CaseChange::Resolution(command) => {
            let mut ids = app.sources().ids();
            let decided = trace::decide().in_scope(|| {
                add_resolution_comment(actor, before, command, resolution_comment_entry, now, &mut ids)
            });
            decided.map(Some)
        }
    };
    decided.map_err(AppError::Refused)
}

impl App {
    /// Loads the other case of a link.
    async fn other_case(
        &self,
        access: &Access,
        named: &str,
        reads: &mut Reads,
    ) -> Result<Versioned<Case>, AppError> {
        let id = self.id_of(access, Noun::Case, named).await?;
        let other = self.case(access.workspace.id(), &id, reads).await?;
        other.ok_or_else(|| {
            let mut faults = Faults::new();
            faults.add(FaultKind::NotFound, Key::OtherCase, "there is no such case");
            AppError::Refused(faults)
        })
    }

    /// Finds the cases above a case, nearest first, at most as many as there may be.
    async fn cases_above(
        &self,
        access: &Access,
        case: &Case,
        reads: &mut Reads,
    ) -> Result<Vec<CaseId>, AppError> {
        let mut above: Vec<CaseId> = Vec::new();
        let mut parent = case.parent().cloned();
        while let Some(id) = parent.filter(|_| above.len() < rules::ANCESTORS_MAX) {
            // Nothing is above that was purged.
            let Some(case) = self.case(access.workspace.id(), id.as_str(), reads).await? else { break };
            above.push(id);
            // What goes on in the place of a merged case is above as well.
            let Case { merged_into, .. } = &case.value;
            let goes_on = merged_into.as_ref().map(|into| into.case.clone());
            parent = goes_on.or_else(|| case.value.parent().cloned());
        }
        Ok(above)
    }
}
