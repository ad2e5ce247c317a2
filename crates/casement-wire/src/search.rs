//! The bodies of searches and counts of `/api/v1`, and their answers: lists as on the public API, with the query language
//! beside the other filters.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use casement_domain::fault::Key;
use casement_domain::given::Given;
use casement_domain::item::fields::value::texts_of;
use casement_domain::limits;
use casement_domain::list::grouping::Grouping;
use casement_domain::list::query::ListQuery;
use casement_domain::text::{Prefix, marks};
use casement_domain::workspace::entries::Origin;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::language;
use crate::list::read_query;
use crate::reader::Reader;
use crate::spelling::Noun;
use crate::spelling::origin;

/// A search: a list, and whether its answer marks what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Which documents.
    pub query: ListQuery,
    /// Whether the answer marks what was found.
    pub hits: bool,
    /// The cursor of the page before, from which the search goes on.
    pub cursor: Option<String>,
    /// What is asked, without the part of the answer: a cursor goes on with this alone.
    pub question: Vec<u8>,
}

/// The keys that say which part of the answer is wanted, and how it is shown.
const OF_PAGES: [&str; 5] = ["cursor", "skip", "limit", "selectedColumns", "hits"];

/// Reads the body of a search.
pub fn read_search(object: &Map<String, Value>, noun: Noun) -> Search {
    let mut query = read_query(object, noun);
    let mut reader = Reader::new(object, noun);
    reader.faults = std::mem::take(&mut query.faults);
    let hits = reader.boolean(Key::Hits) == Given::Value(true);
    let cursor = reader.read(Key::Cursor, |value| match value.as_str() {
        Some(text) if text.len() <= limits::CURSOR_CHARACTERS_MAX => Ok(text.to_owned()),
        Some(_) | None => Err("must be the nextCursor of a page"),
    });
    let cursor = cursor.value().filter(|text| !text.is_empty()).cloned();
    if cursor.is_some() && query.skip > 0 {
        reader.faults.invalid(Key::Skip, "can't stand beside a cursor, which says where the page begins");
    }
    read_expression(&mut query, reader);
    Search { query, hits, cursor, question: question(object) }
}

/// Gives what a body asks, the same for each order of its keys.
fn question(object: &Map<String, Value>) -> Vec<u8> {
    let asked = object.iter().filter(|(key, value)| !OF_PAGES.contains(&key.as_str()) && !value.is_null());
    let sorted: BTreeMap<&String, &Value> = asked.collect();
    serde_json::to_vec(&sorted).expect("invariant: JSON is always JSON")
}

/// Reads the body of a count: which documents, and what they are counted by.
pub fn read_counts(object: &Map<String, Value>, noun: Noun) -> (ListQuery, Vec<Grouping>) {
    let mut query = read_query(object, noun);
    let mut reader = Reader::new(object, noun);
    reader.faults = std::mem::take(&mut query.faults);
    let given = reader.read_list(Key::Groupings, |value| {
        let named =
            Grouping::ALL.into_iter().find(|grouping| value.as_str() == Some(grouping_name(*grouping)));
        named.ok_or("must be status, priority, queue, assignee, channel, template, tag or day")
    });
    let mut groupings: Vec<Grouping> = Vec::new();
    for grouping in given.value().into_iter().flatten() {
        if !groupings.contains(grouping) {
            groupings.push(*grouping);
        }
    }
    read_expression(&mut query, reader);
    (query, groupings)
}

fn read_expression(query: &mut ListQuery, mut reader: Reader<'_>) {
    let text = reader.string(Key::Expression);
    query.expression = text.value().and_then(|text| language::read(text, &mut reader.faults));
    query.faults = reader.faults;
}

/// Gives the name of a grouping.
pub fn grouping_name(grouping: Grouping) -> &'static str {
    match grouping {
        Grouping::Status => "status",
        Grouping::Priority => "priority",
        Grouping::Queue => "queue",
        Grouping::Assignee => "assignee",
        Grouping::Channel => "channel",
        Grouping::Template => "template",
        Grouping::Tag => "tag",
        Grouping::Day => "day",
    }
}

/// Where the words of a search stand in one document. Each text is cut into pieces: the second, the fourth and so on
/// were found, those between stand around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hits<'a> {
    #[serde(rename = "_id")]
    id: Cow<'a, str>,
    /// Of the reference id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!([]))]
    ref_id: Vec<String>,
    /// Of the name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["The ", "printer", " is on fire"]))]
    name: Vec<String>,
    /// Of the description: some words around the first one found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["… all of our ", "printers", " are"]))]
    desc: Vec<String>,
    /// Of the customer's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!([]))]
    customer: Vec<String>,
    /// Of the customer's e-mail address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!([]))]
    email: Vec<String>,
    /// Of the customer's phone number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!([]))]
    phone: Vec<String>,
    /// Of each tag in which one was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!([]))]
    tags: Vec<Vec<String>>,
    /// Of the text of each custom field, or of an entry of its list, in which one was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!([]))]
    fields: Vec<FieldHits<'a>>,
}

