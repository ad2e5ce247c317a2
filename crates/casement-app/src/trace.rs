//! Spans of a use case, for whoever collects traces. When nobody does, a span costs one look at a flag.
//!
//! They tell where the time goes and nothing else: no ids, no values.

use tracing::Span;

/// The target of every span that is a part of a trace; the log leaves it out.
pub const TARGET: &str = "casement_trace";

/// A decision of the domain.
pub(crate) fn decide() -> Span {
    tracing::info_span!(target: TARGET, "decide")
}

/// A commit, from the queue to the acknowledgement.
pub(crate) fn commit() -> Span {
    tracing::info_span!(target: TARGET, "commit")
}

/// A question to the index.
pub(crate) fn index() -> Span {
    tracing::info_span!(target: TARGET, "index")
}
