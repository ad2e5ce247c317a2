//! Spans of bytes: `Range`, `If-Range` and `If-None-Match` on a file; RFC 9110, sections 13 and 14.

use std::ops::Range;

use axum::http::HeaderMap;
use axum::http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};

/// What a request wants of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Nothing: the client has it.
    NotModified,
    /// All of it.
    Whole,
    /// A span of it.
    Part(Range<u64>),
    /// A span that it does not have.
    NoSuchPart,
}

impl Wanted {
    /// Reads what is wanted of a file with so many bytes and this entity tag. What is no single range of bytes is as if
    /// absent, as the standard allows for several, and demands for what can't be read.
    pub(crate) fn of(headers: &HeaderMap, bytes: u64, tag: &str) -> Self {
        let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
        let mut tags = tags.flat_map(|line| line.split(',')).map(str::trim);
        if tags.any(|own| own == "*" || own.strip_prefix("W/").unwrap_or(own) == tag) {
            return Self::NotModified;
        }
        let mut ranges = headers.get_all(RANGE).iter();
        let (Some(range), None) = (ranges.next(), ranges.next()) else { return Self::Whole };
        // A date or another tag: the client has a part of something else.
        if headers.get(IF_RANGE).is_some_and(|own| own.as_bytes().trim_ascii() != tag.as_bytes()) {
            return Self::Whole;
        }
        range.to_str().ok().and_then(|text| part(text, bytes)).unwrap_or(Self::Whole)
    }
}

fn part(text: &str, bytes: u64) -> Option<Wanted> {
    let (unit, set) = text.trim().split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let number = |text: &str| -> Option<u64> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // One that is too large for us is past the end of every file.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let span = match (first, last) {
        ("", last) => bytes.saturating_sub(number(last)?)..bytes,
        (first, "") => number(first)?..bytes,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            first..last.saturating_add(1).min(bytes)
        }
    };
    Some(if span.start < span.end { Wanted::Part(span) } else { Wanted::NoSuchPart })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const TAG: &str = "\"abc\"";

    fn wanted(bytes: u64, lines: &[(&'static str, &'static str)]) -> Wanted {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Wanted::of(&headers, bytes, TAG)
    }

    #[test]
    fn a_single_range_is_a_part_and_anything_else_is_the_whole() {
        let table = [
            ("bytes=0-499", Wanted::Part(0..500)),
            ("bytes=500-999", Wanted::Part(500..1000)),
            ("bytes=500-", Wanted::Part(500..1000)),
            ("bytes=-1", Wanted::Part(999..1000)),
            ("bytes=-5000", Wanted::Part(0..1000)),
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=999-99999999999999999999999999", Wanted::Part(999..1000)),
            ("BYTES=0-1", Wanted::Part(0..2)),
            ("bytes=1000-", Wanted::NoSuchPart),
            ("bytes=1000-1001", Wanted::NoSuchPart),
            ("bytes=99999999999999999999999999-", Wanted::NoSuchPart),
            ("bytes=-0", Wanted::NoSuchPart),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=0x1-2", Wanted::Whole),
            ("bytes 0-1", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("", Wanted::Whole),
        ];
        for (range, expected) in table {
            assert_eq!(wanted(1000, &[("range", range)]), expected, "{range}");
        }
        assert_eq!(wanted(0, &[("range", "bytes=0-")]), Wanted::NoSuchPart);
        assert_eq!(wanted(0, &[]), Wanted::Whole);
        assert_eq!(wanted(9, &[("range", "bytes=0-1"), ("range", "bytes=2-3")]), Wanted::Whole);
    }

    #[test]
    fn a_range_counts_only_for_the_file_that_the_client_has_a_part_of() {
        let range = ("range", "bytes=0-1");
        assert_eq!(wanted(9, &[range, ("if-range", "\"abc\"")]), Wanted::Part(0..2));
        for other in ["\"abd\"", "W/\"abc\"", "Sun, 22 Nov 2026 10:00:00 GMT", ""] {
            assert_eq!(wanted(9, &[range, ("if-range", other)]), Wanted::Whole, "{other}");
        }
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        for tags in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            let lines = [("if-none-match", tags), ("range", "bytes=0-1")];
            assert_eq!(wanted(9, &lines), Wanted::NotModified, "{tags}");
        }
        assert_eq!(wanted(9, &[("if-none-match", "\"x\"")]), Wanted::Whole);
    }
}
