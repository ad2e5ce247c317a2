//! Routes of attachments: what is said about a file as JSON, its bytes as they are.

pub mod content;
pub mod delete;
pub mod get;
pub mod list;
pub mod span;
pub mod told;
pub mod upload;

use utoipa::ToSchema;

/// The bytes of a file.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes bytes that are streamed")]
pub struct FileBytes(Vec<u8>);
