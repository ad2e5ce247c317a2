//! A date: read as the oracle reads it, and the same again after it was written.

use casement_domain::date::{DateInput, Moment, Zone};

use crate::oracle::date::{self, Date};

/// Bytes of the longest text that is looked at.
const DATE_BYTES_MAX: usize = 64;
/// Zones in JavaScript's minutes, the furthest included.
const ZONES: [i32; 6] = [0, -330, 480, -840, 1439, -1439];

/// Checks a text, and the milliseconds that it may name.
pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let read = DateInput::parse(text);
    let expected = date::read(text).filter(|_| text.len() <= DATE_BYTES_MAX);
    for minutes in ZONES {
        let zone = Zone::from_javascript_minutes(minutes).expect("invariant: less than a day");
        let span = read.and_then(|read| read.span(zone)).map(|(first, last)| (first.ms(), last.ms()));
        let expected_span = expected.and_then(|date| date.span(i64::from(minutes)));
        assert_eq!(span, expected_span, "{text:?} in {minutes}");
        let moment = read.and_then(|read| read.moment(zone));
        match expected {
            // The beginning of a day may lie before the year 1 in the request's zone.
            Some(Date::Day(_)) => {
                let first = expected_span.map(|(first, _)| Moment::from_ms(first));
                assert_eq!(moment, first.filter(|first| first.is_in_range()), "{text:?} in {minutes}");
            }
            Some(Date::Instant(_) | Date::Local(_)) | None => {
                assert_eq!(moment.map(Moment::ms), expected_span.map(|(first, _)| first), "{text:?}");
            }
        }
        if let Some(moment) = moment {
            check_written(moment);
        }
    }
    if let Ok(ms) = text.parse::<i64>() {
        let moment = DateInput::Instant(Moment::from_ms(ms)).moment(Zone::UTC);
        assert_eq!(moment.is_some(), (date::FIRST_MS..=date::LAST_MS).contains(&ms), "{ms}");
        moment.into_iter().for_each(check_written);
    }
}

/// What is written is read as the same moment by both, and has the form of the contract's samples.
fn check_written(moment: Moment) {
    let text = moment.iso();
    assert_eq!(DateInput::parse(&text), Some(DateInput::Instant(moment)), "{text}");
    assert_eq!(date::read(&text), Some(Date::Instant(moment.ms())), "{text}");
    assert_eq!((text.len(), text.ends_with('Z')), (24, true), "{text}");
}
