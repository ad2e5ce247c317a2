//! Whether a history is one that a server may give that loses nothing, doubles nothing and shows nothing old. Pure.
//!
//! Acknowledged = present once; unknown = at most once; failed = absent; numbers without gap; the values of a case form
//! one chain; a read that began after something was known to be true sees it, through whichever node. What is *known* at
//! a moment is what an acknowledged write or a finished read has told by then. `chain` orders the values of one case.

mod chain;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Event, History, Listing, Operation, Outcome, Seen};
use chain::Chain;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    /// An acknowledged case is not listed.
    CaseLost { name: String, node: String },
    /// A case is listed twice.
    CaseTwice { name: String, node: String },
    /// A case is listed that was refused or never sent.
    CaseFromNowhere { name: String, node: String },
    /// One write was answered with two cases, or listed otherwise than answered.
    CaseDiffers { name: String, one: String, other: String },
    /// The numbers jump.
    NumberGap { after: u64, next: u64, node: String },
    /// A number was given twice.
    NumberTwice { number: u64, node: String },
    /// A node's total is not what it lists.
    WrongTotal { total: u64, listed: u64, node: String },
    /// Two nodes list different things.
    NodesDiffer { case: String, one: String, other: String },
    /// Two updates took effect on one and the same version.
    Fork { case: String, former: String, values: Vec<String> },
    /// An acknowledged update is not among the values that led to the last one.
    UpdateLost { case: String, value: String },
    /// A value was seen that was refused or never sent, or that nothing leads to.
    ValueFromNowhere { case: String, value: String },
    /// An acknowledged tag is not there.
    TagLost { case: String, tag: String, node: String },
    /// A tag is there twice.
    TagTwice { case: String, tag: String },
    /// A tag was seen that was refused or never sent.
    TagFromNowhere { case: String, tag: String },
    /// A read began after something newer was known, and didn't see it.
    OldValue { case: String, node: String, start: u64, saw: String, known: String },
    /// A read began after a tag was known, and didn't see it.
    OldTags { case: String, node: String, start: u64, missing: String },
    /// A read began after a case was known, and didn't see it.
    CaseNotSeen { case: String, node: String, start: u64 },
    /// A list began after a greater total was known.
    OldTotal { node: String, start: u64, total: u64, known: u64 },
}

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Acknowledged creates, updates and tags.
    pub acknowledged: u64,
    /// Writes whose outcome stayed unknown.
    pub unknown: u64,
    /// Writes that were refused or not sent.
    pub failed: u64,
    /// Reads and lists that were answered.
    pub reads: u64,
}

impl Counts {
    /// Counts a history's operations.
    pub fn of(history: &History) -> Self {
        let mut counts = Self::default();
        for event in &history.events {
            let is_write = match event.operation {
                Operation::Create { .. } | Operation::Update { .. } | Operation::Tag { .. } => true,
                Operation::Read { .. } | Operation::List { .. } => false,
            };
            match (is_write, event.outcome) {
                (true, Outcome::Ok) => counts.acknowledged += 1,
                (true, Outcome::Unknown) => counts.unknown += 1,
                (true, Outcome::Fail) => counts.failed += 1,
                (false, Outcome::Ok) => counts.reads += 1,
                (false, Outcome::Fail | Outcome::Unknown) => {}
            }
        }
        counts
    }
}

/// Everything in a history that must not be, in order, each once.
pub fn violations(history: &History) -> Vec<Violation> {
    let mut found = BTreeSet::new();
    let creates = Creates::of(&history.events);
    for listing in &history.listings {
        creates.check(listing, &mut found);
        check_numbers(listing, &mut found);
    }
    check_sameness(&history.listings, &mut found);
    creates.check_answers(history, &mut found);
    for (case, story) in stories(history) {
        story.check_values(&case, &mut found);
        story.check_tags(&case, &mut found);
    }
    check_presence(&history.events, &mut found);
    check_totals(&history.events, &mut found);
    found.into_iter().collect()
}

/// The creates of a history, by name.
struct Creates<'a> {
    sent: BTreeMap<&'a str, Vec<&'a Event>>,
}

impl<'a> Creates<'a> {
    fn of(events: &'a [Event]) -> Self {
        let mut sent: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in events {
            if let Operation::Create { name, .. } = &event.operation {
                sent.entry(name).or_default().push(event);
            }
        }
        Self { sent }
    }

