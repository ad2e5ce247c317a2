//! Cursors of lists: a place in an order as a text that a client gives back.
//!
//! A cursor holds what the sort keys said of the last document, and a digest over that and the question. It names no
//! document that has to be there still. Who makes up another place learns nothing by it: a place filters nothing, it only
//! says where the page begins.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use casement_domain::list::order::Order;
use casement_domain::list::query::SortKey;
use casement_domain::workspace::Workspace;
use casement_domain::workspace::entries::Category;
use casement_index::query::{Place, SortValue};
use casement_wire::spelling::Noun;
use serde::{Deserialize, Serialize};

use crate::index::question::{StatusRanks, UNKNOWN_RANK};
use crate::limits;

/// What a cursor belongs to: it goes on with nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) stream: &'a str,
    pub(crate) noun: Noun,
    /// What is asked, as the client wrote it.
    pub(crate) question: &'a [u8],
}

/// A page's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The number of the page.
    pub(crate) page: u64,
    /// The place behind its last document.
    pub(crate) place: Place,
}

/// A sort key's value as it is kept: what depends on the configuration stands for itself, so that a change of the
/// configuration moves no cursor.
#[derive(Debug, Serialize, Deserialize)]
enum KeptValue {
    #[serde(rename = "c")]
    Column(Option<i64>),
    #[serde(rename = "n")]
    Name(String),
    #[serde(rename = "p")]
    Priority(i64),
    #[serde(rename = "s")]
    Status(Option<(Category, String)>),
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    #[serde(rename = "p")]
    page: u64,
    #[serde(rename = "w")]
    words: u32,
    #[serde(rename = "k")]
    values: Vec<KeptValue>,
    #[serde(rename = "i")]
    id: String,
}

impl Cursor {
    /// Writes the cursor of a page of a list.
    pub(crate) fn write(&self, asked: Asked<'_>, order: &Order, config: &Workspace) -> String {
        let ranks = StatusRanks::of(config);
        let kept = |(index, value): (usize, &SortValue)| match value {
            SortValue::Column(value) => KeptValue::Column(*value),
            SortValue::Name(name) => KeptValue::Name(name.clone()),
            SortValue::Rank(rank) if is_status(order, index) => KeptValue::Status(ranks.status(*rank)),
            SortValue::Rank(rank) => KeptValue::Priority(*rank),
        };
        let kept = Kept {
            page: self.page,
            words: self.place.words,
            values: self.place.values.iter().enumerate().map(kept).collect(),
            id: self.place.id.clone(),
        };
        let kept = serde_json::to_vec(&kept).expect("invariant: texts and numbers are always JSON");
        let mut bytes = seal(asked, &kept).to_vec();
        bytes.extend_from_slice(&kept);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor. `None`: it is none of this list, or was changed.
    pub(crate) fn read(text: &str, asked: Asked<'_>, order: &Order, config: &Workspace) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (digest, kept) = bytes.split_at_checked(limits::CURSOR_DIGEST_BYTES)?;
        if digest != seal(asked, kept) {
            return None;
        }
        let kept: Kept = serde_json::from_slice(kept).ok()?;
        let ranks = StatusRanks::of(config);
        let value = |(index, value): (usize, KeptValue)| match value {
            KeptValue::Column(value) => Some(SortValue::Column(value)),
            KeptValue::Name(name) => Some(SortValue::Name(name)),
            KeptValue::Priority(rank) => (!is_status(order, index)).then_some(SortValue::Rank(rank)),
            KeptValue::Status(status) => is_status(order, index)
                .then(|| SortValue::Rank(status.map_or(UNKNOWN_RANK, |status| ranks.rank(&status)))),
        };
        let values = kept.values.into_iter().enumerate().map(value).collect::<Option<Vec<SortValue>>>()?;
        Some(Self { page: kept.page, place: Place { words: kept.words, values, id: kept.id } })
    }
}

fn is_status(order: &Order, index: usize) -> bool {
    match order {
        Order::Relevance => false,
        Order::Keys(keys) => keys.get(index).is_some_and(|(key, _)| *key == SortKey::Status),
    }
}

/// Gives the digest that binds a cursor to its list.
fn seal(asked: Asked<'_>, kept: &[u8]) -> [u8; limits::CURSOR_DIGEST_BYTES] {
    let noun: &[u8] = match asked.noun {
        Noun::Case => b"case",
        Noun::Task => b"task",
    };
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [b"casement cursor 1".as_slice(), asked.stream.as_bytes(), noun, asked.question, kept] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut sealed = [0; limits::CURSOR_DIGEST_BYTES];
    sealed.iter_mut().zip(context.finish().as_ref()).for_each(|(own, byte)| *own = *byte);
    sealed
}

#[cfg(test)]
mod tests {
    use casement_domain::date::Moment;
    use casement_domain::id::{AccountId, OrganisationId, StatusId, StreamId};
    use casement_domain::list::query::Direction;
    use casement_domain::workspace::defaults::{self, Identity};
    use proptest::prelude::*;

