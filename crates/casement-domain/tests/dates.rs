//! Dates and zones; contract sections 1 and 11.6.

use casement_domain::date::{DAY_MS, DateInput, MOMENT_MAX, MOMENT_MIN, Moment, Zone};
use proptest::prelude::*;

fn zone(minutes: i32) -> Zone {
    Zone::from_javascript_minutes(minutes).unwrap()
}

fn ms(text: &str, zone: Zone) -> Option<i64> {
    DateInput::parse(text)?.moment(zone).map(Moment::ms)
}

#[test]
fn dates_are_read_in_these_spellings() {
    const NOON: i64 = 1_748_520_000_000;
    let rows = [
        ("2025-05-29T12:00:00Z", 0, NOON),
        ("2025-05-29T12:00:00.000Z", 330, NOON),
        ("2025-05-29T17:30:00+05:30", 0, NOON),
        ("2025-05-29T17:30:00+0530", 0, NOON),
        ("2025-05-29T12:00Z", 0, NOON),
        ("2025-05-29T12:00:00.999999999Z", 0, NOON + 999),
        ("2025-05-29T12:00:00.1Z", 0, NOON + 100),
        ("2025-05-29T04:00:00-08:00", 0, NOON),
        ("2025-05-29T17:30:00", -330, NOON),
        ("2025-05-29T04:00", 480, NOON),
        ("2025-05-29", 0, NOON - DAY_MS / 2),
        ("2025-05-29", -330, NOON - DAY_MS / 2 - 330 * 60_000),
        ("2025-05-29", 480, NOON - DAY_MS / 2 + 480 * 60_000),
        ("2024-02-29T12:00:00Z", 0, 1_709_208_000_000),
        ("1970-01-01T00:00:00Z", 0, 0),
    ];
    for (text, minutes, expected) in rows {
        assert_eq!(ms(text, zone(minutes)), Some(expected), "{text} in {minutes}");
    }
}

#[test]
fn what_is_no_date_of_the_years_1_to_9999_has_no_moment() {
    for wrong in [
        "0000-12-31",
        "0000-12-31T23:59:59.999Z",
        "10000-01-01",
        "2023-02-29",
        "2025-00-10",
        "2025-05-32",
        "2025-05-29T24:01:00Z",
        "2025-05-29T12:60:00Z",
        "2025-05-29T12:00:00+99:00",
        " 2025-05-29",
        "2025-05-29 ",
        "T12:00:00Z",
        "12:00:00Z",
        "２０２５-05-29",
        "2025-05-29T12:00:00Z\n",
        "Thu, 29 May 2025 12:00:00 GMT",
        "2025-W22-4",
        "now",
    ] {
        assert_eq!(ms(wrong, Zone::UTC), None, "{wrong:?}");
    }
}

#[test]
fn a_plain_date_outside_the_years_spans_nothing() {
    assert_eq!(DateInput::parse("0000-12-31").and_then(|date| date.span(Zone::UTC)), None);
    assert!(DateInput::parse("0001-01-01").and_then(|date| date.span(Zone::UTC)).is_some());
    assert!(DateInput::parse("9999-12-31").and_then(|date| date.span(Zone::UTC)).is_some());
}

#[test]
fn every_number_of_minutes_is_a_zone_or_none() {
    for minutes in [i32::MIN, i32::MIN + 1, -1440, 1440, i32::MAX] {
        assert_eq!(Zone::from_javascript_minutes(minutes), None, "{minutes}");
    }
    for minutes in [-1439, -840, -330, 0, 720, 1439] {
        assert!(Zone::from_javascript_minutes(minutes).is_some(), "{minutes}");
    }
}

proptest! {
    #[test]
    fn a_moment_is_read_back_from_its_spelling_in_any_zone(
        ms_of_moment in MOMENT_MIN.ms()..=MOMENT_MAX.ms(),
        minutes in -1439_i32..=1439,
    ) {
        let moment = Moment::from_ms(ms_of_moment);
        let text = format!("{:.3}", moment.utc());
        prop_assert_eq!(ms(&format!("{text}Z"), zone(minutes)), Some(ms_of_moment));
        prop_assert_eq!(ms(&text, Zone::UTC), Some(ms_of_moment));
        // The same wall clock in another zone is that zone's offset away, unless that leaves the years.
        let shifted = Moment::from_ms(ms_of_moment + i64::from(minutes) * 60_000);
        prop_assert_eq!(ms(&text, zone(minutes)), shifted.is_in_range().then_some(shifted.ms()));
    }

    #[test]
    fn a_day_has_every_moment_of_its_date(
        ms_of_moment in MOMENT_MIN.ms() + 2 * DAY_MS..=MOMENT_MAX.ms() - 2 * DAY_MS,
        minutes in -1439_i32..=1439,
    ) {
        let zone = zone(minutes);
        let moment = Moment::from_ms(ms_of_moment);
        let start = zone.day_start(moment);
        prop_assert!(start <= moment && moment.ms() - start.ms() < DAY_MS);
        let local = Moment::from_ms(ms_of_moment - i64::from(minutes) * 60_000).utc();
        let (first, last) = DateInput::Day(local.date()).span(zone).unwrap();
        prop_assert_eq!(first, start);
        prop_assert_eq!(last.ms(), start.ms() + DAY_MS - 1);
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in "\\PC{0,40}") {
        if let Some(date) = DateInput::parse(&text) {
            let _ = date.moment(Zone::UTC);
            let _ = date.span(zone(-330));
        }
    }

    #[test]
    fn a_sum_of_moments_stays_within_the_years(ms_of_moment in any::<i64>(), added in any::<i64>()) {
        prop_assert!(Moment::from_ms(ms_of_moment).plus_ms(added).is_in_range());
    }
}
