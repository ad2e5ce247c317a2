//! What a store must hold: worked out from the sets in the order of the feed, and read from a store.
//!
//! Values are kept as text, so that whatever differs can be printed. It shares nothing with the code that it judges
//! but the types of sets and documents.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use casement_store::backup::restore::Point;
use casement_store::document::{Claim, Document, NewWorkspace};
use casement_store::set::{ClaimWrite, Committed, WriteSet};
use casement_store::store::Store;

/// The kinds of documents that the writers write.
pub const KINDS: [&str; 2] = ["case", "note"];

/// How many documents or events are read at once.
const PAGE: usize = 1000;

/// A committed set.
#[derive(Clone, Debug)]
pub struct Step {
    /// The set.
    pub set: WriteSet,
    /// What the commit assigned.
    pub outcome: Committed,
}

/// Everything in a store.
#[derive(Clone, Debug, Default)]
pub struct Model {
    workspaces: BTreeMap<String, Workspace>,
}

/// One workspace.
#[derive(Clone, Debug, Default)]
struct Workspace {
    head: u64,
    config_version: u64,
    counters: BTreeMap<String, u64>,
    documents: BTreeMap<(String, String), Document>,
    claims: BTreeMap<String, Claim>,
    /// The events, without the hashes, which the store verifies.
    events: Vec<String>,
}

impl Model {
    /// Works out the state at a point: everything before the first set that is past it.
    pub fn at(workspaces: &[NewWorkspace], steps: &[Step], point: &Point) -> Model {
        let mut model = Model::default();
        for workspace in workspaces {
            let counters = workspace.counters.clone();
            let row = Workspace { config_version: 1, counters, ..Workspace::default() };
            model.workspaces.insert(workspace.id.clone(), row);
        }
        for step in steps.iter().take_while(|step| !is_past(step, point)) {
            if let Some(workspace) = model.workspaces.get_mut(&step.set.workspace) {
                workspace.apply(step);
            }
        }
        model
    }

    /// Reads a store, and has every chain verified.
    ///
    /// # Errors
    /// When it can't be read or a chain is broken.
    pub async fn of(store: &Store, keys: &[String]) -> Result<Model> {
        let mut model = Model::default();
        for row in store.workspaces().await? {
            let id = row.id;
            let mut workspace = Workspace {
                head: row.head,
                config_version: row.config_version,
                counters: row.counters,
                ..Workspace::default()
            };
            for kind in KINDS {
                let mut after: Option<String> = None;
                loop {
                    let page = store.scan(&id, kind, after.as_deref(), PAGE).await?;
                    let ended = page.len() < PAGE;
                    after = page.last().map(|document| document.id.clone());
                    for document in page {
                        workspace.documents.insert((kind.to_owned(), document.id.clone()), document);
                    }
                    if ended {
                        break;
                    }
                }
            }
            for key in keys {
                if let Some(claim) = store.claim(&id, key).await? {
                    workspace.claims.insert(key.clone(), claim);
                }
            }
            while let Some(page) = Some(store.events(&id, workspace.events.len() as u64, PAGE).await?)
                .filter(|page| !page.is_empty())
            {
                for event in page {
                    workspace.events.push(format!(
                        "{} {:?} {} {} {} {} {} {} {} {:?} {:?}",
                        event.sequence,
                        event.operation,
                        event.at_ms,
                        event.actor,
                        event.app,
                        event.kind,
                        event.document_kind,
                        event.document,
                        event.version,
                        event.changes,
                        event.salt
                    ));
                }
            }
            let report = store.verify(&id).await?;
            ensure!(report.fault.is_none(), "{id}: the hash chain is broken: {:?}", report.fault);
            model.workspaces.insert(id, workspace);
        }
        Ok(model)
    }

    /// Tells what another state has otherwise.
    pub fn differences(&self, found: &Model) -> Vec<String> {
        let mut differences = Vec::new();
        let ids = self
            .workspaces
            .keys()
            .chain(found.workspaces.keys().filter(|id| !self.workspaces.contains_key(*id)));
        for id in ids {
            let (Some(ours), Some(theirs)) = (self.workspaces.get(id), found.workspaces.get(id)) else {
                differences.push(format!("workspace {id} is only in one of them"));
                continue;
            };
            let row = |of: &Workspace| {
                format!("head {} config {} counters {:?}", of.head, of.config_version, of.counters)
            };
            if row(ours) != row(theirs) {
                differences.push(format!("{id}: expected {}, found {}", row(ours), row(theirs)));
            }
            compare(&format!("{id} document"), &ours.documents, &theirs.documents, &mut differences);
            compare(&format!("{id} claim"), &ours.claims, &theirs.claims, &mut differences);
            let events = |of: &Workspace| of.events.iter().cloned().enumerate().collect::<BTreeMap<_, _>>();
            compare(&format!("{id} event"), &events(ours), &events(theirs), &mut differences);
        }
        differences
    }

