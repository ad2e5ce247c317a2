//! Splitting a comment off: what it says becomes a case of its own, linked with the one that it was said on.

use super::Comment;
use crate::actor::Actor;
use crate::case::Case;
use crate::case::create::{CreateCase, create_case};
use crate::case::link::{Link, LinkKind};
use crate::case::update::check_changeable;
use crate::change::{Change, Record, RecordChange};
use crate::customer::{CustomerInput, Found};
use crate::date::{Moment, Zone};
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::CaseId;
use crate::limits;
use crate::version::Versioned;
use crate::workspace::{Reference, Workspace};

/// Fills in what a command does not say: template, customer, source and priority of the case, the text of the comment as the
/// description, and its first line as the name. What is given, also as null, stays.
pub fn filled(command: &CreateCase, case: &Case, comment: &Comment) -> CreateCase {
    let mut filled = command.clone();
    let (item, text) = (&case.item, comment.plain_text());
    fill(&mut filled.template, || case.template.to_string());
    fill(&mut filled.item.customer, || CustomerInput {
        id: Some(item.customer.id.to_string()),
        name: Some(item.customer.name.clone()),
        email: item.customer.email.clone(),
        phone: item.customer.phone.clone(),
    });
    fill(&mut filled.item.source, || item.source.clone());
    fill(&mut filled.item.priority, || Reference::Either(item.priority.to_string()));
    fill(&mut filled.item.name, || name_of(&text, &item.name));
    fill(&mut filled.item.description, || {
        let end = text.floor_char_boundary(limits::DESCRIPTION_BYTES_MAX);
        text.get(..end).unwrap_or_default().to_owned()
    });
    filled
}

fn fill<T>(given: &mut Given<T>, value: impl FnOnce() -> T) {
    if matches!(given, Given::Absent) {
        *given = Given::Value(value());
    }
}

/// Gives the first line, cut; the other text where there is none.
fn name_of(text: &str, otherwise: &str) -> String {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(otherwise);
    let cut: String = first.chars().take(limits::NAME_CHARACTERS_MAX).collect();
    cut.trim().to_owned()
}

/// Decides to split a comment off by a filled command: a new case with the tasks of its template, both cases linked as
/// related, and the comment with the trace of it. The new case is the first record. `gone` are those that were purged, of the
/// cases that the case is linked with and of that which was made of the comment before. `ids` must not end.
///
/// # Errors
/// All faults of the command; the case can't be changed, the comment is deleted or was split off before.
#[expect(clippy::too_many_arguments, reason = "a creation, and what it is split off from")]
pub fn split_comment(
    workspace: &Workspace,
    actor: &Actor,
    case: &Versioned<Case>,
    comment: &Versioned<Comment>,
    filled: &CreateCase,
    customers: &Found,
    gone: &[CaseId],
    zone: Zone,
    now: Moment,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<Change, Faults> {
    let mut filled = filled.clone();
    let faults = &mut filled.faults;
    check_changeable(&case.value, &case.value.item, faults);
    if !comment.value.active {
        faults.add(FaultKind::Conflict, Key::Body, "the comment is deleted");
    } else if comment.value.split_into.as_ref().is_some_and(|into| !gone.contains(into)) {
        faults.add(
            FaultKind::Conflict,
            Key::Body,
            "the comment was split off before; its splitInto says where",
        );
    }
    let mut own = case.value.clone();
    own.forget(gone);
    if own.links.len() >= limits::CASE_LINKS_MAX {
        let message = format!("the case has {} links already, which is the most", limits::CASE_LINKS_MAX);
        faults.add(FaultKind::Unprocessable, Key::Body, message);
    }
    let mut change = create_case(workspace, actor, &filled, customers, zone, now, ids)?;
    let Some(RecordChange { after: Record::Case(made), .. }) = change.records.first_mut() else {
        return Ok(change);
    };
    made.links.push(Link { kind: LinkKind::Related, case: own.id.clone() });
    own.links.push(Link { kind: LinkKind::Related, case: made.id.clone() });
    own.item.touch(actor, now);
    let mut said = comment.value.clone();
    said.split_into = Some(made.id.clone());
    said.touch(actor, now);
    change.records.extend([
        RecordChange {
            before: Some(case.clone().map(Record::Case)),
            after: Record::Case(own),
            event: "case.linked",
        },
        RecordChange {
            before: Some(comment.clone().map(Record::Comment)),
            after: Record::Comment(said),
            event: "comment.split",
        },
    ]);
    Ok(change)
}
