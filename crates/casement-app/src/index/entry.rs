//! What the index is told of a document: plain values, worked out once per version and before the commit, since making
//! words of texts costs time.

use aws_lc_rs::digest::{SHA256, digest};
use casement_domain::comment::Comment;
use casement_domain::date::{Moment, Zone};
use casement_domain::id::{FieldId, StatusId};
use casement_domain::item::WorkItem;
use casement_domain::item::fields::value::moment_of;
use casement_domain::list::row::{Work, further_words};
use casement_domain::text::{Words, fold_case, fold_email};
use casement_domain::workspace::Workspace;
use casement_index::layout::Document;
use casement_wire::spelling::Noun;
use serde_json::Value;

use super::kind::Kind;
use super::layout::YES;

/// Counts what entries say of equal documents: a change of it makes snapshots of former releases be left aside. It goes up
/// with every change of a facet's, column's or term's content.
pub const FORM: u32 = 4;
/// Bytes of a custom field's value that the index keeps; of a longer one it keeps the hash.
const FIELD_TEXT_BYTES_MAX: usize = 48;

/// One version of a case, task or comment, ready for the index.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// The case: itself, or the one that the task or comment belongs to; of a purged document its own id.
    pub case: String,
    document: Document,
    /// The case that goes on in the place of a merged one.
    goes_on: Option<String>,
    /// The cases that were merged into it.
    absorbed: Vec<String>,
    /// The due date that will breach it unless its status says that work is over.
    due: Option<(Moment, StatusId)>,
}

impl Entry {
    /// Works out the entry of a document before it is committed.
    pub fn prepared(work: &Work) -> Self {
        let mut own = Self::without_words(work);
        own.document.terms = item_terms(work.item());
        own
    }

    /// The same without the words of its texts, which cost the most: for an engine whose words are made later.
    pub fn without_words(work: &Work) -> Self {
        let item = work.item();
        let yes = |is_so: bool| if is_so { vec![YES.to_owned()] } else { Vec::new() };
        let (kind, case) = match work {
            Work::Case(_) => (Kind::Case, Vec::new()),
            Work::Task(task) => (Kind::Task, vec![task.case.to_string()]),
        };
        let mut channels = vec![fold_case(&item.source)];
        channels.extend(item.channels.iter().map(|channel| fold_case(channel)));
        let ms = |moment: Moment| Some(moment.ms());
        let [title, title_rest] = halves(&item.name);
        let [description, description_rest] = halves(&item.description);
        let document = Document {
            id: work.id().to_owned(),
            version: 0,
            facets: vec![
                yes(item.active),
                Vec::new(),
                vec![item.status.to_string()],
                vec![item.priority.to_string()],
                item.assignment.queues.iter().map(ToString::to_string).collect(),
                channels,
                item.assignment.agent.iter().map(ToString::to_string).collect(),
                case,
                item.field_values.iter().flat_map(|(field, value)| field_values(field, value)).collect(),
                item.tags.iter().map(|tag| fold_case(tag)).collect(),
                work.template().map(str::to_owned).into_iter().collect(),
                std::iter::once(item.customer.id.to_string())
                    .chain(item.customer.email.as_deref().map(fold_email))
                    .collect(),
                yes(item.breached),
                work.watchers().iter().map(ToString::to_string).collect(),
            ],
            columns: vec![
                ms(item.created_at),
                ms(item.updated_at),
                item.due.and_then(ms),
                None,
                None,
                Some(title),
                Some(title_rest),
                Some(description),
                Some(description_rest),
                None,
            ],
            name: fold_case(&item.name),
            terms: Vec::new(),
        };
        let due = item.due.filter(|_| item.active && !item.breached).map(|due| (due, item.status.clone()));
        let (goes_on, absorbed) = match work {
            Work::Case(case) => (
                case.merged_into.as_ref().map(|into| into.case.to_string()),
                case.absorbed().map(ToString::to_string).collect(),
            ),
            Work::Task(_) => (None, Vec::new()),
        };
        Self { kind, case: work.case().to_string(), document, goes_on, absorbed, due }
    }

    /// Works out the entry of a comment before it is committed.
    pub fn of_comment(comment: &Comment) -> Self {
        let mut own = Self::of_comment_without_words(comment);
        own.document.terms = comment_terms(comment);
        own
    }

    /// The same without the words of its text.
    pub fn of_comment_without_words(comment: &Comment) -> Self {
        let document = Document {
            id: comment.id.to_string(),
            version: 0,
            facets: Vec::new(),
            columns: vec![None],
            name: String::new(),
            terms: Vec::new(),
        };
        Self {
            kind: Kind::Comment,
            case: comment.case.to_string(),
            document,
            goes_on: None,
            absorbed: Vec::new(),
            due: None,
        }
    }

    /// Gives the case that goes on in the place of a merged one, and the cases that were merged into it.
    pub fn merges(&self) -> (Option<String>, Vec<String>) {
        (self.goes_on.clone(), self.absorbed.clone())
    }

    /// Makes the entry of a purged document: it stays known by its id and version, and nothing finds it.
    pub fn of_purged(kind: Kind, id: &str) -> Self {
        let document = Document {
            id: id.to_owned(),
            version: 0,
            facets: Vec::new(),
            columns: Vec::new(),
            name: String::new(),
            terms: Vec::new(),
        };
        Self { kind, case: id.to_owned(), document, goes_on: None, absorbed: Vec::new(), due: None }
    }

    /// Tells whether it is that of a purged document: every other has columns.
    pub fn is_purged(&self) -> bool {
        self.document.columns.is_empty()
    }

    /// Gives the document's id.
    pub fn id(&self) -> &str {
        &self.document.id
    }

