//! The bodies of createTask and updateTask.

use casement_domain::fault::Key;
use casement_domain::task::create::CreateTask;
use casement_domain::task::update::UpdateTask;
use serde_json::{Map, Value};

use crate::item::{read_item, read_update};
use crate::reader::Reader;
use crate::spelling::Noun;

/// Reads the body of createTask; contract section 8.
pub fn read_create(object: &Map<String, Value>) -> CreateTask {
    let mut reader = Reader::new(object, Noun::Task);
    CreateTask {
        case: reader.string(Key::CaseOfTask),
        case_reference: reader.string(Key::CaseReference),
        template: reader.string(Key::Template),
        item: read_item(&mut reader),
        email: reader.string(Key::Email),
        phone: reader.string(Key::Phone),
        faults: reader.faults,
    }
}

/// Reads the body of updateTask; contract section 9.
pub fn read_update_task(object: &Map<String, Value>) -> UpdateTask {
    let mut reader = Reader::new(object, Noun::Task);
    let mut input = read_update(&mut reader);
    input.identity.case = reader.string(Key::CaseOfTask);
    input.identity.case_reference = reader.string(Key::CaseReference);
    UpdateTask {
        template: reader.string(Key::Template),
        template_alias: reader.string(Key::CaseTemplateOfTask),
        input,
        faults: reader.faults,
    }
}
