//! Creating a case; contract sections 3, 5 and 11.

use casement_domain::actor::Actor;
use casement_domain::case::create::CreateCase;
use casement_domain::customer::{Customer, Found};
use casement_domain::fault::{FaultKind, Key};
use casement_domain::given::Given;
use casement_domain::id::{AgentId, QueueId, UserId};
use casement_domain::item::AssigneeKind;
use casement_domain::item::input::{AssigneeInput, FieldInput};
use casement_domain::version::Versioned;
use casement_domain::workspace::Reference;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{
    NOW, app_actor, at, create, customer, decide_create, decide_create_as, faults_of, given, invalid,
    made_case, made_customer, made_tasks, named, workspace,
};

fn gap<T>(null: bool) -> Given<T> {
    if null { Given::Null } else { Given::Absent }
}

/// Takes one required key away; `null` says how.
type Removal = (Key, fn(&mut CreateCase, bool));

type Change = fn(&mut CreateCase);
type SetText = fn(&mut CreateCase, String);
type SetTexts = fn(&mut CreateCase, Vec<String>);

const REQUIRED: [Removal; 6] = [
    (Key::Template, |command, null| command.template = gap(null)),
    (Key::Name, |command, null| command.item.name = gap(null)),
    (Key::Description, |command, null| command.item.description = gap(null)),
    (Key::Customer, |command, null| command.item.customer = gap(null)),
    (Key::Source, |command, null| command.item.source = gap(null)),
    (Key::DueDate, |command, null| command.item.due = gap(null)),
];

#[test]
fn the_command_of_these_tests_is_without_fault() {
    assert_eq!(faults_of(decide_create(&workspace(), &create())), []);
}