    /// Gives each workspace with its head and the next number of its first counter.
    pub fn ends(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.workspaces.iter().map(|(id, workspace)| {
            let next = workspace.counters.values().next().copied().unwrap_or_default();
            (id.as_str(), workspace.head, next)
        })
    }
}

impl Workspace {
    fn apply(&mut self, step: &Step) {
        let Step { set, outcome } = step;
        self.head = outcome.last_sequence;
        self.config_version += u64::from(set.changes_config);
        let mut versions = BTreeMap::new();
        for (write, given) in set.documents.iter().zip(&outcome.documents) {
            if let Some(counter) = &write.counter {
                *self.counters.entry(counter.clone()).or_default() += 1;
            }
            versions.insert((write.kind.clone(), write.id.clone()), given.version);
            let document = Document {
                kind: write.kind.clone(),
                id: write.id.clone(),
                parent: write.parent.clone(),
                number: given.number,
                version: given.version,
                sequence: given.sequence,
                schema: write.schema,
                body: write.body.clone(),
            };
            self.documents.insert((write.kind.clone(), write.id.clone()), document);
        }
        for claim in &set.claims {
            self.apply_claim(claim, set.at_ms);
        }
        for (sequence, event) in (outcome.first_sequence..).zip(&set.events) {
            let version = versions.get(&(event.document_kind.clone(), event.document.clone()));
            self.events.push(format!(
                "{sequence} {:?} {} {} {} {} {} {} {} {:?} {:?}",
                set.operation,
                set.at_ms,
                set.actor,
                set.app,
                event.kind,
                event.document_kind,
                event.document,
                version.copied().unwrap_or_default(),
                event.changes,
                Some(event.salt)
            ));
        }
    }

    fn apply_claim(&mut self, claim: &ClaimWrite, at_ms: i64) {
        match claim {
            ClaimWrite::Put { key, document, result, expires_ms } => {
                let claim = Claim {
                    key: key.clone(),
                    document: document.clone(),
                    result: result.clone(),
                    expires_ms: *expires_ms,
                };
                self.claims.insert(key.clone(), claim);
            }
            ClaimWrite::Remove { key } => drop(self.claims.remove(key)),
            ClaimWrite::RemoveExpired { key } => {
                if self.claims.get(key).is_some_and(|claim| claim.is_expired(at_ms)) {
                    self.claims.remove(key);
                }
            }
        }
    }
}

fn is_past(step: &Step, point: &Point) -> bool {
    match point {
        Point::Latest => false,
        Point::Time(at_ms) => step.set.at_ms > *at_ms,
        Point::Sequence { workspace, sequence } => {
            step.set.workspace == *workspace && step.outcome.last_sequence > *sequence
        }
    }
}

fn compare<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: &BTreeMap<K, V>,
    found: &BTreeMap<K, V>,
    differences: &mut Vec<String>,
) {
    for (key, value) in expected {
        if found.get(key) != Some(value) {
            differences.push(format!("{what} {key:?}: expected {value:?}, found {:?}", found.get(key)));
        }
    }
    for key in found.keys().filter(|key| !expected.contains_key(key)) {
        differences.push(format!("{what} {key:?}: found, not expected"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::restore::work;

    #[tokio::test]
    async fn the_model_of_some_sets_equals_the_store_that_took_them_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let worked = work::work(folder.path(), 1, &mut fastrand::Rng::with_seed(1)).await.unwrap();
        let (store, _feed) =
            Store::open(casement_store::options::Options::new(folder.path().join("data"))).unwrap();
        let found = Model::of(&store, &worked.keys).await.unwrap();
        let expected = Model::at(&worked.workspaces, &worked.steps, &Point::Latest);
        assert_eq!(expected.differences(&found), Vec::<String>::new());
        // The last step alone may change nothing, such as a claim that is taken away again.
        let half = Model::at(&worked.workspaces, &worked.steps[..worked.steps.len() / 2], &Point::Latest);
        assert_ne!(half.differences(&found), Vec::<String>::new());
        store.close().await;
    }
}
