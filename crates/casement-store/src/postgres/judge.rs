//! Whether a server may be used, by what it says of itself: pure, and in sentences that say what to do.

use crate::limits;

/// What a server says of itself to a new connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerFacts {
    /// Its release as a number: 150004 for 15.4.
    pub(crate) version: u32,
    /// Whether it follows another server.
    pub(crate) in_recovery: bool,
    /// Whether transactions can't write unless they ask for it.
    pub(crate) read_only: bool,
    /// The setting `synchronous_commit` as the connection got it.
    pub(crate) synchronous_commit: String,
    /// The setting `synchronous_standby_names`; empty: commits wait for no standby.
    pub(crate) standby_names: String,
    /// Whether it syncs its log to the disk.
    pub(crate) fsync: bool,
    /// How many standbys stream from it.
    pub(crate) standbys: i64,
    /// The encoding of the database.
    pub(crate) encoding: String,
}

/// Gives why a server can't be used.
pub(crate) fn refusal(facts: &ServerFacts) -> Option<String> {
    let waits = !facts.standby_names.is_empty();
    if facts.version < limits::SERVER_VERSION_MIN {
        return Some(format!(
            "the database server is PostgreSQL {}; Casement needs {} or later",
            facts.version / 10_000,
            limits::SERVER_VERSION_MIN / 10_000
        ));
    }
    if facts.in_recovery {
        return Some(
            "the database server is a standby and takes no writes; name the primary, or all hosts of the \
                     cluster separated by commas"
                .into(),
        );
    }
    if facts.read_only {
        return Some(
            "the database is read-only (default_transaction_read_only is on); set it to off for this \
                     database and its user, or name the primary"
                .into(),
        );
    }
    if facts.encoding != "UTF8" {
        return Some(format!(
            "the database has the encoding {}; make one with UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE \
             template0",
            facts.encoding
        ));
    }
    let wanted = "; set it to on for this database and its user";
    match facts.synchronous_commit.as_str() {
        "on" | "remote_apply" => None,
        "local" | "remote_write" if !waits => None,
        "remote_write" => None,
        "local" => Some(format!(
            "synchronous_commit is local although synchronous_standby_names is set: acknowledged writes would be \
             lost when the primary is replaced{wanted}"
        )),
        other => Some(format!(
            "synchronous_commit is {other}: acknowledged writes would be lost when the server ends{wanted}"
        )),
    }
}

/// Gives what an operator should know about a server that can be used.
pub(crate) fn warnings(facts: &ServerFacts) -> Vec<String> {
    let mut warnings = Vec::new();
    if !facts.fsync {
        warnings.push(
            "fsync is off: a power cut may lose acknowledged writes and damage the database; set it to on"
                .to_owned(),
        );
    }
    if facts.standby_names.is_empty() && facts.standbys > 0 {
        warnings.push(format!(
            "{} standbys follow and commits wait for none of them: writes that were acknowledged last are lost when \
             one takes over. Set synchronous_standby_names; under Patroni: synchronous_mode and \
             synchronous_mode_strict",
            facts.standbys
        ));
    }
    if facts.synchronous_commit == "remote_write" && !facts.standby_names.is_empty() {
        warnings.push(
            "synchronous_commit is remote_write: a standby that loses its power with the primary may lose \
             acknowledged writes; set it to on"
                .to_owned(),
        );
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ServerFacts {
        ServerFacts {
            version: 150_004,
            in_recovery: false,
            read_only: false,
            synchronous_commit: "on".into(),
            standby_names: String::new(),
            fsync: true,
            standbys: 0,
            encoding: "UTF8".into(),
        }
    }

    #[test]
    fn a_sound_server_is_used_without_a_word() {
        assert_eq!(refusal(&facts()), None);
        assert_eq!(warnings(&facts()), Vec::<String>::new());
        let synchronous = ServerFacts { standby_names: "ANY 1 (a,b)".into(), standbys: 2, ..facts() };
        assert_eq!((refusal(&synchronous), warnings(&synchronous)), (None, vec![]));
    }

    #[test]
    fn what_would_lose_writes_is_refused_with_what_to_do() {
        for (wrong, reason) in [
            (ServerFacts { version: 130_011, ..facts() }, "needs 14"),
            (ServerFacts { in_recovery: true, ..facts() }, "standby"),
            (ServerFacts { read_only: true, ..facts() }, "default_transaction_read_only"),
            (ServerFacts { encoding: "SQL_ASCII".into(), ..facts() }, "UTF8"),
            (ServerFacts { synchronous_commit: "off".into(), ..facts() }, "set it to on"),
            (
                ServerFacts { synchronous_commit: "local".into(), standby_names: "a".into(), ..facts() },
                "primary is replaced",
            ),
        ] {
            let said = refusal(&wrong).unwrap_or_default();
            assert!(said.contains(reason), "{wrong:?}: {said}");
        }
        let alone = ServerFacts { synchronous_commit: "local".into(), ..facts() };
        assert_eq!(refusal(&alone), None, "without a standby, local is as good as on");
    }

    #[test]
    fn standbys_that_no_commit_waits_for_are_a_warning() {
        let said = warnings(&ServerFacts { standbys: 2, ..facts() });
        assert!(said[0].contains("synchronous_standby_names"), "{said:?}");
        assert!(warnings(&ServerFacts { fsync: false, ..facts() })[0].contains("fsync"));
    }
}
