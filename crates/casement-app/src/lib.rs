//! Use cases: load, decide, commit; the workspace cache and the followers of the log.
