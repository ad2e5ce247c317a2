//! Getting one case or task, as it is or as it stood at a moment.

use casement_domain::change::Record;
use casement_domain::date::Moment;
use casement_domain::id::reference_number;
use casement_domain::list::row::Work;
use casement_domain::version::Versioned;
use casement_domain::workspace::Workspace;
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::body;
use crate::commit::Reads;
use crate::document::{Numbers, Rendered};
use crate::error::AppError;

/// A stored case or task with the number of its case.
pub(crate) struct Stored {
    pub(crate) work: Versioned<Work>,
    pub(crate) case_number: u64,
}

/// What is given of a case that was merged into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// The case that goes on in its place.
    Followed,
    /// The case itself.
    Shown,
}

/// A document that was asked for.
#[derive(Debug)]
pub enum Got {
    /// The document.
    Document(Rendered),
    /// The case was merged into the one with this id.
    MergedInto(String),
}

/// Gives a case or task by id or reference id, deleted ones too; `as_of`: as it stood at that moment.
///
/// # Errors
/// There is none, it was made after that moment, or the log no longer tells how it stood.
pub async fn get(
    app: &App,
    access: &Access,
    noun: Noun,
    named: &str,
    as_of: Option<Moment>,
    merged: Merged,
) -> Result<Got, AppError> {
    app.check_ready()?;
    let id = app.id_named(access, noun, named);
    let Stored { work, case_number } = app.stored(access, noun, &id).await?;
    let config = access.workspace.config();
    let Some(at) = as_of else {
        return Ok(match (merged_into(&work.value), merged) {
            (Some(into), Merged::Followed) => Got::MergedInto(into),
            (Some(_), Merged::Shown) | (None, _) => {
                Got::Document(app.rendered_work(work, case_number, &config))
            }
        });
    };
    let (workspace, stored) = (access.workspace.id(), work.map(Record::from));
    let former = match noun {
        Noun::Case => app.as_of(workspace, &stored, at).await?.map(|former| former.map(Work::Case)),
        Noun::Task => app.as_of(workspace, &stored, at).await?.map(|former| former.map(Work::Task)),
    };
    let former = former.ok_or(AppError::NotFound)?;
    let of_former = access.workspace.index().case_state(former.value.case().as_str());
    let case_number = of_former.map_or(case_number, |state| state.number);
    Ok(Got::Document(app.rendered_work(former, case_number, &config)))
}

fn merged_into(work: &Work) -> Option<String> {
    match work {
        Work::Case(case) => case.merged_into.as_ref().map(|into| into.case.to_string()),
        Work::Task(_) => None,
    }
}

impl App {
    /// Gives the id that a text names: itself, unless it is the reference id of a document that there is.
    pub(crate) fn id_named(&self, access: &Access, noun: Noun, text: &str) -> String {
        let numbered =
            number_of(noun, text).and_then(|number| access.workspace.index().numbered(noun, number));
        numbered.unwrap_or_else(|| text.to_owned())
    }

    /// The same for a write: a number that is not known here may have been given on another node.
    ///
    /// # Errors
    /// The database does not answer in time.
    pub(crate) async fn id_of(&self, access: &Access, noun: Noun, text: &str) -> Result<String, AppError> {
        let id = self.id_named(access, noun, text);
        if id == text && number_of(noun, text).is_some() && !access.grant.is_fresh {
            self.refresh(access.stream()).await?;
            return Ok(self.id_named(access, noun, text));
        }
        Ok(id)
    }

    /// Loads a case or task.
    pub(crate) async fn stored(&self, access: &Access, noun: Noun, id: &str) -> Result<Stored, AppError> {
        let (workspace, mut reads) = (access.workspace.id(), Reads::default());
        match noun {
            Noun::Case => {
                let case = self.case(workspace, id, &mut reads).await?.ok_or(AppError::NotFound)?;
                let case_number = case.number.unwrap_or_default();
                Ok(Stored { work: case.map(Work::Case), case_number })
            }
            Noun::Task => {
                let task = self.task(workspace, id, &mut reads).await?.ok_or(AppError::NotFound)?;
                let case = self.store().document(workspace, body::CASE, task.value.case.as_str()).await?;
                let case_number = case.and_then(|case| case.number).unwrap_or_default();
                Ok(Stored { work: task.map(Work::Task), case_number })
            }
        }
    }

    /// Gives a version of a case or task as an answer; `case_number` is that of the case or of the task's case.
    pub(crate) fn rendered_work(
        &self,
        work: Versioned<Work>,
        case_number: u64,
        config: &Workspace,
    ) -> Rendered {
        let numbers = Numbers { version: work.version, number: work.number.unwrap_or_default(), case_number };
        let body = self.rendered().render(&work.value, numbers, config);
        Rendered { body, version: numbers.version, is_replayed: false }
    }
}

/// Reads the number of a reference id; `None`: the text is none.
fn number_of(noun: Noun, text: &str) -> Option<u64> {
    let counter = match noun {
        Noun::Case => casement_domain::case::COUNTER,
        Noun::Task => casement_domain::task::COUNTER,
    };
    reference_number(counter, text)
}