    /// Present once, at most once, absent.
    fn check(&self, listing: &Listing, found: &mut BTreeSet<Violation>) {
        let mut times: BTreeMap<&str, u64> = BTreeMap::new();
        for case in &listing.cases {
            *times.entry(&case.name).or_default() += 1;
        }
        let node = || listing.node.clone();
        for (name, times) in &times {
            let may_be = self
                .sent
                .get(name)
                .is_some_and(|events| events.iter().any(|event| event.outcome != Outcome::Fail));
            if !may_be {
                found.insert(Violation::CaseFromNowhere { name: (*name).to_owned(), node: node() });
            }
            if *times > 1 {
                found.insert(Violation::CaseTwice { name: (*name).to_owned(), node: node() });
            }
        }
        for (name, events) in &self.sent {
            let is_acknowledged = events.iter().any(|event| event.outcome == Outcome::Ok);
            if is_acknowledged && !times.contains_key(name) {
                found.insert(Violation::CaseLost { name: (*name).to_owned(), node: node() });
            }
        }
    }

    /// Every answer to a create, and every sight of its case, shows one and the same case.
    fn check_answers(&self, history: &History, found: &mut BTreeSet<Violation>) {
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        let all = history
            .events
            .iter()
            .flat_map(sights)
            .chain(history.listings.iter().flat_map(|listing| &listing.cases));
        for seen in all.filter(|seen| self.sent.contains_key(seen.name.as_str())) {
            let this = format!("{} CS{:06}", seen.case, seen.number);
            let first = known.entry(&seen.name).or_insert_with(|| this.clone());
            if *first != this {
                let (name, one) = (seen.name.clone(), first.clone());
                found.insert(Violation::CaseDiffers { name, one, other: this });
            }
        }
    }
}

/// Everything that an operation's answer shows.
fn sights(event: &Event) -> Vec<&Seen> {
    match &event.operation {
        Operation::Create { seen, .. } | Operation::Update { seen, .. } | Operation::Tag { seen, .. } => {
            seen.iter().collect()
        }
        Operation::Read { found, .. } | Operation::List { found, .. } => found.iter().collect(),
    }
}

fn check_numbers(listing: &Listing, found: &mut BTreeSet<Violation>) {
    let node = || listing.node.clone();
    let listed = listing.cases.len() as u64;
    if listing.total != listed {
        found.insert(Violation::WrongTotal { total: listing.total, listed, node: node() });
    }
    let mut numbers: Vec<u64> = listing.cases.iter().map(|case| case.number).collect();
    numbers.sort_unstable();
    for (one, next) in numbers.iter().zip(numbers.iter().skip(1)) {
        if one == next {
            found.insert(Violation::NumberTwice { number: *one, node: node() });
        } else if one + 1 != *next {
            found.insert(Violation::NumberGap { after: *one, next: *next, node: node() });
        }
    }
}

fn check_sameness(listings: &[Listing], found: &mut BTreeSet<Violation>) {
    let by_case = |listing: &Listing| -> BTreeMap<String, Seen> {
        listing.cases.iter().map(|seen| (seen.case.clone(), seen.clone())).collect()
    };
    for (one, other) in listings.iter().zip(listings.iter().skip(1)) {
        let (of_one, of_other) = (by_case(one), by_case(other));
        let cases: BTreeSet<&String> = of_one.keys().chain(of_other.keys()).collect();
        for case in cases.into_iter().filter(|case| of_one.get(*case) != of_other.get(*case)) {
            let (one, other) = (one.node.clone(), other.node.clone());
            found.insert(Violation::NodesDiffer { case: case.clone(), one, other });
        }
    }
}

/// What happened to one case.
#[derive(Default)]
struct Story<'a> {
    first_value: Option<&'a str>,
    updates: Vec<(&'a Event, &'a str, &'a str)>,
    tags: Vec<(&'a Event, &'a str)>,
    /// Answers to writes: they tell what is known from their end on.
    answers: Vec<(&'a Event, &'a Seen)>,
    /// Reads: they must see what was known when they began, and tell what is known from their end on.
    reads: Vec<(&'a Event, &'a Seen)>,
    last: Vec<(&'a str, &'a Seen)>,
}

/// The stories of all cases that were seen or sent anything.
fn stories(history: &History) -> BTreeMap<String, Story<'_>> {
    let mut stories: BTreeMap<String, Story<'_>> = BTreeMap::new();
    let mut first_values: BTreeMap<&str, &str> = BTreeMap::new();
    for event in &history.events {
        for seen in sights(event) {
            let story = stories.entry(seen.case.clone()).or_default();
            match &event.operation {
                Operation::Read { .. } | Operation::List { .. } => story.reads.push((event, seen)),
                Operation::Create { .. } | Operation::Update { .. } | Operation::Tag { .. } => {
                    story.answers.push((event, seen));
                }
            }
        }
        match &event.operation {
            Operation::Create { name, value, .. } => {
                first_values.insert(name, value);
            }
            Operation::Update { case, former, value, .. } => {
                stories.entry(case.clone()).or_default().updates.push((event, former, value));
            }
            Operation::Tag { case, tag, .. } => {
                stories.entry(case.clone()).or_default().tags.push((event, tag));
            }
            Operation::Read { .. } | Operation::List { .. } => {}
        }
    }
    for listing in &history.listings {
        for seen in &listing.cases {
            stories.entry(seen.case.clone()).or_default().last.push((&listing.node, seen));
        }
    }
    for story in stories.values_mut() {
        let name = story.sights().next().map(|seen| seen.name.as_str());
        story.first_value = name.and_then(|name| first_values.get(name).copied());
    }
    stories
}

