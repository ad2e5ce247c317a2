//! Attachments: files on cases. What is said about one is a document; its bytes are kept apart from it.

pub mod create;
pub mod delete;
pub mod kind;
pub mod name;
pub mod purge;
pub mod usage;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::date::Moment;
use crate::id::{AttachmentId, CaseId};

use self::kind::Image;
use self::name::FileName;

/// A file on a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its id, which its bytes are kept under too.
    pub id: AttachmentId,
    /// The case that it is on.
    pub case: CaseId,
    /// Its name, made safe.
    pub name: FileName,
    /// The media type as the client told it.
    pub media_type: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub hash: String,
    /// The sort of image that its first bytes say it is.
    pub image: Option<Image>,
    /// Who added it.
    pub created_by: Actor,
    /// When it was added; on one case strictly increasing, as its id.
    pub created_at: Moment,
    /// When it was deleted: its bytes go a while later, this stays.
    pub deleted_at: Option<Moment>,
    /// When it changed last; strictly increasing.
    pub updated_at: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::NO_AVATAR;
    use crate::id::UserId;

    /// An attachment of no bytes.
    pub fn attachment() -> Attachment {
        let at = Moment::from_ms(1_000);
        Attachment {
            id: AttachmentId::fresh(1),
            case: CaseId::fresh(2),
            name: FileName::of("a.txt"),
            media_type: "text/plain".to_owned(),
            bytes: 0,
            hash: String::new(),
            image: None,
            created_by: Actor { id: UserId::fresh(3), name: "Ann".to_owned(), image: NO_AVATAR.to_owned() },
            created_at: at,
            deleted_at: None,
            updated_at: at,
        }
    }
}
