//! The bodies of getCases and getTasks, and the envelope of a page; contract sections 6 and 7.

use casement_domain::fault::{FaultKind, Key};
use casement_domain::given::Given;
use casement_domain::limits;
use casement_domain::list::query::{Deadline, Direction, ListQuery, SortKey};
use casement_domain::workspace::Reference;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::reader::{self, Reader};
use crate::spelling::Noun;

/// Reads the body of a list.
pub fn read_query(object: &Map<String, Value>, noun: Noun) -> ListQuery {
    let mut reader = Reader::new(object, noun);
    let mut query = ListQuery {
        search_text: text(reader.string(Key::SearchText)),
        name: text(reader.string(Key::Name)),
        unresolved: is_true(&reader.boolean(Key::Unresolved)),
        unassigned: is_true(&reader.boolean(Key::Unassigned)),
        mine: is_true(&reader.boolean(Key::MyCase)),
        priorities: entries(reader.strings(Key::Priority)),
        statuses: entries(reader.strings(Key::Status)),
        channels: entries(reader.strings(Key::Channels)),
        queues: entries(reader.strings(Key::Queues)),
        agents: entries(reader.strings(Key::Agents)),
        created_from: read_date(&mut reader, Key::StartDate),
        created_to: read_date(&mut reader, Key::EndDate),
        due: read_date(&mut reader, Key::DueDate),
        deadlines: entries(reader.read_list(Key::EtaList, deadline)),
        fields: entries(reader.read_list(Key::CustomFields, field)),
        sort: read_sort(&mut reader),
        skip: read_skip(&mut reader),
        limit: read_limit(&mut reader),
        columns: entries(reader.strings(Key::Columns)),
        ..ListQuery::default()
    };
    match noun {
        Noun::Case => {}
        Noun::Task => {
            query.mine |= is_true(&reader.boolean(Key::MyTask));
            query.case = text(reader.string(Key::CaseOfTask));
            query.case_reference = text(reader.string(Key::CaseReference));
        }
    }
    query.faults = reader.faults;
    if query.search_text.chars().count() > limits::SEARCH_TEXT_CHARACTERS_MAX {
        let message = format!("must have at most {} characters", limits::SEARCH_TEXT_CHARACTERS_MAX);
        query.faults.invalid(Key::SearchText, message);
        query.search_text.clear();
    }
    query
}

fn text(given: Given<String>) -> String {
    match given {
        Given::Value(text) => text,
        Given::Absent | Given::Null | Given::Invalid => String::new(),
    }
}

fn entries<T>(given: Given<Vec<T>>) -> Vec<T> {
    match given {
        Given::Value(entries) => entries,
        Given::Absent | Given::Null | Given::Invalid => Vec::new(),
    }
}

fn is_true(given: &Given<bool>) -> bool {
    *given == Given::Value(true)
}

fn read_date(reader: &mut Reader<'_>, key: Key) -> Option<casement_domain::date::DateInput> {
    let given = reader.read(key, |value| {
        if value.as_str() == Some("") { Ok(None) } else { reader::date_text(value).map(Some) }
    });
    given.value().copied().flatten()
}

fn read_skip(reader: &mut Reader<'_>) -> u64 {
    let given = reader.read(Key::Skip, |value| {
        reader::integer(value)
            .and_then(|skip| u64::try_from(skip).ok())
            .ok_or("must be a whole number from 0")
    });
    given.value().copied().unwrap_or_default()
}

fn read_limit(reader: &mut Reader<'_>) -> u32 {
    let given = reader.read(Key::Limit, |value| {
        let limit = reader::integer(value).and_then(|limit| u32::try_from(limit).ok());
        limit
            .filter(|limit| (1..=limits::PAGE_MAX).contains(limit))
            .ok_or("must be a whole number from 1 to 500")
    });
    given.value().copied().unwrap_or(limits::PAGE_DEFAULT)
}