impl<'a> Story<'a> {
    fn sights(&self) -> impl Iterator<Item = &'a Seen> + '_ {
        let told = self.answers.iter().chain(&self.reads).map(|(_, seen)| *seen);
        told.chain(self.last.iter().map(|(_, seen)| *seen))
    }

    /// One chain; every sight on it; no read behind what was known.
    fn check_values(&self, case: &str, found: &mut BTreeSet<Violation>) {
        let Some(first) = self.first_value else { return };
        let seen: BTreeSet<&str> = self.sights().map(|seen| seen.value.as_str()).collect();
        let chain = Chain::of(first, &self.updates, &seen);
        for (former, values) in chain.forks {
            found.insert(Violation::Fork { case: case.to_owned(), former, values });
        }
        let place = |value: &str| chain.places.get(value).copied();
        for value in seen.iter().filter(|value| place(value).is_none()) {
            found.insert(Violation::ValueFromNowhere { case: case.to_owned(), value: (*value).to_owned() });
        }
        for (event, _, value) in &self.updates {
            if event.outcome == Outcome::Ok && place(value).is_none() {
                found.insert(Violation::UpdateLost { case: case.to_owned(), value: (*value).to_owned() });
            }
        }
        // What is listed in the end must be the chain's end: nothing acknowledged lies beyond it.
        for (_, seen) in &self.last {
            let Some(last) = place(&seen.value) else { continue };
            for (_, _, value) in self.updates.iter().filter(|(event, _, _)| event.outcome == Outcome::Ok) {
                if place(value).is_some_and(|place| place > last) {
                    found.insert(Violation::UpdateLost { case: case.to_owned(), value: (*value).to_owned() });
                }
            }
        }
        self.check_age(case, &place, found);
    }

    /// Goes through reads by their start, with the newest place that was known by then.
    fn check_age(&self, case: &str, place: &dyn Fn(&str) -> Option<usize>, found: &mut BTreeSet<Violation>) {
        let mut known: Vec<(u64, usize, &str)> = Vec::new();
        for (event, seen) in self.answers.iter().chain(&self.reads) {
            known.extend(place(&seen.value).map(|place| (event.end, place, seen.value.as_str())));
        }
        for (event, _, value) in self.updates.iter().filter(|(event, _, _)| event.outcome == Outcome::Ok) {
            known.extend(place(value).map(|place| (event.end, place, *value)));
        }
        known.sort_unstable();
        let mut reads = self.reads.clone();
        reads.sort_unstable_by_key(|(event, _)| event.start);
        let mut known = known.into_iter().peekable();
        let mut newest: Option<(usize, &str)> = None;
        for (event, seen) in reads {
            while let Some((_, place, value)) = known.next_if(|(end, _, _)| *end < event.start) {
                newest = newest.max(Some((place, value)));
            }
            if let (Some(saw), Some((place, value))) = (place(&seen.value), newest)
                && saw < place
            {
                found.insert(Violation::OldValue {
                    case: case.to_owned(),
                    node: event.node.clone(),
                    start: event.start,
                    saw: seen.value.clone(),
                    known: value.to_owned(),
                });
            }
        }
    }

    /// Acknowledged tags are there, unknown ones at most once, none from nowhere, none missing in a read that began after
    /// they were known.
    fn check_tags(&self, case: &str, found: &mut BTreeSet<Violation>) {
        let mut may_be = BTreeSet::new();
        let mut known: BTreeMap<&str, u64> = BTreeMap::new();
        let mut tell = |tag: &'a str, at: u64| {
            let earliest = known.entry(tag).or_insert(at);
            *earliest = at.min(*earliest);
        };
        for (event, tag) in &self.tags {
            match event.outcome {
                Outcome::Ok => {
                    may_be.insert(*tag);
                    tell(tag, event.end);
                }
                Outcome::Unknown => {
                    may_be.insert(*tag);
                }
                Outcome::Fail => {}
            }
        }
        for (event, seen) in self.answers.iter().chain(&self.reads) {
            for tag in &seen.tags {
                tell(tag, event.end);
            }
        }
        for seen in self.sights() {
            let mut tags: Vec<&str> = seen.tags.iter().map(String::as_str).collect();
            tags.sort_unstable();
            for (one, next) in tags.iter().zip(tags.iter().skip(1)) {
                if one == next {
                    found.insert(Violation::TagTwice { case: case.to_owned(), tag: (*one).to_owned() });
                }
            }
            for tag in tags.into_iter().filter(|tag| !may_be.contains(tag)) {
                found.insert(Violation::TagFromNowhere { case: case.to_owned(), tag: tag.to_owned() });
            }
        }
        let lacks = |seen: &Seen, tag: &str| !seen.tags.iter().any(|there| there == tag);
        for (node, seen) in &self.last {
            for tag in known.keys().filter(|tag| lacks(seen, tag)) {
                let (case, tag) = (case.to_owned(), (*tag).to_owned());
                found.insert(Violation::TagLost { case, tag, node: (*node).to_owned() });
            }
        }
        for (event, seen) in &self.reads {
            let missing = known.iter().find(|(tag, at)| **at < event.start && lacks(seen, tag));
            if let Some((tag, _)) = missing {
                found.insert(Violation::OldTags {
                    case: case.to_owned(),
                    node: event.node.clone(),
                    start: event.start,
                    missing: (*tag).to_owned(),
                });
            }
        }
    }
}

