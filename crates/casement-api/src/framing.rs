//! Where the heads and bodies of HTTP/1 end, found strictly before the HTTP library sees a byte.
//!
//! The library takes line feeds without a carriage return, and chunks beside a length. That is what RFC 9112 allows a
//! server, but a proxy before it may read the same bytes as other requests. Here such a request is no request: the
//! library gets a byte in its place that it answers with 400, and closes. HTTP/2 has frames of its own and passes
//! untouched.
//!
//! Requests are handed on one by one, each when it is whole, so that clients who send theirs slowly cost no more memory
//! than they have sent. Of a large body only the beginning is held, and none whose client waits to be asked for it.

use bytes::{Buf, BytesMut};
use memchr::memchr2_iter;

use crate::limits;

/// What a connection with HTTP/2 begins with; RFC 9113, section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Where a head should begin, the library answers it with 400; in a body of chunks it is an error with the end behind it.
const NO_HEAD: &[u8] = b"\0";

/// What the next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The first bytes of the connection, which tell its protocol.
    Greeting,
    /// A head.
    Head,
    /// So many bytes of a body.
    Body(u64),
    /// A body in chunks.
    Chunks(Chunk),
    /// Nothing of ours to look at: HTTP/2, or what the library refuses by itself.
    Anything,
    /// What follows a head that was refused.
    Nothing,
}

/// Where in a body of chunks the next byte stands; RFC 9112, section 7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    /// In the size, after so many digits.
    Size(u64, u8),
    /// In blanks after the size.
    Blank(u64),
    /// In an extension.
    Extension(u64),
    /// Between the two ends of the size's line.
    SizeEnd(u64),
    /// In the data.
    Data(u64),
    /// Before the ends of the data's line.
    DataEnd,
    /// Between them.
    DataEndFeed,
    /// At the beginning of a trailer's line.
    TrailerBegin,
    /// In a trailer's line.
    Trailer,
    /// Between the ends of a trailer's line.
    TrailerEnd,
    /// Between the ends of the last line.
    LastEnd,
}

/// What becomes of the request whose head has been seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    /// It is held until it is whole.
    Held,
    /// It goes on as it comes.
    Passed,
}

/// The bytes of a connection on their way to the HTTP library.
#[derive(Debug)]
pub(crate) struct Framing {
    next: Next,
    request: Request,
    /// Whether a next head may be looked at.
    may_begin: bool,
    held: BytesMut,
    /// So many of the held bytes belong to the request of the moment.
    seen: usize,
    /// So many of these may go on.
    ready: usize,
    /// So many bytes of an unfinished head have been looked at.
    looked_at: usize,
}

/// What was found of a head.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It ends after so many bytes.
    End(usize),
    /// It is not whole yet; so many bytes have been looked at.
    Unfinished(usize),
    /// A line ends by one character alone.
    Fault,
}

impl Framing {
    /// Begins a connection.
    pub(crate) fn new() -> Self {
        Self {
            next: Next::Greeting,
            request: Request::Passed,
            may_begin: true,
            held: BytesMut::new(),
            seen: 0,
            ready: 0,
            looked_at: 0,
        }
    }

    /// Hands on what may go on, up to so many bytes and never more than the rest of one request.
    pub(crate) fn take(&mut self, bytes_max: usize, pass: impl FnOnce(&[u8])) -> usize {
        let count = self.ready.min(bytes_max);
        if let Some(bytes) = self.held.get(..count).filter(|bytes| !bytes.is_empty()) {
            pass(bytes);
            self.held.advance(count);
            self.seen -= count;
            self.ready -= count;
            if self.held.is_empty() {
                // An idle connection holds no memory for its next head.
                self.held = BytesMut::new();
            }
        }
        count
    }

    /// How many bytes may go from the socket to the library without being looked at; `None`: they must come here.
    pub(crate) fn unseen_max(&self) -> Option<u64> {
        match self.next {
            _ if !self.held.is_empty() => None,
            Next::Anything => Some(u64::MAX),
            Next::Body(left) => Some(left),
            Next::Greeting | Next::Head | Next::Chunks(_) | Next::Nothing => None,
        }
    }

