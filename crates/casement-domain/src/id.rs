//! Ids: a prefix, a hyphen and a UUID in lower-case hex; contract section 2.
//!
//! Ids that come from outside are opaque strings of up to 64 characters and are matched exactly. New ones are made
//! from a 128-bit value that the caller hands in (a time-ordered UUID v7).

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Makes a new id from a 128-bit value.
            pub fn fresh(value: u128) -> Self {
                Self(format!(concat!($prefix, "{}"), grouped(value)))
            }

            /// Takes an id that was made here or given from outside, as it is.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Gives the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// Names a case.
    CaseId = "ci-";
    /// Names a task.
    TaskId = "ti-";
    /// Names a line of a task's checklist.
    CheckItemId = "ck-";
    /// Names an attachment.
    AttachmentId = "at-";
    /// Names a comment.
    CommentId = "co-";
    /// Names a resolution comment of a case.
    ResolutionCommentId = "rc-";
    /// Names what a customer said of a case.
    FeedbackId = "fb-";
    /// Names a case template.
    CaseTemplateId = "ctm-";
    /// Names a task template.
    TaskTemplateId = "ttm-";
    /// Names a status.
    StatusId = "sts-";
    /// Names a priority.
    PriorityId = "pr-";
    /// Names a field.
    FieldId = "fd-";
    /// Names whoever acts or is helped: a customer, an agent or an app.
    UserId = "u-";
    /// Names an agent's profile.
    AgentId = "a-";
    /// Names a queue.
    QueueId = "qu-";
    /// Names a standard response.
    StandardResponseId = "sr-";
    /// Names a stream, which is one workspace.
    StreamId = "st-";
    /// Names an organisation.
    OrganisationId = "o-";
    /// Names a JWT app (its client id).
    AppId = "cs-";
    /// Names an account: 24 hex digits, no prefix.
    AccountId = "";
}

fn grouped(value: u128) -> String {
    let hex = format!("{value:032x}");
    let mut text = String::with_capacity(36);
    for (position, digit) in hex.chars().enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// Makes an account id: 24 hex digits of a 128-bit value, those that differ most.
pub fn fresh_account(value: u128) -> AccountId {
    let hex = format!("{value:032x}");
    let (head, tail) = (hex.get(..8).unwrap_or_default(), hex.get(16..).unwrap_or_default());
    AccountId::from_text(format!("{head}{tail}"))
}

/// Formats a reference number: the prefix and at least six digits; contract section 2.
pub fn reference(prefix: &str, number: u64) -> String {
    format!("{prefix}{number:06}")
}

/// Reads a reference such as `CS000100` back; `None` when it is not spelled exactly so.
pub fn reference_number(prefix: &str, text: &str) -> Option<u64> {
    let number: u64 = text.strip_prefix(prefix)?.parse().ok()?;
    (reference(prefix, number) == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_prefix_and_a_grouped_uuid() {
        let id = CaseId::fresh(0x0193_5b2a_1c00_7abc_8def_0123_4567_89ab);
        assert_eq!(id.as_str(), "ci-01935b2a-1c00-7abc-8def-0123456789ab");
    }

    #[test]
    fn an_account_id_has_24_hex_digits() {
        assert_eq!(fresh_account(u128::MAX / 3).as_str().len(), 24);
    }

    #[test]
    fn references_have_six_digits_and_go_on_to_seven() {
        assert_eq!(reference("CS", 100), "CS000100");
        assert_eq!(reference("TS", 999_999), "TS999999");
        assert_eq!(reference("CS", 1_000_000), "CS1000000");
    }

    #[test]
    fn only_the_exact_spelling_of_a_reference_is_read() {
        assert_eq!(reference_number("CS", "CS000100"), Some(100));
        for wrong in ["CS100", "cs000100", "TS000100", "CS0000100", "CS+00100", "CS", ""] {
            assert_eq!(reference_number("CS", wrong), None, "{wrong}");
        }
    }
}
