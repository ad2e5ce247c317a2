//! Dates as a request spells them, read by hand: ISO 8601 in its calendar form, without any library.

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
/// The first millisecond of the year 0001.
pub const FIRST_MS: i64 = -62_135_596_800_000;
/// The last millisecond of the year 9999.
pub const LAST_MS: i64 = 253_402_300_799_999;

/// A date as it was spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Date {
    /// With a zone: milliseconds since the epoch.
    Instant(i64),
    /// A date and a time without a zone: milliseconds since the epoch if it were UTC.
    Local(i64),
    /// A date alone: days since the epoch.
    Day(i64),
}

impl Date {
    /// The first and the last millisecond that are meant in a zone; `None` outside the years 0001 to 9999.
    pub fn span(self, zone_minutes: i64) -> Option<(i64, i64)> {
        let shift_ms = zone_minutes * 60_000;
        let within = |ms: i64| (FIRST_MS..=LAST_MS).contains(&ms);
        match self {
            Self::Instant(ms) => within(ms).then_some((ms, ms)),
            Self::Local(ms) => within(ms + shift_ms).then_some((ms + shift_ms, ms + shift_ms)),
            Self::Day(day) => Some((day * DAY_MS + shift_ms, (day + 1) * DAY_MS - 1 + shift_ms)),
        }
    }
}

/// Reads what is left of a text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn take(&mut self, wanted: &[u8]) -> Option<u8> {
        let first = self.peek().filter(|byte| wanted.contains(byte))?;
        self.0 = self.0.get(1..)?;
        Some(first)
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let mut value = 0;
        for digit in number {
            value = value * 10 + i64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        self.0 = rest;
        Some(value)
    }

    /// A number of two digits up to a greatest one.
    fn part(&mut self, greatest: i64) -> Option<i64> {
        self.number(2).filter(|part| *part <= greatest)
    }

    /// A fraction of a second of one to nine digits, in milliseconds cut.
    fn fraction_ms(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at_checked(digits).filter(|_| (1..=9).contains(&digits))?;
        self.0 = rest;
        let thousandths = fraction.iter().copied().chain([b'0'; 3]).take(3);
        Some(thousandths.fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0')))
    }
}

/// Reads a date; `None`: it is none.
pub fn read(text: &str) -> Option<Date> {
    let mut rest = Rest(text.as_bytes());
    let day = read_day(&mut rest)?;
    if rest.0.is_empty() {
        return Some(Date::Day(day));
    }
    rest.take(b"Tt ")?;
    let time_ms = read_time(&mut rest)?;
    let local_ms = day * DAY_MS + time_ms;
    if rest.0.is_empty() {
        return Some(Date::Local(local_ms));
    }
    let offset_ms = read_offset(&mut rest)?;
    rest.0.is_empty().then_some(Date::Instant(local_ms - offset_ms))
}

fn read_day(rest: &mut Rest<'_>) -> Option<i64> {
    let year = rest.number(4)?;
    let dashes = rest.take(b"-").is_some();
    let month = rest.part(12)?;
    if dashes {
        rest.take(b"-")?;
    }
    let day = rest.part(31)?;
    let leaps = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leaps(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    let length: i64 = *lengths.get(month)?;
    if year == 0 || !(1..=length).contains(&day) {
        return None;
    }
    // Counted from the first of January of the year 1, which is 719 162 days before the epoch.
    let before = year - 1;
    let years = before * 365 + before / 4 - before / 100 + before / 400;
    let months: i64 = lengths.iter().take(month).sum();
    Some(years + months + day - 1 - 719_162)
}

fn read_time(rest: &mut Rest<'_>) -> Option<i64> {
    let hour = rest.part(23)?;
    let colons = rest.peek() == Some(b':');
    let mut ms = hour * 3_600_000;
    if !next_part(rest, colons) {
        return Some(ms);
    }
    ms += rest.part(59)? * 60_000;
    if !next_part(rest, colons) {
        return Some(ms);
    }
    // A leap second is the second before it.
    ms += rest.part(60)?.min(59) * 1000;
    if rest.take(b".,").is_some() {
        ms += rest.fraction_ms()?;
    }
    Some(ms)
}

/// Whether a further part of a time follows; takes the colon before it.
fn next_part(rest: &mut Rest<'_>, colons: bool) -> bool {
    if colons { rest.take(b":").is_some() } else { rest.peek().is_some_and(|byte| byte.is_ascii_digit()) }
}

fn read_offset(rest: &mut Rest<'_>) -> Option<i64> {
    let sign = match rest.take(b"Zz+-")? {
        b'+' => 1,
        b'-' => -1,
        _ => return Some(0),
    };
    let mut ms = rest.part(25)? * 3_600_000;
    let colons = rest.peek() == Some(b':');
    for unit_ms in [60_000, 1000] {
        if !next_part(rest, colons) {
            return Some(sign * ms);
        }
        ms += rest.part(59)? * unit_ms;
    }
    Some(sign * ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_by_hand() {
        for (text, date) in [
            ("1970-01-01", Some(Date::Day(0))),
            ("0001-01-01", Some(Date::Day(FIRST_MS / DAY_MS))),
            ("2025-05-29", Some(Date::Day(20_237))),
            ("2024-02-29T12:00", Some(Date::Local(1_709_208_000_000))),
            ("2025-05-29T04:03:00.0009Z", Some(Date::Instant(1_748_491_380_000))),
            ("2025-05-29T09:33:00+05:30", Some(Date::Instant(1_748_491_380_000))),
            ("9999-12-31T23:59:59.999Z", Some(Date::Instant(LAST_MS))),
            ("2025-02-29", None),
            ("0000-01-01", None),
            ("2025-05-29T24:00", None),
            ("2025-05-29Z", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(read(text), date, "{text}");
        }
    }
}
