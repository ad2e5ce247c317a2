//! Feedback: what the customer says of a case, by a link that serves once.

use serde_json::Value;

use super::Case;
use super::update::check_changeable;
use crate::actor::{Actor, NO_AVATAR};
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{Faults, Key};
use crate::given::Given;
use crate::id::FeedbackId;
use crate::item::plain::add_note;
use crate::limits;
use crate::version::Versioned;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Asks for a link by which the customer gives feedback.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MakeFeedbackLink {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// For how many days it is open: 1 to [`limits::FEEDBACK_LINK_DAYS_MAX`]; absent or null: [`limits::FEEDBACK_LINK_DAYS`].
    pub days: Given<i64>,
}

/// What the customer says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GiveFeedback {
    /// What the reading of the request found wrong.
    pub faults: Faults,
    /// 1 to [`limits::FEEDBACK_SCORE_MAX`].
    pub score: Given<i64>,
    /// Plain text of up to [`limits::FEEDBACK_TEXT_BYTES_MAX`] bytes; absent and null are as if empty.
    pub text: Given<String>,
}

/// Feedback before it is written down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feedback<'a> {
    /// Its id.
    pub id: &'a FeedbackId,
    /// 1 to [`limits::FEEDBACK_SCORE_MAX`].
    pub score: u8,
    /// What was written; may be empty.
    pub text: &'a str,
    /// When.
    pub at: Moment,
}

/// Tells whether the customer may still say something of a case: it is neither deleted nor merged.
pub fn takes_feedback(case: &Case) -> bool {
    case.item.active && case.merged_into.is_none()
}

/// Decides until when a link for feedback on a case is open.
///
/// # Errors
/// All faults of the command; the case is deleted or merged.
pub fn make_feedback_link(case: &Case, command: &MakeFeedbackLink, now: Moment) -> Result<Moment, Faults> {
    let mut faults = command.faults.clone();
    let most = limits::FEEDBACK_LINK_DAYS_MAX;
    let days = match command.days {
        Given::Absent | Given::Null => i64::from(limits::FEEDBACK_LINK_DAYS),
        Given::Value(days) if (1..=i64::from(most)).contains(&days) => days,
        Given::Value(_) => {
            faults.invalid(Key::ExpiresInDays, format!("must be 1 to {most}"));
            1
        }
        Given::Invalid => 1,
    };
    check_changeable(case, &case.item, &mut faults);
    faults.or(now.plus_ms(days * DAY_MS))
}

/// Decides until when a revocation of links is remembered: a day longer than any link lasts that was made before it.
pub fn revoke_feedback_links(now: Moment) -> Moment {
    now.plus_ms((i64::from(limits::FEEDBACK_LINK_DAYS_MAX) + 1) * DAY_MS)
}

/// Decides what the customer of a case says of it; the customer is who acts. `write` makes the entry of the list as clients see
/// it, which is how the list is kept. `ids` must not end.
///
/// # Errors
/// All faults of the command; there is no room for more feedback.
pub fn give_feedback(
    before: &Versioned<Case>,
    command: &GiveFeedback,
    write: impl Fn(Feedback<'_>) -> Value,
    now: Moment,
    ids: &mut dyn Iterator<Item = u128>,
) -> Result<Change, Faults> {
    let id = FeedbackId::fresh(ids.next().expect("invariant: the source of ids does not end"));
    let mut faults = command.faults.clone();
    let mut after = before.value.clone();
    let score = score(&command.score, &mut faults);
    let text = match &command.text {
        Given::Value(text) if text.len() > limits::FEEDBACK_TEXT_BYTES_MAX => {
            let most = limits::FEEDBACK_TEXT_BYTES_MAX;
            faults.invalid(Key::Text, format!("must be at most {most} bytes long"));
            ""
        }
        Given::Value(text) => text,
        Given::Absent | Given::Null | Given::Invalid => "",
    };
    if let Some(score) = score {
        let note = write(Feedback { id: &id, score, text, at: now });
        add_note(&mut after.item.feedback, note, Key::Feedback, &mut faults);
    }
    let actor = customer(&before.value);
    after.item.touch(&actor, now);
    let record = RecordChange {
        before: Some(before.clone().map(Record::Case)),
        after: Record::Case(after),
        event: "case.feedback",
    };
    faults.or(Change { records: vec![record] })
}

/// The customer of a case as somebody who acts.
pub fn customer(case: &Case) -> Actor {
    let customer = &case.item.customer;
    Actor { id: customer.id.clone(), name: customer.name.clone(), image: NO_AVATAR.to_owned() }
}

fn score(given: &Given<i64>, faults: &mut Faults) -> Option<u8> {
    let message = match given {
        Given::Value(score) => match u8::try_from(*score) {
            Ok(score) if (1..=limits::FEEDBACK_SCORE_MAX).contains(&score) => return Some(score),
            Ok(_) | Err(_) => format!("must be 1 to {}", limits::FEEDBACK_SCORE_MAX),
        },
        Given::Absent | Given::Null => "is required".to_owned(),
        Given::Invalid => return None,
    };
    faults.invalid(Key::Score, message);
    None
}
