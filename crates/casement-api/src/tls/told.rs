//! What is wrong with the time of a certificate, and whether the log has said so.

use std::sync::{Mutex, PoisonError};

use casement_app::certificate::{Age, Validity};
use casement_domain::date::Moment;

/// Why clients refuse a certificate, or soon will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worry {
    /// It held until then.
    Expired(Moment),
    /// It holds from then on.
    Early(Moment),
    /// It holds until then, and whoever should renew it is late.
    Soon(Moment),
}

/// What was said last.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Option<Worry>>);

impl Told {
    /// Gives what is wrong, where it was not said yet.
    pub(crate) fn news(&self, validity: Validity, now: Moment) -> Option<Worry> {
        let worry = worry(validity, now);
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *said != worry;
        *said = worry;
        worry.filter(|_| is_new)
    }
}

fn worry(validity: Validity, now: Moment) -> Option<Worry> {
    if now < validity.from {
        return Some(Worry::Early(validity.from));
    }
    match validity.age(now) {
        Age::Expired => Some(Worry::Expired(validity.until)),
        Age::Overdue => Some(Worry::Soon(validity.until)),
        Age::Young | Age::Due => None,
    }
}

#[cfg(test)]
mod tests {
    use casement_domain::date::DAY_MS;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_once_until_it_changes() {
        let day = |day: i64| Moment::from_ms(day * DAY_MS);
        let validity = Validity { from: day(10), until: day(100) };
        let told = Told::default();
        for (now, expected) in [
            (9, Some(Worry::Early(day(10)))),
            (9, None),
            (20, None),
            (90, Some(Worry::Soon(day(100)))),
            (91, None),
            (100, Some(Worry::Expired(day(100)))),
            (101, None),
        ] {
            assert_eq!(told.news(validity, day(now)), expected, "{now}");
        }
        let another = Validity { from: day(0), until: day(101) };
        assert_eq!(told.news(another, day(102)), Some(Worry::Expired(day(101))));
    }
}
