//! Custom fields: each format with each of its rules, on create and update.

use casement_domain::case::create::CreateCase;
use casement_domain::case::update::UpdateCase;
use casement_domain::fault::{Fault, FaultKind, Faults, Key};
use casement_domain::given::Given;
use casement_domain::id::{CaseTemplateId, FieldId};
use casement_domain::item::input::FieldInput;
use casement_domain::version::Versioned;
use casement_domain::workspace::field::Field;
use casement_domain::workspace::template::CaseTemplate;
use casement_domain::workspace::{Reference, Workspace};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::*;

/// A custom field as it is stored, with some keys set.
fn field(keys: &Value) -> Field {
    let mut body = json!({"id": "fd-x", "name": "Field", "key": "field", "role": "custom", "description": "",
        "placeholder": "", "tooltip": "", "read_only": false, "required": false, "shown": true, "enabled": true,
        "active": true});
    for (key, value) in keys.as_object().unwrap() {
        body[key] = value.clone();
    }
    serde_json::from_value(body).unwrap()
}

/// The workspace with one more field that every case shows.
fn with(field: Field) -> Workspace {
    let mut workspace = workspace();
    for template in &mut workspace.case_templates {
        template.fields.push(field.id.clone());
    }
    workspace.fields.push(field);
    workspace
}

fn entries(value: Given<Value>) -> Given<Vec<FieldInput>> {
    Given::Value(vec![FieldInput { field: Reference::Id("fd-x".to_owned()), value }])
}

fn creating(value: Given<Value>) -> CreateCase {
    let mut command = create();
    command.item.fields = entries(value);
    command
}

fn updating(value: Given<Value>) -> UpdateCase {
    let mut command = UpdateCase::default();
    command.input.item.fields = entries(value);
    command
}

fn value_of(case: &casement_domain::case::Case) -> Option<Value> {
    case.item.field_values.get(&FieldId::from_text("fd-x")).cloned()
}

/// The value of a new case, or the faults.
fn created(keys: &Value, value: &Value) -> Result<Option<Value>, Faults> {
    let change = decide_create(&with(field(keys)), &creating(Given::Value(value.clone())))?;
    Ok(value_of(&made_case(&change)))
}

/// A stored case with a value of the field, put there whatever the rules say.
fn stored_with(workspace: &Workspace, value: Option<Value>) -> Versioned<casement_domain::case::Case> {
    let mut lenient = workspace.clone();
    lenient.fields.retain(|field| field.id.as_str() != "fd-x");
    let mut case = stored_case(&lenient);
    case.value.item.field_values.extend(value.map(|value| (FieldId::from_text("fd-x"), value)));
    case
}

/// The value after an update of a case that has `stored`, or the faults.
fn updated(keys: &Value, stored: Option<Value>, given: Given<Value>) -> Result<Option<Value>, Faults> {
    let workspace = with(field(keys));
    let before = stored_with(&workspace, stored);
    let change = decide_update(&workspace, &before, &updating(given), &[])?;
    Ok(change.map_or_else(|| value_of(&before.value), |change| value_of(&made_case(&change))))
}

fn kinds(faults: &Faults) -> Vec<FaultKind> {
    faults.list().iter().map(|fault| fault.kind).collect()
}

fn only(faults: &Faults) -> &Fault {
    assert_eq!(faults.list().len(), 1, "{faults:?}");
    &faults.list()[0]
}

/// A format with its rules: values that it takes, with what is kept of them; values that break a rule; and values of
/// another type.
type Format = (Value, Vec<(Value, Value)>, Vec<Value>, Vec<Value>);