/// Where the words of a search stand in a custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldHits<'a> {
    #[serde(rename = "_id")]
    id: Cow<'a, str>,
    /// Of its text, or of one entry.
    value: Vec<String>,
}

/// What is searched of a rendered document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Searched<'a> {
    #[serde(rename = "_id", borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    ref_id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    desc: Cow<'a, str>,
    #[serde(borrow)]
    user_info: Customer<'a>,
    #[serde(borrow, default)]
    tags: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    fields: Vec<SearchedField<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchedField<'a> {
    #[serde(rename = "_id", borrow)]
    id: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    origin: Cow<'a, str>,
    #[serde(default)]
    selected_value: Value,
}

impl SearchedField<'_> {
    /// Gives the texts of a custom field; a date is none.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let is_custom = self.origin == origin(Origin::Custom);
        is_custom.then_some(&self.selected_value).into_iter().flat_map(texts_of)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    email_id: Cow<'a, str>,
    #[serde(borrow, default)]
    phone_number: Cow<'a, str>,
}

/// Finds the words of a search in a rendered document. `None` for bytes that are no document.
pub fn find_hits<'a>(document: &'a [u8], words: &[Prefix]) -> Option<Hits<'a>> {
    let searched: Searched<'a> = serde_json::from_slice(document).ok()?;
    let whole = |text: &str| pieces(text, 0..text.len(), &marks(text, words));
    let description = &searched.desc;
    let places = marks(description, words);
    let desc = match places.first() {
        Some(first) => pieces(description, around(description, first), &places),
        None => Vec::new(),
    };
    let fields = searched.fields.iter().flat_map(|field| {
        let values = field.texts().map(whole).filter(|value| !value.is_empty());
        values.map(|value| FieldHits { id: field.id.clone(), value })
    });
    Some(Hits {
        ref_id: whole(&searched.ref_id),
        name: whole(&searched.name),
        desc,
        customer: whole(&searched.user_info.name),
        email: whole(&searched.user_info.email_id),
        phone: whole(&searched.user_info.phone_number),
        tags: searched.tags.iter().map(|tag| whole(tag)).filter(|tag| !tag.is_empty()).collect(),
        fields: fields.collect(),
        id: searched.id,
    })
}

/// Gives the part of a text that is shown around a place: whole characters, at most so many on either side.
fn around(text: &str, place: &Range<usize>) -> Range<usize> {
    let before = text.get(..place.start).unwrap_or_default();
    let behind = text.get(place.end..).unwrap_or_default();
    let start =
        before.char_indices().rev().nth(limits::HIT_CHARACTERS_AROUND - 1).map_or(0, |(start, _)| start);
    let end = behind.char_indices().nth(limits::HIT_CHARACTERS_AROUND).map_or(behind.len(), |(end, _)| end);
    start..place.end + end
}

/// Cuts the shown part of a text at its marks; nothing where nothing is marked.
fn pieces(text: &str, shown: Range<usize>, places: &[Range<usize>]) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut from = shown.start;
    let piece = |range: Range<usize>| text.get(range).unwrap_or_default().to_owned();
    for place in places.iter().filter(|place| place.start >= shown.start && place.end <= shown.end) {
        pieces.push(piece(from..place.start));
        pieces.push(piece(place.clone()));
        from = place.end;
    }
    if pieces.is_empty() {
        return pieces;
    }
    pieces.push(piece(from..shown.end));
    if let Some(first) = pieces.first_mut().filter(|_| shown.start > 0) {
        first.insert(0, '…');
    }
    if let Some(last) = pieces.last_mut().filter(|_| shown.end < text.len()) {
        last.push('…');
    }
    pieces
}

/// Adds to a page where the words of a search stand in its documents, which are given whole.
pub fn add_hits<'a>(
    mut page: Vec<u8>,
    documents: impl Iterator<Item = &'a [u8]>,
    words: &[Prefix],
) -> Vec<u8> {
    let hits: Vec<Hits<'_>> = documents.filter_map(|document| find_hits(document, words)).collect();
    let bytes = &mut page;
    // The object goes on behind its last key.
    bytes.pop();
    bytes.extend_from_slice(b",\"hits\":");
    bytes.extend(serde_json::to_vec(&hits).expect("invariant: texts are always JSON"));
    bytes.push(b'}');
    page
}

/// Adds to a page the cursor from which the next one goes on.
pub fn add_cursor(mut page: Vec<u8>, cursor: &str) -> Vec<u8> {
    // The object goes on behind its last key. A cursor has nothing to be escaped.
    page.pop();
    page.extend_from_slice(b",\"nextCursor\":\"");
    page.extend_from_slice(cursor.as_bytes());
    page.extend_from_slice(b"\"}");
    page
}