    /// Notes that so many bytes went on without being looked at.
    pub(crate) fn passed_unseen(&mut self, count: u64) {
        if let Next::Body(left) = self.next {
            self.next = after_body(left.saturating_sub(count));
        }
    }

    /// Whether there is something to hand on.
    pub(crate) fn has_more(&self) -> bool {
        self.ready > 0
    }

    /// How many bytes are here.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether a head has begun to arrive.
    pub(crate) fn is_within_head(&self) -> bool {
        self.next == Next::Head && self.held.len() > self.seen
    }

    /// Whether a head is whole and its body is awaited before it goes on.
    pub(crate) fn holds_body(&self) -> bool {
        self.seen > self.ready
    }

    /// Whether the library has got all of a request; something of the next one may be held.
    pub(crate) fn is_between(&self) -> bool {
        self.next == Next::Head && self.ready == 0 && self.seen == 0
    }

    /// Whether what goes on next begins a connection of HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.next == Next::Anything && self.held.starts_with(PREFACE)
    }

    /// Whether the connection ends here for the library, whatever the client still sends.
    pub(crate) fn has_ended(&self) -> bool {
        self.next == Next::Nothing && self.ready == 0
    }

    /// Takes bytes from the socket.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.next != Next::Nothing {
            self.held.extend_from_slice(bytes);
            self.look();
        }
    }

    /// Goes on to the next request when the library is done with the one before.
    pub(crate) fn next_request(&mut self) {
        self.may_begin = true;
        self.look();
    }

    /// Looks at what is held, as far as one request goes.
    fn look(&mut self) {
        while self.step() {}
    }

    /// Lets a request go on whose body is not whole.
    pub(crate) fn release(&mut self) {
        self.request = Request::Passed;
        self.ready = self.seen;
    }

    /// Looks at what is held; gives whether there is more to look at.
    fn step(&mut self) -> bool {
        let rest = self.held.get(self.seen..).unwrap_or_default();
        if rest.is_empty() {
            return false;
        }
        match self.next {
            Next::Greeting if rest.starts_with(PREFACE) => self.next = Next::Anything,
            Next::Greeting if PREFACE.starts_with(rest) => return false,
            Next::Greeting => self.next = Next::Head,
            Next::Head if !self.may_begin => return false,
            Next::Head if rest.starts_with(b"\r\n") => {
                // Empty lines before a head count for nothing.
                self.held.advance(2);
                self.looked_at = 0;
            }
            Next::Head if rest == b"\r" => return false,
            Next::Head => match find_end(rest, self.looked_at) {
                Found::End(length) => {
                    self.looked_at = 0;
                    self.may_begin = false;
                    match body_of(rest.get(..length).unwrap_or_default()) {
                        Some((next, request)) => {
                            self.request = request;
                            self.go_along(length, next);
                        }
                        None => self.refuse(),
                    }
                }
                // The library answers 431 and closes.
                Found::Unfinished(_) if rest.len() > limits::HEAD_BYTES_MAX => self.next = Next::Anything,
                Found::Unfinished(_) if !has_version(rest) => self.refuse(),
                Found::Unfinished(looked_at) => {
                    self.looked_at = looked_at;
                    return false;
                }
                Found::Fault => self.refuse(),
            },
            Next::Body(left) => {
                let count = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                self.go_along(count, after_body(left - count as u64));
            }
            Next::Chunks(chunk) => {
                let (count, next) = chunks(rest, chunk);
                self.go_along(count, next.unwrap_or(self.next));
                if next.is_none() {
                    self.refuse();
                }
            }
            Next::Anything => {
                self.seen = self.held.len();
                self.ready = self.seen;
            }
            Next::Nothing => return false,
        }
        true
    }

    /// Goes along so many bytes of the request of the moment, which goes on when it is whole or is not to be held.
    fn go_along(&mut self, count: usize, next: Next) {
        self.seen += count;
        self.next = next;
        let is_whole = next == Next::Head;
        if is_whole || self.request == Request::Passed || self.seen > limits::REQUEST_BYTES_HELD_MAX {
            self.release();
        }
    }

    /// Puts what the library refuses in the place of everything that has not gone on.
    fn refuse(&mut self) {
        self.held.truncate(self.seen);
        self.held.extend_from_slice(NO_HEAD);
        self.seen = self.held.len();
        self.ready = self.seen;
        self.next = Next::Nothing;
    }
}

