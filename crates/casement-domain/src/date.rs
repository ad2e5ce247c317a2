//! Moments, dates without a zone, and the days of a request's zone.

use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::Offset;
use jiff::{SignedDuration, civil};
use serde::{Deserialize, Serialize};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The first moment that a date may name: the year 0001.
pub const MOMENT_MIN: Moment = Moment(-62_135_596_800_000);
/// The last moment that a date may name: the end of the year 9999.
pub const MOMENT_MAX: Moment = Moment(253_402_300_799_999);

const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// An instant in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// Takes milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Gives milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Gives the moment so many milliseconds later, within the years that a date may name.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms).clamp(MOMENT_MIN.0, MOMENT_MAX.0))
    }

    /// Gives the date and time of this moment in UTC; moments outside the years 0001 to 9999 give the epoch.
    pub fn utc(self) -> civil::DateTime {
        EPOCH.checked_add(SignedDuration::from_millis(self.0)).unwrap_or(EPOCH)
    }

    /// Gives the moment in ISO 8601 with milliseconds and `Z`.
    pub fn iso(self) -> String {
        format!("{:.3}Z", self.utc())
    }

    /// Tells whether a date may name this moment: the years 0001 to 9999; contract section 11.6.
    pub fn is_in_range(self) -> bool {
        (MOMENT_MIN..=MOMENT_MAX).contains(&self)
    }
}

/// The zone of a request: a fixed offset from UTC; contract section 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Offset);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(Offset::UTC);

    /// Takes minutes with the sign of JavaScript's `getTimezoneOffset`: India is -330.
    ///
    /// Anything further than 24 hours from UTC is no zone.
    pub fn from_javascript_minutes(minutes: i32) -> Option<Self> {
        if minutes.unsigned_abs() >= 24 * 60 {
            return None;
        }
        Offset::from_seconds(-minutes * 60).ok().map(Self)
    }

    /// Gives what this zone's clocks show more than those of UTC, in milliseconds.
    pub fn ahead_ms(self) -> i64 {
        i64::from(self.0.seconds()) * 1000
    }

    /// Gives the moment at which this zone's clocks show the given date and time.
    pub fn moment(self, local: civil::DateTime) -> Option<Moment> {
        // Not by way of `jiff::Timestamp`, which ends a day before the year 9999 does.
        let since_epoch_ms = i64::try_from(local.duration_since(EPOCH).as_millis()).ok()?;
        Some(Moment(since_epoch_ms - i64::from(self.0.seconds()) * 1000))
    }

    /// Gives the first and the last moment of a day in this zone.
    pub fn day(self, date: civil::Date) -> Option<(Moment, Moment)> {
        let start = self.moment(date.at(0, 0, 0, 0))?;
        Some((start, Moment(start.0 + DAY_MS - 1)))
    }

    /// Gives the first moment of the day in this zone that a moment belongs to.
    pub fn day_start(self, moment: Moment) -> Moment {
        let shift = i64::from(self.0.seconds()) * 1000;
        Moment((moment.0 + shift).div_euclid(DAY_MS) * DAY_MS - shift)
    }
}

/// Bytes of the longest date text that is looked at.
const DATE_BYTES_MAX: usize = 64;

/// Cuts the fraction of a second to whole milliseconds, in nanoseconds.
fn millisecond_cut(time: civil::Time) -> i32 {
    time.subsec_nanosecond() / 1_000_000 * 1_000_000
}

/// The digits of an offset: what stands behind the last sign.
fn offset_text(text: &str) -> &str {
    text.rsplit(['+', '-']).next().unwrap_or_default()
}

/// A date as a request spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateInput {
    /// With a zone, or as milliseconds.
    Instant(Moment),
    /// A date and a time without a zone.
    Local(civil::DateTime),
    /// A date alone.
    Day(civil::Date),
}

impl DateInput {
    /// Reads an ISO 8601 date or date and time, with or without a zone offset. Fractions of a millisecond are cut.
    ///
    /// `None`: not spelled so, or no real date. The years are 0001 to 9999 (four digits).
    pub fn parse(text: &str) -> Option<Self> {
        // The library reads annotations in brackets: zones by name, and others that it ignores.
        let is_plain = text.starts_with(|first: char| first.is_ascii_digit()) && !text.contains('[');
        if text.len() > DATE_BYTES_MAX || !is_plain {
            return None;
        }
        let pieces = Pieces::parse(text).ok()?;
        // The library knows a year 0000, whose last hours are the year 0001 somewhere.
        if !(1..=9999).contains(&pieces.date().year()) {
            return None;
        }
        let offset = match pieces.offset() {
            None => None,
            Some(PiecesOffset::Zulu) => Some(Offset::UTC),
            // A fraction after the seconds of an offset would be rounded away.
            Some(PiecesOffset::Numeric(_)) if offset_text(text).contains(['.', ',']) => return None,
            Some(PiecesOffset::Numeric(numeric)) => Some(numeric.offset()),
            Some(_) => return None,
        };
        match (pieces.time(), offset) {
            (None, None) => Some(Self::Day(pieces.date())),
            (None, Some(_)) => None,
            (Some(time), offset) => {
                let local =
                    pieces.date().at(time.hour(), time.minute(), time.second(), millisecond_cut(time));
                match offset {
                    None => Some(Self::Local(local)),
                    Some(offset) => Zone(offset).moment(local).map(Self::Instant),
                }
            }
        }
    }

