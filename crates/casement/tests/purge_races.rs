//! A purge and a restore of the same case at once: one of them wins, and nothing is purged of a case after it was restored.

use casement_store::store::Store;
use serde_json::{Value, json};

use crate::attachments::{added, id};
use crate::harness::answer::Answer;
use crate::harness::server::{STREAM, Server};

/// The most documents that are purged in one set.
const PURGED_AT_ONCE: usize = 32;

/// A deleted case with comments, a file and a task.
pub struct Contest {
    /// Stands in its comments, and nowhere else.
    pub word: String,
    path: String,
    /// Each document as its kind and id, the case last.
    documents: Vec<(&'static str, String)>,
}

impl Contest {
    pub async fn begin(server: &Server, comments: usize) -> Self {
        let case = server.create_case(json!({})).await;
        let word = format!("Xylophagous{}", &id(&case)[id(&case).len() - 4..]);
        let path = format!("/api/v1/streams/{STREAM}/cases/{}", id(&case));
        let mut documents = Vec::new();
        for text in (1..=comments).map(|number| format!("{word} {number}")) {
            let call = server.call("").path(&format!("{path}/comments")).json(&json!({"text": text}));
            documents.push(("comment", id(&call.send().await.made()).to_owned()));
        }
        documents.push(("attachment", id(&added(server, &case, "a.txt", b"kept").await).to_owned()));
        documents.push(("task", id(&server.create_task(&case, json!({})).await).to_owned()));
        documents.push(("case", id(&case).to_owned()));
        server.call("").method("DELETE").path(&path).send().await.document();
        Self { word, path, documents }
    }

    /// Gives at how many purged documents a restore may come in between, the first and the last among them.
    pub fn moments(comments: usize) -> Vec<usize> {
        let documents = comments + 3;
        (0..documents)
            .step_by(PURGED_AT_ONCE)
            .chain([1, PURGED_AT_ONCE + 1, documents])
            .filter(|moment| *moment <= documents)
            .collect()
    }

    pub async fn purge(&self, server: &Server) -> Answer {
        server.call("").path(&format!("{}/purge", self.path)).send().await
    }

    pub async fn restore(&self, server: &Server) -> Answer {
        server.call("").path(&format!("{}/restore", self.path)).send().await
    }

    /// Tells how many documents it has.
    pub fn documents(&self) -> usize {
        self.documents.len()
    }

    /// Tells how many of its documents are purged.
    pub async fn purged(&self, server: &Server) -> usize {
        self.purged_in(&server.store).await
    }

    /// The same in any store.
    pub async fn purged_in(&self, store: &Store) -> usize {
        let mut purged = 0;
        for (kind, document) in &self.documents {
            let stored = store.document(STREAM, kind, document).await.unwrap().unwrap();
            purged += usize::from(stored.schema == 0);
        }
        purged
    }

    /// Holds what is there against how both ended; tells whether the purge won.
    pub async fn judge(&self, server: &Server, purge: &Answer, restore: &Answer) -> bool {
        assert_eq!(server.store.verify(STREAM).await.unwrap().fault, None);
        if purge.status == 204 {
            assert_eq!((restore.status, self.purged(server).await), (404, self.documents.len()));
            return true;
        }
        assert_eq!((purge.status, restore.status), (409, 200), "{:?}", purge.json());
        let (_, case) = self.documents.last().unwrap();
        let events = server.events_of(case).await;
        let restored = events.iter().find(|event| event.kind == "case.restored").unwrap().sequence;
        for (kind, document) in &self.documents {
            let events = server.events_of(document).await;
            let erased = events.iter().filter(|event| event.kind == "erased").map(|event| event.sequence);
            assert!(erased.max().unwrap_or_default() < restored, "{kind} {document}");
        }
        if self.documents.len() <= PURGED_AT_ONCE {
            assert_eq!(self.purged(server).await, 0, "all of it goes, or nothing");
        }
        // It is what it was restored as, and works.
        let (_, task) = self.documents.iter().find(|(kind, _)| *kind == "task").unwrap();
        let stored = server.store.document(STREAM, "task", task).await.unwrap().unwrap();
        let tasks: Vec<&str> = if stored.schema == 0 { Vec::new() } else { vec![task] };
        let shown: Value = server.call("").method("GET").path(&self.path).send().await.document();
        assert_eq!((&shown["isActive"], &shown["taskIds"]), (&json!(true), &json!(tasks)));
        let again = server.call("").path(&format!("{}/comments", self.path)).json(&json!({"text": "four"}));
        again.send().await.made();
        false
    }
}

#[tokio::test]
async fn of_a_purge_and_a_restore_at_once_one_wins() {
    let server = Server::start().await;
    for comments in [3, 60] {
        for taken in Contest::moments(comments) {
            let contest = Contest::begin(&server, comments).await;
            let late = async {
                while contest.purged(&server).await < taken {
                    tokio::task::yield_now().await;
                }
                contest.restore(&server).await
            };
            let (purge, restore) = tokio::join!(contest.purge(&server), late);
            let has_purge_won = contest.judge(&server, &purge, &restore).await;
            assert!(has_purge_won || taken < comments + 3, "nothing was left to be restored");
        }
        let contest = Contest::begin(&server, comments).await;
        let restore = contest.restore(&server).await;
        assert!(!contest.judge(&server, &contest.purge(&server).await, &restore).await);
    }
}
