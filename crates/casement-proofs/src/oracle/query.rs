//! Reads the body of a list by the words of the contract.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::date::{self, Date};
use super::{Asking, folded};

/// What is asked for; empty lists and texts filter nothing. Names are folded.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub words: Vec<String>,
    pub name_part: String,
    pub unresolved: bool,
    pub unassigned: bool,
    pub mine: bool,
    /// The entries as written, each with its folded form.
    pub priorities: Vec<(String, String)>,
    pub statuses: Vec<(String, String)>,
    pub channels: Vec<(String, String)>,
    pub queues: Vec<(String, String)>,
    pub agents: Vec<String>,
    pub created_from_ms: Option<i64>,
    pub created_to_ms: Option<i64>,
    pub due_ms: Option<(i64, i64)>,
    pub deadlines: Vec<String>,
    pub fields: Vec<FieldFilter>,
    pub case: String,
    pub case_reference: String,
    /// Field names with whether they descend; never empty.
    pub sort: Vec<(String, bool)>,
    pub by_relevance: bool,
    pub skip: u64,
    pub limit: u64,
    pub columns: Vec<String>,
}

/// A field by id, or else by folded name, with the value that it must have.
#[derive(Debug)]
pub(super) struct FieldFilter {
    pub id: Option<String>,
    pub name: Option<String>,
    pub value: Value,
}

impl FieldFilter {
    /// Puts the name of a system field in place of its id: system fields show keys of the document, also where its
    /// template has no such field.
    pub(super) fn name_system_field(&mut self, documents: &[Value]) {
        let Some(id) = &self.id else { return };
        let fields = documents.iter().filter_map(|document| document["fields"].as_array()).flatten();
        let mut system = fields.filter(|field| field["type"] == "system");
        if let Some(field) = system.find(|field| field["_id"] == **id) {
            self.name = field["displayName"].as_str().map(str::to_lowercase);
            self.id = None;
        }
    }
}

/// What the reading came to.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub faults: BTreeSet<String>,
    pub faults_total: usize,
    pub silent: bool,
}

struct Reader<'a> {
    body: &'a Map<String, Value>,
    zone_minutes: i64,
    read: Read,
}

/// Reads a body.
pub(super) fn read(body: &Map<String, Value>, asking: &Asking) -> (Query, Read) {
    let mut reader = Reader { body, zone_minutes: asking.zone_minutes, read: Read::default() };
    let search = reader.text("searchText");
    let name = reader.text("name");
    let mut query = Query {
        words: reader.words(&search),
        name_part: reader.fold(&name),
        unresolved: reader.flag("unresolved"),
        unassigned: reader.flag("unassigned"),
        mine: reader.flag("mycase"),
        priorities: reader.names("priority"),
        statuses: reader.names("status"),
        channels: reader.names("channel"),
        queues: reader.names("queues"),
        agents: reader.texts("agents"),
        created_from_ms: reader.span("startDate").map(|(first, _)| first),
        created_to_ms: reader.span("endDate").map(|(_, last)| last),
        due_ms: reader.span("dueDate"),
        deadlines: reader.deadlines(),
        fields: reader.fields(),
        skip: reader.whole("skip", 0, u64::MAX, 0),
        limit: reader.whole("limit", 1, 500, 50),
        columns: reader.texts("selectedColumns"),
        ..Query::default()
    };
    if asking.tasks {
        query.mine |= reader.flag("mytask");
        query.case = reader.text("caseId");
        query.case_reference = reader.text("caseRefId");
    }
    query.sort = reader.sort();
    query.by_relevance = query.sort.is_empty() && !query.words.is_empty();
    if query.sort.is_empty() {
        query.sort = vec![("createdAt".to_owned(), true)];
    }
    (query, reader.read)
}