/// A case that was known when a read or a list began is in its answer, where it belongs there.
fn check_presence(events: &[Event], found: &mut BTreeSet<Violation>) {
    let mut known: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for event in events {
        for seen in sights(event) {
            let entry = known.entry(&seen.case).or_insert((event.end, seen.number));
            entry.0 = entry.0.min(event.end);
        }
    }
    let mut by_end: Vec<(u64, u64, &str)> =
        known.iter().map(|(case, (end, number))| (*end, *number, *case)).collect();
    by_end.sort_unstable();
    let mut lists: Vec<(&Event, usize, &Vec<Seen>)> = Vec::new();
    for event in events.iter().filter(|event| event.outcome == Outcome::Ok) {
        let not_seen = |case: &str| Violation::CaseNotSeen {
            case: case.to_owned(),
            node: event.node.clone(),
            start: event.start,
        };
        match &event.operation {
            Operation::Read { case, found: seen } => {
                let was_known = known.get(case.as_str()).is_some_and(|(end, _)| *end < event.start);
                if was_known && !seen.iter().any(|seen| seen.case == *case) {
                    found.insert(not_seen(case));
                }
            }
            Operation::List { limit, found: seen, .. } => lists.push((event, *limit, seen)),
            Operation::Create { .. } | Operation::Update { .. } | Operation::Tag { .. } => {}
        }
    }
    // Numbers that are known by the time at which a list begins, in order.
    lists.sort_unstable_by_key(|(event, _, _)| event.start);
    let mut by_end = by_end.into_iter().peekable();
    let mut numbers: BTreeMap<u64, &str> = BTreeMap::new();
    for (event, limit, page) in lists {
        while let Some((_, number, case)) = by_end.next_if(|(end, _, _)| *end < event.start) {
            numbers.insert(number, case);
        }
        let is_whole = page.len() < limit;
        let least = page.iter().map(|seen| seen.number).min().filter(|_| !is_whole).unwrap_or(0);
        let listed: BTreeSet<u64> = page.iter().map(|seen| seen.number).collect();
        for (_, case) in numbers.range(least..).filter(|(number, _)| !listed.contains(number)) {
            let (case, node) = ((*case).to_owned(), event.node.clone());
            found.insert(Violation::CaseNotSeen { case, node, start: event.start });
        }
    }
}

/// Nothing is ever deleted: no total is smaller than one that was known, nor than the number of cases known.
fn check_totals(events: &[Event], found: &mut BTreeSet<Violation>) {
    let mut known: Vec<(u64, u64)> = Vec::new();
    let mut lists: Vec<(&Event, u64)> = Vec::new();
    // A create that was sent twice made one case.
    let mut made: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events.iter().filter(|event| event.outcome == Outcome::Ok) {
        match &event.operation {
            Operation::List { total, .. } => {
                known.push((event.end, *total));
                lists.push((event, *total));
            }
            Operation::Create { name, .. } => {
                let earliest = made.entry(name).or_insert(event.end);
                *earliest = event.end.min(*earliest);
            }
            Operation::Update { .. } | Operation::Tag { .. } | Operation::Read { .. } => {}
        }
    }
    let mut acknowledged: Vec<u64> = made.into_values().collect();
    acknowledged.sort_unstable();
    known.extend(acknowledged.into_iter().zip(1..));
    known.sort_unstable();
    lists.sort_unstable_by_key(|(event, _)| event.start);
    let mut known = known.into_iter().peekable();
    let mut greatest = 0;
    for (event, total) in lists {
        while let Some((_, total)) = known.next_if(|(end, _)| *end < event.start) {
            greatest = greatest.max(total);
        }
        if total < greatest {
            let node = event.node.clone();
            found.insert(Violation::OldTotal { node, start: event.start, total, known: greatest });
        }
    }
}