fn formats() -> Vec<Format> {
    let same = |values: &[Value]| values.iter().map(|value| (value.clone(), value.clone())).collect();
    let text =
        |format: &str| json!({"format": format, "length_min": 2, "length_max": 4, "pattern": "[a-zé]*"});
    let texts = || same(&[json!("ab"), json!("éééé")]);
    let no_texts = || vec![json!("a"), json!("abcde"), json!("ab1"), json!("ab\n")];
    let no_strings = || vec![json!(1), json!(true), json!(["ab"]), json!({"a": 1})];
    let options = json!([{"name": "Red", "active": true}, {"name": "Blue", "active": true}, {"name": "Old", "active": false}]);
    let choice = |format: &str| json!({"format": format, "options": options});
    vec![
        (text("input"), texts(), no_texts(), no_strings()),
        (text("textarea"), texts(), no_texts(), no_strings()),
        (
            json!({"format": "number", "min": -1.5, "max": 100, "decimals": 2}),
            vec![
                (json!(0), json!(0)),
                (json!(-1.5), json!(-1.5)),
                (json!(100.0), json!(100)),
                (json!(0.25), json!(0.25)),
                (json!(-0.0), json!(0)),
            ],
            vec![json!(-1.51), json!(100.01), json!(1e300), json!(0.001), json!(1e-7), json!(u64::MAX)],
            vec![json!("1"), json!(true), json!([1]), json!({}), json!("")],
        ),
        (
            json!({"format": "number", "decimals": 0}),
            vec![(json!(5), json!(5)), (json!(5.0), json!(5)), (json!(i64::MIN), json!(i64::MIN))],
            vec![json!(5.5), json!(1e-9)],
            vec![json!("5")],
        ),
        (
            choice("dropdown"),
            same(&[json!("Red"), json!("Blue")]),
            vec![json!("Old"), json!("red"), json!("Green")],
            vec![json!(1), json!(["Red"])],
        ),
        (choice("radio"), same(&[json!("Red")]), vec![json!("Old"), json!("Green")], vec![json!(false)]),
        (
            json!({"format": "multi-select", "options": options, "count_min": 1, "count_max": 2}),
            same(&[json!(["Red"]), json!(["Blue", "Red"])]),
            vec![json!(["Green"]), json!(["Old"]), json!(["Red", "Red"]), json!(["Red", "Blue", "Old"])],
            vec![json!("Red"), json!([1]), json!([["Red"]]), json!({})],
        ),
        (
            json!({"format": "checkbox"}),
            same(&[json!(true), json!(false)]),
            vec![],
            vec![json!("true"), json!(1), json!([true]), json!("")],
        ),
        (
            json!({"format": "phone"}),
            same(&[json!("112"), json!("+49 (30) 123-45.67/8"), json!("9023980000")]),
            vec![json!("12"), json!("1234567890123456"), json!("12a4"), json!("1+234"), json!("+ + 123")],
            no_strings(),
        ),
        (
            json!({"format": "email", "pattern": ".*@example\\.com"}),
            same(&[json!("john.doe+x@example.com"), json!("\"a b\"@example.com")]),
            vec![
                json!("john"),
                json!("john@"),
                json!("@example.com"),
                json!("a b@example.com"),
                json!("a@b.org"),
            ],
            no_strings(),
        ),
        (
            json!({"format": "email"}),
            same(&[json!("j@münchen.de")]),
            vec![
                json!("john@localhost"),
                json!("J <j@example.com>"),
                json!("j@[127.0.0.1]"),
                json!("j@a..b"),
            ],
            no_strings(),
        ),
        (
            json!({"format": "url"}),
            same(&[
                json!("https://example.com/a?b=c#d"),
                json!("HTTP://user@example.com:8080"),
                json!("http://[::1]/"),
                json!("https://münchen.de"),
            ]),
            vec![
                json!("ftp://example.com"),
                json!("javascript:alert(1)"),
                json!("example.com"),
                json!("http://"),
                json!("http:///example.com"),
                json!("https:example.com"),
                json!("https:\\\\example.com"),
                json!(" https://example.com"),
                json!("https://exa mple.com"),
                json!("https://example.com:99999"),
            ],
            no_strings(),
        ),
        (
            json!({"format": "date-time", "first": 0, "last": 4_102_444_800_000_i64}),
            vec![
                (json!("2025-05-29T09:33:00+05:30"), json!("2025-05-29T04:03:00.000Z")),
                (json!("2025-05-29"), json!("2025-05-29T00:00:00.000Z")),
                (json!(1_748_491_380_000_i64), json!("2025-05-29T04:03:00.000Z")),
                (json!("1970-01-01T00:00:00.0009Z"), json!("1970-01-01T00:00:00.000Z")),
            ],
            vec![
                json!("1969-12-31"),
                json!("2100-01-02"),
                json!("tomorrow"),
                json!(1.5),
                json!("0000-01-01"),
            ],
            vec![json!(true), json!(["2025-05-29"]), json!({})],
        ),
    ]
}