/// Whether a head whose first line is there may become one: the library would wait for the rest.
fn has_version(head: &[u8]) -> bool {
    memchr::memchr(b'\n', head).and_then(|end| head.get(..=end)).is_none_or(|line| {
        [b" HTTP/1.1\r\n", b" HTTP/1.0\r\n"].into_iter().any(|version| line.ends_with(version))
    })
}

fn after_body(left: u64) -> Next {
    if left == 0 { Next::Head } else { Next::Body(left) }
}

/// Looks for the empty line that ends a head.
fn find_end(bytes: &[u8], looked_at: usize) -> Found {
    let rest = bytes.get(looked_at..).unwrap_or_default();
    for place in memchr2_iter(b'\r', b'\n', rest) {
        let place = looked_at + place;
        let at = |place: usize| bytes.get(place).copied();
        if at(place) == Some(b'\r') {
            match at(place + 1) {
                Some(b'\n') => {}
                Some(_) => return Found::Fault,
                None => return Found::Unfinished(place),
            }
        } else {
            let before = place.checked_sub(1).and_then(at);
            if before != Some(b'\r') {
                return Found::Fault;
            }
            if bytes.get(..=place).is_some_and(|head| head.ends_with(b"\r\n\r\n")) {
                return Found::End(place + 1);
            }
        }
    }
    // The last byte may be half of an end of line.
    Found::Unfinished(bytes.len() - usize::from(bytes.last() == Some(&b'\r')))
}

/// Reads from a head how its body is framed, and whether the request may be held until that is whole; `None`: it may be
/// read in two ways. What else is wrong with a head is the library's to refuse.
fn body_of(head: &[u8]) -> Option<(Next, Request)> {
    let (mut length, mut is_chunked, mut request) = (None, false, Request::Held);
    let mut lines = head.split(|byte| *byte == b'\n');
    // A fragment is not sent; the library would drop it.
    if lines.next()?.contains(&b'#') {
        return None;
    }
    for line in lines {
        if line.first().is_some_and(|first| matches!(first, b' ' | b'\t')) {
            return None;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = line.split_at_checked(colon)?;
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let own = digits(value)?;
            if length.is_some_and(|length| length != own) {
                return None;
            }
            length = Some(own);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return None;
            }
            is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"expect") {
            // The client waits for a word before it sends its body; RFC 9110, section 10.1.1.
            request = Request::Passed;
        }
    }
    let next = match (length, is_chunked) {
        (Some(_), true) => return None,
        (None, true) => Next::Chunks(Chunk::Size(0, 0)),
        (Some(length), false) => after_body(length),
        (None, false) => Next::Head,
    };
    Some((next, request))
}

/// Reads a number that is digits and nothing else.
fn digits(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}

/// Goes along chunks; gives how many bytes were gone along and what is next; `None`: the next byte may not stand there.
fn chunks(bytes: &[u8], mut chunk: Chunk) -> (usize, Option<Next>) {
    let mut place = 0;
    while let Some(byte) = bytes.get(place).copied() {
        if let Chunk::Data(left) = chunk {
            let count = (bytes.len() - place).min(usize::try_from(left).unwrap_or(usize::MAX));
            place += count;
            let left = left - count as u64;
            chunk = if left == 0 { Chunk::DataEnd } else { Chunk::Data(left) };
            continue;
        }
        if (chunk, byte) == (Chunk::LastEnd, b'\n') {
            return (place + 1, Some(Next::Head));
        }
        match after_byte(chunk, byte) {
            Some(next) => chunk = next,
            None => return (place, None),
        }
        place += 1;
    }
    (place, Some(Next::Chunks(chunk)))
}

