//! Who acts: an agent whom the token names, or the app itself.

use serde::{Deserialize, Serialize};

use crate::id::UserId;

/// The picture of somebody who has none.
pub const NO_AVATAR: &str = "no-avatar";

/// Who did something. Two actors are the same when their ids are: a renamed person is still the same person.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Actor {
    /// The user id of the agent or of the app.
    pub id: UserId,
    /// The name at the time of the act.
    pub name: String,
    /// The picture, or [`NO_AVATAR`].
    pub image: String,
}

impl Actor {
    /// The server itself, which acts when a deadline passes.
    pub fn server() -> Self {
        Self { id: UserId::from_text("u-casement"), name: "Casement".to_owned(), image: NO_AVATAR.to_owned() }
    }
}