#[test]
fn each_format_takes_its_values_and_keeps_them_in_one_spelling() {
    for (keys, taken, _, _) in formats() {
        for (value, kept) in taken {
            assert_eq!(created(&keys, &value), Ok(Some(kept.clone())), "{keys} {value}");
            assert_eq!(updated(&keys, None, Given::Value(value.clone())), Ok(Some(kept)), "{keys} {value}");
        }
    }
}

#[test]
fn a_value_that_breaks_a_rule_is_a_422_that_names_the_field() {
    for (keys, _, broken, _) in formats() {
        for value in broken {
            let outcomes = [created(&keys, &value), updated(&keys, None, Given::Value(value.clone()))];
            for outcome in outcomes {
                let faults = outcome.expect_err(&format!("{keys} {value}"));
                for fault in faults.list() {
                    let place = (fault.kind, fault.key, fault.index);
                    assert_eq!(place, (FaultKind::Unprocessable, Key::Fields, Some(0)), "{keys} {value}");
                    assert!(fault.message.starts_with("the field \"Field\" "), "{}", fault.message);
                }
            }
        }
    }
}

#[test]
fn a_value_of_another_type_is_a_400_that_names_the_field() {
    for (keys, _, _, wrong) in formats() {
        for value in wrong {
            let outcomes = [created(&keys, &value), updated(&keys, None, Given::Value(value.clone()))];
            for outcome in outcomes {
                let faults = outcome.expect_err(&format!("{keys} {value}"));
                let fault = only(&faults);
                let place = (fault.kind, fault.key, fault.index);
                assert_eq!(place, (FaultKind::Invalid, Key::Fields, Some(0)), "{keys} {value}");
                assert!(fault.message.contains("\"Field\" must be"), "{}", fault.message);
            }
        }
    }
}

#[test]
fn every_rule_that_a_value_breaks_is_told_at_once() {
    let keys = json!({"format": "email", "length_max": 3, "pattern": "x+"});
    let faults = created(&keys, &json!("nobody")).unwrap_err();
    assert_eq!(kinds(&faults), [FaultKind::Unprocessable; 3]);
    let both = json!({"format": "multi-select", "count_max": 1, "options": []});
    assert_eq!(created(&both, &json!(["a", "b", "b"])).unwrap_err().list().len(), 4);
}

#[test]
fn a_rule_may_have_a_message_of_its_own() {
    let keys = json!({"format": "input", "length_max": 3, "pattern": "[a-z]*",
        "messages": {"pattern": "Only small letters, please"}});
    let faults = created(&keys, &json!("ABCD")).unwrap_err();
    let messages: Vec<&str> = faults.list().iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the field \"Field\" must be at most 3 characters long",
            "the field \"Field\": Only small letters, please",
        ]
    );
    let required =
        json!({"format": "checkbox", "required": true, "messages": {"required": "Accept the terms"}});
    let faults = created(&required, &json!(false)).unwrap_err();
    assert_eq!(only(&faults).message, "the field \"Field\": Accept the terms");
}

