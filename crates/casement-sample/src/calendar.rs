//! When cases are made: over four years, more of them as time goes by, on working days and by day.

use casement_domain::date::{DAY_MS, Moment};

use crate::dice::Dice;

/// Days of four years.
pub(crate) const DAYS: u64 = 1_461;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Weights of the days from Monday to Sunday.
const WEEK: [u64; 7] = [130, 120, 112, 110, 100, 45, 30];

/// Weights of the hours of a day.
const HOURS: [(u64, i64); 24] = [
    (6, 0),
    (4, 1),
    (3, 2),
    (2, 3),
    (2, 4),
    (4, 5),
    (10, 6),
    (26, 7),
    (62, 8),
    (86, 9),
    (96, 10),
    (90, 11),
    (66, 12),
    (76, 13),
    (84, 14),
    (82, 15),
    (74, 16),
    (58, 17),
    (42, 18),
    (34, 19),
    (28, 20),
    (22, 21),
    (16, 22),
    (10, 23),
];

/// Gives the moments at which so many cases are made, in order, all of them before `until`.
#[derive(Debug)]
pub(crate) struct Calendar {
    dice: Dice,
    start: Moment,
    cases: u64,
    /// The weight of all days up to and with each.
    weights: Vec<u64>,
    next_day: usize,
    /// The moments of the day at work, the last one first.
    day: Vec<Moment>,
}

impl Calendar {
    /// Spreads so many cases over the four years before a moment.
    pub fn new(seed: u64, cases: u64, until: Moment) -> Self {
        let start = start(until);
        let mut total = 0;
        let weights = (0..DAYS).map(|day| {
            total += weight(start, day);
            total
        });
        Self {
            dice: Dice::new(seed, 1),
            start,
            cases,
            weights: weights.collect(),
            next_day: 0,
            day: Vec::new(),
        }
    }

    /// How many of the cases are made up to and with a day.
    fn made_until(&self, day: usize) -> u64 {
        let total = self.weights.last().copied().unwrap_or(1).max(1);
        let weight = self.weights.get(day).copied().unwrap_or(total);
        let made = u128::from(self.cases) * u128::from(weight) / u128::from(total);
        u64::try_from(made).unwrap_or(self.cases)
    }
}

impl Iterator for Calendar {
    type Item = Moment;

    fn next(&mut self) -> Option<Moment> {
        while self.day.is_empty() {
            let day = self.next_day;
            if day >= self.weights.len() {
                return None;
            }
            let before = day.checked_sub(1).map_or(0, |before| self.made_until(before));
            let start = self.start.ms() + i64::try_from(day).unwrap_or_default() * DAY_MS;
            for _ in before..self.made_until(day) {
                let hour = self.dice.weighed(&HOURS).unwrap_or_default();
                let of_hour = self.dice.between(0, HOUR_MS - 1);
                self.day.push(Moment::from_ms(start + hour * HOUR_MS + of_hour));
            }
            self.day.sort_unstable_by(|left, right| right.cmp(left));
            self.next_day += 1;
        }
        self.day.pop()
    }
}

/// Gives the moment at which the four years before another begin.
pub(crate) fn start(until: Moment) -> Moment {
    until.plus_ms(-DAY_MS * i64::try_from(DAYS).unwrap_or_default())
}

/// The weight of a day: the week has its shape, there are twice as many cases in the end, and more before the year's end.
fn weight(start: Moment, day: u64) -> u64 {
    let since_epoch = start.ms().div_euclid(DAY_MS) + i64::try_from(day).unwrap_or_default();
    // The epoch was a Thursday.
    let weekday = usize::try_from((since_epoch + 3).rem_euclid(7)).unwrap_or_default();
    let of_week = WEEK.get(weekday).copied().unwrap_or_default();
    let growth = 1000 + 1000 * day / DAYS;
    let date = Moment::from_ms(since_epoch * DAY_MS).utc();
    let season = if matches!(date.month(), 11 | 12 | 1) { 13 } else { 10 };
    of_week * growth * season
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: Moment = Moment::from_ms(1_748_520_000_000);

    #[test]
    fn exactly_so_many_moments_come_in_order_within_the_four_years() {
        for cases in [1, 2, 7, 1_460, 1_461, 10_000] {
            let moments: Vec<Moment> = Calendar::new(1, cases, UNTIL).collect();
            assert_eq!(moments.len() as u64, cases);
            assert!(moments.is_sorted());
            assert!(moments.iter().all(|moment| (start(UNTIL)..UNTIL).contains(moment)));
        }
    }

    #[test]
    fn there_are_more_on_mondays_than_on_sundays_and_more_in_the_end() {
        let moments: Vec<Moment> = Calendar::new(1, 20_000, UNTIL).collect();
        let on = |weekday| moments.iter().filter(|moment| moment.utc().weekday() as i32 == weekday).count();
        assert!(on(1) > 3 * on(0), "{} {}", on(1), on(0));
        let middle = start(UNTIL).plus_ms(DAY_MS * 730);
        let late = moments.iter().filter(|moment| **moment > middle).count();
        assert!(late > 11_000, "{late}");
    }
}
