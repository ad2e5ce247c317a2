//! Listing cases and tasks: the index says which documents and how many, the store or the cache of rendered ones gives
//! them.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use casement_domain::date::{Moment, Zone};
use casement_domain::fault::{Faults, Key};
use casement_domain::list::filter::Filter;
use casement_domain::list::order::Order;
use casement_domain::list::query::ListQuery;
use casement_domain::list::resolve;
use casement_domain::list::row::Row;
use casement_domain::text::Prefix;
use casement_domain::workspace::Workspace;
use casement_index::query::{Place, Query, QueryError};
use casement_store::document::Document;
use casement_wire::document::select_columns;
use casement_wire::list::{PageNumbers, write_page};
use casement_wire::search::{Search, add_cursor, add_hits};
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::body;
use crate::commit::Reads;
use crate::cursor::{self, Cursor};
use crate::document::Numbers;
use crate::error::AppError;
use crate::index::Index;
use crate::index::layout::{CASE, NUMBER};
use crate::index::question::{self, Asked};
use crate::limits;
use crate::trace;
use crate::turns;
use crate::workspace::OpenWorkspace;

/// A document of the page, as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    id: String,
    version: u64,
    number: u64,
    case_number: u64,
}

/// A list that is resolved against the workspace.
#[derive(Debug)]
struct Question {
    noun: Noun,
    filter: Filter,
    order: Order,
    config: Arc<Workspace>,
    now: Moment,
    skip: u64,
    after: Option<Place>,
    limit: usize,
}

impl Question {
    /// Tells whether the answer takes less than handing the question to another thread may cost: some ten microseconds.
    /// A part of a name is looked for in all names, and words, long ways along an order and further sort keys take as
    /// long as there are matches.
    fn is_quick(&self, workspace: &OpenWorkspace) -> bool {
        self.filter.name_part.is_empty()
            && self.filter.own_words().next().is_none()
            && self.filter.expression.is_none()
            && self.order.keys() <= 1
            && self.skip <= limits::INLINE_SKIP_MAX
            && workspace.index().of(self.noun).len() <= limits::INLINE_DOCUMENTS_MAX
    }
}

/// Answers a list: the page as bytes, with exact totals.
///
/// # Errors
/// The query has faults, or the index is still being built: all of it, or the words that the query asks for.
pub async fn list(
    app: &App,
    access: &Access,
    noun: Noun,
    query: ListQuery,
    zone: Zone,
) -> Result<Bytes, AppError> {
    let page = find(app, access, noun, &query, None, zone).await?;
    Ok(Bytes::from(write(&page, &query)))
}

/// Answers a search: a list, with where the words of the search stand when they are asked for, and the cursor from which
/// the next page goes on.
///
/// # Errors
/// As [`list`].
pub async fn search(
    app: &App,
    access: &Access,
    noun: Noun,
    search: Search,
    zone: Zone,
) -> Result<Bytes, AppError> {
    let page = find(app, access, noun, &search.query, Some(&search), zone).await?;
    let mut bytes = write(&page, &search.query);
    if search.hits {
        bytes = add_hits(bytes, page.documents.iter().map(|body| body.as_ref()), &page.searched);
    }
    if let Some(next) = &page.next {
        bytes = add_cursor(bytes, next);
    }
    Ok(Bytes::from(bytes))
}

/// Answers a search among the tasks of a case that is named by id or reference id.
///
/// # Errors
/// As [`list`]; and there is no such case.
pub async fn tasks_of_case(
    app: &App,
    access: &Access,
    named: &str,
    mut asked: Search,
    zone: Zone,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let id = app.id_named(access, Noun::Case, named);
    let case = app.case(access.workspace.id(), &id, &mut Reads::default()).await?;
    let case = case.ok_or(AppError::NotFound)?;
    case.value.id.as_str().clone_into(&mut asked.query.case);
    asked.question.extend_from_slice(case.value.id.as_str().as_bytes());
    search(app, access, Noun::Task, asked, zone).await
}