    use super::*;

    fn config() -> Workspace {
        let identity = Identity {
            account: AccountId::from_text("0"),
            organisation: OrganisationId::from_text("o-1"),
            stream: StreamId::from_text("st-1"),
        };
        defaults::workspace(identity, Moment::from_ms(0), &mut (1..))
    }

    const ASKED: Asked<'static> = Asked { stream: "st-1", noun: Noun::Case, question: b"{}" };

    fn by_status_and_name() -> Order {
        let keys = [SortKey::Status, SortKey::Name, SortKey::Due, SortKey::Priority];
        Order::Keys(keys.map(|key| (key, Direction::Ascending)).to_vec())
    }

    fn cursor(status: i64, name: &str, due: Option<i64>) -> Cursor {
        let values = vec![
            SortValue::Rank(status),
            SortValue::Name(name.to_owned()),
            SortValue::Column(due),
            SortValue::Rank(3),
        ];
        Cursor { page: 7, place: Place { words: 0, values, id: "ci-1".to_owned() } }
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_back_and_any_other_text_is_refused(
            status in prop_oneof![Just(UNKNOWN_RANK), (0..5_i64).prop_map(|place| place * 2)],
            name in ".{0,40}",
            due in any::<Option<i64>>(),
            changed in any::<prop::sample::Index>(),
            to in "[A-Za-z0-9_-]",
        ) {
            let (config, order) = (config(), by_status_and_name());
            let cursor = cursor(status, &name, due);
            let text = cursor.write(ASKED, &order, &config);
            prop_assert_eq!(Cursor::read(&text, ASKED, &order, &config), Some(cursor));
            let mut tampered = text.clone();
            let at = changed.index(text.len());
            tampered.replace_range(at..=at, &to);
            prop_assert!(tampered == text || Cursor::read(&tampered, ASKED, &order, &config).is_none());
            prop_assert!(Cursor::read(&text[..at], ASKED, &order, &config).is_none());
            for other in [
                Asked { stream: "st-2", ..ASKED },
                Asked { noun: Noun::Task, ..ASKED },
                Asked { question: b"{\"q\":\"x\"}", ..ASKED },
            ] {
                prop_assert!(Cursor::read(&text, other, &order, &config).is_none());
            }
        }
    }

    #[test]
    fn a_cursor_keeps_its_place_among_the_statuses_when_some_are_made_or_removed() {
        let (mut config, order) = (config(), by_status_and_name());
        let text = cursor(2, "x", None).write(ASKED, &order, &config);
        let place = |config: &Workspace| {
            let read = Cursor::read(&text, ASKED, &order, config).unwrap();
            match read.place.values.first() {
                Some(SortValue::Rank(rank)) => *rank,
                other => panic!("no rank: {other:?}"),
            }
        };
        assert_eq!(place(&config), 2);
        let mut earlier = config.statuses[0].clone();
        (earlier.id, earlier.name) = (StatusId::from_text("sts-new"), "A new one".to_owned());
        config.statuses.push(earlier);
        assert_eq!(place(&config), 4, "one more stands before it");
        let ranks = StatusRanks::of(&config);
        let (category, name) = ranks.status(4).unwrap();
        config
            .statuses
            .retain(|status| (status.category, status.name.to_lowercase()) != (category, name.clone()));
        assert_eq!(place(&config), 3, "between the two that stood around it");
    }
}
