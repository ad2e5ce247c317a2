//! What a line of the log may name: the fields of a list, none of which holds a body, a secret or anything personal.
//!
//! The arguments of the log's macros are read up to the sentence; whatever stands before it is a field.

use super::tree::File;

/// The macros that write lines or make spans.
const MACROS: [&str; 7] = ["error!(", "warn!(", "info!(", "debug!(", "trace!(", "event!(", "info_span!("];

/// The fields that a line or a span may have. A new one is a decision: ids and numbers are fine, values of documents never.
const FIELDS: [&str; 44] = [
    "address",
    "app.id",
    "bytes",
    "cases",
    "cause",
    "certificate",
    "changed",
    "client",
    "comments",
    "count",
    "data.directory",
    "directory",
    "document.id",
    "domains",
    "duration_ms",
    "error",
    "failures",
    "file",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "key.id",
    "level",
    "log.pages",
    "method",
    "otel.kind",
    "otel.name",
    "otel.status_code",
    "percent",
    "reason",
    "request.id",
    "retry_s",
    "route",
    "schema",
    "sealed",
    "sequence",
    "status",
    "tasks",
    "thread",
    "trace.id",
    "until",
    "user.id",
    "words",
    "workspace.id",
];

/// Every field that a file's lines have and the list has not. Tests and chores log nothing of anybody.
pub fn faults(file: &File) -> Vec<String> {
    let Some(text) = file.text.as_deref() else { return Vec::new() };
    if !file.path.starts_with("crates/casement") || !file.path.contains("/src/") {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (place, _) in text.match_indices(concat!("tracing", "::")) {
        let after = text.get(place + "tracing::".len()..).unwrap_or_default();
        let Some(name) = MACROS.into_iter().find(|name| after.starts_with(name)) else { continue };
        for field in fields(after.get(name.len()..).unwrap_or_default()) {
            if !FIELDS.contains(&field.as_str()) {
                let line = text.get(..place).unwrap_or_default().lines().count().max(1);
                faults.push(format!(
                    "{}:{line}: the log has no field `{field}`; crates/xtask/src/tidy/logs.rs lists those it may have",
                    file.path
                ));
            }
        }
    }
    faults
}

/// The names of the fields in a macro's arguments, up to the sentence or the end.
fn fields(arguments: &str) -> Vec<String> {
    let mut fields = Vec::new();
    for argument in split(arguments) {
        let argument = argument.trim();
        let setting =
            ["target:", "parent:", "name:", "Level::"].into_iter().any(|start| argument.starts_with(start));
        if setting || argument.is_empty() {
            continue;
        }
        if argument.starts_with('"') {
            // The sentence of a line, after which nothing but its values comes; the name of a span, after which fields do.
            continue;
        }
        let name = argument.split_once('=').map_or(argument, |(name, _)| name);
        fields.push(name.trim().trim_start_matches(['%', '?']).to_owned());
    }
    fields
}

/// The arguments of a call, whose text begins behind the opening bracket.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut escaped, mut start) = (0_u32, false, false, 0);
    let mut arguments = Vec::new();
    for (place, character) in text.char_indices() {
        if quoted {
            quoted = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            '"' => quoted = true,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => {
                arguments.extend(text.get(start..place));
                return arguments;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                arguments.extend(text.get(start..place));
                start = place + 1;
            }
            _ => {}
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<String> {
        let text = format!("//! A page.\n{}{line}\n", concat!("tracing", "::"));
        faults(&File { path: "crates/casement-app/src/case.rs".to_owned(), text: Some(text) })
    }

    #[test]
    fn a_field_that_is_not_on_the_list_is_a_fault_with_its_line() {
        let found = found("info!(%error, email = customer.email(1, \",\"), \"a sentence, with a comma\");");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("crates/casement-app/src/case.rs:1: the log has no field `email`"),
            "{found:?}"
        );
    }

    #[test]
    fn fields_of_the_list_targets_and_levels_are_none() {
        for line in [
            "info!(\"a sentence\");",
            "event!(target: T, Level::INFO, request.id = id, %method, status, \"access\");",
            "info_span!(target: T, \"request\", otel.kind = \"server\", http.route = route,);",
            "warn!(%error, document.id = due.id, \"no (open) bracket \\\" matters\");",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn the_list_is_in_order() {
        assert!(FIELDS.is_sorted());
    }
}