/// The counts of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CountsDoc {
    /// How many documents match: exact.
    pub total_results: u64,
    /// For each grouping that was asked for, in that order.
    pub groups: Vec<GroupDoc>,
}

/// The counts of one grouping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GroupDoc {
    /// What is counted by.
    #[schema(example = "status")]
    pub by: &'static str,
    /// The values that some document has, most frequent first; days in their order.
    pub entries: Vec<GroupEntryDoc>,
    /// How many documents have no value.
    pub none: u64,
    /// How often further values stand in documents: past 1 000 values the least frequent ones are counted together.
    pub others: u64,
}

/// The count of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GroupEntryDoc {
    /// The id of an entry of the configuration.
    #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name; for channels and tags the folded text, for days the date.
    #[schema(example = "Open")]
    pub name: String,
    /// How many documents have it.
    pub count: u64,
}

/// Writes counts.
pub fn write_counts(counts: &CountsDoc) -> Vec<u8> {
    serde_json::to_vec(counts).expect("invariant: texts and numbers are always JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::list::{PageNumbers, write_page};

    fn words(text: &str) -> Vec<Prefix> {
        casement_domain::text::search_words(text).iter().map(|word| Prefix::of(word)).collect()
    }

    fn document(name: &str, desc: &str) -> Vec<u8> {
        let customer = json!({"_id": "u-1", "name": "Ann", "emailId": "ann@example.com"});
        json!({"_id": "ci-1", "refId": "CS000100", "name": name, "desc": desc, "userInfo": customer})
            .to_string()
            .into()
    }

    #[test]
    fn hits_are_every_second_piece_of_a_text() {
        let document = document("The \"printer\" burns", "Two Printers\nare on fire");
        let hits = serde_json::to_value(find_hits(&document, &words("print")).unwrap()).unwrap();
        let expected = json!({"_id": "ci-1", "name": ["The \"", "printer", "\" burns"],
            "desc": ["Two ", "Printers", "\nare on fire"]});
        assert_eq!(hits, expected);
        let hits = serde_json::to_value(find_hits(&document, &words("ann cs000100")).unwrap()).unwrap();
        let expected = json!({"_id": "ci-1", "refId": ["", "CS000100", ""], "customer": ["", "Ann", ""],
            "email": ["", "ann", "@example.com"]});
        assert_eq!(hits, expected);
    }

    #[test]
    fn a_long_description_is_shown_around_its_first_hit() {
        let long = format!("{}printer{}", "ä ".repeat(200), " ö".repeat(200));
        let document = document("Nothing", &long);
        let hits = find_hits(&document, &words("printer")).unwrap();
        assert!(hits.name.is_empty());
        let [before, found, behind] = hits.desc.as_slice() else { panic!("{:?}", hits.desc) };
        assert_eq!((before.chars().count(), found.as_str(), behind.chars().count()), (81, "printer", 81));
        assert!(before.starts_with('…') && behind.ends_with('…'));
    }

    #[test]
    fn a_page_with_hits_is_a_page_with_one_more_key() {
        let document = document("The printer", "");
        let documents = || std::iter::once(document.as_slice());
        let bytes =
            add_hits(write_page(documents(), PageNumbers::new(0, 50, 1)), documents(), &words("printer"));
        let page: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(page["totalResults"], 1);
        assert_eq!(page["hits"], json!([{"_id": "ci-1", "name": ["The ", "printer", ""]}]));
    }

    #[test]
    fn searches_are_lists_with_an_expression_and_counts_name_their_groupings() {
        let body = json!({"q": "status:open", "hits": true, "limit": 5});
        let search = read_search(body.as_object().unwrap(), Noun::Case);
        assert!(search.hits && search.query.expression.is_some() && search.query.faults.is_empty());
        assert_eq!(search.query.limit, 5);
        let body = json!({"by": ["day", "status", "day"], "unresolved": true});
        let (query, groupings) = read_counts(body.as_object().unwrap(), Noun::Case);
        assert!(query.unresolved && query.faults.is_empty());
        assert_eq!(groupings, [Grouping::Day, Grouping::Status]);
        let wrong = json!({"q": "(", "by": ["colour"], "hits": 1, "limit": 0});
        let found = read_search(wrong.as_object().unwrap(), Noun::Case).query.faults;
        assert_eq!(
            found.list().iter().map(|fault| fault.key).collect::<Vec<_>>(),
            [Key::Limit, Key::Hits, Key::Expression]
        );
        let (query, _) = read_counts(wrong.as_object().unwrap(), Noun::Case);
        let keys: Vec<Key> = query.faults.list().iter().map(|fault| fault.key).collect();
        assert_eq!(keys, [Key::Limit, Key::Groupings, Key::Expression]);
    }
}
