//! Comments: what is taken over, what is refused, what a change leaves.

use casement_domain::case::Case;
use casement_domain::change::{Change, Record};
use casement_domain::comment::create::create_comment;
use casement_domain::comment::input::{CommentInput, CreateComment, UpdateComment};
use casement_domain::comment::update::{delete_comment, update_comment};
use casement_domain::comment::{Comment, Visibility};
use casement_domain::date::Zone;
use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::given::Given;
use casement_domain::rich_text::TextFormat;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;

use crate::world::{NOW, app_actor, faults_of, given, invalid, stored_case, workspace};

fn saying(text: &str) -> CommentInput {
    CommentInput { text: given(text), ..CommentInput::default() }
}

fn create(
    workspace: &Workspace,
    case: &Versioned<Case>,
    input: CommentInput,
    usable: &[String],
) -> Result<Change, Faults> {
    let command = CreateComment { input, ..CreateComment::default() };
    create_comment(workspace, &app_actor(), case, &command, usable, NOW, &mut (1..))
}

fn comment(change: Change) -> Versioned<Comment> {
    match change.records.into_iter().next().unwrap().after {
        Record::Comment(value) => Versioned { version: 1, number: None, value },
        Record::Case(_)
        | Record::Task(_)
        | Record::Customer(_)
        | Record::Attachment(_)
        | Record::Usage(_) => panic!("not a comment"),
    }
}

fn update(
    workspace: &Workspace,
    case: &Versioned<Case>,
    before: &Versioned<Comment>,
    input: CommentInput,
) -> Result<Option<Change>, Faults> {
    let command = UpdateComment { input, ..UpdateComment::default() };
    update_comment(workspace, &app_actor(), case, before, &command, &[], Zone::UTC, NOW)
}

#[test]
fn html_is_stored_clean_and_markdown_beside_its_html() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let html = CommentInput {
        format: Given::Value(TextFormat::Html),
        ..saying("<p onclick=x>a<script>b</script></p>")
    };
    let html = comment(create(&workspace, &case, html, &[]).unwrap()).value;
    assert_eq!((html.text.as_str(), &html.html, html.html()), ("<p>a</p>", &None, "<p>a</p>"));
    let markdown = comment(create(&workspace, &case, saying("*a*<script>x</script>"), &[]).unwrap()).value;
    assert_eq!((markdown.text.as_str(), markdown.html()), ("*a*<script>x</script>", "<p><em>a</em></p>\n"));
    assert_eq!((markdown.visibility, markdown.format), (Visibility::Internal, TextFormat::Markdown));
    assert!(markdown.id.as_str().starts_with("co-"));
}

#[test]
fn a_text_of_64_kib_passes_and_one_byte_more_does_not() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    assert!(create(&workspace, &case, saying(&"x".repeat(64 * 1024)), &[]).is_ok());
    for wrong in [&"x".repeat(64 * 1024 + 1), "", " \n"] {
        assert_eq!(faults_of(create(&workspace, &case, saying(wrong), &[])), invalid(Key::Text));
    }
    let nothing = create(&workspace, &case, saying("<script>x</script>"), &[]);
    assert_eq!(faults_of(nothing), [(FaultKind::Unprocessable, Key::Text, None)]);
}

#[test]
fn a_retired_agent_and_a_deleted_attachment_stay_where_they_are() {
    let mut workspace = workspace();
    let case = stored_case(&workspace);
    let agent = workspace.agents[0].clone();
    let usable = ["at-1".to_owned(), "at-2".to_owned()];
    let named = |agents: &[&str], attachments: &[&str]| CommentInput {
        mentions: Given::Value(agents.iter().map(|name| (*name).to_owned()).collect()),
        attachments: Given::Value(attachments.iter().map(|id| (*id).to_owned()).collect()),
        ..saying("x")
    };
    let input = named(&[agent.id.as_str(), agent.user.as_str(), &agent.email], &["at-2", "at-1", "at-2"]);
    let made = comment(create(&workspace, &case, input, &usable).unwrap());
    assert_eq!(made.value.mentions, std::slice::from_ref(&agent.id));
    assert_eq!(made.value.attachments, ["at-2", "at-1"]);
    workspace.agents[0].active = false;
    let whole = named(&[agent.id.as_str()], &["at-2", "at-1"]);
    assert_eq!(update(&workspace, &case, &made, whole.clone()), Ok(None));
    let faults = [
        (FaultKind::Invalid, Key::Attachments, Some(0)),
        (FaultKind::Invalid, Key::Attachments, Some(1)),
        (FaultKind::Invalid, Key::Mentions, Some(0)),
    ];
    let mut found = faults_of(create(&workspace, &case, whole, &[]));
    found.sort_by_key(|(_, key, index)| (format!("{key:?}"), *index));
    assert_eq!(found, faults);
}

#[test]
fn a_change_is_one_event_and_tells_whether_the_text_was_edited() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let made = comment(create(&workspace, &case, saying("a"), &[]).unwrap());
    let public = CommentInput { visibility: Given::Value(Visibility::Public), ..CommentInput::default() };
    for (input, is_edited) in [(public, false), (saying("b"), true)] {
        let change = update(&workspace, &case, &made, input).unwrap().unwrap();
        assert_eq!((change.records.len(), change.records[0].event), (1, "comment.updated"));
        let after = comment(change).value;
        assert_eq!(after.edited, is_edited);
        assert!(after.updated_at > made.value.updated_at && after.created_at == made.value.created_at);
    }
    let as_html = CommentInput { format: Given::Value(TextFormat::Html), ..CommentInput::default() };
    let after = comment(update(&workspace, &case, &made, as_html).unwrap().unwrap()).value;
    assert_eq!((after.text.as_str(), after.html, after.edited), ("a", None, true));
}

#[test]
fn a_deletion_leaves_nothing_of_what_was_said() {
    let workspace = workspace();
    let case = stored_case(&workspace);
    let made = comment(create(&workspace, &case, saying("a *secret*"), &[]).unwrap());
    let change = delete_comment(&app_actor(), &case, &made, NOW).unwrap().unwrap();
    assert_eq!(change.records[0].event, "comment.deleted");
    let deleted = comment(change);
    let body = serde_json::to_string(&deleted.value).unwrap();
    assert!(!body.contains("secret") && !deleted.value.active && deleted.value.html().is_empty());
    assert_eq!(delete_comment(&app_actor(), &case, &deleted, NOW), Ok(None));
    assert_eq!(
        faults_of(update(&workspace, &case, &deleted, saying("b"))),
        [(FaultKind::Conflict, Key::Body, None)]
    );
}

#[test]
fn a_deleted_case_takes_no_writes_of_comments() {
    let workspace = workspace();
    let mut case = stored_case(&workspace);
    let made = comment(create(&workspace, &case, saying("a"), &[]).unwrap());
    case.value.item.active = false;
    let conflict = [(FaultKind::Conflict, Key::Body, None)];
    assert_eq!(faults_of(create(&workspace, &case, saying("b"), &[])), conflict);
    assert_eq!(faults_of(update(&workspace, &case, &made, saying("b"))), conflict);
    assert_eq!(faults_of(delete_comment(&app_actor(), &case, &made, NOW)), conflict);
    assert_eq!(update(&workspace, &case, &made, saying("a")), Ok(None), "nothing is changed");
}