#[test]
fn each_required_key_that_is_missing_or_null_is_one_fault() {
    for (key, remove) in REQUIRED {
        for null in [false, true] {
            let mut command = create();
            remove(&mut command, null);
            assert_eq!(
                faults_of(decide_create(&workspace(), &command)),
                invalid(key),
                "{key:?}, null: {null}"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_set_of_missing_keys_is_told_at_once_and_none_twice(missing in prop::collection::vec(any::<bool>(), 6)) {
        let mut command = create();
        let mut expected = Vec::new();
        for ((key, remove), missing) in REQUIRED.iter().zip(missing) {
            if missing {
                remove(&mut command, false);
                expected.extend(invalid(*key));
            }
        }
        expected.sort_unstable();
        prop_assert_eq!(faults_of(decide_create(&workspace(), &command)), expected);
    }
}

#[test]
fn a_key_that_was_unreadable_is_not_reported_as_missing_too() {
    let rows: [(Key, Change); 9] = [
        (Key::Template, |command| command.template = Given::Invalid),
        (Key::Name, |command| command.item.name = Given::Invalid),
        (Key::Description, |command| command.item.description = Given::Invalid),
        (Key::Customer, |command| command.item.customer = Given::Invalid),
        (Key::Source, |command| command.item.source = Given::Invalid),
        (Key::DueDate, |command| command.item.due = Given::Invalid),
        (Key::Eta, |command| {
            command.item.due = Given::Absent;
            command.item.eta = Given::Invalid;
        }),
        (Key::Email, |command| {
            command.item.customer = Given::Value(customer(None, "John", "", ""));
            command.email = Given::Invalid;
        }),
        (Key::Phone, |command| {
            command.item.customer = Given::Value(customer(None, "John", "", ""));
            command.phone = Given::Invalid;
        }),
    ];
    for (key, break_it) in rows {
        let mut command = create();
        break_it(&mut command);
        command.faults.invalid(key, "must be something else");
        assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(key), "{key:?}");
    }
}

#[test]
fn faults_of_every_part_are_told_together_also_without_a_template() {
    let mut command = create();
    command.template = given("Nothing");
    command.item.name = given("  ");
    command.item.status = named("Nothing");
    command.item.priority = named("Nothing");
    command.item.queues =
        Given::Value(vec![Reference::Name("default".to_owned()), Reference::Name("Nothing".to_owned())]);
    command.item.assignee = Given::Value(Some(AssigneeInput::Name("Nobody".to_owned())));
    command.item.fields = Given::Value(vec![FieldInput {
        field: Reference::Name("Nothing".to_owned()),
        value: Given::Value(json!(1)),
    }]);
    command.language = given("");
    let mut expected: Vec<_> =
        [Key::Template, Key::Name, Key::Status, Key::Priority, Key::Language, Key::Assignee]
            .into_iter()
            .flat_map(invalid)
            .collect();
    expected.push((FaultKind::Invalid, Key::Queues, Some(1)));
    expected.push((FaultKind::Invalid, Key::Fields, Some(0)));
    expected.sort_unstable();
    assert_eq!(faults_of(decide_create(&workspace(), &command)), expected);
}

#[test]
fn an_unknown_template_says_nothing_about_the_custom_fields() {
    let mut command = create();
    command.template = given("Nothing");
    command.item.fields = Given::Value(vec![FieldInput {
        field: Reference::Name("Colour".to_owned()),
        value: Given::Value(json!("red")),
    }]);
    assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(Key::Template));
}

#[test]
fn texts_are_taken_up_to_their_limit_and_refused_one_past_it() {
    let long = |count: usize| "é".repeat(count);
    let rows: [(Key, usize, usize, SetText); 10] = [
        (Key::Name, 1, 512, |command, text| command.item.name = Given::Value(text)),
        (Key::Source, 1, 128, |command, text| command.item.source = Given::Value(text)),
        (Key::Language, 1, 64, |command, text| command.language = Given::Value(text)),
        (Key::CustomerName, 0, 512, |command, text| {
            command.item.customer = Given::Value(customer(Some("u-1"), &text, "", ""));
        }),
        (Key::CustomerEmail, 1, 320, |command, text| {
            command.item.customer = Given::Value(customer(None, "", &text, "1"));
        }),
        (Key::CustomerPhone, 1, 64, |command, text| {
            command.item.customer = Given::Value(customer(None, "", "e", &text));
        }),
        (Key::CustomerId, 1, 64, |command, text| {
            command.item.customer = Given::Value(customer(Some(&text), "", "", ""));
        }),
        (Key::Email, 1, 320, |command, text| {
            command.item.customer = Given::Value(customer(None, "", "", ""));
            command.email = Given::Value(text);
        }),
        (Key::Phone, 1, 64, |command, text| {
            command.item.customer = Given::Value(customer(None, "", "", ""));
            command.phone = Given::Value(text);
        }),
        (Key::Description, 0, 32 * 1024, |command, text| command.item.description = Given::Value(text)),
    ];
    for (key, least, most, set) in rows {
        let faults = |count: usize| {
            let mut command = create();
            set(&mut command, long(count));
            faults_of(decide_create(&workspace(), &command))
        };
        assert_eq!(faults(least), [], "{key:?} of {least}");
        assert_eq!(faults(most), [], "{key:?} of {most}");
        assert_eq!(faults(most + 1), invalid(key), "{key:?} of {}", most + 1);
    }
}

#[test]
fn empty_texts_are_refused_where_one_character_is_the_least() {
    for (key, set) in [
        (
            Key::Name,
            (|command: &mut CreateCase, text: &str| command.item.name = given(text)) as fn(&mut _, &str),
        ),
        (Key::Source, |command, text| command.item.source = given(text)),
        (Key::Language, |command, text| command.language = given(text)),
    ] {
        let mut command = create();
        set(&mut command, "");
        assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(key), "{key:?}");
    }
}

#[test]
fn a_name_is_stored_trimmed_and_counted_in_characters_after_trimming() {
    let mut command = create();
    command.item.name = Given::Value(format!("\u{2003}\t{}\u{a0}\n", "é".repeat(512)));
    let case = made_case(&decide_create(&workspace(), &command).unwrap());
    assert_eq!(case.item.name, "é".repeat(512));
    command.item.name = given("\u{2003}\u{85}");
    assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(Key::Name));
}

#[test]
fn lists_are_taken_up_to_their_limits() {
    let rows: [(Key, usize, SetTexts); 4] = [
        (Key::Tags, 64, |command, texts| command.item.tags = Given::Value(texts)),
        (Key::SessionIds, 128, |command, texts| command.item.session_ids = Given::Value(texts)),
        (Key::ConversationIds, 128, |command, texts| command.item.conversation_ids = Given::Value(texts)),
        (Key::Channels, 128, |command, texts| command.item.channels = Given::Value(texts)),
    ];
    for (key, most, set) in rows {
        let faults = |texts: Vec<String>| {
            let mut command = create();
            set(&mut command, texts);
            faults_of(decide_create(&workspace(), &command))
        };
        assert_eq!(faults(vec!["é".repeat(most); 100]), [], "{key:?}");
        assert_eq!(faults(vec!["x".to_owned(); 101]), invalid(key), "{key:?}");
        let wrong = faults(vec!["x".to_owned(), "é".repeat(most + 1), String::new()]);
        let expected = [(FaultKind::Invalid, key, Some(1)), (FaultKind::Invalid, key, Some(2))];
        assert_eq!(wrong, expected, "{key:?}");
    }
}

