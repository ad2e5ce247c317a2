//! Snapshots of the index: a start from one answers as a start from the documents, and one that does not fit is left
//! aside. Also starts that answer lists before the words are read.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use casement_app::configuration::apply::{Run, apply};
use casement_app::deadline::mark_passed;
use casement_app::error::AppError;
use casement_app::index::build::Start;
use casement_app::index::keeps_deadlines;
use casement_app::index::snapshot::run::run;
use casement_domain::id::StreamId;
use casement_wire::spelling::Noun;
use serde_json::{Value, json};

use crate::house::{House, NOW_MS, STREAM, id, new_case, new_task};

const WORDS: [&str; 6] = ["printer", "Café", "invoice", "délivery", "refund", "京都の天気"];

/// Numbers that look random and that a seed repeats.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }
}

/// A world of cases, tasks and comments that changes step by step.
struct World {
    numbers: Numbers,
    cases: Vec<Value>,
    tasks: Vec<Value>,
    comments: Vec<Value>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self { numbers: Numbers(seed), cases: Vec::new(), tasks: Vec::new(), comments: Vec::new() }
    }

    /// Makes or changes something. What is refused counts for nothing.
    async fn step(&mut self, house: &House) {
        let pick = self.numbers.below(16);
        let words = [self.numbers.word(), self.numbers.word()].join(" ");
        let case = (!self.cases.is_empty()).then(|| self.numbers.below(self.cases.len()));
        let task = (!self.tasks.is_empty()).then(|| self.numbers.below(self.tasks.len()));
        let status = ["Open", "On-Hold", "Resolved"][self.numbers.below(3)];
        match (pick, case, task) {
            (4 | 5, Some(case), _) => {
                let made = house.create_task(new_task(&self.cases[case])).await;
                self.tasks.extend(made.ok());
            }
            (6, Some(case), _) => {
                let active = self.numbers.below(2) == 0;
                let _ = house.update_case(id(&self.cases[case]), json!({"isActive": active})).await;
            }
            (7 | 8, Some(case), _) => {
                let changes = json!({"name": words, "status": status, "tags": [words]});
                let _ = house.update_case(id(&self.cases[case]), changes).await;
            }
            (9, _, Some(task)) => {
                let _ =
                    house.update_task(id(&self.tasks[task]), json!({"status": status, "desc": words})).await;
            }
            (10 | 11, Some(case), _) => {
                self.comments.extend(house.comment(id(&self.cases[case]), &words).await.ok());
            }
            (12 | 13, Some(_), _) if !self.comments.is_empty() => {
                let comment = self.numbers.below(self.comments.len());
                let text = (pick == 12).then_some(words.as_str());
                let _ = house.say_again(&self.comments[comment], text).await;
            }
            (14, Some(case), _) if self.numbers.below(2) == 0 => {
                let case = id(&self.cases[case]);
                let _ = house.update_case(case, json!({"isActive": false})).await;
                let _ = house.purge(Noun::Case, case).await;
            }
            (15, _, Some(task)) => {
                let task = id(&self.tasks[task]);
                let _ = house.update_task(task, json!({"isActive": false})).await;
                let _ = house.purge(Noun::Task, task).await;
            }
            (_, _, _) => {
                let mut body = new_case(&words);
                body["desc"] = json!(self.numbers.word());
                body["dueDate"] = json!(NOW_MS + self.numbers.below(4_000) as i64);
                self.cases.push(house.create_case(body).await.unwrap());
            }
        }
    }

    async fn steps(&mut self, house: &House, count: usize) {
        for _ in 0..count {
            self.step(house).await;
        }
    }
}

fn questions() -> Vec<Value> {
    let mut questions = vec![
        json!({"limit": 500}),
        json!({"sortBy": {"updatedDate": "asc"}, "limit": 500}),
        json!({"sortBy": {"name": "asc"}, "limit": 500}),
        json!({"sortBy": {"dueDate": "desc"}, "unresolved": true, "skip": 3, "limit": 7}),
        json!({"status": ["Resolved"]}),
        json!({"name": "print", "sortBy": {"refId": "desc"}}),
        json!({"ETAlist": ["overdue"]}),
        json!({"searchText": "cs0001"}),
    ];
    questions.extend(WORDS.iter().map(|word| json!({"searchText": word})));
    questions
}

async fn answers(house: &House) -> Vec<Value> {
    let mut answers = Vec::new();
    for question in questions() {
        for noun in [Noun::Case, Noun::Task] {
            answers.push(house.list(noun, question.clone()).await);
        }
    }
    for word in WORDS {
        for q in [word.to_owned(), format!("comment:{word}"), format!("-comment:{word} refund")] {
            for noun in [Noun::Case, Noun::Task] {
                answers.push(house.search(noun, json!({"q": q, "limit": 200})).await);
            }
        }
    }
    answers
}

