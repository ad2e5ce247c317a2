//! The limits of the domain, each with its unit. Going past one is a fault that names the key, never a silent cut.

/// Characters (Unicode scalar values) of a case's or task's name after trimming; contract section 5.
pub const NAME_CHARACTERS_MAX: usize = 512;
/// Bytes of a description in UTF-8; contract section 5.
pub const DESCRIPTION_BYTES_MAX: usize = 64 * 1024;
/// Characters of a source; contract section 3.
pub const SOURCE_CHARACTERS_MAX: usize = 128;
/// Characters of a language; contract section 3.
pub const LANGUAGE_CHARACTERS_MAX: usize = 64;
/// Characters of any id; contract section 2.
pub const ID_CHARACTERS_MAX: usize = 64;
/// Tags of one document.
pub const TAGS_MAX: usize = 100;
/// Characters of one tag.
pub const TAG_CHARACTERS_MAX: usize = 64;
/// Entries of `sessIds`, `convIds` and `channel`; contract section 11.4.
pub const LINKS_MAX: usize = 100;
/// Characters of one such entry.
pub const LINK_CHARACTERS_MAX: usize = 128;
/// Entries of attachments, feedback and resolution comments; contract section 11.4.
pub const NOTES_MAX: usize = 100;
/// Bytes of all entries of one such list as JSON.
pub const NOTES_BYTES_MAX: usize = 16 * 1024;
/// Queues that one document may be in.
pub const QUEUES_MAX: usize = 100;
/// Characters of a customer's name; contract section 11.4.
pub const CUSTOMER_NAME_CHARACTERS_MAX: usize = 512;
/// Characters of an e-mail address; contract section 11.4.
pub const EMAIL_CHARACTERS_MAX: usize = 320;
/// Characters of a phone number; contract section 11.4.
pub const PHONE_CHARACTERS_MAX: usize = 64;
/// Fields of one template.
pub const FIELDS_MAX: usize = 200;
/// Bytes of one field's value as JSON.
pub const FIELD_VALUE_BYTES_MAX: usize = 32 * 1024;
/// Bytes of a text that is held against a pattern; a longer one breaks the rule of length.
pub const PATTERN_TEXT_BYTES_MAX: usize = 4 * 1024;
/// Characters of a pattern.
pub const PATTERN_CHARACTERS_MAX: usize = 512;
/// Bytes that a compiled pattern takes.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 1024 * 1024;
/// Groups within groups of a pattern.
pub const PATTERN_NESTING_MAX: u32 = 50;
/// Former versions of a template that are kept; past it the oldest is dropped, and its documents follow the oldest one
/// that is kept.
pub const TEMPLATE_VERSIONS_MAX: usize = 50;
/// Turns of agents that a document remembers; past it the oldest ended ones are dropped.
pub const PARTICIPANTS_MAX: usize = 200;
/// Tasks of one case that are not deleted; each is a guard of the set that closes the case.
pub const TASKS_PER_CASE_MAX: usize = 200;
/// Characters of the note of a transfer.
pub const TRANSFER_NOTE_CHARACTERS_MAX: usize = 2_000;
/// Agents who watch one case.
pub const WATCHERS_MAX: usize = 100;
/// Cases that one case is linked with.
pub const CASE_LINKS_MAX: usize = 100;
/// Cases above a case: its parent, the parent of that, and so on.
pub const ANCESTORS_MAX: usize = 16;
/// Faults that one answer lists.
pub const FAULTS_MAX: usize = 100;
/// Documents on one page of a list; contract section 6.
pub const PAGE_MAX: u32 = 500;
/// Characters of a cursor that goes on behind a page; a longer one is none of ours.
pub const CURSOR_CHARACTERS_MAX: usize = 4 * 1024;
/// Documents on a page when the request names no limit; contract section 6.
pub const PAGE_DEFAULT: u32 = 50;
/// Characters of a description on either side of the first hit that an answer shows.
pub const HIT_CHARACTERS_AROUND: usize = 80;
/// Entries of one group that an answer counts; the documents of the others are counted together.
pub const GROUP_ENTRIES_MAX: usize = 1_000;
/// Characters of a text of the query language.
pub const EXPRESSION_CHARACTERS_MAX: usize = 2_000;
/// Characters of the words that a list is searched for; more are refused.
pub const SEARCH_TEXT_CHARACTERS_MAX: usize = 2_000;
/// Words and signs of such a text.
pub const EXPRESSION_PARTS_MAX: usize = 200;
/// Brackets and negations within one another in such a text.
pub const EXPRESSION_DEPTH_MAX: usize = 5;
/// Statuses of one workspace; what follows are faults of a configuration document.
pub const STATUSES_MAX: usize = 100;
/// Priorities of one workspace.
pub const PRIORITIES_MAX: usize = 100;
/// Queues of one workspace.
pub const WORKSPACE_QUEUES_MAX: usize = 1_000;
/// Agents of one workspace.
pub const AGENTS_MAX: usize = 10_000;
/// Fields of one workspace.
pub const WORKSPACE_FIELDS_MAX: usize = 500;
/// Fields of one workspace that have a pattern, each of up to [`PATTERN_COMPILED_BYTES_MAX`].
pub const PATTERNS_MAX: usize = 100;
/// Case templates, and task templates, of one workspace.
pub const TEMPLATES_MAX: usize = 200;
/// Tasks that a template makes with a case: they are committed with it.
pub const TEMPLATE_TASKS_MAX: usize = 50;
/// Milliseconds from the making of a document to a default due date: ten years.
pub const DEFAULT_DUE_MS_MAX: i64 = 3_650 * 24 * 60 * 60 * 1000;
/// Options of one field, those included that are switched off.
pub const OPTIONS_MAX: usize = 500;
/// Digits behind the point that a number field can ask for.
pub const DECIMALS_MAX: u32 = 15;
/// Characters of the name of an entry, an option or a field's key.
pub const ENTRY_NAME_CHARACTERS_MAX: usize = 128;
/// Characters of the other texts of an entry: descriptions, placeholders, messages.
pub const ENTRY_TEXT_CHARACTERS_MAX: usize = 1_000;
/// Tasks that one task may depend on.
pub const DEPENDENCIES_MAX: usize = 50;
/// Lines of a task's checklist.
pub const CHECKLIST_MAX: usize = 100;
/// Characters of a line of a checklist.
pub const CHECK_TEXT_CHARACTERS_MAX: usize = 512;
/// Characters of a file's name as it is told; past it 400.
pub const FILE_NAME_CHARACTERS_MAX: usize = 255;
/// Characters of an attachment's media type; past it 400.
pub const MEDIA_TYPE_CHARACTERS_MAX: usize = 255;
/// Attachments of one case that are not deleted; past it 409.
pub const CASE_ATTACHMENTS_MAX: usize = 1_000;
/// Attachments of one case, deleted ones too, whose traces stay; past it 409.
pub const CASE_ATTACHMENTS_EVER_MAX: usize = 5_000;
/// Bytes of a comment's text as it is given.
pub const COMMENT_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Agents that one comment mentions.
pub const MENTIONS_MAX: usize = 50;
/// Attachments that one comment has.
pub const COMMENT_ATTACHMENTS_MAX: usize = 50;
/// Elements within one another in rich text.
pub const RICH_TEXT_NESTING_MAX: usize = 50;
/// Attributes of one tag of rich text, before it is cleaned; what parts them is counted.
pub const RICH_TEXT_ATTRIBUTES_MAX: usize = 1_000;
/// Bytes of an address in rich text; a link with a longer one is none.
pub const RICH_TEXT_LINK_BYTES_MAX: usize = 2_048;
/// Bytes of the HTML that rich text becomes.
pub const RICH_TEXT_HTML_BYTES_MAX: usize = 256 * 1024;
/// How often rich text is cleaned until nothing changes any more; once and once more is usual.
pub const RICH_TEXT_CLEANINGS_MAX: usize = 4;
/// Standard responses of one workspace.
pub const STANDARD_RESPONSES_MAX: usize = 500;
/// Bytes of a standard response.
pub const STANDARD_RESPONSE_BYTES_MAX: usize = 32 * 1024;
/// Steps that rendering a standard response takes: placeholders and the texts between them.
pub const STANDARD_RESPONSE_FUEL: u64 = 20_000;
/// Bytes of a resolution comment.
pub const RESOLUTION_COMMENT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of what a customer writes beside a score.
pub const FEEDBACK_TEXT_BYTES_MAX: usize = 4 * 1024;
/// The best score; the worst is 1.
pub const FEEDBACK_SCORE_MAX: u8 = 5;
/// Bytes of all resolution comments, and of all feedback, of one case as JSON, when one is added: more than an update may send at once.
pub const ADDED_NOTES_BYTES_MAX: usize = 256 * 1024;
/// Days that a link for feedback is open at most.
pub const FEEDBACK_LINK_DAYS_MAX: u8 = 90;
/// Days that it is open when the request names none.
pub const FEEDBACK_LINK_DAYS: u8 = 30;
