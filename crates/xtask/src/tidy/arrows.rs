//! The arrows between the workspace's crates, against what cargo says they are.
//!
//! The table is that of ARCHITECTURE.md; `deny.toml` holds the same rules for whoever runs cargo-deny alone. An arrow
//! counts whether it is for building, testing or running: a test that reaches past a room hides a missing function.

use serde_json::Value;

/// Each crate with the crates of ours that it may depend on.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("casement-domain", &[]),
    ("casement-wire", &["casement-domain"]),
    ("casement-store", &[]),
    ("casement-index", &[]),
    ("casement-channels", &[]),
    ("casement-sample", &["casement-domain"]),
    (
        "casement-app",
        &[
            "casement-domain",
            "casement-wire",
            "casement-store",
            "casement-index",
            "casement-channels",
            "casement-sample",
        ],
    ),
    ("casement-api", &["casement-domain", "casement-wire", "casement-app"]),
    (
        "casement-proofs",
        &["casement-domain", "casement-wire", "casement-store", "casement-app", "casement-api"],
    ),
    (
        "casement",
        &[
            "casement-domain",
            "casement-wire",
            "casement-store",
            "casement-index",
            "casement-channels",
            "casement-app",
            "casement-api",
            "casement-proofs",
        ],
    ),
    ("xtask", &["casement-store"]),
];

/// The arrows that the table doesn't allow and the crates that it doesn't know, from `cargo metadata --no-deps`.
pub fn faults(metadata: &Value) -> Vec<String> {
    let packages = array(metadata, "packages");
    let ours: Vec<&str> = packages.iter().filter_map(|package| text(package, "name")).collect();
    let mut faults = Vec::new();
    for package in packages {
        let name = text(package, "name").unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            faults.push(format!(
                "{name}: the crate has no line in the table of arrows (xtask, tidy/arrows.rs)"
            ));
            continue;
        };
        for dependency in
            array(package, "dependencies").iter().filter_map(|dependency| text(dependency, "name"))
        {
            if ours.contains(&dependency) && dependency != name && !allowed.contains(&dependency) {
                faults.push(format!(
                    "{name}: must not depend on {dependency} (see the arrows in ARCHITECTURE.md)"
                ));
            }
        }
    }
    faults
}

/// The array under a key, empty where there is none.
fn array<'value>(value: &'value Value, key: &str) -> &'value [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The string under a key.
fn text<'value>(value: &'value Value, key: &str) -> Option<&'value str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Value {
        let dependencies: Vec<Value> =
            dependencies.iter().map(|dependency| json!({"name": dependency, "kind": null})).collect();
        json!({"name": name, "dependencies": dependencies})
    }

    #[test]
    fn an_arrow_that_the_table_lacks_is_a_fault() {
        let metadata = json!({"packages": [
            package("casement-store", &["rusqlite"]),
            package("casement-app", &["casement-store", "serde"]),
            package("casement-api", &["casement-app", "casement-store"]),
        ]});
        assert_eq!(
            faults(&metadata),
            ["casement-api: must not depend on casement-store (see the arrows in ARCHITECTURE.md)"]
        );
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_a_fault() {
        let found = faults(&json!({"packages": [package("casement-new", &[])]}));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("casement-new: "), "{found:?}");
    }

    #[test]
    fn the_table_has_no_circle() {
        // Each crate's arrows lead to crates that come before it: then there is no way back.
        for (place, (name, allowed)) in ALLOWED.iter().enumerate() {
            for target in *allowed {
                let before = ALLOWED[..place].iter().any(|(earlier, _)| earlier == target);
                assert!(before, "{name} -> {target}");
            }
        }
    }
}