fn deadline(value: &Value) -> Result<Deadline, &'static str> {
    match value.as_str() {
        Some("overdue") => Ok(Deadline::Overdue),
        Some("today") => Ok(Deadline::Today),
        Some("tomorrow") => Ok(Deadline::Tomorrow),
        Some("week") => Ok(Deadline::Week),
        Some("none") => Ok(Deadline::None),
        Some(_) | None => Err("must be overdue, today, tomorrow, week or none"),
    }
}

fn field(value: &Value) -> Result<(Reference, Value), &'static str> {
    let Value::Object(object) = value else {
        return Err("must be an object with a name or an _id, and a value");
    };
    let wanted = object.get("value").ok_or("needs a value")?;
    let field = match (reader::part(object, "_id")?, reader::part(object, "name")?) {
        (Some(id), _) => Reference::Id(id),
        (None, Some(name)) => Reference::Name(name),
        (None, None) => return Err("needs a name or an _id"),
    };
    Ok((field, wanted.clone()))
}

/// The fields that lists are sorted by, as requests name them.
pub const SORT_FIELDS: [&str; 10] = [
    "createdDate",
    "createdAt",
    "updatedDate",
    "updatedAt",
    "dueDate",
    "ETA",
    "priority",
    "status",
    "name",
    "refId",
];

fn sort_key(text: &str) -> Option<SortKey> {
    match text {
        "createdDate" | "createdAt" => Some(SortKey::Created),
        "updatedDate" | "updatedAt" => Some(SortKey::Updated),
        "dueDate" | "ETA" => Some(SortKey::Due),
        "priority" => Some(SortKey::Priority),
        "status" => Some(SortKey::Status),
        "name" => Some(SortKey::Name),
        "refId" => Some(SortKey::Reference),
        _ => None,
    }
}

/// Reads the order of a list. The keys of an object count in the order written.
fn read_sort(reader: &mut Reader<'_>) -> Vec<(SortKey, Direction)> {
    const UNKNOWN: &str =
        "can't be sorted by; take createdDate, updatedDate, dueDate, priority, status, name or refId";
    let mut wrong: Vec<String> = Vec::new();
    let given = reader.read(Key::SortBy, |value| match value {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(text) => match sort_key(text) {
            Some(key) => Ok(vec![(key, Direction::Descending)]),
            None => {
                wrong.push(format!("{text:?} {UNKNOWN}"));
                Ok(Vec::new())
            }
        },
        Value::Object(object) => {
            let mut keys = Vec::new();
            for (text, direction) in object {
                let direction = match direction.as_str() {
                    Some("asc") => Some(Direction::Ascending),
                    Some("desc") => Some(Direction::Descending),
                    Some(_) | None => None,
                };
                match (sort_key(text), direction) {
                    (Some(key), Some(direction)) => keys.push((key, direction)),
                    (None, _) => wrong.push(format!("{text:?} {UNKNOWN}")),
                    (Some(_), None) => wrong.push(format!("the direction of {text:?} must be asc or desc")),
                }
            }
            Ok(keys)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err("must be a field name, or an object of field names with asc or desc")
        }
    });
    for message in wrong {
        reader.faults.add(FaultKind::Invalid, Key::SortBy, message);
    }
    given.value().cloned().unwrap_or_default()
}

/// The numbers of a page, after its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageNumbers {
    page: u64,
    limit: u32,
    has_more: bool,
    total_pages: u64,
    total_results: u64,
}

impl PageNumbers {
    /// Works out the numbers of the page that begins after `skip` of `total` documents.
    pub fn new(skip: u64, limit: u32, total: u64) -> Self {
        let size = u64::from(limit.max(1));
        Self {
            page: skip / size + 1,
            limit,
            has_more: skip.saturating_add(size) < total,
            total_pages: total.div_ceil(size),
            total_results: total,
        }
    }

    /// Gives the numbers of a page that goes on behind another: it is the next one, and whether more follow is known by itself.
    pub fn behind(self, former: u64, more_follow: bool) -> Self {
        Self { page: former.saturating_add(1), has_more: more_follow, ..self }
    }

    /// Gives the number of the page, from 1.
    pub fn page(self) -> u64 {
        self.page
    }
}