/// A page of rendered documents.
struct FoundPage {
    documents: Vec<Bytes>,
    numbers: PageNumbers,
    /// The words that the documents may be there for.
    searched: Vec<Prefix>,
    /// The cursor from which the next page goes on.
    next: Option<String>,
}

fn write(page: &FoundPage, query: &ListQuery) -> Vec<u8> {
    if query.columns.is_empty() {
        return write_page(page.documents.iter().map(|body| body.as_ref()), page.numbers);
    }
    let columns = query.columns.iter().map(String::as_bytes).collect();
    let selected: Vec<Vec<u8>> = page.documents.iter().map(|body| select_columns(body, &columns)).collect();
    write_page(selected.iter().map(Vec::as_slice), page.numbers)
}

async fn find(
    app: &App,
    access: &Access,
    noun: Noun,
    query: &ListQuery,
    searched: Option<&Search>,
    zone: Zone,
) -> Result<FoundPage, AppError> {
    app.check_ready()?;
    let config = access.workspace.config();
    let now = app.sources().now();
    let filter = resolve::resolve(query, &config, &access.actor, zone, now).map_err(AppError::Refused)?;
    let order = Order::of(&query.sort, &filter);
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let bound = searched.map(|search| cursor::Asked {
        stream: access.workspace.id(),
        noun,
        question: search.question.as_slice(),
    });
    let begun = match (bound, searched.and_then(|search| search.cursor.as_deref())) {
        (Some(bound), Some(text)) => {
            Some(Cursor::read(text, bound, &order, &config).ok_or_else(foreign_cursor)?)
        }
        (None, _) | (_, None) => None,
    };
    let (former, after) = begun.map(|cursor| (cursor.page, cursor.place)).unzip();
    let question = Arc::new(Question { noun, filter, order, config, now, skip: query.skip, after, limit });
    let mut attempt = 1;
    let (documents, found) = loop {
        let found = ask(&access.workspace, Arc::clone(&question)).await?;
        let is_last = attempt >= limits::LIST_ATTEMPTS_MAX;
        if let Some(documents) = fetch(app, &access.workspace, &question, &found.listed, is_last).await? {
            break (documents, found);
        }
        attempt += 1;
    };
    let numbers = PageNumbers::new(query.skip, query.limit, found.total);
    let numbers = former.map_or(numbers, |former| numbers.behind(former, found.next.is_some()));
    let next = bound.zip(found.next).map(|(bound, place)| {
        Cursor { page: numbers.page(), place }.write(bound, &question.order, &question.config)
    });
    Ok(FoundPage { documents, numbers, searched: question.filter.searched(), next })
}

fn foreign_cursor() -> AppError {
    let mut faults = Faults::new();
    faults.invalid(
        Key::Cursor,
        "is no cursor of this list: give back the nextCursor of a page unchanged, with the same question",
    );
    AppError::Refused(faults)
}

/// What the index says of a page.
struct Answered {
    listed: Vec<Listed>,
    /// How many match.
    total: u64,
    /// The place behind the page, when more follow.
    next: Option<Place>,
}

/// Asks the index which documents the page has, and how many match.
async fn ask(workspace: &Arc<OpenWorkspace>, question: Arc<Question>) -> Result<Answered, AppError> {
    let asked = {
        let (workspace, question) = (Arc::clone(workspace), Arc::clone(&question));
        move || {
            let index = workspace.index();
            let Question { noun, filter, order, config, now, .. } = question.as_ref();
            let asked = Asked { noun: *noun, filter, order, config, now: *now };
            let Question { skip, after, limit, .. } = question.as_ref();
            let query = question::query(asked, &index, *skip, after.as_ref(), *limit).map_err(unanswered)?;
            answer(&index, *noun, &query)
        }
    };
    if question.is_quick(workspace) {
        return trace::index().in_scope(asked);
    }
    turns::ask(asked).await?
}

