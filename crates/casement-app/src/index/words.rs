//! Making the words of all documents while lists are answered, and handing them to the engines.
//!
//! One task does it, document by document. What the log brings meanwhile is kept by the engine and put in here in turns,
//! so that the last turn, under the engine's lock, is short.

use std::fs::File;
use std::sync::Arc;

use casement_domain::list::row::Work;
use casement_index::snapshot::load::Snapshot;
use casement_index::words::Words;
use casement_store::document::Document;

use super::build::joined;
use super::entry::{all_terms, comment_terms};
use super::kind::Kind;
use crate::app::App;
use crate::body;
use crate::error::AppError;
use crate::limits;
use crate::workspace::OpenWorkspace;

/// A workspace whose words are to be made.
#[derive(Debug)]
pub(crate) struct Later {
    pub(crate) workspace: Arc<OpenWorkspace>,
    /// The snapshot that holds them.
    pub(crate) snapshot: Option<Snapshot<File>>,
}

/// The terms of one version of a document.
struct Told {
    id: String,
    version: u64,
    terms: Vec<Vec<String>>,
}

impl App {
    /// Makes the words of workspaces, one after the other. When it fails, searches stay unanswered.
    pub(crate) async fn make_words(self: Arc<Self>, all: Vec<Later>) {
        let mut is_complete = true;
        for Later { workspace, snapshot } in all {
            let Err(error) = self.make_words_of(&workspace, snapshot).await else { continue };
            is_complete = false;
            {
                let mut index = workspace.index_mut();
                for kind in Kind::ALL {
                    index.of_mut(kind).give_up_words();
                }
            }
            let sentence = "the words can't be read: searches stay unanswered until a restart";
            // Not available is a store also when the server is told to stop meanwhile.
            if matches!(error, AppError::Unavailable(_)) {
                tracing::warn!(workspace.id = workspace.id(), %error, "{sentence}");
            } else {
                tracing::error!(workspace.id = workspace.id(), %error, "{sentence}");
            }
        }
        if is_complete {
            self.progress().set_has_words();
        }
    }

    async fn make_words_of(
        &self,
        workspace: &Arc<OpenWorkspace>,
        snapshot: Option<Snapshot<File>>,
    ) -> Result<(), AppError> {
        let from_snapshot = match snapshot {
            Some(snapshot) => match self.snapshot_words(workspace, snapshot).await {
                Ok(words) => Some(words),
                Err(reason) => {
                    tracing::warn!(workspace.id = workspace.id(), %reason, "the snapshot's words are not used: they are made anew");
                    None
                }
            },
            None => None,
        };
        let [cases, tasks, comments] = match from_snapshot {
            Some(words) => words,
            None => {
                let documents = Kind::ALL.map(|kind| workspace.index().of(kind).len());
                self.progress().words.expect(documents.iter().sum::<usize>() as u64);
                [
                    self.words_of(workspace, Kind::Case).await?,
                    self.words_of(workspace, Kind::Task).await?,
                    self.words_of(workspace, Kind::Comment).await?,
                ]
            }
        };
        for (kind, words) in [(Kind::Comment, comments), (Kind::Case, cases), (Kind::Task, tasks)] {
            let workspace = Arc::clone(workspace);
            joined(tokio::task::spawn_blocking(move || hand_over(&workspace, kind, words)).await)?;
        }
        tracing::info!(workspace.id = workspace.id(), "searches are answered");
        Ok(())
    }

    /// Makes the words of a kind from its documents.
    async fn words_of(&self, workspace: &Arc<OpenWorkspace>, kind: Kind) -> Result<Words, AppError> {
        let mut words = Words::new(&kind.layout());
        let mut pages = self.pages(workspace, kind, told);
        while let Some(page) = pages.recv().await {
            let page = joined(page.await)??;
            let count = page.len();
            let workspace = Arc::clone(workspace);
            words =
                joined(tokio::task::spawn_blocking(move || put_page(&workspace, kind, words, &page)).await)?;
            self.progress().words_done(count);
        }
        joined(
            tokio::task::spawn_blocking(move || {
                words.finish_bulk();
                words
            })
            .await,
        )
    }
}

fn told(document: &Document) -> Result<Told, AppError> {
    let terms = match Kind::named(&document.kind) {
        Some(Kind::Comment) => {
            body::decode_comment(document)?.map(|comment| comment_terms(&comment.value)).unwrap_or_default()
        }
        Some(Kind::Case | Kind::Task) | None => {
            let work: Option<Work> = body::decode_work(document)?;
            work.map(|work| all_terms(&work, document.number.unwrap_or_default())).unwrap_or_default()
        }
    };
    Ok(Told { id: document.id.clone(), version: document.version, terms })
}

/// Puts the words of a page in, except of documents that the engine has newer: these wait in it.
fn put_page(workspace: &OpenWorkspace, kind: Kind, mut words: Words, page: &[Told]) -> Words {
    let ordinals: Vec<Option<u32>> = {
        let index = workspace.index();
        let engine = index.of(kind);
        let ordinals = page
            .iter()
            .map(|told| engine.ordinal(&told.id).filter(|ordinal| engine.version(*ordinal) <= told.version));
        ordinals.collect()
    };
    for (told, ordinal) in page.iter().zip(ordinals) {
        // One that the engine lacks was committed just now and comes with the log.
        if let Some(ordinal) = ordinal {
            words.set(ordinal, &told.terms);
        }
    }
    put_awaited(workspace, kind, &mut words);
    words
}

/// Puts in what came with the log.
fn put_awaited(workspace: &OpenWorkspace, kind: Kind, words: &mut Words) {
    let awaited = workspace.index_mut().of_mut(kind).take_awaited();
    for (ordinal, terms) in awaited {
        words.set(ordinal, &terms);
    }
}

/// Gives complete words to the engine.
fn hand_over(workspace: &OpenWorkspace, kind: Kind, mut words: Words) {
    for _ in 0..limits::WORDS_ROUNDS_MAX {
        if workspace.index().of(kind).awaited_len() <= limits::WORDS_AWAITED_MAX {
            break;
        }
        put_awaited(workspace, kind, &mut words);
    }
    workspace.index_mut().of_mut(kind).take_words(words);
}