#[test]
fn a_template_is_named_by_id_or_by_its_exact_name() {
    let faults = |template: &str| {
        let mut command = create();
        command.template = given(template);
        faults_of(decide_create(&workspace(), &command))
    };
    assert_eq!(faults("ctm-general"), []);
    assert_eq!(faults("General"), []);
    for unknown in ["general", " General", "", "ctm-", "ttm-follow-up", "Follow-up"] {
        assert_eq!(faults(unknown), invalid(Key::Template), "{unknown:?}");
    }
    for switched_off in ["Off", "ctm-off"] {
        assert_eq!(faults(switched_off), [(FaultKind::Unprocessable, Key::Template, None)]);
    }
}

#[test]
fn a_new_case_has_the_defaults_of_the_contract() {
    let workspace = workspace();
    let case = made_case(&decide_create(&workspace, &create()).unwrap());
    let item = &case.item;
    assert_eq!(workspace.status(&item.status).unwrap().name, "Open");
    assert_eq!(workspace.priority(&item.priority).unwrap().name, "Medium");
    assert_eq!(item.assignment.kind(), AssigneeKind::Unassigned);
    assert_eq!(case.language, "en");
    assert!(item.active && !item.breached && case.supports_custom_tasks);
    assert_eq!((item.created_at, item.updated_at), (NOW, NOW));
    assert_eq!((&item.created_by, &item.updated_by), (&app_actor(), &app_actor()));
    assert!(item.tags.is_empty() && item.participants.is_empty() && case.tasks.is_empty());
}

#[test]
fn the_body_s_language_beats_the_headers_and_the_default() {
    let language = |body: Given<String>, headers: Option<&str>| {
        let mut command = create();
        command.language = body;
        command.language_of_headers = headers.map(str::to_owned);
        made_case(&decide_create(&workspace(), &command).unwrap()).language
    };
    assert_eq!(language(given("de"), Some("fr")), "de");
    assert_eq!(language(Given::Null, Some("fr")), "fr");
    assert_eq!(language(Given::Absent, Some("")), "en");
    assert_eq!(language(Given::Absent, None), "en");
}

#[test]
fn a_switched_off_status_is_unprocessable_and_an_unknown_one_invalid() {
    let mut command = create();
    command.item.status = named("retired");
    assert_eq!(
        faults_of(decide_create(&workspace(), &command)),
        [(FaultKind::Unprocessable, Key::Status, None)]
    );
    command.item.status = named("WAITING");
    let case = made_case(&decide_create(&workspace(), &command).unwrap());
    assert_eq!(case.item.status.as_str(), "sts-waiting");
    command.item.status = Given::Value(Reference::Id("Waiting".to_owned()));
    assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(Key::Status));
}

#[test]
fn the_template_assigns_when_the_request_does_not() {
    let ann =
        Actor { id: UserId::from_text("u-a"), name: "Ann Agent".to_owned(), image: "no-avatar".to_owned() };
    let rows = [
        ("General", &ann, None, vec![]),
        ("Queued", &ann, None, vec!["qu-r"]),
        ("Assigned", &ann, Some("a-b"), vec![]),
        ("Created", &ann, Some("a-a"), vec![]),
        ("Created", &app_actor(), None, vec![]),
    ];
    for (template, actor, agent, queues) in rows {
        let mut command = create();
        command.template = given(template);
        let change = decide_create_as(&workspace(), actor, &command, &Found::default()).unwrap();
        let item = made_case(&change).item;
        assert_eq!(item.assignment.agent, agent.map(AgentId::from_text), "{template}");
        assert_eq!(item.assignment.queues, queues.into_iter().map(QueueId::from_text).collect::<Vec<_>>());
        let turns: Vec<_> = item.participants.iter().map(|turn| (turn.agent.as_str(), turn.active)).collect();
        assert_eq!(turns, agent.map(|agent| (agent, true)).into_iter().collect::<Vec<_>>(), "{template}");
        assert!(item.participants.iter().all(|turn| turn.assigned_at == NOW));
    }
}