/// Gives where the byte after this one stands; `None`: this one may not stand here.
fn after_byte(chunk: Chunk, byte: u8) -> Option<Chunk> {
    Some(match (chunk, byte) {
        (Chunk::Size(size, digits), byte) if byte.is_ascii_hexdigit() => {
            let digit = u64::from(char::from(byte).to_digit(16)?);
            Chunk::Size(size.checked_mul(16)?.checked_add(digit)?, digits.saturating_add(1))
        }
        (Chunk::Size(_, 0), _) => return None,
        (Chunk::Size(size, _) | Chunk::Blank(size), b' ' | b'\t') => Chunk::Blank(size),
        (Chunk::Size(size, _) | Chunk::Blank(size), b';') => Chunk::Extension(size),
        (Chunk::Size(size, _) | Chunk::Blank(size) | Chunk::Extension(size), b'\r') => Chunk::SizeEnd(size),
        (Chunk::Extension(_), b'\n') => return None,
        (Chunk::Extension(size), _) => Chunk::Extension(size),
        (Chunk::SizeEnd(0), b'\n') => Chunk::TrailerBegin,
        (Chunk::SizeEnd(size), b'\n') => Chunk::Data(size),
        (Chunk::DataEnd, b'\r') => Chunk::DataEndFeed,
        (Chunk::DataEndFeed, b'\n') => Chunk::Size(0, 0),
        (Chunk::TrailerBegin, b'\r') => Chunk::LastEnd,
        (Chunk::TrailerBegin | Chunk::Trailer, b'\n') => return None,
        (Chunk::Trailer, b'\r') => Chunk::TrailerEnd,
        (Chunk::TrailerBegin | Chunk::Trailer, _) => Chunk::Trailer,
        (Chunk::TrailerEnd, b'\n') => Chunk::TrailerBegin,
        (
            Chunk::Size(..)
            | Chunk::Blank(_)
            | Chunk::SizeEnd(_)
            | Chunk::Data(_)
            | Chunk::DataEnd
            | Chunk::DataEndFeed
            | Chunk::TrailerEnd
            | Chunk::LastEnd,
            _,
        ) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "POST / HTTP/1.1\r\nHost: x\r\n";

    /// Pushes bytes in pieces of a size and gives what goes on.
    fn passed(bytes: &[u8], each: usize) -> Vec<u8> {
        let (mut framing, mut passed) = (Framing::new(), Vec::new());
        for piece in bytes.chunks(each) {
            framing.push(piece);
            while framing.has_more() {
                while framing.take(7, |bytes| passed.extend_from_slice(bytes)) > 0 {}
                framing.next_request();
            }
        }
        passed
    }

    fn refused(bytes: &str) -> bool {
        [1, 3, 4096].into_iter().all(|each| passed(bytes.as_bytes(), each).ends_with(NO_HEAD))
    }

    #[test]
    fn requests_go_on_as_they_are_however_they_arrive() {
        let bytes = format!(
            "\r\n{HEAD}\r\n{HEAD}Content-Length: 5\r\n\r\nab\ncd{HEAD}Transfer-Encoding: chunked\r\n\r\n\
             5;x=y\r\na\nb\rc\r\n0\r\nX: y\r\n\r\n{HEAD}Content-Length: 0\r\nContent-Length: 0\r\n\r\n"
        );
        for each in 1..bytes.len() {
            assert_eq!(passed(bytes.as_bytes(), each), bytes.trim_start().as_bytes(), "{each}");
        }
    }

    #[test]
    fn a_head_goes_on_only_when_it_is_whole() {
        let mut framing = Framing::new();
        framing.push(HEAD.as_bytes());
        assert_eq!(framing.take(100, |_| {}), 0);
        framing.push(b"\r\n");
        assert_eq!(framing.take(100, |_| {}), HEAD.len() + 2);
        assert_eq!(framing.held.capacity(), 0, "nothing is kept for the next one");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused_with_all_that_follows() {
        for lines in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: +5\r\n",
            "Content-Length:\r\n",
            "X: y\nZ: z\r\n",
            "X: y\rZ: z\r\n",
            "X: y\r\n Content-Length: 5\r\n",
        ] {
            assert!(refused(&format!("{HEAD}{lines}\r\n12345{HEAD}\r\n")), "{lines:?}");
        }
        assert!(refused("GET /#x HTTP/1.1\r\n\r\n"));
        assert!(refused("GET / HTTP/1.1\n\n"));
        assert!(refused("GET /\r\n"));
        assert!(refused("GET / HTTP/1.2\r\nHost: x"));
        assert!(refused("\nGET / HTTP/1.1\r\n\r\n"));
    }

    #[test]
    fn malformed_chunks_end_the_connection_where_they_are_malformed() {
        let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
        for chunks in
            ["-1\r\n", "\r\n", "5\n", "5\r5", "10000000000000000\r\n", "1\r\nab", "0\r\nX\n", "1;x\ny"]
        {
            for each in [1, 4096] {
                let passed = passed(format!("{head}{chunks}{HEAD}\r\n").as_bytes(), each);
                let good = passed.strip_suffix(NO_HEAD).unwrap();
                assert!(good.len() < head.len() + chunks.len(), "{chunks:?}");
            }
        }
    }

    #[test]
    fn a_head_without_end_goes_on_when_it_is_too_long() {
        let mut framing = Framing::new();
        framing.push(&vec![b'x'; limits::HEAD_BYTES_MAX]);
        assert_eq!(framing.take(1, |_| {}), 0);
        framing.push(b"x");
        assert_eq!(framing.take(usize::MAX, |_| {}), limits::HEAD_BYTES_MAX + 1);
    }

    #[test]
    fn http2_passes_untouched() {
        for each in [1, 5, 4096] {
            let bytes = [PREFACE, b"\n\n\0 anything"].concat();
            assert_eq!(passed(&bytes, each), bytes);
        }
        assert!(passed(&PREFACE[..20], 4096).is_empty());
    }

    #[test]
    fn a_body_of_a_told_length_need_not_come_here() {
        let mut framing = Framing::new();
        framing.push(format!("{HEAD}Content-Length: 10\r\n\r\nabc").as_bytes());
        framing.release();
        assert_eq!(framing.unseen_max(), None, "what is held goes first");
        framing.take(usize::MAX, |_| {});
        assert_eq!(framing.unseen_max(), Some(7));
        framing.passed_unseen(7);
        assert_eq!((framing.unseen_max(), framing.next), (None, Next::Head));
    }

    #[test]
    fn a_request_goes_on_when_its_body_is_whole_and_the_next_one_when_it_is_asked_for() {
        for (lines, body) in [
            ("Content-Length: 5\r\n\r\n", "12345"),
            ("Transfer-Encoding: chunked\r\n\r\n", "5\r\n12345\r\n0\r\n\r\n"),
        ] {
            let request = format!("{HEAD}{lines}{body}");
            let (most, last) = request.split_at(request.len() - 1);
            let mut framing = Framing::new();
            for byte in most.bytes() {
                framing.push(&[byte]);
                assert!(!framing.has_more(), "{lines:?}");
            }
            assert!(framing.holds_body());
            framing.push(last.as_bytes());
            framing.push(request.as_bytes());
            for _ in 0..2 {
                assert!(!framing.is_between());
                assert_eq!(framing.take(usize::MAX, |_| {}), request.len());
                assert_eq!(framing.take(usize::MAX, |_| {}), 0, "the next one waits");
                assert!(framing.is_between());
                framing.next_request();
            }
        }
    }

    #[test]
    fn a_body_goes_on_as_it_comes_when_it_is_long_or_its_client_waits_or_it_is_released() {
        let mut long = Framing::new();
        long.push(format!("{HEAD}Content-Length: 100000\r\n\r\n").as_bytes());
        long.push(&vec![b'x'; limits::REQUEST_BYTES_HELD_MAX]);
        assert!(long.take(usize::MAX, |_| {}) > limits::REQUEST_BYTES_HELD_MAX);
        assert!(long.unseen_max().is_some());
        let mut expecting = Framing::new();
        expecting.push(format!("{HEAD}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n").as_bytes());
        assert!(expecting.has_more());
        let mut released = Framing::new();
        released.push(format!("{HEAD}Content-Length: 5\r\n\r\n12").as_bytes());
        assert!(!released.has_more());
        released.release();
        assert!(released.take(usize::MAX, |_| {}) > HEAD.len());
        assert_eq!(released.unseen_max(), Some(3));
    }
}
