//! What the pages promise: ARCHITECTURE.md names what exists, every route is in the docs, every quirk has its test.
//!
//! A page that has fallen behind the code is worse than none, so each promise that a machine can check is checked.

use super::tree::File;

/// The folders whose paths in ARCHITECTURE.md must exist.
const NAMED_FOLDERS: [&str; 4] = ["crates/", "docs/", "api/", "console/"];

/// From how many underscores on a word in backticks is taken for the name of a test.
const TEST_NAME_UNDERSCORES_MIN: usize = 4;

/// Crates that ARCHITECTURE.md doesn't name, and paths that it names and that don't exist.
pub fn architecture_faults(text: &str, files: &[File]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut crates: Vec<&str> = files.iter().filter_map(|file| crate_of(&file.path)).collect();
    crates.dedup();
    for name in crates.into_iter().filter(|name| !holds_word(text, name)) {
        faults.push(format!("ARCHITECTURE.md: does not name crates/{name}"));
    }
    for path in named_paths(text) {
        let folder = format!("{}/", path.trim_end_matches('/'));
        if !files.iter().any(|file| file.path == path || file.path.starts_with(&folder)) {
            faults.push(format!("ARCHITECTURE.md: names `{path}`, which does not exist"));
        }
    }
    faults
}

/// Paths of the API that none of the pages names.
pub fn route_faults(description: &str, prose: &[&str]) -> Vec<String> {
    let Ok(description) = serde_json::from_str::<serde_json::Value>(description) else {
        return vec!["api/openapi.json: is no JSON".to_owned()];
    };
    let Some(routes) = description.get("paths").and_then(serde_json::Value::as_object) else {
        return vec!["api/openapi.json: has no paths".to_owned()];
    };
    routes
        .keys()
        .filter(|route| !prose.iter().any(|page| page.contains(route.as_str())))
        .map(|route| format!("{route}: neither docs/api.md nor README.md names this path of the API"))
        .collect()
}

/// Tests that docs/quirks.md names and that no source holds.
pub fn quirk_faults(text: &str, files: &[File]) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for name in code_spans(line).into_iter().filter(|span| is_test_name(span)) {
            let declaration = format!("fn {name}(");
            let exists = files
                .iter()
                .filter(|file| file.path.ends_with(".rs"))
                .any(|file| file.text.as_deref().is_some_and(|source| source.contains(&declaration)));
            if !exists {
                faults.push(format!(
                    "docs/quirks.md:{}: names the test `{name}`, which does not exist",
                    index + 1
                ));
            }
        }
    }
    faults
}

/// The crate that a path lies in.
fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/").and_then(|rest| rest.split_once('/')).map(|(name, _)| name)
}

/// Whether the text holds the name as a word of its own: `casement` is not named by `casement-app`.
fn holds_word(text: &str, name: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    text.split(|character: char| !is_part(character)).any(|word| word == name)
}

/// The paths into our folders that stand in code spans or code blocks; patterns with placeholders are left out.
fn named_paths(text: &str) -> Vec<&str> {
    let mut paths = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        let pieces = if in_block { vec![line] } else { code_spans(line) };
        for word in pieces.into_iter().flat_map(str::split_whitespace) {
            let path = word.trim_end_matches([',', '.', ';', ':', ')']);
            let is_pattern = path.contains(['*', '<', '{', '…', '$']);
            if !is_pattern && NAMED_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
                paths.push(path);
            }
        }
    }
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// What stands between backticks in a line.
fn code_spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// Whether a span looks like the name of a test: lower-case words joined by at least four underscores.
fn is_test_name(span: &str) -> bool {
    let is_snake_case = span
        .chars()
        .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_');
    is_snake_case && span.matches('_').count() >= TEST_NAME_UNDERSCORES_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: Some(text.to_owned()) }
    }

    #[test]
    fn a_crate_that_the_page_does_not_name_is_a_fault() {
        let files = [file("crates/casement/src/main.rs", ""), file("crates/casement-app/src/lib.rs", "")];
        let found = architecture_faults("The use cases are in casement-app.", &files);
        assert_eq!(found, ["ARCHITECTURE.md: does not name crates/casement"]);
        assert!(architecture_faults("`crates/casement` and `crates/casement-app`", &files).is_empty());
    }

    #[test]
    fn a_path_in_backticks_that_does_not_exist_is_a_fault() {
        let files = [file("crates/one/src/lib.rs", ""), file("docs/quirks.md", "")];
        let text = "`crates/one`, `docs/quirks.md`, `docs/gone.md`, docs/unquoted.md, `crates/one/src/<noun>.rs` one";
        assert_eq!(
            architecture_faults(text, &files),
            ["ARCHITECTURE.md: names `docs/gone.md`, which does not exist"]
        );
    }

    #[test]
    fn a_path_in_a_code_block_that_does_not_exist_is_a_fault() {
        let files = [file("crates/one/src/lib.rs", "")];
        let text = "```text\ncrates/one   One.\ncrates/two   Two.\n```\nconsole/ later";
        assert_eq!(
            architecture_faults(text, &files),
            ["ARCHITECTURE.md: names `crates/two`, which does not exist"]
        );
    }

    #[test]
    fn a_route_that_no_page_names_is_a_fault() {
        let description = r#"{"paths": {"/healthz": {}, "/a/{streamId}/createCase": {}}}"#;
        let found = route_faults(description, &["POST /a/{streamId}/createCase makes a case"]);
        assert_eq!(found, ["/healthz: neither docs/api.md nor README.md names this path of the API"]);
        assert!(route_faults(description, &["/healthz", "/a/{streamId}/createCase"]).is_empty());
        assert_eq!(route_faults("no json", &[]).len(), 1);
        assert_eq!(route_faults("{}", &[]).len(), 1);
    }

    #[test]
    fn a_quirk_whose_test_does_not_exist_is_a_fault() {
        let files = [file("crates/one/src/lib.rs", "#[test]\nfn the_title_is_always_lower_cased() {}\n")];
        let text =
            "- `lname`: `the_title_is_always_lower_cased`\n- `iId`: `the_header_iid_is_never_compared`\n";
        assert_eq!(
            quirk_faults(text, &files),
            ["docs/quirks.md:2: names the test `the_header_iid_is_never_compared`, which does not exist"]
        );
    }

    #[test]
    fn a_short_name_or_a_key_is_not_taken_for_a_test() {
        assert!(quirk_faults("`caseTmp`, `body_bytes_max`, `A_B_C_D_E`", &[]).is_empty());
    }
}
