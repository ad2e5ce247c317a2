-- Workspaces, documents, log and claims.
-- Tables with large rows keep their rowid: a row is then found by a small key in a shallow tree.

CREATE TABLE workspace (
    id             TEXT    NOT NULL PRIMARY KEY,
    account        TEXT    NOT NULL,
    organisation   TEXT    NOT NULL,
    head           INTEGER NOT NULL,
    head_hash      BLOB    NOT NULL,
    config_version INTEGER NOT NULL,
    counters       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE document (
    workspace TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    parent    TEXT,
    number    INTEGER,
    version   INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    schema    INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    UNIQUE (workspace, kind, id)
) STRICT;

CREATE INDEX document_parent
    ON document (workspace, parent, kind, id)
    WHERE parent IS NOT NULL;

CREATE TABLE event (
    workspace     TEXT    NOT NULL,
    sequence      INTEGER NOT NULL,
    operation     BLOB    NOT NULL,
    at_ms         INTEGER NOT NULL,
    actor         TEXT    NOT NULL,
    app           TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    document_kind TEXT    NOT NULL,
    document      TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    changes       BLOB,
    salt          BLOB,
    digest        BLOB    NOT NULL,
    hash          BLOB    NOT NULL,
    UNIQUE (workspace, sequence)
) STRICT;

CREATE INDEX event_document
    ON event (workspace, document, sequence);

CREATE TABLE claim (
    workspace  TEXT NOT NULL,
    key        TEXT NOT NULL,
    document   TEXT NOT NULL,
    result     BLOB,
    expires_ms INTEGER,
    PRIMARY KEY (workspace, key)
) STRICT, WITHOUT ROWID;

-- Written and emptied within one transaction to learn whether a full disk has room again.
CREATE TABLE probe (
    body BLOB NOT NULL
) STRICT;
