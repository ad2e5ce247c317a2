//! What is stored: the file, the hash chains, the documents, their numbers, claims, times. Backups are judged in `backup`.

use std::path::Path;

use casement_domain::attachment::Attachment;
use casement_domain::attachment::usage::Usage;
use casement_domain::case::{self, Case};
use casement_domain::comment::Comment;
use casement_domain::customer::Customer;
use casement_domain::date::Moment;
use casement_domain::task::{self, Task};
use casement_domain::workspace::entries::{Agent, Priority, Queue, Status};
use casement_domain::workspace::field::Field;
use casement_domain::workspace::response::StandardResponse;
use casement_domain::workspace::template::{CaseTemplate, TaskTemplate};
use casement_store::document::{Document, WorkspaceRow};
use casement_store::error::StoreError;
use casement_store::inspect::{Depth, Inspection, Numbering, Numbers};

use crate::body;
use crate::doctor::{Finding, backup};
use crate::error::AppError;
use crate::installation::{INSTALLATION, KIND_APP, KIND_WORKSPACE, WorkspaceEntry};
use crate::jwt_app::stored;
use crate::limits;
use crate::workspace::kinds;

const RESTORE: &str = "keep a copy of the directory as it is, then restore the last backup into a new one";

/// Looks at everything that is stored.
///
/// # Errors
/// The database can't be read any further; what was found until then is lost, the error is the finding.
pub fn examine(
    inspection: &Inspection,
    depth: Depth,
    backup_to: Option<&Path>,
    now: Moment,
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = vec![schema(inspection)];
    match inspection.server_warnings() {
        Some(warnings) => findings.extend(server(warnings)),
        None => findings.push(file(inspection, depth)?),
    }
    let workspaces = inspection.workspaces()?;
    findings.push(chains(inspection, &workspaces)?);
    findings.push(documents(inspection, &workspaces)?);
    findings.push(numbers(inspection, &workspaces)?);
    findings.push(claims(inspection, &workspaces, now)?);
    findings.push(clock(inspection, &workspaces, now)?);
    if inspection.server_warnings().is_none() {
        findings.extend(backup::followed(inspection, depth, backup_to, now)?);
    }
    Ok(findings)
}

/// What the database server is set up as.
fn server(warnings: &[String]) -> Vec<Finding> {
    let advice = "docs/operations.md tells how a database server is set up; its own tools look after its files and backups";
    if warnings.is_empty() {
        return vec![Finding::fine(
            "database",
            "the database server can be used and keeps what it acknowledges",
        )];
    }
    warnings.iter().map(|warning| Finding::warning("database", warning.clone(), advice)).collect()
}

fn schema(inspection: &Inspection) -> Finding {
    let (found, latest) = inspection.schema();
    if found < latest {
        let message =
            format!("the database has schema {found}; this release brings it to {latest} when it starts");
        return Finding::warning(
            "schema",
            message,
            "before the server is started with it, make a backup with the release that wrote it (this one's would change the database)",
        );
    }
    Finding::fine("schema", format!("the database has schema {found}, the latest of this release"))
}

fn file(inspection: &Inspection, depth: Depth) -> Result<Finding, StoreError> {
    let faults = inspection.faults(depth)?;
    let how = match depth {
        Depth::Quick => "every page",
        Depth::Full => "every page and index",
    };
    Ok(match faults.first() {
        None => Finding::fine("database", format!("{how} of the database file is sound")),
        Some(first) => Finding::error(
            "database",
            format!("{} faults in the database file: {first}", faults.len()),
            RESTORE,
        ),
    })
}

