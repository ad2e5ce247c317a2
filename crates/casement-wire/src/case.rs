//! The bodies of createCase and updateCase.

use casement_domain::case::create::CreateCase;
use casement_domain::case::update::UpdateCase;
use casement_domain::fault::Key;
use serde_json::{Map, Value};

use crate::item::{read_item, read_update};
use crate::reader::Reader;
use crate::spelling::Noun;

/// Reads the body of createCase; contract section 5. `language` is what the request's headers say.
pub fn read_create(object: &Map<String, Value>, language: Option<&str>) -> CreateCase {
    let mut reader = Reader::new(object, Noun::Case);
    CreateCase {
        template: reader.string(Key::Template),
        item: read_item(&mut reader),
        email: reader.string(Key::Email),
        phone: reader.string(Key::Phone),
        language: reader.string(Key::Language),
        language_of_headers: language.map(str::to_owned),
        faults: reader.faults,
    }
}

/// Reads the body of updateCase; contract section 9.
pub fn read_update_case(object: &Map<String, Value>) -> UpdateCase {
    let mut reader = Reader::new(object, Noun::Case);
    UpdateCase {
        template: reader.string(Key::Template),
        language: reader.string(Key::Language),
        input: read_update(&mut reader),
        faults: reader.faults,
    }
}