impl Reader<'_> {
    /// A key's value; `null` means absent.
    fn value(&self, key: &str) -> Option<Value> {
        self.body.get(key).filter(|value| !value.is_null()).cloned()
    }

    fn fault(&mut self, field: String) {
        self.read.faults_total += 1;
        self.read.faults.insert(field);
    }

    fn fold(&mut self, text: &str) -> String {
        folded(text).unwrap_or_else(|| {
            self.read.silent = true;
            String::new()
        })
    }

    fn text(&mut self, key: &str) -> String {
        match self.value(key) {
            None => String::new(),
            Some(Value::String(text)) => text,
            Some(_) => {
                self.fault(key.to_owned());
                String::new()
            }
        }
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.value(key) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.fault(key.to_owned());
                false
            }
        }
    }

    fn entries(&mut self, key: &str) -> Vec<Value> {
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                self.fault(key.to_owned());
                Vec::new()
            }
        }
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for (index, entry) in self.entries(key).into_iter().enumerate() {
            match entry {
                Value::String(text) => texts.push(text),
                _ => self.fault(format!("{key}[{index}]")),
            }
        }
        texts
    }

    fn names(&mut self, key: &str) -> Vec<(String, String)> {
        let texts = self.texts(key);
        texts.into_iter().map(|text| (text.clone(), self.fold(&text))).collect()
    }

    /// Words of letters and digits; what stands between them is left to Unicode's rules where it joins words.
    fn words(&mut self, text: &str) -> Vec<String> {
        let mut words = Vec::new();
        for word in text.split(' ') {
            if word.is_empty() {
                continue;
            }
            if word.chars().all(|character| character.is_ascii_alphanumeric() || "éüÉÜ".contains(character))
            {
                words.push(plain(word));
            } else if word.chars().all(|character| character.is_ascii_punctuation() && character != '_') {
                // No letters or digits: no filter.
            } else {
                self.read.silent = true;
            }
        }
        words
    }

    fn span(&mut self, key: &str) -> Option<(i64, i64)> {
        let text = match self.value(key)? {
            Value::String(text) if text.is_empty() => return None,
            Value::String(text) => text,
            _ => {
                self.fault(key.to_owned());
                return None;
            }
        };
        let span = date::read(&text).and_then(|date: Date| date.span(self.zone_minutes));
        if span.is_none() {
            self.fault(key.to_owned());
        }
        span
    }

    fn deadlines(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        for (index, entry) in self.entries("ETAlist").into_iter().enumerate() {
            match entry.as_str() {
                Some(word @ ("overdue" | "today" | "tomorrow" | "week" | "none")) => {
                    words.push(word.to_owned())
                }
                _ => self.fault(format!("ETAlist[{index}]")),
            }
        }
        words
    }

    fn fields(&mut self) -> Vec<FieldFilter> {
        let mut fields = Vec::new();
        for (index, entry) in self.entries("customFields").into_iter().enumerate() {
            match self.field(&entry) {
                Some(field) => fields.push(field),
                None => self.fault(format!("customFields[{index}]")),
            }
        }
        fields
    }

    fn field(&mut self, entry: &Value) -> Option<FieldFilter> {
        let entry = entry.as_object()?;
        let value = entry.get("value")?.clone();
        if value.is_null() || value == "" {
            // What it means to ask for nothing is open.
            self.read.silent = true;
        }
        let text = |key: &str| match entry.get(key) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) => Some(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => None,
        };
        let (id, name) = (text("_id")?, text("name")?);
        if id.is_none() && name.is_none() {
            return None;
        }
        let name = name.map(|name| self.fold(&name));
        Some(FieldFilter { id, name, value })
    }

    fn whole(&mut self, key: &str, least: u64, greatest: u64, absent: u64) -> u64 {
        let Some(value) = self.value(key) else { return absent };
        let number = match (value.as_u64(), value.as_f64()) {
            (Some(number), _) => Some(number).filter(|_| value.as_i64().is_some()),
            // Written with a fraction of zero it is whole as well; beyond 2^53 that is open.
            (None, Some(number)) if number.abs() > 9e15 => {
                self.read.silent = true;
                None
            }
            (None, Some(number)) => (number >= 0.0 && number.fract() == 0.0).then(|| {
                let text = format!("{number:.0}");
                text.trim_start_matches('-').parse().unwrap_or_default()
            }),
            (None, None) => None,
        };
        if value.as_u64().is_some_and(|number| number > 9_000_000_000_000_000) {
            self.read.silent = true;
        }
        match number.filter(|number| (least..=greatest).contains(number)) {
            Some(number) => number,
            None => {
                self.fault(key.to_owned());
                absent
            }
        }
    }

    fn sort(&mut self) -> Vec<(String, bool)> {
        let named = |name: &str| {
            let known = match name {
                "createdDate" | "createdAt" => "createdAt",
                "updatedDate" | "updatedAt" => "updatedAt",
                "dueDate" | "ETA" => "dueDate",
                "priority" | "status" | "name" | "refId" => name,
                _ => return None,
            };
            Some(known.to_owned())
        };
        let mut keys = Vec::new();
        match self.value("sortBy") {
            None => {}
            Some(Value::String(text)) if text.is_empty() => {}
            Some(Value::String(text)) => match named(&text) {
                Some(name) => keys.push((name, true)),
                None => self.fault("sortBy".to_owned()),
            },
            Some(Value::Object(object)) => {
                for (name, direction) in &object {
                    match (named(name), direction.as_str()) {
                        (Some(name), Some("asc")) => keys.push((name, false)),
                        (Some(name), Some("desc")) => keys.push((name, true)),
                        _ => self.fault("sortBy".to_owned()),
                    }
                }
            }
            Some(_) => self.fault("sortBy".to_owned()),
        }
        keys
    }
}

/// Folds a word for a search: case, and the diacritics that these proofs use.
pub(super) fn plain(text: &str) -> String {
    text.to_lowercase().replace('é', "e").replace('ü', "u")
}