    /// Completes the entry with what the commit assigned.
    pub fn committed(mut self, version: u64, number: u64) -> Self {
        self.document.version = version;
        let noun = match self.kind {
            Kind::Case => Noun::Case,
            Kind::Task => Noun::Task,
            // It has no number.
            Kind::Comment => return self,
        };
        if let Some(column) = self.document.columns.get_mut(super::layout::NUMBER.0) {
            *column = Some(number.cast_signed());
        }
        if let Some(first) = self.document.terms.first_mut() {
            first.extend(reference_terms(noun, number));
        }
        self
    }

    /// Gives what the engine takes, as of a configuration: it says which statuses mean that work is over.
    pub fn document(self, config: &Workspace) -> Document {
        let Self { kind, mut document, due, .. } = self;
        if kind == Kind::Comment {
            return document;
        }
        let deadline = due.filter(|(_, status)| !config.category(status).is_over());
        if let Some(column) = document.columns.get_mut(super::layout::DEADLINE.0) {
            *column = deadline.map(|(due, _)| due.ms());
        }
        document
    }
}

/// Gives the terms of a document with this number, for each text field: those that its entry has.
pub fn all_terms(work: &Work, number: u64) -> Vec<Vec<String>> {
    let noun = match work {
        Work::Case(_) => Noun::Case,
        Work::Task(_) => Noun::Task,
    };
    let mut all = item_terms(work.item());
    if let Some(first) = all.first_mut() {
        first.extend(reference_terms(noun, number));
    }
    all
}

/// Gives the terms of a comment, for its one text field.
pub fn comment_terms(comment: &Comment) -> Vec<Vec<String>> {
    vec![terms(&comment.words())]
}

fn item_terms(item: &WorkItem) -> Vec<Vec<String>> {
    let customer = &item.customer;
    let second =
        [item.description.as_str(), customer.name.as_str(), customer.email.as_deref().unwrap_or_default()];
    [Words::of([item.name.as_str()]), Words::of(second), further_words(item)].iter().map(terms).collect()
}

fn reference_terms(noun: Noun, number: u64) -> Vec<String> {
    let reference = match noun {
        Noun::Case => casement_domain::case::reference_id(number),
        Noun::Task => casement_domain::task::reference_id(number),
    };
    terms(&Words::of([reference.as_str()]))
}

fn terms(words: &Words) -> Vec<String> {
    words.each().map(str::to_owned).collect()
}

/// Gives two numbers that are equal for equal texts only: half of a SHA-256, so that nobody finds two texts that share
/// them.
pub fn halves(text: &str) -> [i64; 2] {
    let hash = digest(&SHA256, text.as_bytes());
    let half = |from: usize| {
        let bytes = hash.as_ref().get(from..from + 8).and_then(|bytes| bytes.try_into().ok());
        // The smallest number stands for no value in a column.
        i64::from_le_bytes(bytes.unwrap_or_default()).max(i64::MIN + 1)
    };
    [half(0), half(8)]
}

/// Gives what stands for each sense of a custom value: that there is one, the value itself, the moment where it is one, and
/// the entries where it is a list.
fn field_values(field: &FieldId, value: &Value) -> impl Iterator<Item = String> {
    let moment = moment_of(value, Zone::UTC).map(|moment| field_moment(field, moment));
    let entries = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    let entries: Vec<String> = entries.map(|entry| field_entry(field, entry)).collect();
    [field_present(field), field_value(field, value)].into_iter().chain(moment).chain(entries)
}

/// Gives what stands for a field that has a value.
pub fn field_present(field: &FieldId) -> String {
    format!("{field}*")
}

/// Gives what stands for an entry of a field whose value is a list.
pub fn field_entry(field: &FieldId, entry: &str) -> String {
    format!("{field}~{}", short(entry.to_owned()))
}

/// Gives a text that is equal for equal values of one field only: JSON with sorted keys, or its hash where that is long.
pub fn field_value(field: &FieldId, value: &Value) -> String {
    let mut text = String::new();
    write_sorted(value, &mut text);
    format!("{field}={}", short(text))
}

/// Gives a text, or its hash where it is long.
fn short(text: String) -> String {
    if text.len() <= FIELD_TEXT_BYTES_MAX {
        return text;
    }
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().fold("#".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// Gives a text for the moment that a value of a field means.
pub fn field_moment(field: &FieldId, moment: Moment) -> String {
    format!("{field}@{}", moment.ms())
}

/// Writes a value so that two are written alike exactly when they are equal.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Array(entries) => {
            out.push('[');
            for entry in entries {
                write_sorted(entry, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for key in keys {
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                object.get(key).into_iter().for_each(|value| write_sorted(value, out));
                out.push(',');
            }
            out.push('}');
        }
        // Zero is equal to zero with a minus.
        Value::Number(number) if number.is_f64() && number.as_f64() == Some(0.0) => out.push_str("0.0"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_alike_exactly_when_they_are_equal() {
        let values = [
            json!(null),
            json!(true),
            json!("true"),
            json!(5),
            json!(5.0),
            json!(-5),
            json!(0),
            json!(0.0),
            json!(-0.0),
            json!("5"),
            json!([1, 2]),
            json!([12]),
            json!(["1", 2]),
            json!({"a": 1, "b": 2}),
            json!({"b": 2, "a": 1}),
            json!({"a": {"b": 2}}),
            json!("x".repeat(100)),
            json!("x".repeat(101)),
        ];
        let field = FieldId::from_text("fd-1");
        for left in &values {
            for right in &values {
                let alike = field_value(&field, left) == field_value(&field, right);
                assert_eq!(alike, left == right, "{left} {right}");
            }
        }
        assert_ne!(field_value(&field, &json!(1)), field_value(&FieldId::from_text("fd-2"), &json!(1)));
    }
}