/// Waits until searches are answered.
async fn with_words(house: &House) {
    while !house.app.progress().has_words() {
        tokio::task::yield_now().await;
    }
}

fn from_snapshots(directory: &Path) -> Start {
    Start { snapshots: Some(directory.to_owned()), ..Start::default() }
}

fn kept(house: &House) -> u64 {
    house.app.snapshot_sequence(&StreamId::from_text(STREAM))
}

fn file(directory: &Path) -> PathBuf {
    directory.join(format!("{STREAM}.snapshot"))
}

/// Opens again from the snapshots; tells whether one was used.
async fn reopened(house: House) -> (House, bool) {
    let start = from_snapshots(&house.snapshots());
    let house = house.reopened_from(start).await;
    with_words(&house).await;
    let is_used = kept(&house) > 0;
    (house, is_used)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_from_a_snapshot_and_the_log_answers_as_one_from_the_documents() {
    for seed in 0..6 {
        let mut house = House::build().await;
        let mut world = World::new(seed);
        for round in 0..3 {
            world.steps(&house, 5 + seed as usize * 3).await;
            // While others write: whatever changed meanwhile is applied again.
            let snapshots = house.snapshots();
            let app = house.app.clone();
            tokio::join!(app.keep_all(&snapshots), world.steps(&house, 12));
            assert!(kept(&house) > 0);
            world.steps(&house, round * 9).await;
            let before = answers(&house).await;
            let is_used;
            (house, is_used) = reopened(house).await;
            assert!(is_used, "seed {seed}, round {round}");
            assert_eq!(answers(&house).await, before, "seed {seed}, round {round}");
            world.steps(&house, 4).await;
        }
        let before = answers(&house).await;
        let house = house.reopened().await;
        assert_eq!(answers(&house).await, before, "seed {seed}");
        house.verify().await;
    }
}

#[tokio::test]
async fn deadlines_come_from_a_snapshot_as_from_the_documents() {
    let house = House::build().await;
    let mut world = World::new(3);
    world.steps(&house, 40).await;
    house.app.keep_all(&house.snapshots()).await;
    world.steps(&house, 10).await;
    let (house, is_used) = reopened(house).await;
    assert!(is_used);
    house.clock.store(NOW_MS + 3_000, std::sync::atomic::Ordering::SeqCst);
    let marked = mark_passed(&house.app).await;
    assert!(marked > 3);
    // Nothing is left for an index of the documents.
    let house = house.reopened().await;
    assert_eq!(mark_passed(&house.app).await, 0);
}

#[tokio::test]
async fn a_task_follows_a_case_that_was_deleted_after_the_snapshot() {
    let house = House::build().await;
    let case = house.create_case(new_case("A case")).await.unwrap();
    house.create_task(new_task(&case)).await.unwrap();
    house.app.keep_all(&house.snapshots()).await;
    house.update_case(id(&case), json!({"isActive": false})).await.unwrap();
    let (house, is_used) = reopened(house).await;
    assert!(is_used);
    assert_eq!(house.list(Noun::Task, json!({})).await["totalResults"], 0);
    house.update_case(id(&case), json!({"isActive": true})).await.unwrap();
    assert_eq!(house.list(Noun::Task, json!({})).await["totalResults"], 1);
}

#[tokio::test]
async fn a_damaged_snapshot_is_left_aside() {
    let mut house = House::build().await;
    World::new(5).steps(&house, 25).await;
    let snapshots = house.snapshots();
    house.app.keep_all(&snapshots).await;
    let some = async |house: &House| {
        let all = house.list(Noun::Case, json!({"sortBy": {"updatedDate": "asc"}, "limit": 500})).await;
        [all, house.list(Noun::Task, json!({"searchText": "printer"})).await]
    };
    let before = some(&house).await;
    let whole = fs::read(file(&snapshots)).unwrap();
    let mut refused = 0;
    let cuts = (0..whole.len()).step_by(whole.len() / 8).map(|length| whole[..length].to_vec());
    let damaged = (0..whole.len()).step_by(100).map(|position| {
        let mut bytes = whole.clone();
        bytes[position] ^= 1 << (position / 100 % 8);
        bytes
    });
    for bytes in cuts.chain(damaged) {
        fs::write(file(&snapshots), bytes).unwrap();
        let is_used;
        (house, is_used) = reopened(house).await;
        refused += usize::from(!is_used);
        assert_eq!(some(&house).await, before);
    }
    // What is left are those whose lists were sound: their words were made anew.
    assert!(refused > 4, "{refused} of {}", whole.len() / 100);
    fs::write(file(&snapshots), whole).unwrap();
    let (_, is_used) = reopened(house).await;
    assert!(is_used);
}

#[tokio::test]
async fn a_snapshot_of_another_installation_or_release_is_left_aside() {
    let (house, other) = (House::build().await, House::build().await);
    World::new(1).steps(&house, 10).await;
    World::new(2).steps(&other, 20).await;
    other.app.keep_all(&other.snapshots()).await;
    house.app.keep_all(&house.snapshots()).await;
    let before = answers(&house).await;
    let snapshots = house.snapshots();
    let own = fs::read(file(&snapshots)).unwrap();
    fs::copy(file(&other.snapshots()), file(&snapshots)).unwrap();
    let (house, is_used) = reopened(house).await;
    assert!(!is_used);
    assert_eq!(answers(&house).await, before);
    // A newer format, before anything else is looked at.
    let mut newer = own.clone();
    newer[8] += 1;
    fs::write(file(&snapshots), newer).unwrap();
    let (house, is_used) = reopened(house).await;
    assert!(!is_used);
    assert_eq!(answers(&house).await, before);
}

#[tokio::test]
async fn a_snapshot_that_is_ahead_of_a_restored_log_is_left_aside() {
    let house = House::build().await;
    let mut world = World::new(9);
    world.steps(&house, 10).await;
    let copy = tempfile::tempdir().unwrap();
    let database = "casement.db";
    let house = house
        .reopened_after(Start::default(), |data| {
            fs::copy(data.join(database), copy.path().join(database)).unwrap();
        })
        .await;
    world.steps(&house, 10).await;
    house.app.keep_all(&house.snapshots()).await;
    let kept_at = kept(&house);
    let start = from_snapshots(&house.snapshots());
    let put_back = |data: &Path| {
        fs::copy(copy.path().join(database), data.join(database)).unwrap();
    };
    let house = house.reopened_after(start, put_back).await;
    with_words(&house).await;
    assert_eq!(kept(&house), 0, "the log ends before the snapshot");
    // Other writes take the same sequence numbers.
    let mut other = World::new(77);
    while house.store.workspace(STREAM).await.unwrap().unwrap().head < kept_at + 5 {
        other.step(&house).await;
    }
    let before = answers(&house).await;
    let (house, is_used) = reopened(house).await;
    assert!(!is_used, "the log is another one there");
    assert_eq!(answers(&house).await, before);
}

#[tokio::test]
async fn a_snapshot_outlives_a_change_of_the_configuration() {
    let house = House::build().await;
    World::new(4).steps(&house, 20).await;
    house.app.keep_all(&house.snapshots()).await;
    let document = json!({
        "statuses": [{"name": "Settled", "statusCategory": "resolved"}],
        "fields": [{"_id": "fd-size", "name": "Size", "format": "number"}],
    });
    apply(&house.app, None, document.to_string().as_bytes(), Run::Real).await.unwrap();
    let before = answers(&house).await;
    let (house, is_used) = reopened(house).await;
    assert!(is_used);
    assert_eq!(answers(&house).await, before);
    let kept_at = kept(&house);
    house.app.keep_all(&house.snapshots()).await;
    assert!(kept(&house) > kept_at);
}

#[test]
fn deadlines_stay_unless_a_status_comes_to_mean_something_else() {
    let statuses = |statuses: &[(&str, bool)]| {
        statuses.iter().map(|(id, is_over)| ((*id).to_owned(), *is_over)).collect()
    };
    let former = statuses(&[("open", false), ("done", true)]);
    assert!(keeps_deadlines(&former, &statuses(&[("open", false), ("done", true), ("settled", true)])));
    assert!(!keeps_deadlines(&former, &statuses(&[("open", true), ("done", true)])));
    assert!(!keeps_deadlines(&former, &statuses(&[("open", false)])));
}

#[tokio::test]
async fn a_place_that_can_t_be_used_stops_neither_the_server_nor_its_start() {
    let house = House::build().await;
    World::new(6).steps(&house, 10).await;
    let before = answers(&house).await;
    // A directory where the file should be.
    let snapshots = house.snapshots();
    fs::create_dir_all(file(&snapshots).join("inside")).unwrap();
    house.app.keep_all(&snapshots).await;
    assert_eq!(kept(&house), 0);
    let (house, is_used) = reopened(house).await;
    assert!(!is_used);
    assert_eq!(answers(&house).await, before);
    assert_eq!(fs::read_dir(&snapshots).unwrap().count(), 1, "nothing unfinished is left");
    // A file where the directory should be.
    fs::remove_dir_all(&snapshots).unwrap();
    fs::write(&snapshots, "no directory").unwrap();
    house.app.keep_all(&snapshots).await;
    let (house, is_used) = reopened(house).await;
    assert!(!is_used);
    assert_eq!(answers(&house).await, before);
}

#[tokio::test]
async fn what_a_killed_server_left_unfinished_is_removed() {
    let house = House::build().await;
    World::new(2).steps(&house, 3).await;
    let snapshots = house.snapshots();
    house.app.keep_all(&snapshots).await;
    let unfinished = snapshots.join(format!("{STREAM}.unfinished"));
    fs::write(&unfinished, "half of it").unwrap();
    let (_, is_used) = reopened(house).await;
    assert!(is_used);
    assert!(!unfinished.exists());
}

/// Purges a case that the snapshot of a house holds.
async fn purged_case(house: &House) {
    let case = house.create_case(new_case("Xylophagous")).await.unwrap();
    house.app.keep_all(&house.snapshots()).await;
    assert!(kept(house) > 0);
    house.update_case(id(&case), json!({"isActive": false})).await.unwrap();
    house.purge(Noun::Case, id(&case)).await.unwrap();
}

/// Nothing is where the snapshot was, and what somebody else puts there is left alone.
async fn is_gone_and_looked_for_once(house: &House) {
    let snapshots = house.snapshots();
    assert_eq!((file(&snapshots).exists(), kept(house)), (false, 0));
    fs::write(file(&snapshots), "not ours").unwrap();
    house.app.keep_all(&snapshots).await;
    assert_eq!(fs::read(file(&snapshots)).unwrap(), b"not ours");
}

#[tokio::test]
async fn a_snapshot_with_what_was_purged_goes_where_no_other_can_be_written() {
    let house = House::build().await;
    purged_case(&house).await;
    // A directory where the next one would be written.
    fs::create_dir(house.snapshots().join(format!("{STREAM}.unfinished"))).unwrap();
    house.app.keep_all(&house.snapshots()).await;
    is_gone_and_looked_for_once(&house).await;
}

#[tokio::test]
async fn a_snapshot_with_what_was_purged_goes_while_words_are_missing() {
    let house = House::build().await;
    let broken = house.create_case(new_case("Broken")).await.unwrap();
    purged_case(&house).await;
    house.app.keep_all(&house.snapshots()).await;
    let snapshots = house.snapshots();
    // The words of the snapshot can't be used, nor made of this document: they stay missing.
    let mut bytes = fs::read(file(&snapshots)).unwrap();
    let end = bytes.len() - 100;
    bytes[end] ^= 1;
    fs::write(file(&snapshots), bytes).unwrap();
    let break_body = |data: &Path| {
        let path = data.join("casement.db");
        let mut database = fs::read(&path).unwrap();
        let body = format!("{{\"id\":\"{}\"", id(&broken));
        let places: Vec<usize> = database
            .windows(body.len())
            .enumerate()
            .filter(|(_, part)| *part == body.as_bytes())
            .map(|(place, _)| place)
            .collect();
        assert!(!places.is_empty());
        for place in places {
            database[place] = b'[';
        }
        fs::write(path, database).unwrap();
    };
    let house = house.reopened_after(from_snapshots(&snapshots), break_body).await;
    let kept_at = kept(&house);
    assert!(kept_at > 0, "its lists are used");
    let case = house.create_case(new_case("Another")).await.unwrap();
    let is_without = |snapshots: &Path| !file(snapshots).exists();
    let keeping = tokio::spawn(run(Arc::clone(&house.app), snapshots.clone()));
    house.app.keep_all(&snapshots).await;
    assert!(!is_without(&snapshots) && kept(&house) == kept_at, "nothing was purged since");
    keeping.abort();
    house.update_case(id(&case), json!({"isActive": false})).await.unwrap();
    house.purge(Noun::Case, id(&case)).await.unwrap();
    // While the server goes on, not only at its stop.
    let keeping = tokio::spawn(run(Arc::clone(&house.app), snapshots.clone()));
    while !is_without(&snapshots) {
        tokio::task::yield_now().await;
    }
    keeping.abort();
    assert!(!house.app.progress().has_words());
    is_gone_and_looked_for_once(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_answered_before_the_words_are_read() {
    let mut house = House::build().await;
    let mut world = World::new(8);
    world.steps(&house, 60).await;
    let mut refused = 0;
    for _ in 0..12 {
        house = house.reopened_from(Start { words_later_documents: 0, ..Start::default() }).await;
        // What is written while words are read is found afterwards.
        loop {
            match house.try_list(Noun::Case, json!({"searchText": "printer"})).await {
                Ok(_) => break,
                Err(AppError::WordsMissing) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
            assert!(house.list(Noun::Case, json!({})).await["totalResults"].as_u64() > Some(5));
            world.step(&house).await;
        }
        with_words(&house).await;
        world.steps(&house, 2).await;
        let before = answers(&house).await;
        house = house.reopened().await;
        assert_eq!(answers(&house).await, before);
    }
    assert!(refused > 0, "words were never later");
}