fn chains(inspection: &Inspection, workspaces: &[WorkspaceRow]) -> Result<Finding, StoreError> {
    let (mut events, mut erased) = (0, 0);
    for workspace in workspaces {
        let report = inspection.chain(&workspace.id)?;
        if let Some(fault) = report.fault {
            let message = format!("workspace {}, event {}: {}", workspace.id, fault.sequence, fault.reason);
            return Ok(Finding::error("log", message, RESTORE));
        }
        events += report.events;
        erased += report.erased;
    }
    let mut message =
        format!("the hash chains of {} workspaces with {events} events are whole", workspaces.len());
    if erased > 0 {
        message += &format!("; {erased} of the events were erased, as later ones tell");
    }
    Ok(Finding::fine("log", message))
}

fn documents(inspection: &Inspection, workspaces: &[WorkspaceRow]) -> Result<Finding, StoreError> {
    let (mut read, mut wrong) = (0_u64, Vec::new());
    for workspace in workspaces {
        for kind in inspection.kinds(&workspace.id)? {
            let mut after: Option<String> = None;
            loop {
                let page = inspection.documents(&workspace.id, &kind, after.as_deref())?;
                let Some(last) = page.last() else { break };
                after = Some(last.id.clone());
                for document in &page {
                    read += 1;
                    if let Err(error) = readable(&workspace.id, document) {
                        wrong.push(format!("workspace {}: {error}", workspace.id));
                    }
                }
            }
        }
        let strays = inspection.strays(&workspace.id)?;
        if strays > 0 {
            wrong.push(format!(
                "workspace {}: {strays} documents do not belong to their last event",
                workspace.id
            ));
        }
    }
    Ok(match wrong.first() {
        None => {
            Finding::fine("documents", format!("{read} documents can be read and belong to their events"))
        }
        Some(first) => Finding::error("documents", format!("{} faults: {first}", wrong.len()), RESTORE),
    })
}

/// Reads a body as the server would.
fn readable(workspace: &str, document: &Document) -> Result<(), AppError> {
    let may_be_purged = [body::CASE, body::TASK, body::COMMENT, body::ATTACHMENT];
    if may_be_purged.contains(&document.kind.as_str()) && body::decode_purged(document)?.is_some() {
        return Ok(());
    }
    match (workspace, document.kind.as_str()) {
        (INSTALLATION, KIND_APP) => stored::decode(document).map(drop),
        (INSTALLATION, KIND_WORKSPACE) => body::decode::<WorkspaceEntry>(document).map(drop),
        (_, body::CASE) => body::decode::<Case>(document).map(drop),
        (_, body::TASK) => body::decode::<Task>(document).map(drop),
        (_, body::COMMENT) => body::decode::<Comment>(document).map(drop),
        (_, body::CUSTOMER) => body::decode::<Customer>(document).map(drop),
        (_, body::ATTACHMENT) => body::decode::<Attachment>(document).map(drop),
        (_, body::USAGE) => body::decode::<Usage>(document).map(drop),
        (_, kinds::STATUS) => body::decode::<Status>(document).map(drop),
        (_, kinds::PRIORITY) => body::decode::<Priority>(document).map(drop),
        (_, kinds::QUEUE) => body::decode::<Queue>(document).map(drop),
        (_, kinds::FIELD) => body::decode::<Field>(document).map(drop),
        (_, kinds::CASE_TEMPLATE) => body::decode::<CaseTemplate>(document).map(drop),
        (_, kinds::TASK_TEMPLATE) => body::decode::<TaskTemplate>(document).map(drop),
        (_, kinds::STANDARD_RESPONSE) => body::decode::<StandardResponse>(document).map(drop),
        (_, kinds::AGENT) => body::decode::<Agent>(document).map(drop),
        (_, kind) => Err(AppError::Failed(format!(
            "{kind} {} is of a kind that this release does not know",
            document.id
        ))),
    }
}

/// Numbers have neither gap nor repeat, and the counter stands at the next one.
fn numbers(inspection: &Inspection, workspaces: &[WorkspaceRow]) -> Result<Finding, StoreError> {
    let mut numbered = 0;
    for workspace in workspaces {
        let numbering = inspection.numbering(&workspace.id)?;
        for numbers in &numbering.kinds {
            numbered += numbers.count;
            if let Some(reason) = wrong_numbers(&numbering, numbers) {
                let message = format!("workspace {}: {reason}", workspace.id);
                return Ok(Finding::error("numbers", message, RESTORE));
            }
        }
    }
    Ok(Finding::fine("numbers", format!("{numbered} numbers without gap or repeat, and the counters agree")))
}

