//! Customers: each is worked out from its number alone, so that none has to be kept.

use casement_domain::customer::Customer;
use casement_domain::date::Moment;
use casement_domain::id::UserId;

use crate::dice::Dice;
use crate::words::{LEXICONS, Lexicon, Spacing};

/// The customers of a sample, by numbers from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customers {
    seed: u64,
    /// What stands before their numbers in addresses, so that no two samples of a workspace share one.
    first: u64,
    start: Moment,
}

/// A customer.
#[derive(Debug)]
pub(crate) struct Person {
    /// The id as the bits that it is made of.
    pub bits: u128,
    /// The profile.
    pub profile: Customer,
    /// The language.
    pub lexicon: &'static Lexicon,
}

impl Customers {
    /// Begins at a number that no address of the workspace has yet.
    pub fn new(seed: u64, first: u64, start: Moment) -> Self {
        Self { seed, first, start }
    }

    /// Gives the customer with a number.
    pub fn person(&self, number: u64) -> Person {
        let mut dice = Dice::new(self.seed, PURPOSE ^ number);
        // Ids in the order of the numbers, so that a store appends them.
        let order = self.start.plus_ms(i64::try_from(number).unwrap_or(i64::MAX));
        let bits = time_ordered(order, &mut dice);
        let lexicon = dice.weighed(&LEXICONS).unwrap_or(LEXICONS[0].1);
        let (given, given_latin) = dice.pick_skewed(lexicon.given).copied().unwrap_or_default();
        let (family, family_latin) = dice.pick(lexicon.family).copied().unwrap_or_default();
        let name = match lexicon.spacing {
            Spacing::Spaced => format!("{given} {family}"),
            Spacing::Unspaced => format!("{family}{given}"),
        };
        let unique = self.first + number;
        let host = dice.text(&["example.com", "example.org", "example.net", "mail.example.com"]);
        let has = dice.weighed(&[(60, (true, false)), (25, (true, true)), (15, (false, true))]);
        let (has_email, has_phone) = has.unwrap_or((true, false));
        let profile = Customer {
            id: UserId::fresh(bits),
            name,
            email: has_email.then(|| format!("{given_latin}.{family_latin}{unique}@{host}")),
            // No country has the code 999.
            phone: has_phone.then(|| format!("+999{:09}", unique)),
        };
        Person { bits, profile, lexicon }
    }
}

/// What keeps the choices of customers apart from others of the same seed.
const PURPOSE: u64 = 0x6375_7374_6f6d_6572;

/// Makes the bits of an id that sorts by time (a UUID version 7).
pub(crate) fn time_ordered(at: Moment, dice: &mut Dice) -> u128 {
    let time = u128::from(at.ms().max(0).unsigned_abs()) & 0xffff_ffff_ffff;
    let random = dice.bits();
    let (low, high) = (random & ((1 << 62) - 1), (random >> 64) & 0xfff);
    (time << 80) | (7 << 76) | (high << 64) | (0b10 << 62) | low
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const START: Moment = Moment::from_ms(1_600_000_000_000);

    #[test]
    fn customers_differ_and_each_can_be_reached() {
        let customers = Customers::new(1, 500, START);
        let mut keys = BTreeSet::new();
        for number in 0..5_000 {
            let Customer { id, email, phone, .. } = customers.person(number).profile;
            assert!(email.is_some() || phone.is_some());
            assert!(keys.insert(id.to_string()));
            assert!(email.into_iter().chain(phone).all(|key| keys.insert(key)));
        }
    }

    #[test]
    fn a_number_is_the_same_customer_each_time() {
        let customers = Customers::new(1, 500, START);
        assert_eq!(customers.person(7).profile, customers.person(7).profile);
        assert_ne!(customers.person(7).profile, customers.person(8).profile);
    }

    #[test]
    fn ids_sort_by_time() {
        let mut dice = Dice::new(1, 1);
        let ids: Vec<u128> = (0..100).map(|step| time_ordered(START.plus_ms(step), &mut dice)).collect();
        assert!(ids.is_sorted());
    }
}
