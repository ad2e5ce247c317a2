//! The limits of HTTP requests and connections.

use std::num::NonZeroU32;
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
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Bytes that are read at once where heads and chunks are looked for.
pub const READ_BYTES: usize = 4 * 1024;
/// Bytes of a request that are held until it is whole; of a longer one the rest goes on as it comes.
pub const REQUEST_BYTES_HELD_MAX: usize = 16 * 1024;
/// Bytes that all connections together hold of requests that are not whole, those apart that hold no more than [`READ_BYTES`];
/// past it a connection that would hold more is closed.
pub const ALL_BYTES_HELD_MAX: usize = 64 * 1024 * 1024;
/// Bytes of bodies that all requests together hold from when they are read until they are answered; past it a request waits
/// up to [`QUEUE_WAIT`], then 503.
pub const ALL_BODY_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Bytes of them that the connections of one address hold, unless it is a trusted proxy's; past it a request waits up to
/// [`QUEUE_WAIT`], then 429.
pub const ADDRESS_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a request whose body is read costs beside the bytes of the body: its own state and what the HTTP library has for it.
pub const BODY_BYTES_BESIDE: usize = 16 * 1024;
/// Bytes of a body that someone sends whom no app answers for; past it 413. Enough for the text of a feedback.
pub const STRANGER_BODY_BYTES_MAX: usize = 32 * 1024;
/// Bytes of such bodies that are on their way; past it they wait up to [`QUEUE_WAIT`], then 503.
pub const ALL_STRANGER_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of ends of answers that all connections keep; past it the HTTP library keeps what is more.
pub const ALL_ANSWER_BYTES_KEPT_MAX: usize = 64 * 1024 * 1024;
/// Connections to the listener of the metrics at once, and from one address.
pub const METRICS_CONNECTIONS_MAX: usize = 64;
/// See [`METRICS_CONNECTIONS_MAX`].
pub const METRICS_CONNECTIONS_PER_ADDRESS_MAX: usize = 16;
/// How often a request that waits for such room looks for it.
pub const ROOM_PERIOD: Duration = Duration::from_millis(20);
/// Bytes of an answer's end that are kept for a client who does not take them, so that the HTTP library is done with it.
pub const ANSWER_BYTES_KEPT_MAX: usize = 64 * 1024;
/// Bytes of answers after which the system is asked whether it has room for more, before the next request begins.
pub const ROOM_BYTES: usize = 16 * 1024;
/// Bytes that the system keeps of a connection and has not sent. Without this limit it takes up to 4 MiB of answers for a
/// client that does not read them.
pub const UNSENT_BYTES_IN_SYSTEM: u32 = 128 * 1024;
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
/// Requests a second that an app may send in the long run, if the options say nothing; past it 429.
pub const RATE_PER_SECOND: NonZeroU32 = NonZeroU32::new(1_000).expect("invariant: not zero");
/// Requests that an app may send at once after a rest, if the options say nothing; past it 429.
pub const RATE_BURST: NonZeroU32 = NonZeroU32::new(2_000).expect("invariant: not zero");
/// Requests at work at once when the server starts; past the limit of the moment they wait.
pub const AT_WORK_START: usize = 256;
/// The least that the limit of requests at work shrinks to.
pub const AT_WORK_MIN: usize = 64;
/// The most that the limit of requests at work grows to.
pub const AT_WORK_MAX: usize = 2_048;
/// By how much the limit grows each [`LOAD_PERIOD`] while the server keeps up.
pub const AT_WORK_STEP: usize = 4;
/// How often the load is looked at.
pub const LOAD_PERIOD: Duration = Duration::from_millis(20);
/// How late the runtime may run a task before the limit shrinks.
pub const LATENESS_MAX: Duration = Duration::from_millis(20);
/// How long a request waits for a place; past it 503.
pub const QUEUE_WAIT: Duration = Duration::from_millis(500);
/// Requests of one class that wait for a place; past it 503 at once.
pub const QUEUE_REQUESTS_MAX: usize = 2_048;
/// How long a use case may take; past it 503. A write that was handed to the store goes on.
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a connection may take to send its first head, and each head once it has begun; past it it is closed.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be idle between two requests; past it it is closed.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an HTTP/2 connection may be idle before its client is told that it ends: so much earlier than [`IDLE_TIMEOUT`]
/// that both can agree on it.
pub const HTTP2_IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// How often it is looked at.
pub const HTTP2_IDLE_PERIOD: Duration = Duration::from_secs(5);
/// Bytes of a command that reaches the control socket, a configuration document for example; past it 413. One more than
/// the largest document, so that the use case itself tells of its limit.
pub const CONTROL_BODY_BYTES_MAX: usize = casement_app::limits::CONFIGURATION_BYTES_MAX + 1;
/// How long the end of a connection between two requests may take to be written.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Connections at once, if the options say nothing; further ones are closed at once.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Connections that the system keeps until they are accepted, as far as it lets us (`net.core.somaxconn`). With less, clients
/// that come all at once after a restart wait for seconds until they try again, and some believe for minutes that they are
/// connected.
pub const LISTEN_BACKLOG: u32 = 4096;
/// How long the log waits before it tells again of connections or requests that were refused.
pub const TOLD_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Connections at once from one address, if the options say nothing; further ones are closed at once.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 256;
/// Requests at once on one HTTP/2 connection; the protocol makes the client wait.
pub const HTTP2_STREAMS_MAX: u32 = 128;
/// Bytes of the headers of an HTTP/2 request as that protocol counts them (32 more for each), above what is answered by
/// us with 431; past it the stream is refused.
pub const HTTP2_HEADER_LIST_BYTES_MAX: u32 = 64 * 1024;
/// Streams that a client may open and take back before they are served; past it the connection is closed.
pub const HTTP2_RESETS_MAX: usize = 64;
/// Bytes of one body that a client may send ahead of what is read of it.
pub const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// The same for all bodies of a connection together: several, so that one which is not read holds up no other.
pub const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// Bytes of answers that wait in memory for one stream.
pub const HTTP2_SEND_BUFFER_BYTES: usize = 256 * 1024;
/// How often a silent HTTP/2 client is asked whether it is there.
pub const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(20);
/// Bytes of answers that wait for their clients, those expected of requests at work included; past it (lists: past half
/// of it) a request waits up to [`QUEUE_WAIT`], then 503.
pub const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Bytes of answers that wait for one address, those expected of its requests at work included, unless it is a trusted proxy's;
/// past it (lists: past half of it) a request waits up to [`QUEUE_WAIT`], then 429.
pub const ADDRESS_ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// What of that the answer of a request at work is expected to have that is no list.
pub const SMALL_ANSWER_BYTES_EXPECTED: usize = 16 * 1024;
/// Bytes that the answer of a request at work is expected to have.
pub const ANSWER_BYTES_EXPECTED: usize = 256 * 1024;
/// How long answers may wait whatever their size; after it their client must have taken them at
/// [`ANSWER_BYTES_PER_SECOND_MIN`], or the connection is closed.
pub const ANSWER_GRACE: Duration = Duration::from_secs(30);
/// The pace at which a client must take its answers.
pub const ANSWER_BYTES_PER_SECOND_MIN: u64 = 16 * 1024;
/// How often changed certificate files are looked for.
pub const CERTIFICATE_PERIOD: Duration = Duration::from_secs(60);
/// How long an authority may take for one answer; past it the order fails and is tried again.
pub const ACME_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an order for a certificate may take in all; past it it fails and is tried again.
pub const ACME_ORDER_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// How long to wait after a first failed order. Authorities allow some five failures an hour.
pub const ACME_RETRY_FIRST: Duration = Duration::from_secs(2 * 60);
/// The longest wait after many failed orders.
pub const ACME_RETRY_MAX: Duration = Duration::from_secs(2 * 60 * 60);
/// The shortest rest between two looks at a certificate.
pub const ACME_REST_MIN: Duration = Duration::from_secs(1);
/// Names in one certificate; more are refused at the start.
pub const ACME_DOMAINS_MAX: usize = 100;
/// Bytes of a kept account or certificate; a longer file counts as damaged.
pub const ACME_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Spans that wait for the collector; further ones are lost.
pub const TRACE_SPANS_QUEUED_MAX: usize = 4_096;
/// Spans that are sent at once.
pub const TRACE_SPANS_AT_ONCE: usize = 512;
/// How long a span waits for others at most.
pub const TRACE_PERIOD: Duration = Duration::from_secs(2);
/// How long a collector may take for one batch; past it the batch is lost.
pub const TRACE_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the end of the server waits for the last spans to be taken; what is left then is lost.
pub const TRACE_END_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of another server's answer; a longer one counts as none.
pub const OUTBOUND_BODY_BYTES_MAX: usize = 1024 * 1024;
/// How long a connection to another server is kept for the next request.
pub const OUTBOUND_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections to one other server that are kept so.
pub const OUTBOUND_IDLE_CONNECTIONS_MAX: usize = 2;
/// Connections to the control socket at once; further ones are closed at once.
pub const CONTROL_CONNECTIONS_MAX: usize = 16;
/// Bytes of an answer that the command line reads from the control socket; a longer one is an error.
pub const CONTROL_ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long open requests may take to end when the server stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of a token; a longer one is not looked at and gets the 401 of any wrong token.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Verified tokens that are kept, so that each need not be verified at every request.
pub const TOKENS_KEPT: usize = 16_384;
/// Bytes that these may take.
pub const TOKENS_KEPT_BYTES: u64 = 16 * 1024 * 1024;
/// How far clocks may differ; contract section 1.
pub const CLOCK_LEEWAY_SECONDS: f64 = 60.0;
/// Bytes of the id (`jti`) of a token that serves once; a longer one is refused.
pub const TOKEN_ID_BYTES_MAX: usize = 256;
/// How long a token that serves once may live, in seconds: its id is remembered as long.
pub const ONCE_SECONDS_MAX: f64 = 24.0 * 60.0 * 60.0;
/// The last second of the year 9999, which some libraries write for "never": a later time in a token is no time.
pub const CLAIM_SECONDS_MAX: f64 = 253_402_300_799.0;
/// Characters of a request id that a client may choose.
pub const REQUEST_ID_CHARACTERS_MAX: usize = 64;
/// Seconds after which a client that got a 503 should try again.
pub const RETRY_AFTER_SECONDS: u32 = 1;
/// Bytes of an answer below which it is not compressed: what it would save does not pay for the time.
pub const COMPRESSED_BYTES_MIN: u64 = 4 * 1024;
/// Events in one page of a history, if the request says nothing.
pub const HISTORY_PAGE: u64 = 50;
/// Attachments in one page; more is a 400.
pub const ATTACHMENTS_PAGE: u64 = 100;
/// The most events in one page of a history; more is a 400.
pub const HISTORY_PAGE_MAX: u64 = 100;
/// Comments on a page; a larger page is refused.
pub const COMMENTS_PAGE_MAX: u64 = 100;
/// Comments on a page when the request names no limit.
pub const COMMENTS_PAGE: u64 = 50;
/// Standard responses on a page, also when the request names no limit.
pub const RESPONSES_PAGE: u64 = 100;
/// Requests a second in the long run from one address, where no app is asked for: an address may stand for many people.
pub const ADDRESS_RATE_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Such requests at once after a rest.
pub const ADDRESS_RATE_BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// Addresses whose requests are counted apart; past it those that come new are counted as one.
pub const ADDRESSES_COUNTED: usize = 10_000;
/// How long after addresses at rest were forgotten it is tried again, when there are that many.
pub const ADDRESSES_FORGOTTEN_AFTER: Duration = Duration::from_secs(1);
