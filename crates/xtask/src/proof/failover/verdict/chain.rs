//! The values that one case had, in order: each update that took effect follows the value that it was based on.
//!
//! An acknowledged update took effect; one of unknown outcome did when its value was seen, or when an update that took
//! effect was based on it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::history::{Event, Outcome};

/// The chain of one case.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Each value's place, from the first value on.
    pub places: BTreeMap<String, usize>,
    /// Values on which more than one update took effect, with what they became. The chain ends at the first.
    pub forks: Vec<(String, Vec<String>)>,
}

impl Chain {
    /// Follows updates (with the former and the new value of each) from the first value on. `seen` are all values that
    /// anybody saw.
    pub fn of(first: &str, updates: &[(&Event, &str, &str)], seen: &BTreeSet<&str>) -> Self {
        let based_on: BTreeSet<&str> = updates
            .iter()
            .filter(|(event, _, _)| event.outcome == Outcome::Ok)
            .map(|(_, former, _)| *former)
            .collect();
        let mut followers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (event, former, value) in updates {
            let took_effect = match event.outcome {
                Outcome::Ok => true,
                Outcome::Unknown => seen.contains(value) || based_on.contains(value),
                Outcome::Fail => false,
            };
            if took_effect {
                followers.entry(former).or_default().insert(value);
            }
        }
        let mut chain = Self::default();
        for (former, values) in followers.iter().filter(|(_, values)| values.len() > 1) {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            chain.forks.push(((*former).to_owned(), values));
        }
        let mut at = first;
        loop {
            let place = chain.places.len();
            if chain.places.insert(at.to_owned(), place).is_some() {
                // A value that follows itself: values are sent once, so this is no history of ours.
                return chain;
            }
            match followers.get(at).map(|values| (values.len(), values.first())) {
                Some((1, Some(next))) => at = next,
                _ => return chain,
            }
        }
    }
}