#[test]
fn what_the_request_assigns_beats_the_template() {
    let mut command = create();
    command.template = given("Assigned");
    command.item.assignee_kind = Given::Value(AssigneeKind::Unassigned);
    let item = made_case(&decide_create(&workspace(), &command).unwrap()).item;
    assert_eq!((item.assignment.kind(), item.participants.len()), (AssigneeKind::Unassigned, 0));
    command.item.assignee_kind = Given::Absent;
    command.item.queues = Given::Value(vec![Reference::Id("qu-q".to_owned())]);
    let item = made_case(&decide_create(&workspace(), &command).unwrap()).item;
    assert_eq!((item.assignment.kind(), item.participants.len()), (AssigneeKind::Queues, 0));
}

#[test]
fn null_assignment_keys_of_a_create_are_as_if_absent() {
    let mut command = create();
    command.template = given("Assigned");
    command.item.assignee = Given::Null;
    command.item.queues = Given::Null;
    command.item.assignee_kind = Given::Null;
    let item = made_case(&decide_create(&workspace(), &command).unwrap()).item;
    assert_eq!(item.assignment.agent, Some(AgentId::from_text("a-b")));
}

#[test]
fn an_agent_or_queue_that_is_switched_off_is_unknown_to_a_create() {
    let mut command = create();
    command.item.assignee = Given::Value(Some(AssigneeInput::Profile("a-o".to_owned())));
    assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(Key::Assignee));
    let mut command = create();
    command.item.queues = Given::Value(vec![Reference::Either("Gone".to_owned())]);
    assert_eq!(
        faults_of(decide_create(&workspace(), &command)),
        [(FaultKind::Invalid, Key::Queues, Some(0))]
    );
}

#[test]
fn an_unusable_agent_is_not_reported_as_a_missing_one() {
    let mut command = create();
    command.item.assignee_kind = Given::Value(AssigneeKind::Agent);
    command.item.assignee = Given::Value(Some(AssigneeInput::Profile("a-x".to_owned())));
    assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(Key::Assignee));
    let mut command = create();
    command.item.assignee_kind = Given::Value(AssigneeKind::Queues);
    command.item.queues = Given::Value(vec![Reference::Either("Nothing".to_owned())]);
    assert_eq!(
        faults_of(decide_create(&workspace(), &command)),
        [(FaultKind::Invalid, Key::Queues, Some(0))]
    );
}

#[test]
fn the_template_s_due_date_is_taken_when_the_request_has_none() {
    let mut command = create();
    command.template = given("Prompt");
    command.item.due = Given::Absent;
    let item = made_case(&decide_create(&workspace(), &command).unwrap()).item;
    assert_eq!(item.due, Some(NOW.plus_ms(86_400_000)));
    command.item.due = at(NOW);
    let item = made_case(&decide_create(&workspace(), &command).unwrap()).item;
    assert_eq!(item.due, Some(NOW));
}

#[test]
fn the_due_date_is_taken_in_any_of_its_spellings_and_must_not_disagree() {
    let later = NOW.plus_ms(1);
    let mut command = create();
    command.item.due = Given::Absent;
    command.item.eta = Given::Value(Some(casement_domain::date::DateInput::Instant(later)));
    assert_eq!(made_case(&decide_create(&workspace(), &command).unwrap()).item.due, Some(later));
    command.item.due = at(NOW);
    assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(Key::DueDate));
    command.item.eta = Given::Absent;
    command.item.due = Given::Absent;
    command.item.fields = Given::Value(vec![FieldInput {
        field: Reference::Name("due date".to_owned()),
        value: Given::Value(json!("2025-05-29T12:00:00.001Z")),
    }]);
    assert_eq!(made_case(&decide_create(&workspace(), &command).unwrap()).item.due, Some(later));
}

#[test]
fn a_case_that_is_past_due_is_breached_at_once_unless_it_is_resolved() {
    let rows = [("Open", -1, true), ("Open", 0, false), ("Open", 1, false), ("Waiting", -1, true)];
    for (status, offset_ms, breached) in
        rows.into_iter().chain([("Resolved", -1, false), ("Closed", -1, false)])
    {
        let mut command = create();
        command.item.due = at(NOW.plus_ms(offset_ms));
        command.item.status = named(status);
        let item = made_case(&decide_create(&workspace(), &command).unwrap()).item;
        assert_eq!(item.breached, breached, "{status} due {offset_ms} ms after now");
    }
}