/// Tells why the index gave no answer.
pub(crate) fn unanswered(error: QueryError) -> AppError {
    match error {
        QueryError::WordsMissing => AppError::WordsMissing,
        // Only a cursor tells a place, and its digest keeps no secret.
        QueryError::OtherOrder => foreign_cursor(),
        QueryError::TooDeep | QueryError::Unknown => AppError::Failed(error.to_string()),
    }
}

fn answer(index: &Index, noun: Noun, query: &Query) -> Result<Answered, AppError> {
    let engine = index.of(noun);
    let page = engine.page(query).map_err(unanswered)?;
    let listed = page.found.into_iter().map(|found| {
        let ordinal = engine.ordinal(&found.id);
        let number =
            ordinal.and_then(|ordinal| engine.value(ordinal, NUMBER)).unwrap_or_default().cast_unsigned();
        let case_number = match noun {
            Noun::Case => number,
            Noun::Task => {
                let cases = ordinal.map(|ordinal| engine.values(ordinal, CASE)).unwrap_or_default();
                let state = cases.first().and_then(|case| index.case_state(case));
                state.map_or(0, |state| state.number)
            }
        };
        Listed { id: found.id, version: found.version, number, case_number }
    });
    Ok(Answered { listed: listed.collect(), total: page.total, next: page.next })
}

/// Gives the documents of a page as bytes. `None`: one of them is newer than the index said and is not in this list any
/// more, so the index must be asked again; the last time, what there is counts.
async fn fetch(
    app: &App,
    workspace: &OpenWorkspace,
    question: &Question,
    listed: &[Listed],
    is_last: bool,
) -> Result<Option<Vec<Bytes>>, AppError> {
    let config = &question.config;
    let kept: Vec<Option<Bytes>> =
        listed.iter().map(|listed| app.rendered().kept(&listed.id, listed.version, config)).collect();
    let missing = listed.iter().zip(&kept).filter(|(_, kept)| kept.is_none());
    let ids: Vec<String> = missing.map(|(listed, _)| listed.id.clone()).collect();
    let kind = match question.noun {
        Noun::Case => body::CASE,
        Noun::Task => body::TASK,
    };
    let mut stored: HashMap<String, Document> = HashMap::new();
    if !ids.is_empty() {
        let documents = app.store().documents(workspace.id(), kind, &ids).await?;
        stored.extend(documents.into_iter().map(|document| (document.id.clone(), document)));
    }
    let mut bodies = Vec::with_capacity(listed.len());
    for (listed, kept) in listed.iter().zip(kept) {
        if let Some(body) = kept {
            bodies.push(body);
            continue;
        }
        let document = stored.get(&listed.id);
        let document =
            document.ok_or_else(|| AppError::Failed(format!("{kind} {} is missing", listed.id)))?;
        if document.version < listed.version {
            // What is in the index was committed: this database has been replaced and does not know it yet.
            let reason = format!("the database gives an old version of {kind} {}", listed.id);
            return Err(AppError::Unavailable(reason));
        }
        let Some(work) = body::decode_work(document)? else {
            // Purged since the index was asked.
            if is_last {
                continue;
            }
            return Ok(None);
        };
        let numbers =
            Numbers { version: document.version, number: listed.number, case_number: listed.case_number };
        if document.version != listed.version && !is_last {
            if question.noun == Noun::Case && question.filter.looks_into_comments() {
                // The index alone knows what the comments of a case say.
                return Ok(None);
            }
            let row = Row::prepared(work.clone()).committed(document.version, listed.number);
            let case_of = |case: &casement_domain::id::CaseId| workspace.index().case_state(case.as_str());
            if !question.filter.matches(&row, config, question.now, case_of) {
                return Ok(None);
            }
        }
        bodies.push(app.rendered().render(&work, numbers, config));
    }
    Ok(Some(bodies))
}