fn wrong_numbers(numbering: &Numbering, numbers: &Numbers) -> Option<String> {
    let Numbers { kind, count, distinct, first, last } = numbers;
    let counter = match kind.as_str() {
        body::CASE => case::COUNTER,
        body::TASK => task::COUNTER,
        _ => return Some(format!("{kind} has numbers, which no release gives it")),
    };
    if count != distinct {
        return Some(format!("{} numbers of {kind} are there twice", count - distinct));
    }
    if last - first + 1 != *count {
        return Some(format!(
            "between {first} and {last}, {} numbers of {kind} are missing",
            last - first + 1 - count
        ));
    }
    let next = numbering.counters.get(counter);
    (next != Some(&(last + 1)))
        .then(|| format!("the counter {counter} stands at {next:?}, the last number is {last}"))
}

fn claims(inspection: &Inspection, workspaces: &[WorkspaceRow], now: Moment) -> Result<Finding, StoreError> {
    let before_ms = now.ms().saturating_sub(limits::DOCTOR_SWEEP_MS);
    let mut ended = 0;
    for workspace in workspaces {
        ended += inspection.ended_claims(&workspace.id, before_ms)?;
    }
    if ended > limits::DOCTOR_ENDED_CLAIMS {
        let message = format!("{ended} claims that ended long ago are still there");
        let advice = "a running server removes them within minutes; when one runs, look at its log";
        return Ok(Finding::warning("claims", message, advice));
    }
    Ok(Finding::fine("claims", format!("{ended} ended claims wait to be removed")))
}

/// The last events lie in the past, and time does not jump back in them.
fn clock(inspection: &Inspection, workspaces: &[WorkspaceRow], now: Moment) -> Result<Finding, StoreError> {
    let advice = "look at the machine's clock and its time service (NTP)";
    let mut back_ms = 0;
    for workspace in workspaces {
        let events = inspection.last_events(workspace)?;
        if let Some(last) = events.iter().map(|event| event.at_ms).max()
            && last > now.ms().saturating_add(limits::DOCTOR_CLOCK_MS)
        {
            let last = Moment::from_ms(last).iso();
            let message =
                format!("workspace {} has an event of {last}, and it is {}", workspace.id, now.iso());
            return Ok(Finding::error("clock", message, advice));
        }
        let steps = events.iter().zip(events.iter().skip(1));
        back_ms = steps.map(|(one, next)| one.at_ms - next.at_ms).fold(back_ms, i64::max);
    }
    if back_ms > limits::DOCTOR_CLOCK_MS {
        let message = format!("between two of the last events the clock went back by {} s", back_ms / 1000);
        return Ok(Finding::warning("clock", message, advice));
    }
    Ok(Finding::fine("clock", format!("it is {}, after the last event", now.iso())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn gaps_repeats_and_counters_that_stand_elsewhere_are_found() {
        let numbering = Numbering {
            counters: BTreeMap::from([("CS".into(), 103), ("TS".into(), 100)]),
            kinds: Vec::new(),
        };
        let case =
            |count, distinct, first, last| Numbers { kind: "case".into(), count, distinct, first, last };
        assert_eq!(wrong_numbers(&numbering, &case(3, 3, 100, 102)), None);
        for (numbers, reason) in [
            (case(4, 3, 100, 102), "twice"),
            (case(2, 2, 100, 102), "missing"),
            (case(3, 3, 101, 103), "stands at"),
            (Numbers { kind: "status".into(), ..case(1, 1, 1, 1) }, "no release"),
        ] {
            let found = wrong_numbers(&numbering, &numbers).unwrap();
            assert!(found.contains(reason), "{found}");
        }
    }
}
