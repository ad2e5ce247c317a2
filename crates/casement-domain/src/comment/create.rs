//! Creating a comment.

use super::input::CreateComment;
use super::{Comment, Visibility, add_mentioned, attached, check_case, mentioned, mentioned_within, written};
use crate::actor::Actor;
use crate::case::Case;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::given::Given;
use crate::id::CommentId;
use crate::item::plain::{Mode, take};
use crate::rich_text::TextFormat;
use crate::version::Versioned;
use crate::workspace::Workspace;
use crate::workspace::response::{StandardResponse, Values};

/// Decides the creation of a comment on a case. `usable` are the attachments of the case that are there. `ids` must not end.
///
/// # Errors
/// All faults of the command.
pub fn create_comment(
    workspace: &Workspace,
    actor: &Actor,
    case: &Versioned<Case>,
    command: &CreateComment,
    usable: &[String],
    now: Moment,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<Change, Faults> {
    let mut faults = command.faults.clone();
    let input = &command.input;
    check_case(&case.value, &mut faults);
    let visibility = take(&input.visibility, Key::Visibility, Mode::Create, &mut faults).copied();
    let response = find_response(workspace, &command.standard_response, &mut faults);
    let format = take(&input.format, Key::Format, Mode::Create, &mut faults).copied();
    let text = match (take(&input.text, Key::Text, Mode::Create, &mut faults), response) {
        (Some(_), Some(_)) => {
            faults.invalid(Key::StandardResponse, "takes the place of the text: give one of them");
            None
        }
        (Some(text), None) => Some((format.unwrap_or(TextFormat::Markdown), text.clone())),
        (None, Some(response)) => {
            if format.is_some_and(|format| format != response.format) {
                faults.invalid(Key::Format, "is not that of the standard response");
            }
            let values = Values::of(case, workspace, actor);
            match response.render(&values) {
                Ok(text) => Some((response.format, text)),
                Err(message) => {
                    faults.add(FaultKind::Unprocessable, Key::StandardResponse, message);
                    None
                }
            }
        }
        (None, None) => {
            if input.text.is_missing() && command.standard_response.is_missing() {
                faults.invalid(Key::Text, "is required");
            }
            None
        }
    };
    let written = text.and_then(|(format, text)| Some((format, written(format, &text, &mut faults)?)));
    let mentions = take(&input.mentions, Key::Mentions, Mode::Create, &mut faults);
    let mut mentions =
        mentioned(mentions.map(Vec::as_slice).unwrap_or_default(), &[], workspace, &mut faults);
    if let Some((_, written)) = &written {
        add_mentioned(&mut mentions, mentioned_within(written.html(), &[], workspace), &mut faults);
    }
    let attachments = take(&input.attachments, Key::Attachments, Mode::Create, &mut faults);
    let attachments = attached(attachments.map(Vec::as_slice).unwrap_or_default(), &[], usable, &mut faults);
    let Some((format, written)) = written else { return Err(faults) };
    let comment = Comment {
        id: CommentId::fresh(ids.next().expect("invariant: the source of ids does not end")),
        case: case.value.id.clone(),
        visibility: visibility.unwrap_or(Visibility::Internal),
        format,
        text: written.text,
        html: written.html,
        mentions,
        attachments,
        standard_response: response.map(|response| response.id.clone()),
        split_into: None,
        edited: false,
        active: true,
        created_by: actor.clone(),
        created_at: now,
        updated_by: actor.clone(),
        updated_at: now,
    };
    let made = RecordChange { before: None, after: Record::Comment(comment), event: "comment.created" };
    faults.or(Change { records: vec![made] })
}

fn find_response<'a>(
    workspace: &'a Workspace,
    given: &Given<crate::workspace::Reference>,
    faults: &mut Faults,
) -> Option<&'a StandardResponse> {
    let reference = take(given, Key::StandardResponse, Mode::Create, faults)?;
    let found = workspace.find_standard_response(reference);
    match found {
        None => faults.invalid(Key::StandardResponse, "there is no such standard response"),
        Some(response) if !response.is_usable() => {
            let message = "the standard response is switched off";
            faults.add(FaultKind::Unprocessable, Key::StandardResponse, message);
        }
        Some(_) => {}
    }
    found.filter(|response| response.is_usable())
}