#[test]
fn what_is_empty_is_no_value() {
    for (keys, value) in [
        (json!({"format": "input", "length_min": 3}), json!("")),
        (json!({"format": "email"}), json!("")),
        (json!({"format": "dropdown", "options": []}), json!("")),
        (json!({"format": "multi-select", "options": [], "count_min": 2}), json!([])),
        (json!({"format": "date-time", "first": 0}), json!("")),
    ] {
        assert_eq!(created(&keys, &value), Ok(None), "{keys}");
        assert_eq!(updated(&keys, Some(json!("kept")), Given::Value(value)), Ok(None), "{keys}");
        assert_eq!(updated(&keys, Some(json!("kept")), Given::Null), Ok(None), "{keys}");
        assert_eq!(updated(&keys, Some(json!("kept")), Given::Absent), Ok(Some(json!("kept"))), "{keys}");
    }
}

#[test]
fn a_required_field_needs_a_value_on_create_and_keeps_one_on_update() {
    let text = json!({"format": "input", "required": true});
    let workspace = with(field(&text));
    let asked = [(FaultKind::Unprocessable, Key::Fields, None)];
    assert_eq!(faults_of(decide_create(&workspace, &create())), asked);
    for none in [Given::Absent, Given::Null, Given::Value(json!(""))] {
        assert_eq!(faults_of(decide_create(&workspace, &creating(none))), asked);
    }
    assert_eq!(created(&text, &json!("a")), Ok(Some(json!("a"))));
    for none in [Given::Null, Given::Value(json!(""))] {
        let faults = updated(&text, Some(json!("a")), none).unwrap_err();
        assert_eq!(only(&faults).message, "the field \"Field\" is required");
        assert_eq!(kinds(&faults), [FaultKind::Unprocessable]);
    }
}

#[test]
fn a_required_field_with_a_wrong_value_has_one_fault() {
    let faults = created(&json!({"format": "input", "required": true}), &json!(1)).unwrap_err();
    assert_eq!(kinds(&faults), [FaultKind::Invalid]);
}

#[test]
fn a_required_checkbox_must_be_true() {
    let keys = json!({"format": "checkbox", "required": true});
    assert_eq!(created(&keys, &json!(true)), Ok(Some(json!(true))));
    assert_eq!(only(&created(&keys, &json!(false)).unwrap_err()).message, "the field \"Field\" must be true");
    let faults = updated(&keys, Some(json!(true)), Given::Value(json!(false))).unwrap_err();
    assert_eq!(kinds(&faults), [FaultKind::Unprocessable]);
    assert_eq!(faults_of(decide_create(&with(field(&keys)), &create())).len(), 1);
}

#[test]
fn a_default_fills_a_new_document_unless_the_request_says_something() {
    let keys = json!({"format": "number", "default": 5});
    let workspace = with(field(&keys));
    for none in [Given::Absent, Given::Null] {
        let change = decide_create(&workspace, &creating(none)).unwrap();
        assert_eq!(value_of(&made_case(&change)), Some(json!(5)));
    }
    assert_eq!(created(&keys, &json!(7)), Ok(Some(json!(7))));
    let text = json!({"format": "input", "default": "a"});
    assert_eq!(created(&text, &json!("")), Ok(None), "emptied on purpose");
    let required = json!({"format": "input", "default": "a", "required": true});
    let change = decide_create(&with(field(&required)), &create()).unwrap();
    assert_eq!(value_of(&made_case(&change)), Some(json!("a")));
    assert_eq!(updated(&text, None, Given::Absent), Ok(None), "only new documents get defaults");
}

