//! What a Rust file must not hold: SQL outside its room, too many lines, things left open, a missing module page.
//!
//! The marks are put together with `concat!`, so that this file doesn't trip over itself. Line by line and without a
//! parser: a rule that needs one belongs to clippy.

use super::tree::File;

/// The most lines a Rust file may have; past it, it is split by meaning.
const LINES_MAX: usize = 600;

/// Marks of things that were left open or silenced, each with what to do instead.
const LEFT_OPEN: [(&str, &str); 7] = [
    (concat!("#[", "ignore"), "a test that doesn't run proves nothing: mend it or delete it"),
    (concat!("todo", "!("), "finish it"),
    (concat!("unimplemented", "!("), "finish it"),
    (concat!("dbg", "!("), "use tracing, or take it out"),
    (concat!("FIX", "ME"), "fix it, or open an issue and say why it can wait"),
    (concat!("#[", "allow("), "use #[expect(lint, reason = \"…\")]"),
    (concat!("#![", "allow("), "use #![expect(lint, reason = \"…\")]"),
];

/// Marks of SQL text and of its driver.
const SQL: [&str; 10] = [
    concat!("SEL", "ECT "),
    concat!("INSERT ", "INTO "),
    concat!("INSERT OR ", "IGNORE "),
    concat!("DELETE ", "FROM "),
    concat!("CREATE ", "TABLE "),
    concat!("CREATE ", "INDEX "),
    concat!("CREATE UNIQUE ", "INDEX "),
    concat!("PRA", "GMA "),
    concat!("BEGIN ", "IMMEDIATE"),
    concat!("rus", "qlite::"),
];

/// Where SQL may stand: the room of remembering, and the benchmark that measures SQLite without a server.
const SQL_ROOMS: [&str; 2] = ["crates/casement-store/", "crates/xtask/src/bench"];

/// Every fault of one Rust file.
pub fn faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    let lines_total = file.lines().count();
    if lines_total > LINES_MAX {
        faults.push(format!("{}: {lines_total} lines, at most {LINES_MAX}; split it by meaning", file.path));
    }
    if !opens_with_its_page(file) {
        faults.push(format!(
            "{}: a module opens with `//!`: its job, its neighbours, what it must not do",
            file.path
        ));
    }
    for (number, line) in file.lines() {
        for (mark, advice) in LEFT_OPEN {
            if line.contains(mark) {
                faults.push(format!("{}:{number}: `{mark}`: {advice}", file.path));
            }
        }
    }
    if !SQL_ROOMS.iter().any(|room| file.path.starts_with(room)) {
        for (number, line) in file.lines().filter(|(_, line)| holds_sql(line)) {
            faults.push(format!("{}:{number}: SQL outside casement-store: {}", file.path, line.trim()));
        }
    }
    faults
}

/// Whether the first line that isn't blank is a module comment with words in it.
fn opens_with_its_page(file: &File) -> bool {
    let first = file.lines().map(|(_, line)| line.trim()).find(|line| !line.is_empty());
    first.is_some_and(|line| line.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty()))
}

/// Whether a line holds SQL, or names its driver; comments may speak about it.
fn holds_sql(line: &str) -> bool {
    !line.trim_start().starts_with("//") && SQL.iter().any(|mark| line.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: Some(text.to_owned()) }
    }

    fn only_fault(path: &str, text: &str) -> String {
        let found = faults(&file(path, text));
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn a_clean_module_has_no_fault() {
        assert!(faults(&file("crates/casement-app/src/case.rs", "//! Cases.\n\nfn main() {}\n")).is_empty());
    }

    #[test]
    fn a_file_of_601_lines_is_a_fault_and_one_of_600_is_none() {
        let page = "//! Long.\n".to_owned();
        let path = "crates/casement-app/src/long.rs";
        assert!(faults(&file(path, &(page.clone() + &"// line\n".repeat(599)))).is_empty());
        assert!(only_fault(path, &(page + &"// line\n".repeat(600))).contains("601 lines"));
    }

    #[test]
    fn a_module_without_its_page_is_a_fault() {
        for text in ["fn main() {}\n", "", "//!\nfn main() {}\n", "/// Not a module page.\nfn main() {}\n"] {
            assert!(only_fault("crates/casement/src/main.rs", text).contains("opens with"), "{text:?}");
        }
    }

    #[test]
    fn each_mark_of_something_left_open_is_a_fault_with_its_line() {
        for (mark, _) in LEFT_OPEN {
            let found = only_fault("crates/casement/src/main.rs", &format!("//! Main.\n    {mark}\n"));
            assert!(found.starts_with("crates/casement/src/main.rs:2: "), "{found}");
        }
    }

    #[test]
    fn each_mark_of_sql_is_a_fault_outside_the_store_and_none_inside() {
        for mark in SQL {
            let text = format!("//! Cases.\nconst TEXT: &str = \"{mark}x\";\n");
            assert!(only_fault("crates/casement-app/src/case.rs", &text).contains("SQL outside"), "{mark}");
            assert!(faults(&file("crates/casement-store/src/read.rs", &text)).is_empty());
            assert!(faults(&file("crates/xtask/src/bench/raw_writer.rs", &text)).is_empty());
        }
    }

    #[test]
    fn a_comment_may_speak_about_sql() {
        let text = format!("//! Cases.\n// Answered without {}* by the index.\n", concat!("SEL", "ECT "));
        assert!(faults(&file("crates/casement-app/src/case.rs", &text)).is_empty());
    }
}