#[test]
fn a_case_is_made_with_its_template_s_active_tasks_in_order() {
    let workspace = workspace();
    let mut command = create();
    command.template = given("Planned");
    command.item.source = given("voice");
    let change = decide_create(&workspace, &command).unwrap();
    let (case, tasks) = (made_case(&change), made_tasks(&change));
    let names: Vec<&str> = tasks.iter().map(|task| task.item.name.as_str()).collect();
    assert_eq!(names, ["Follow-up", "Call"]);
    assert_eq!(case.tasks, tasks.iter().map(|task| task.id.clone()).collect::<Vec<_>>());
    for task in &tasks {
        assert_eq!((&task.case, &task.item.customer), (&case.id, &case.item.customer));
        assert_eq!((task.item.source.as_str(), task.item.created_at), ("voice", NOW));
    }
    assert_eq!(tasks[1].item.due, Some(NOW.plus_ms(60_000)));
    assert_eq!(tasks[1].item.assignment.agent, Some(AgentId::from_text("a-b")));
    assert_eq!(tasks[1].item.participants.len(), 1);
    let events: Vec<&str> = change.records.iter().map(|record| record.event).collect();
    assert_eq!(events, ["case.created", "task.created", "task.created", "customer.created"]);
    let mut ids: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 2);
}

fn found(id: &str, email: Option<&str>) -> Versioned<Customer> {
    Versioned {
        version: 4,
        number: None,
        value: Customer {
            id: UserId::from_text(id),
            name: "Known".to_owned(),
            email: email.map(str::to_owned),
            phone: None,
        },
    }
}

#[test]
fn the_inner_address_beats_the_one_beside_and_an_empty_inner_one_counts_as_absent() {
    let mut command = create();
    command.email = given("beside@example.com");
    command.phone = given("555");
    let made = made_customer(&decide_create(&workspace(), &command).unwrap()).unwrap();
    assert_eq!((made.email.as_deref(), made.phone.as_deref()), (Some("john@example.com"), Some("555")));
    command.item.customer = Given::Value(customer(None, "John", "", ""));
    let made = made_customer(&decide_create(&workspace(), &command).unwrap()).unwrap();
    assert_eq!(made.email.as_deref(), Some("beside@example.com"));
    command.email = given("");
    command.phone = Given::Null;
    assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(Key::Email));
}

#[test]
fn a_known_customer_is_taken_and_the_document_keeps_the_request_s_words() {
    let known = Found { by_email: Some(found("u-k", Some("john@example.com"))), ..Found::default() };
    let change = decide_create_as(&workspace(), &app_actor(), &create(), &known).unwrap();
    let snapshot = made_case(&change).item.customer;
    assert_eq!((snapshot.id.as_str(), snapshot.name.as_str()), ("u-k", "John"));
    assert_eq!(made_customer(&change), None, "nothing to fill in the profile");
    let mut command = create();
    command.item.customer = Given::Value(customer(Some("u-k"), "", "", ""));
    let known = Found { by_id: Some(found("u-k", Some("john@example.com"))), ..Found::default() };
    let change = decide_create_as(&workspace(), &app_actor(), &command, &known).unwrap();
    let snapshot = made_case(&change).item.customer;
    assert_eq!((snapshot.name.as_str(), snapshot.email.as_deref()), ("Known", Some("john@example.com")));
}

#[test]
fn custom_values_are_kept_and_a_field_outside_the_template_is_refused() {
    let entry = |name: &str| FieldInput {
        field: Reference::Name(name.to_owned()),
        value: Given::Value(json!("any text")),
    };
    let mut command = create();
    command.item.fields = Given::Value(vec![entry("colour")]);
    let case = made_case(&decide_create(&workspace(), &command).unwrap());
    let values: Vec<_> =
        case.item.field_values.iter().map(|(id, value)| (id.as_str(), value.clone())).collect();
    assert_eq!(values, [("fd-colour", json!("any text"))]);
    command.template = given("Queued");
    assert_eq!(
        faults_of(decide_create(&workspace(), &command)),
        [(FaultKind::Invalid, Key::Fields, Some(0))]
    );
}

#[test]
fn a_title_among_the_fields_must_agree_with_the_name() {
    let mut command = create();
    let title = |text: &str| {
        Given::Value(vec![FieldInput {
            field: Reference::Name("Title".to_owned()),
            value: Given::Value(json!(text)),
        }])
    };
    command.item.fields = title(" Printer on fire ");
    assert_eq!(faults_of(decide_create(&workspace(), &command)), []);
    command.item.fields = title("Another");
    assert_eq!(faults_of(decide_create(&workspace(), &command)), invalid(Key::Name));
}