#[test]
fn requests_can_not_set_a_read_only_field() {
    let keys = json!({"format": "input", "read_only": true, "default": "a"});
    let refused = |outcome: Result<Option<Value>, Faults>| {
        let faults = outcome.unwrap_err();
        assert_eq!(only(&faults).message, "the field \"Field\" is read-only");
        assert_eq!(kinds(&faults), [FaultKind::Unprocessable]);
    };
    refused(created(&keys, &json!("b")));
    refused(updated(&keys, Some(json!("a")), Given::Value(json!("b"))));
    refused(updated(&keys, Some(json!("a")), Given::Null));
    refused(updated(&keys, None, Given::Value(json!("a"))));
    assert_eq!(created(&keys, &json!("a")), Ok(Some(json!("a"))));
    assert_eq!(updated(&keys, Some(json!("b")), Given::Value(json!("b"))), Ok(Some(json!("b"))));
    assert_eq!(updated(&keys, None, Given::Null), Ok(None));
}

#[test]
fn a_field_that_is_switched_off_or_deleted_keeps_its_value_and_takes_no_new_one() {
    for key in ["enabled", "active"] {
        let mut keys = json!({"format": "input", "required": true, "default": "d"});
        keys[key] = json!(false);
        let workspace = with(field(&keys));
        let change = decide_create(&workspace, &create()).unwrap();
        assert_eq!(value_of(&made_case(&change)), None, "it asks for nothing and has no default");
        let faults = updated(&keys, Some(json!("a")), Given::Value(json!("b"))).unwrap_err();
        assert_eq!(only(&faults).message, "the field \"Field\" is switched off");
        assert_eq!(kinds(&faults), [FaultKind::Unprocessable]);
        assert_eq!(updated(&keys, Some(json!("a")), Given::Value(json!("a"))), Ok(Some(json!("a"))));
        assert_eq!(updated(&keys, Some(json!("a")), Given::Null), Ok(None), "what is there may be cleared");
    }
}

#[test]
fn an_option_that_is_switched_off_stays_where_it_is_chosen() {
    let options = json!([{"name": "Red", "active": true}, {"name": "Old", "active": false}]);
    let one = json!({"format": "dropdown", "options": options});
    assert_eq!(updated(&one, Some(json!("Old")), Given::Value(json!("Old"))), Ok(Some(json!("Old"))));
    assert!(updated(&one, Some(json!("Red")), Given::Value(json!("Old"))).is_err());
    let some = json!({"format": "multi-select", "options": options});
    let more = json!(["Red", "Old"]);
    assert_eq!(updated(&some, Some(json!(["Old"])), Given::Value(more.clone())), Ok(Some(more.clone())));
    assert!(updated(&some, Some(json!(["Red"])), Given::Value(more)).is_err());
}

#[test]
fn rules_that_came_later_do_not_stand_in_the_way_of_what_is_stored() {
    for (keys, _, broken, wrong) in formats() {
        for value in broken.into_iter().chain(wrong) {
            let again = updated(&keys, Some(value.clone()), Given::Value(value.clone()));
            assert_eq!(again, Ok(Some(value.clone())), "{keys} {value}");
            let workspace = with(field(&keys));
            let mut command = UpdateCase::default();
            command.input.item.name = given("Another name");
            let before = stored_with(&workspace, Some(value));
            assert_eq!(faults_of(decide_update(&workspace, &before, &command, &[])), [], "{keys}");
        }
    }
    let required = with(field(&json!({"format": "input", "required": true, "length_min": 3})));
    let mut command = UpdateCase::default();
    command.input.item.name = given("Another name");
    assert_eq!(faults_of(decide_update(&required, &stored_with(&required, None), &command, &[])), []);
}

#[test]
fn a_date_that_says_the_stored_instant_changes_nothing() {
    let keys = json!({"format": "date-time", "read_only": true});
    let stored = Some(json!("2025-05-29T04:03:00.000Z"));
    for same in [json!("2025-05-29T09:33+05:30"), json!(1_748_491_380_000_i64)] {
        assert_eq!(updated(&keys, stored.clone(), Given::Value(same)), Ok(stored.clone()));
    }
}

