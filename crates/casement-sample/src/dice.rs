//! Choices from a seed: the same seed gives the same choices.

/// A source of choices.
#[derive(Debug, Clone)]
pub(crate) struct Dice(fastrand::Rng);

/// Spreads the bits of a number over all 64, so that neighbours have nothing in common.
fn spread(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Dice {
    /// Begins the choices of a purpose; each purpose of a seed has its own.
    pub fn new(seed: u64, purpose: u64) -> Self {
        Self(fastrand::Rng::with_seed(spread(seed ^ spread(purpose))))
    }

    /// Gives a number below `end`; 0 where there is none.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.0.u64(0..end) }
    }

    /// Gives a number of a range, both ends included.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        if last <= first { first } else { self.0.i64(first..=last) }
    }

    /// Tells whether something happens that happens so often in a thousand times.
    pub fn hits(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// Gives a number below `end`, small ones more often than large ones.
    pub fn skewed(&mut self, end: u64) -> u64 {
        let share = self.0.f64();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a choice needs no exactness, and it stays below `end`"
        )]
        let number = (share * share * share * end as f64) as u64;
        number.min(end.saturating_sub(1))
    }

    /// Picks one of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.below(u64::try_from(from.len()).unwrap_or(u64::MAX));
        from.get(usize::try_from(place).unwrap_or(usize::MAX))
    }

    /// Picks one of several, the first ones more often.
    pub fn pick_skewed<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.skewed(u64::try_from(from.len()).unwrap_or(u64::MAX));
        from.get(usize::try_from(place).unwrap_or(usize::MAX))
    }

    /// Picks a text.
    pub fn text(&mut self, from: &[&'static str]) -> &'static str {
        self.pick(from).copied().unwrap_or_default()
    }

    /// Picks by weight.
    pub fn weighed<T: Copy>(&mut self, table: &[(u64, T)]) -> Option<T> {
        let total = table.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for (weight, value) in table {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return Some(*value),
            }
        }
        None
    }

    /// Gives 128 bits.
    pub fn bits(&mut self) -> u128 {
        self.0.u128(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_give_the_same_choices_and_others_do_not() {
        let choices = |seed, purpose| {
            let mut dice = Dice::new(seed, purpose);
            [dice.bits(), dice.bits()]
        };
        assert_eq!(choices(1, 2), choices(1, 2));
        assert_ne!(choices(1, 2), choices(2, 2));
        assert_ne!(choices(1, 2), choices(1, 3));
        assert_ne!(choices(1, 2), choices(2, 1));
    }

    #[test]
    fn weights_are_kept_and_what_weighs_nothing_is_never_picked() {
        let mut dice = Dice::new(7, 0);
        let picked: Vec<char> =
            (0..10_000).filter_map(|_| dice.weighed(&[(3, 'a'), (0, 'b'), (1, 'c')])).collect();
        let count = |wanted| picked.iter().filter(|letter| **letter == wanted).count();
        assert_eq!(picked.len(), 10_000);
        assert_eq!(count('b'), 0);
        assert!((7_000..8_000).contains(&count('a')), "{}", count('a'));
    }

    #[test]
    fn skewed_numbers_stay_below_the_end_and_are_mostly_small() {
        let mut dice = Dice::new(7, 0);
        let numbers: Vec<u64> = (0..10_000).map(|_| dice.skewed(100)).collect();
        assert!(numbers.iter().all(|number| *number < 100));
        assert!(numbers.iter().filter(|number| **number < 50).count() > 7_000);
        assert_eq!(dice.skewed(0), 0);
    }
}
