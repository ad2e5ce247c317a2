//! How long a certificate holds, and when that begins to matter.

use casement_domain::date::{DAY_MS, Moment};

/// When a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub from: Moment,
    /// The last moment.
    pub until: Moment,
}

/// How far the time of a certificate has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// More than a third of its life is left.
    Young,
    /// The last third: time to ask for another.
    Due,
    /// The last quarter, or the last three weeks of a long life: whoever should renew it has failed for a while.
    Overdue,
    /// Its time is over.
    Expired,
}

/// The last weeks of a long-lived certificate.
const LAST_WEEKS_MS: i64 = 21 * DAY_MS;

impl Validity {
    fn life_ms(self) -> i64 {
        self.until.ms().saturating_sub(self.from.ms()).max(0)
    }

    /// Gives the moment at which to ask for another.
    pub fn due(self) -> Moment {
        self.until.plus_ms(-(self.life_ms() / 3))
    }

    /// Tells how much of the time is over.
    pub fn age(self, now: Moment) -> Age {
        let left_ms = self.until.ms().saturating_sub(now.ms());
        if left_ms <= 0 {
            Age::Expired
        } else if left_ms < LAST_WEEKS_MS.min(self.life_ms() / 4) {
            Age::Overdue
        } else if now >= self.due() {
            Age::Due
        } else {
            Age::Young
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_due_in_its_last_third_and_overdue_in_its_last_quarter_or_three_weeks() {
        let table = [
            (90, 89, Age::Young),
            (90, 31, Age::Young),
            (90, 30, Age::Due),
            (90, 22, Age::Due),
            (90, 20, Age::Overdue),
            (365, 122, Age::Young),
            (365, 22, Age::Due),
            (365, 20, Age::Overdue),
            (6, 3, Age::Young),
            (6, 2, Age::Due),
            (6, 1, Age::Overdue),
            (6, 0, Age::Expired),
            (6, -1, Age::Expired),
        ];
        for (life_days, left_days, expected) in table {
            let validity = Validity { from: Moment::from_ms(0), until: Moment::from_ms(life_days * DAY_MS) };
            let now = Moment::from_ms((life_days - left_days) * DAY_MS);
            assert_eq!(validity.age(now), expected, "{left_days} of {life_days} days");
        }
    }
}
