-- Workspaces, documents, log and claims on a database server.
-- Texts are ordered by their bytes, as in the embedded database. Every table begins its key with the workspace, so that
-- it can be partitioned or distributed by it.

CREATE TABLE workspace (
    id             TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    account        TEXT   COLLATE "C" NOT NULL,
    organisation   TEXT   COLLATE "C" NOT NULL,
    head           BIGINT NOT NULL,
    head_hash      BYTEA  NOT NULL,
    config_version BIGINT NOT NULL,
    counters       TEXT   NOT NULL
) WITH (
    -- Each commit writes its workspace's row anew: room for that on the same page, and the old ones cleared away soon.
    fillfactor = 20,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE document (
    workspace TEXT   COLLATE "C" NOT NULL,
    kind      TEXT   COLLATE "C" NOT NULL,
    id        TEXT   COLLATE "C" NOT NULL,
    parent    TEXT   COLLATE "C",
    number    BIGINT,
    version   BIGINT NOT NULL,
    sequence  BIGINT NOT NULL,
    schema    BIGINT NOT NULL,
    body      BYTEA  NOT NULL,
    PRIMARY KEY (workspace, kind, id)
) WITH (
    -- An update changes no indexed column: with room on the page it touches no index.
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
);

CREATE INDEX document_parent
    ON document (workspace, parent, kind, id)
    WHERE parent IS NOT NULL;

CREATE TABLE event (
    workspace     TEXT   COLLATE "C" NOT NULL,
    sequence      BIGINT NOT NULL,
    operation     BYTEA  NOT NULL,
    at_ms         BIGINT NOT NULL,
    actor         TEXT   COLLATE "C" NOT NULL,
    app           TEXT   COLLATE "C" NOT NULL,
    kind          TEXT   COLLATE "C" NOT NULL,
    document_kind TEXT   COLLATE "C" NOT NULL,
    document      TEXT   COLLATE "C" NOT NULL,
    version       BIGINT NOT NULL,
    changes       BYTEA,
    salt          BYTEA,
    digest        BYTEA  NOT NULL,
    hash          BYTEA  NOT NULL,
    PRIMARY KEY (workspace, sequence)
) WITH (
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);

CREATE INDEX event_document
    ON event (workspace, document, sequence);

CREATE TABLE claim (
    workspace  TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    document   TEXT COLLATE "C" NOT NULL,
    result     BYTEA,
    expires_ms BIGINT,
    PRIMARY KEY (workspace, key)
) WITH (
    fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0.05
);

CREATE INDEX claim_expires
    ON claim (workspace, expires_ms)
    WHERE expires_ms IS NOT NULL;

-- LZ4 packs bodies several times as fast as what is there without it; a server that was built without it keeps its own.
DO $$
BEGIN
    ALTER TABLE document ALTER COLUMN body SET COMPRESSION lz4;
    ALTER TABLE event ALTER COLUMN changes SET COMPRESSION lz4;
EXCEPTION
    WHEN feature_not_supported THEN NULL;
END
$$;

-- A transfer from an embedded database: while one has not ended, no node uses this database.
CREATE TABLE transfer (
    source TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
    ended  BOOLEAN NOT NULL
);
