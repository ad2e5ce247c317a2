//! Query parameters: each once, read strictly, all faults at once.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::Uri;
use casement_domain::date::{DateInput, Moment, Zone};
use casement_wire::error::{ErrorKind, Problem};
use casement_wire::json::JsonFault;

use crate::answer::Refusal;

/// The parameters of a request, and what was wrong with those that were asked for.
#[derive(Debug)]
pub struct Parameters {
    given: BTreeMap<String, String>,
    faults: Vec<JsonFault>,
}

impl Parameters {
    /// Takes the query of an address.
    ///
    /// # Errors
    /// It is no form encoding of UTF-8, or a parameter stands twice.
    pub fn of(uri: &Uri) -> Result<Self, Refusal> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Refusal::new(ErrorKind::Invalid, "the query is no form encoding of UTF-8", None))?;
        let mut given = BTreeMap::new();
        for (key, value) in pairs.0 {
            if given.contains_key(&key) {
                let detail = format!("{key}: the parameter stands twice");
                return Err(Refusal::new(ErrorKind::Invalid, &detail, Some(&key)));
            }
            given.insert(key, value);
        }
        Ok(Self { given, faults: Vec::new() })
    }

    /// Reads a moment: ISO 8601, or a date, which means its beginning in the zone.
    pub fn moment(&mut self, key: &'static str, zone: Zone) -> Option<Moment> {
        let text = self.given.get(key)?;
        let moment = DateInput::parse(text).and_then(|date| date.moment(zone));
        if moment.is_none() {
            self.fault(key, "must be a moment in ISO 8601".to_owned());
        }
        moment
    }

    /// Reads a whole number between two.
    pub fn number(&mut self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let text = self.given.get(key)?;
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| is_plain && (least..=most).contains(number));
        if number.is_none() {
            self.fault(key, format!("must be a whole number from {least} to {most}"));
        }
        number
    }

    /// Reads a text of 1 to so many characters.
    pub fn text(&mut self, key: &'static str, characters_max: usize) -> Option<String> {
        let text = self.given.get(key)?.clone();
        let is_usable = (1..=characters_max).contains(&text.chars().count());
        if !is_usable {
            self.fault(key, format!("must be 1 to {characters_max} characters long"));
        }
        is_usable.then_some(text)
    }

    /// Reads one of several words.
    pub fn one_of<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.given.get(key)?;
        let found = words.iter().find(|(word, _)| word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fault(key, format!("must be {}", words.join(" or ")));
        }
        found
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every fault that was found.
    pub fn end(self) -> Result<(), Refusal> {
        if self.faults.is_empty() { Ok(()) } else { Err(Refusal::of_problem(Problem::of_json(self.faults))) }
    }

    fn fault(&mut self, key: &str, message: String) {
        self.faults.push(JsonFault { path: Some(key.to_owned()), message });
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn read(query: &str) -> Result<(Option<u64>, Option<Moment>), Refusal> {
        let uri: Uri = format!("/cases?{query}").parse().unwrap();
        let mut parameters = Parameters::of(&uri)?;
        let read = (parameters.number("limit", 1, 100), parameters.moment("asOf", Zone::UTC));
        parameters.end().map(|()| read)
    }

    #[test]
    fn parameters_are_read_and_others_are_left() {
        assert_eq!(read("").unwrap(), (None, None));
        let (limit, as_of) = read("limit=5&asOf=2026-01-31T12%3A00%3A00Z&other=%20").unwrap();
        assert_eq!((limit, as_of.unwrap().iso().as_str()), (Some(5), "2026-01-31T12:00:00.000Z"));
    }

    #[tokio::test]
    async fn every_wrong_parameter_is_named() {
        for query in
            ["limit=0&asOf=soon", "limit=+5&asOf=", "limit=101&asOf=1e9", "limit=5.0&asOf=2026-13-01"]
        {
            let response = read(query).unwrap_err().into_response();
            assert_eq!(response.status(), 400, "{query}");
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let fields: Vec<&str> = body["errors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|fault| fault["field"].as_str().unwrap())
                .collect();
            assert_eq!(fields, ["limit", "asOf"], "{query}");
        }
        assert!(read("limit=1&limit=1").is_err() && read("asOf=%FF").is_err());
    }
}
