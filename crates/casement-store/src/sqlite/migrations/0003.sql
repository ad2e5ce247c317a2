-- What backups need: who this store is, which backups follow it, and what has been written since their last visits.

CREATE TABLE identity (
    id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- A series is a first copy of the database and everything that was journalled after it.
CREATE TABLE series (
    id       TEXT    NOT NULL PRIMARY KEY,
    target   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Written only while there is a series. `bytes_total` counts from the first entry ever, so that the size of what is
-- kept is a difference of two rows.
CREATE TABLE journal (
    position    INTEGER NOT NULL PRIMARY KEY,
    at_ms       INTEGER NOT NULL,
    bytes_total INTEGER NOT NULL,
    entry       BLOB    NOT NULL
) STRICT;
