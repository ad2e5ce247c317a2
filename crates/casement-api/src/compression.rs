//! Compression of answers for clients that accept gzip: pages and other large texts.
//!
//! An answer with an entity tag stays as it is. A strong tag names exact bytes (RFC 9110, 8.8.3), and `If-Match` on it
//! must keep working for whoever got the document compressed; documents are small anyway. No answer over HTTP holds a
//! secret of ours, see docs/decisions/0025-large-answers-are-compressed.md; one that will must not be compressed.

use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::http::{Extensions, HeaderMap, StatusCode, Version};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate, SizeAbove};

use crate::limits;

/// Which answers are compressed, beside their size.
type Chosen = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Makes the layer. It works piece by piece as the client reads, so no answer holds up a thread for long.
pub(crate) fn layer() -> CompressionLayer<And<SizeAbove, Chosen>> {
    let large = SizeAbove::new(limits::COMPRESSED_BYTES_MIN);
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(large.and(is_compressed as Chosen))
}

fn is_compressed(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = ["application/json", "application/problem+json", "application/javascript", "text/"]
        .iter()
        .any(|start| media_type.starts_with(start));
    is_text && !headers.contains_key(ETAG)
}
