//! Values of the query language: dates, spans of time and amounts of it.

use crate::date::{DAY_MS, DateInput, MOMENT_MAX, MOMENT_MIN, Moment, Zone};
use crate::list::filter::Span;

use crate::list::expression::{Comparison, Operand};

/// Between the ends of a span, as in `2026-01-01..2026-01-31`.
const UP_TO: &str = "..";

/// Reads a date of the language and compares with it.
///
/// A date is an ISO date or date and time, `now`, `today`, `yesterday`, `tomorrow`, an amount of time from now such as
/// `7d` or `-12h`, or, where it is compared by [`Comparison::Is`], two of them with `..` between.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn span(operand: &Operand, comparison: Comparison, zone: Zone, now: Moment) -> Result<Span, String> {
    let text = operand.text.as_str();
    if let Some((first, last)) = text.split_once(UP_TO) {
        if comparison != Comparison::Is {
            return Err("a span of time can only follow a colon".to_owned());
        }
        // An end that is left out is open.
        let first = if first.is_empty() { MOMENT_MIN } else { meant(first, zone, now)?.first };
        let last = if last.is_empty() { MOMENT_MAX } else { meant(last, zone, now)?.last };
        return Ok(Span { first, last });
    }
    let Span { first, last } = meant(text, zone, now)?;
    Ok(match comparison {
        Comparison::Is => Span { first, last },
        Comparison::Before => Span { first: MOMENT_MIN, last: Moment::from_ms(first.ms() - 1) },
        Comparison::UpTo => Span { first: MOMENT_MIN, last },
        Comparison::After => Span { first: Moment::from_ms(last.ms() + 1), last: MOMENT_MAX },
        Comparison::From => Span { first, last: MOMENT_MAX },
    })
}

/// Gives the span that one date means: a day is all of it, anything else a moment.
fn meant(text: &str, zone: Zone, now: Moment) -> Result<Span, String> {
    let day = |days: i64| {
        let first = zone.day_start(now).plus_ms(days * DAY_MS);
        Span { first, last: first.plus_ms(DAY_MS - 1) }
    };
    let instant = |moment: Moment| Span { first: moment, last: moment };
    match text.to_lowercase().as_str() {
        "now" => return Ok(instant(now)),
        "today" => return Ok(day(0)),
        "yesterday" => return Ok(day(-1)),
        "tomorrow" => return Ok(day(1)),
        _ => {}
    }
    if let Some(ms) = amount_ms(text) {
        return Ok(instant(now.plus_ms(ms)));
    }
    let span = DateInput::parse(text).and_then(|date| date.span(zone));
    span.map(|(first, last)| Span { first, last }).ok_or_else(|| {
        format!(
            "{text:?} is no date; write one like 2026-01-31 or 2026-01-31T12:00Z, today, tomorrow, yesterday, now, or an \
             amount of time from now like 7d or -12h (min, h, d, w)"
        )
    })
}

/// Reads an amount of time in milliseconds, such as `7d`, `-12h`, `2w` or `30min`.
fn amount_ms(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = rest.split_at(end);
    let unit_ms: i64 = match unit {
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        "w" => 7 * DAY_MS,
        _ => return None,
    };
    let number: i64 = number.parse().ok()?;
    number.checked_mul(unit_ms)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of the 29th of May 2025 in UTC.
    const NOW: Moment = Moment::from_ms(1_748_520_000_000);

    fn read(text: &str, comparison: Comparison) -> Result<(i64, i64), String> {
        let operand = Operand { text: text.to_owned(), quoted: false, at: 0 };
        span(&operand, comparison, Zone::UTC, NOW).map(|span| (span.first.ms(), span.last.ms()))
    }

    #[test]
    fn amounts_of_time_count_from_now() {
        let from_now = |ms: i64| Ok((NOW.ms() + ms, NOW.ms() + ms));
        assert_eq!(read("7d", Comparison::Is), from_now(7 * DAY_MS));
        assert_eq!(read("-12h", Comparison::Is), from_now(-12 * 3_600_000));
        assert_eq!(read("+2w", Comparison::Is), from_now(14 * DAY_MS));
        assert_eq!(read("30min", Comparison::Is), from_now(30 * 60_000));
        assert_eq!(read("now", Comparison::Is), from_now(0));
    }

    #[test]
    fn a_day_is_all_of_it_whatever_it_is_compared_by() {
        let start = 1_748_476_800_000;
        assert_eq!(read("2025-05-29", Comparison::Is), Ok((start, start + DAY_MS - 1)));
        assert_eq!(read("today", Comparison::Is), Ok((start, start + DAY_MS - 1)));
        assert_eq!(read("today", Comparison::Before), Ok((MOMENT_MIN.ms(), start - 1)));
        assert_eq!(read("Today", Comparison::UpTo), Ok((MOMENT_MIN.ms(), start + DAY_MS - 1)));
        assert_eq!(read("today", Comparison::After), Ok((start + DAY_MS, MOMENT_MAX.ms())));
        assert_eq!(read("today", Comparison::From), Ok((start, MOMENT_MAX.ms())));
        assert_eq!(read("yesterday..tomorrow", Comparison::Is), Ok((start - DAY_MS, start + 2 * DAY_MS - 1)));
        assert_eq!(read("..today", Comparison::Is), Ok((MOMENT_MIN.ms(), start + DAY_MS - 1)));
        assert_eq!(read("today..", Comparison::Is), Ok((start, MOMENT_MAX.ms())));
    }

    #[test]
    fn what_is_no_date_is_refused_and_nothing_overflows() {
        for wrong in [
            "soon",
            "7",
            "d",
            "7x",
            "-",
            "--7d",
            "99999999999999999999d",
            "9223372036854775807w",
            "2025-13-01",
            "",
        ] {
            assert!(read(wrong, Comparison::Is).is_err(), "{wrong}");
        }
        assert!(read("today..tomorrow", Comparison::Before).is_err());
        assert!(read("9999999999h", Comparison::After).is_ok_and(|(first, _)| first > MOMENT_MAX.ms()));
    }
}
