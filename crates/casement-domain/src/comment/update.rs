//! Changing and deleting a comment.

use super::input::{CommentIdentity, UpdateComment};
use super::{Comment, add_mentioned, attached, check_case, mentioned, mentioned_within, written};
use crate::actor::Actor;
use crate::case::{Case, reference_id};
use crate::change::{Change, Record, RecordChange};
use crate::date::{Moment, Zone};
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::item::plain::{Mode, take};
use crate::version::Versioned;
use crate::workspace::Workspace;

/// Decides a change of a comment: what the command does not name stays. `usable` are the attachments of the case that
/// are there. `Ok(None)`: the command changes nothing.
///
/// # Errors
/// All faults of the command.
#[expect(clippy::too_many_arguments, reason = "a decision names everything that it depends on")]
pub fn update_comment(
    workspace: &Workspace,
    actor: &Actor,
    case: &Versioned<Case>,
    before: &Versioned<Comment>,
    command: &UpdateComment,
    usable: &[String],
    zone: Zone,
    now: Moment,
) -> Result<Option<Change>, Faults> {
    let mut faults = command.faults.clone();
    let (stored, input) = (&before.value, &command.input);
    check_identity(workspace, case, stored, &command.identity, zone, &mut faults);
    let mut after = stored.clone();
    if let Some(visibility) = take(&input.visibility, Key::Visibility, Mode::Update, &mut faults) {
        after.visibility = *visibility;
    }
    let format = take(&input.format, Key::Format, Mode::Update, &mut faults).copied();
    let text = take(&input.text, Key::Text, Mode::Update, &mut faults);
    // What a deleted comment said is gone, and is not judged as a text.
    let says = |after: &Comment| (after.format, after.text.clone());
    if stored.active && (format.is_some() || text.is_some()) {
        after.format = format.unwrap_or(stored.format);
        let text = text.unwrap_or(&stored.text);
        if (after.format, text) != (stored.format, &stored.text)
            && let Some(written) = written(after.format, text, &mut faults)
        {
            after.text = written.text;
            after.html = written.html;
        }
    }
    let named = take(&input.mentions, Key::Mentions, Mode::Update, &mut faults);
    if named.is_some() || after.html() != stored.html() {
        after.mentions = match named {
            Some(named) => mentioned(named, &stored.mentions, workspace, &mut faults),
            // Who was mentioned within the text goes with it.
            None => {
                let former = mentioned_within(stored.html(), &stored.mentions, workspace);
                stored.mentions.iter().filter(|agent| !former.contains(agent)).cloned().collect()
            }
        };
        let within = mentioned_within(after.html(), &stored.mentions, workspace);
        add_mentioned(&mut after.mentions, within, &mut faults);
    }
    if let Some(named) = take(&input.attachments, Key::Attachments, Mode::Update, &mut faults) {
        after.attachments = attached(named, &stored.attachments, usable, &mut faults);
    }
    if !stored.active {
        faults.add(FaultKind::Conflict, Key::Body, "the comment is deleted and can't be changed");
    }
    if after == *stored {
        return faults.or(None);
    }
    check_case(&case.value, &mut faults);
    after.edited = stored.edited || says(&after) != says(stored);
    after.touch(actor, now);
    faults.or(Some(changed(before, after, "comment.updated")))
}

/// Decides the deletion of a comment: who and when stay, what it said goes. `Ok(None)`: it is deleted already.
///
/// # Errors
/// The case takes no writes.
pub fn delete_comment(
    actor: &Actor,
    case: &Versioned<Case>,
    before: &Versioned<Comment>,
    now: Moment,
) -> Result<Option<Change>, Faults> {
    if !before.value.active {
        return Ok(None);
    }
    let mut faults = Faults::new();
    check_case(&case.value, &mut faults);
    let mut after = Comment {
        text: String::new(),
        html: None,
        mentions: Vec::new(),
        attachments: Vec::new(),
        standard_response: None,
        active: false,
        ..before.value.clone()
    };
    after.touch(actor, now);
    faults.or(Some(changed(before, after, "comment.deleted")))
}

fn changed(before: &Versioned<Comment>, after: Comment, event: &'static str) -> Change {
    let before = Some(before.clone().map(Record::Comment));
    Change { records: vec![RecordChange { before, after: Record::Comment(after), event }] }
}

/// Adds a fault for each key that says something else than what is stored; contract sections 9 and 11.8.
fn check_identity(
    workspace: &Workspace,
    case: &Versioned<Case>,
    stored: &Comment,
    identity: &CommentIdentity,
    zone: Zone,
    faults: &mut Faults,
) {
    let reference = case.number.map(reference_id).unwrap_or_default();
    let texts = [
        (&identity.id, Key::Id, stored.id.as_str()),
        (&identity.case, Key::CaseOfTask, stored.case.as_str()),
        (&identity.case_reference, Key::CaseReference, &reference),
        (&identity.account, Key::Account, workspace.account.as_str()),
        (&identity.stream, Key::Stream, workspace.stream.as_str()),
        (&identity.stream_alias, Key::StreamAlias, workspace.stream.as_str()),
        (&identity.organisation, Key::Organisation, workspace.organisation.as_str()),
    ];
    for (given, key, own) in texts {
        check(given, key, |given| given == own, faults);
    }
    let is_maker =
        |given: &Option<String>| given.as_deref().is_none_or(|id| id == stored.created_by.id.as_str());
    check(&identity.created_by, Key::CreatedBy, is_maker, faults);
    let is_then = |given: &crate::date::DateInput| given.moment(zone) == Some(stored.created_at);
    check(&identity.created_at, Key::CreatedAt, is_then, faults);
    check(&identity.deleted, Key::Deleted, |given| *given != stored.active, faults);
}

fn check<T>(given: &Given<T>, key: Key, is_own: impl FnOnce(&T) -> bool, faults: &mut Faults) {
    if let Some(given) = take(given, key, Mode::Update, faults)
        && !is_own(given)
    {
        faults.add(FaultKind::Conflict, key, "can't be changed");
    }
}