    /// Gives the moment: without a zone in the request's, a plain date at 00:00; `None` outside the years 0001 to
    /// 9999. Contract section 11.6.
    pub fn moment(self, zone: Zone) -> Option<Moment> {
        let moment = match self {
            Self::Instant(moment) => Some(moment),
            Self::Local(local) => zone.moment(local),
            Self::Day(date) => zone.moment(date.at(0, 0, 0, 0)),
        };
        moment.filter(|moment| moment.is_in_range())
    }

    /// Gives the first and the last moment that the date means: a plain date is the whole day, else both are equal.
    pub fn span(self, zone: Zone) -> Option<(Moment, Moment)> {
        match self {
            Self::Day(date) if (1..=9999).contains(&date.year()) => zone.day(date),
            Self::Day(_) => None,
            Self::Instant(_) | Self::Local(_) => self.moment(zone).map(|moment| (moment, moment)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn india() -> Zone {
        Zone::from_javascript_minutes(-330).unwrap()
    }

    #[test]
    fn a_plain_date_is_midnight_in_the_zone_of_the_request() {
        let date = DateInput::Day(civil::date(2025, 5, 29));
        assert_eq!(date.moment(Zone::UTC), Some(Moment(1_748_476_800_000)));
        assert_eq!(date.moment(india()), Some(Moment(1_748_476_800_000 - 330 * 60_000)));
    }

    #[test]
    fn a_day_spans_its_last_millisecond() {
        let (first, last) = DateInput::Day(civil::date(2025, 5, 29)).span(india()).unwrap();
        assert_eq!(last.ms() - first.ms(), DAY_MS - 1);
    }

    #[test]
    fn the_day_of_a_moment_follows_the_zone() {
        let evening = Moment(1_748_476_800_000 - 60_000);
        assert_eq!(Zone::UTC.day_start(evening), Moment(1_748_476_800_000 - DAY_MS));
        assert_eq!(india().day_start(evening), Moment(1_748_476_800_000 - 330 * 60_000));
    }

    #[test]
    fn offsets_beyond_a_day_are_no_zone() {
        assert_eq!(Zone::from_javascript_minutes(1440), None);
        assert_eq!(Zone::from_javascript_minutes(i32::MIN), None);
    }

    #[test]
    fn dates_are_read_with_and_without_a_zone() {
        let instant = |ms| Some(DateInput::Instant(Moment(ms)));
        assert_eq!(DateInput::parse("2025-05-29T04:03:00.000Z"), instant(1_748_491_380_000));
        assert_eq!(DateInput::parse("2025-05-29T09:33:00+05:30"), instant(1_748_491_380_000));
        assert_eq!(DateInput::parse("2025-05-29T04:03Z"), instant(1_748_491_380_000));
        assert_eq!(DateInput::parse("2025-05-29T04:03:00.0009Z"), instant(1_748_491_380_000));
        assert_eq!(DateInput::parse("1969-12-31T23:59:59.9999Z"), instant(-1));
        assert_eq!(DateInput::parse("2025-05-29"), Some(DateInput::Day(civil::date(2025, 5, 29))));
        assert_eq!(
            DateInput::parse("2025-05-29T04:03:00"),
            Some(DateInput::Local(civil::date(2025, 5, 29).at(4, 3, 0, 0)))
        );
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for wrong in [
            "",
            "tomorrow",
            "2025-13-01",
            "2025-02-30",
            "2025-05-29T25:00:00Z",
            "2025-05-29T04:03:00Zx",
            "1748491380000",
            "2025-05-29T04:03:00+05:30[Asia/Kolkata]",
            "2025-05-29T04:03:00+05:30[u-ca=hebrew]",
            "2025-05-29[x=y]",
            "0000-12-31T23:59:59.999-23:59",
            "2025-05-29T04:03:00+05:30:00.5",
            "+002025-05-29",
            "29.05.2025",
            "-000001-01-01",
            "2025-05-29Z",
        ] {
            assert_eq!(DateInput::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn moments_outside_the_years_1_to_9999_are_refused() {
        assert_eq!(DateInput::Instant(Moment(253_402_300_800_000)).moment(Zone::UTC), None);
        assert_eq!(DateInput::Instant(MOMENT_MAX).moment(Zone::UTC), Some(MOMENT_MAX));
        let last = DateInput::parse("9999-12-31T23:59:59.999Z");
        assert_eq!(last, Some(DateInput::Instant(MOMENT_MAX)));
        let first = DateInput::parse("0001-01-01T00:00:00Z");
        assert_eq!(first, Some(DateInput::Instant(MOMENT_MIN)));
        assert_eq!(DateInput::Day(civil::date(-1, 1, 1)).moment(Zone::UTC), None);
    }
}