#[test]
fn a_template_that_an_update_sets_brings_its_defaults_and_asks_for_its_required_fields() {
    let mut workspace = workspace();
    let mut own = |id: &str, keys: &Value| {
        let mut own = field(keys);
        own.id = FieldId::from_text(id);
        own.name = id.to_owned();
        workspace.fields.push(own.clone());
        own.id
    };
    let defaulted = own("fd-defaulted", &json!({"format": "number", "default": 5}));
    let asked = own("fd-asked", &json!({"format": "input", "required": true}));
    let template = CaseTemplate {
        id: CaseTemplateId::from_text("ctm-asking"),
        name: "Asking".to_owned(),
        fields: vec![defaulted.clone(), asked.clone()],
        ..workspace.case_templates[0].clone()
    };
    workspace.case_templates.push(template);
    let before = stored_case(&workspace);
    let mut command = UpdateCase { template: given("Asking"), ..UpdateCase::default() };
    assert_eq!(
        faults_of(decide_update(&workspace, &before, &command, &[])),
        [(FaultKind::Unprocessable, Key::Fields, None)]
    );
    let entry = FieldInput { field: Reference::Id("fd-asked".to_owned()), value: Given::Value(json!("a")) };
    command.input.item.fields = Given::Value(vec![entry]);
    let after = made_case(&decide_update(&workspace, &before, &command, &[]).unwrap().unwrap());
    let values: Vec<_> = [&defaulted, &asked].map(|id| after.item.field_values[id].clone()).to_vec();
    assert_eq!(values, [json!(5), json!("a")]);
}

#[test]
fn a_task_that_comes_with_its_case_has_the_defaults_and_is_asked_for_nothing() {
    let mut workspace = workspace();
    let mut add = |id: &str, keys: &Value| {
        let mut own = field(keys);
        own.id = FieldId::from_text(id);
        workspace.task_templates[0].fields.push(own.id.clone());
        workspace.fields.push(own);
    };
    add("fd-defaulted", &json!({"format": "checkbox", "default": false}));
    add("fd-asked", &json!({"format": "input", "required": true}));
    let mut command = create();
    command.template = given("Planned");
    let tasks = made_tasks(&decide_create(&workspace, &command).unwrap());
    let values: Vec<_> = tasks[0].item.field_values.iter().map(|(id, value)| (id.as_str(), value)).collect();
    assert_eq!(values, [("fd-defaulted", &json!(false))]);
    let case = stored_case(&workspace);
    let faults = faults_of(decide_create_task(&workspace, Some(&case), &create_for(&case)));
    assert_eq!(faults, [(FaultKind::Unprocessable, Key::Fields, None)]);
}

proptest! {
    #[test]
    fn what_is_kept_of_a_number_is_taken_again_as_it_is(number in any::<f64>().prop_filter("JSON", |n| n.is_finite())) {
        let keys = json!({"format": "number"});
        let kept = created(&keys, &json!(number)).unwrap().unwrap();
        prop_assert_eq!(kept.as_f64(), Some(number));
        prop_assert_eq!(created(&keys, &kept), Ok(Some(kept.clone())));
    }

    #[test]
    fn digits_behind_the_point_are_counted_as_they_are_written(whole in 0_u32..1000, digits in "[0-9]{0,6}[1-9]") {
        let number: Value = serde_json::from_str(&format!("{whole}.{digits}")).unwrap();
        let length = digits.len() as u32;
        let rule = |decimals: u32| json!({"format": "number", "decimals": decimals});
        prop_assert!(created(&rule(length), &number).is_ok());
        prop_assert!(created(&rule(length - 1), &number).is_err());
    }

    #[test]
    fn no_text_is_too_odd_for_any_format(text in "\\PC{0,40}|.{0,10}") {
        for format in ["input", "phone", "email", "url", "date-time", "number", "checkbox"] {
            if let Err(faults) = created(&json!({"format": format, "pattern": "a*"}), &json!(text)) {
                prop_assert!(!faults.is_empty());
            }
        }
    }
}
