//! An answer, and what must hold for every answer of its sort.

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::Value;

/// The statuses with their codes; contract section 10.
const CODES: [(u16, u16); 17] = [
    (400, 4003),
    (401, 4002),
    (403, 4010),
    (404, 4004),
    (405, 4005),
    (408, 4008),
    (409, 4009),
    (412, 4012),
    (413, 4013),
    (414, 4014),
    (415, 4015),
    (416, 4016),
    (422, 4022),
    (429, 4029),
    (431, 4031),
    (500, 5000),
    (503, 5003),
];

/// An answer that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl Answer {
    /// Gives the body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.bytes)))
    }

    /// Gives a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Gives the body of a success.
    pub fn document(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), Some("application/json"));
        self.json()
    }

    /// Gives the document of a 201 that says where it is.
    pub fn made(&self) -> Value {
        assert_eq!(self.status, 201, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), Some("application/json"));
        let made = self.json();
        let id = made["_id"].as_str().expect("what was made has an id");
        assert!(self.header("location").is_some_and(|location| location.ends_with(&format!("/{id}"))));
        made
    }

    /// Checks a refusal against contract section 10 and gives the fields at fault, `""` for none.
    pub fn refused(&self, status: u16) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{text}");
        let problem = self.json();
        assert_eq!(problem["status"], status, "{text}");
        for key in ["type", "title", "detail"] {
            assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {text}");
        }
        let retries = matches!(status, 429 | 503);
        assert_eq!(self.header("retry-after").is_some(), retries, "{text}");
        let errors = problem["errors"].as_array().unwrap();
        assert!(!errors.is_empty(), "{text}");
        let own = CODES.iter().find(|(of, _)| *of == status).unwrap().1;
        let mut fields = Vec::new();
        for error in errors {
            assert!(error["msg"].as_str().is_some_and(|text| !text.is_empty()), "{text}");
            let code = error["code"].as_u64().unwrap();
            let is_neighbour = status == 400 && code == 4022;
            assert!(code == u64::from(own) || is_neighbour, "{text}");
            fields.push(error.get("field").map_or("", |field| field.as_str().unwrap()).to_owned());
        }
        fields
    }
}
