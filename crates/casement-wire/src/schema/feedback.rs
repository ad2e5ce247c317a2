//! The bodies of resolution comments and feedback as the API description shows them.

use utoipa::ToSchema;

/// The body of addResolutionComment.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct ResolutionCommentBody {
    /// Plain text of up to 64 KiB.
    #[schema(example = "The fuse was blown; a new one is in.")]
    text: String,
}

/// The body of createFeedbackLink.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct FeedbackLinkBody {
    /// For how many days the link is open; 30 without it.
    #[schema(example = 30)]
    expires_in_days: Option<i64>,
}

/// The body of giveFeedback.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes a body that the readers take key by key")]
pub struct FeedbackBody {
    /// 1 is the worst and 5 the best.
    #[schema(example = 5)]
    score: i64,
    /// Plain text of up to 4 KiB.
    #[schema(example = "That was quick.")]
    text: Option<String>,
}
