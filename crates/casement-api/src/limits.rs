//! The limits of HTTP requests and connections.

use std::time::Duration;

/// Bytes of a JSON body; past it 413.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a request line; past it 414.
pub const REQUEST_LINE_BYTES_MAX: usize = 8 * 1024;
/// Bytes of all headers; past it 431.
pub const HEADERS_BYTES_MAX: usize = 32 * 1024;
/// Headers of a request; past it 431.
pub const HEADERS_MAX: usize = 100;
/// Bytes of a head that the HTTP library reads at most, so that the limits above are answered by us. Past it the
/// library answers 431 without a body and closes.
pub const HEAD_BYTES_MAX: usize = 256 * 1024;
/// Headers that the HTTP library reads at most, for the same reason.
pub const HEAD_HEADERS_MAX: usize = 1_000;
/// Bytes of an idempotency key; past it 400.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// How long a body may take to arrive; past it 408.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a body may arrive at any pace; after it at least [`BODY_BYTES_PER_SECOND_MIN`].
pub const BODY_GRACE: Duration = Duration::from_secs(5);
/// The pace at which a body must arrive; below it 408.
pub const BODY_BYTES_PER_SECOND_MIN: u64 = 16 * 1024;
/// How long a use case may take; past it 503. A write that was handed to the store goes on.
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a connection may take to send its first head, and each head once it has begun; past it it is closed.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be idle between two requests; past it it is closed.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Connections at once; further ones are closed at once.
pub const CONNECTIONS_MAX: usize = 10_000;
/// How long open requests may take to end when the server stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of a token; a longer one is not looked at.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Verified tokens that are kept, so that each need not be verified at every request.
pub const TOKENS_KEPT: usize = 16_384;
/// Bytes that these may take.
pub const TOKENS_KEPT_BYTES: u64 = 16 * 1024 * 1024;
/// How far clocks may differ; contract section 1.
pub const CLOCK_LEEWAY_SECONDS: f64 = 60.0;
/// The last second of the year 9999, which some libraries write for "never": a later time in a token is no time.
pub const CLAIM_SECONDS_MAX: f64 = 253_402_300_799.0;
/// Characters of a request id that a client may choose.
pub const REQUEST_ID_CHARACTERS_MAX: usize = 64;
/// Seconds after which a client that got a 503 should try again.
pub const RETRY_AFTER_SECONDS: &str = "1";