/// Writes a page: the documents as they were rendered, one after the other, then the numbers.
pub fn write_page<'a>(documents: impl Iterator<Item = &'a [u8]>, numbers: PageNumbers) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4096);
    bytes.extend_from_slice(b"{\"results\":[");
    for (index, document) in documents.enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(document);
    }
    bytes.extend_from_slice(b"],");
    let tail = serde_json::to_vec(&numbers).expect("invariant: numbers are always JSON");
    bytes.extend_from_slice(tail.get(1..).expect("invariant: an object begins with a brace"));
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query(body: Value) -> ListQuery {
        read_query(body.as_object().unwrap(), Noun::Case)
    }

    fn fields_at_fault(body: Value) -> Vec<(Key, Option<usize>)> {
        query(body).faults.list().iter().map(|fault| (fault.key, fault.index)).collect()
    }

    #[test]
    fn empty_values_and_null_filter_nothing() {
        let body = json!({"searchText": "", "name": null, "unresolved": false, "priority": [], "startDate": "",
            "endDate": null, "sortBy": "", "ETAlist": null, "skip": null, "limit": null, "selectedColumns": []});
        assert_eq!(query(body), ListQuery::default());
        assert_eq!(query(json!({"sortBy": {}})), ListQuery::default());
    }

    #[test]
    fn several_sort_keys_count_in_the_order_written() {
        let object =
            crate::json::read_object(br#"{"sortBy": {"status": "asc", "createdDate": "desc"}}"#).unwrap();
        let sort = read_query(&object, Noun::Case).sort;
        assert_eq!(
            sort,
            [(SortKey::Status, Direction::Ascending), (SortKey::Created, Direction::Descending)]
        );
    }

    #[test]
    fn a_search_text_has_at_most_2000_characters() {
        let most = "ﷺ".repeat(limits::SEARCH_TEXT_CHARACTERS_MAX);
        assert_eq!(fields_at_fault(json!({"searchText": most})), []);
        assert_eq!(fields_at_fault(json!({"searchText": most + "x"})), [(Key::SearchText, None)]);
    }

    #[test]
    fn every_wrong_type_is_named() {
        let wrong = json!({"searchText": 1, "unresolved": "true", "priority": "High", "status": [1], "startDate": 5,
            "dueDate": "tomorrow", "sortBy": {"nothing": "asc", "name": "up"}, "skip": -1, "limit": 501,
            "customFields": [{"name": "x"}], "ETAlist": ["soon"], "selectedColumns": {}});
        assert_eq!(
            fields_at_fault(wrong),
            [
                (Key::SearchText, None),
                (Key::Unresolved, None),
                (Key::Priority, None),
                (Key::Status, Some(0)),
                (Key::StartDate, None),
                (Key::DueDate, None),
                (Key::EtaList, Some(0)),
                (Key::CustomFields, Some(0)),
                (Key::SortBy, None),
                (Key::SortBy, None),
                (Key::Skip, None),
                (Key::Limit, None),
                (Key::Columns, None),
            ]
        );
    }

    #[test]
    fn the_numbers_of_a_page_follow_from_skip_limit_and_total() {
        let numbers = |skip, limit, total| {
            let page = PageNumbers::new(skip, limit, total);
            (page.page, page.has_more, page.total_pages)
        };
        assert_eq!(numbers(0, 50, 0), (1, false, 0));
        assert_eq!(numbers(0, 50, 50), (1, false, 1));
        assert_eq!(numbers(0, 50, 51), (1, true, 2));
        assert_eq!(numbers(75, 50, 200), (2, true, 4));
        assert_eq!(numbers(u64::MAX, 500, 3), (u64::MAX / 500 + 1, false, 1));
    }

    #[test]
    fn a_page_is_its_documents_and_its_numbers() {
        let documents: [&[u8]; 2] = [b"{\"a\":1}", b"{}"];
        let bytes = write_page(documents.into_iter(), PageNumbers::new(0, 2, 3));
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            value,
            json!({"results": [{"a": 1}, {}], "page": 1, "limit": 2, "hasMore": true, "totalPages": 2, "totalResults": 3})
        );
    }
}
