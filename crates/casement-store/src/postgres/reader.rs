//! The questions that the connections for reading answer. Each is one statement, so it sees one state of the database.

use tokio_postgres::Row;

use crate::decide::DocumentKey;
use crate::document::{Along, Changes, Claim, Document, WorkspaceRow};
use crate::error::StoreError;
use crate::event::{ERASED, Event};
use crate::limits;
use crate::postgres::link::{Link, Values};
use crate::postgres::writing;

/// Finds a workspace.
pub(crate) async fn workspace(link: &Link, id: &str) -> Result<Option<WorkspaceRow>, StoreError> {
    let rows = link
        .query(
            "SELECT id, account, organisation, head, config_version, counters
             FROM workspace
             WHERE id = $1",
            &[&id],
        )
        .await?;
    rows.first().map(read_workspace).transpose()
}

/// Lists all workspaces; the one question that is not about a single one.
pub(crate) async fn workspaces(link: &Link) -> Result<Vec<WorkspaceRow>, StoreError> {
    let rows = link
        .query(
            "SELECT id, account, organisation, head, config_version, counters
             FROM workspace
             ORDER BY id
             LIMIT $1",
            &[&count(limits::WORKSPACES_MAX + 1)],
        )
        .await?;
    let workspaces = rows.iter().map(read_workspace).collect::<Result<Vec<_>, _>>()?;
    bounded(workspaces, "workspaces", limits::WORKSPACES_MAX)
}

/// Finds a document.
pub(crate) async fn document(
    link: &Link,
    workspace: &str,
    kind: &str,
    id: &str,
) -> Result<Option<Document>, StoreError> {
    let found = read_documents(
        link,
        "SELECT kind, id, parent, number, version, sequence, schema, body
         FROM document
         WHERE workspace = $1
           AND kind = $2
           AND id = $3",
        &[&workspace, &kind, &id],
    )
    .await?;
    Ok(found.into_iter().next())
}

/// Finds documents in the order asked.
pub(crate) async fn documents(
    link: &Link,
    workspace: &str,
    kind: &str,
    ids: &[String],
) -> Result<Vec<Document>, StoreError> {
    read_documents(
        link,
        "SELECT found.kind, found.id, found.parent, found.number, found.version, found.sequence, found.schema, found.body
         FROM unnest($3::TEXT[]) WITH ORDINALITY AS named (id, place)
         CROSS JOIN LATERAL (
             SELECT kind, id, parent, number, version, sequence, schema, body
             FROM document
             WHERE workspace = $1
               AND kind = $2
               AND id = named.id
             LIMIT 1
         ) AS found
         ORDER BY named.place",
        &[&workspace, &kind, &ids],
    )
    .await
}

/// Lists the documents of a kind that belong to a parent.
pub(crate) async fn children(
    link: &Link,
    workspace: &str,
    kind: &str,
    parent: &str,
) -> Result<Vec<Document>, StoreError> {
    let children = read_documents(
        link,
        "SELECT kind, id, parent, number, version, sequence, schema, body
         FROM document
         WHERE workspace = $1
           AND parent = $2
           AND kind = $3
         ORDER BY id
         LIMIT $4",
        &[&workspace, &parent, &kind, &count(limits::CHILDREN_MAX + 1)],
    )
    .await?;
    bounded(children, "children", limits::CHILDREN_MAX)
}

/// Gives one page of the documents of a kind that belong to any of some parents. The index alone gives the ids of each parent,
/// as many as the page has; only what is on the page is read.
pub(crate) async fn children_page(
    link: &Link,
    workspace: &str,
    kind: &str,
    parents: &[String],
    along: &Along,
    limit: usize,
) -> Result<Vec<Document>, StoreError> {
    let sql = match along {
        Along::Down(_) => {
            "SELECT found.kind, found.id, found.parent, found.number, found.version, found.sequence, found.schema,
                    found.body
             FROM (SELECT child.id
                   FROM unnest($2::TEXT[]) AS named (parent)
                   CROSS JOIN LATERAL (SELECT document.id
                                       FROM document
                                       WHERE document.workspace = $1
                                         AND document.parent = named.parent
                                         AND document.kind = $3
                                         AND document.id < $4
                                       ORDER BY document.id DESC
                                       LIMIT $5) AS child
                   ORDER BY child.id DESC
                   LIMIT $5) AS page
             CROSS JOIN LATERAL (SELECT kind, id, parent, number, version, sequence, schema, body
                                 FROM document
                                 WHERE workspace = $1
                                   AND kind = $3
                                   AND id = page.id
                                 LIMIT 1) AS found
             ORDER BY found.id DESC"
        }
        Along::Up(_) => {
            "SELECT found.kind, found.id, found.parent, found.number, found.version, found.sequence, found.schema,
                    found.body
             FROM (SELECT child.id
                   FROM unnest($2::TEXT[]) AS named (parent)
                   CROSS JOIN LATERAL (SELECT document.id
                                       FROM document
                                       WHERE document.workspace = $1
                                         AND document.parent = named.parent
                                         AND document.kind = $3
                                         AND document.id > $4
                                       ORDER BY document.id
                                       LIMIT $5) AS child
                   ORDER BY child.id
                   LIMIT $5) AS page
             CROSS JOIN LATERAL (SELECT kind, id, parent, number, version, sequence, schema, body
                                 FROM document
                                 WHERE workspace = $1
                                   AND kind = $3
                                   AND id = page.id
                                 LIMIT 1) AS found
             ORDER BY found.id"
        }
    };
    read_documents(link, sql, &[&workspace, &parents, &kind, &along.place(), &count(limit)]).await
}

/// Counts the documents of a kind that belong to a parent.
pub(crate) async fn count_children(
    link: &Link,
    workspace: &str,
    kind: &str,
    parent: &str,
) -> Result<u64, StoreError> {
    let rows = link
        .query(
            "SELECT COUNT(*)
             FROM document
             WHERE workspace = $1
               AND parent = $2
               AND kind = $3",
            &[&workspace, &parent, &kind],
        )
        .await?;
    Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).cast_unsigned()))
}

/// Gives one page of the documents of a kind.
pub(crate) async fn scan(
    link: &Link,
    workspace: &str,
    kind: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Document>, StoreError> {
    read_documents(
        link,
        "SELECT kind, id, parent, number, version, sequence, schema, body
         FROM document
         WHERE workspace = $1
           AND kind = $2
           AND id > $3
         ORDER BY id
         LIMIT $4",
        // No id is empty, so everything comes after the empty text.
        &[&workspace, &kind, &after.unwrap_or_default(), &count(limit)],
    )
    .await
}

/// Gives the documents whose last event lies in a part of the log, in the order of these events, with the head of the
/// very moment.
pub(crate) async fn changes(
    link: &Link,
    workspace: &str,
    after_sequence: u64,
    to_sequence: u64,
) -> Result<Option<Changes>, StoreError> {
    let rows = link
        .query(
            "SELECT workspace.head, workspace.config_version, changed.kind, changed.id, changed.parent, changed.number,
                    changed.version, changed.sequence, changed.schema, changed.body
             FROM workspace
             LEFT JOIN LATERAL (
                 SELECT found.*
                 FROM (
                     SELECT sequence, document_kind, document
                     FROM event
                     WHERE workspace = $1
                       AND sequence > $2
                       AND sequence <= $3
                     ORDER BY sequence
                     LIMIT $3 - $2
                 ) AS told
                 CROSS JOIN LATERAL (
                     SELECT kind, id, parent, number, version, sequence, schema, body
                     FROM document
                     WHERE workspace = $1
                       AND kind = told.document_kind
                       AND id = told.document
                     LIMIT 1
                 ) AS found
                 WHERE found.sequence = told.sequence
             ) AS changed ON TRUE
             WHERE workspace.id = $1
             ORDER BY changed.sequence",
            &[&workspace, &column(after_sequence), &column(to_sequence)],
        )
        .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let (head, config_version): (i64, i64) = (first.get(0), first.get(1));
    let of_documents = rows.iter().filter(|row| row.get::<_, Option<&str>>(2).is_some());
    let documents = of_documents.map(|row| read_document(row, 2)).collect::<Result<_, _>>()?;
    Ok(Some(Changes {
        head: head.cast_unsigned(),
        config_version: config_version.cast_unsigned(),
        documents,
    }))
}

/// Finds who holds a key.
pub(crate) async fn claim(link: &Link, workspace: &str, key: &str) -> Result<Option<Claim>, StoreError> {
    let rows = link
        .query(
            "SELECT key, document, result, expires_ms
             FROM claim
             WHERE workspace = $1
               AND key = $2",
            &[&workspace, &key],
        )
        .await?;
    Ok(rows.first().map(|row| Claim {
        key: row.get(0),
        document: row.get(1),
        result: row.get(2),
        expires_ms: row.get(3),
    }))
}

/// Gives the keys of claims that have ended, the longest ended first.
pub(crate) async fn expired_claims(
    link: &Link,
    workspace: &str,
    at_ms: i64,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let rows = link
        .query(
            "SELECT key
             FROM claim
             WHERE workspace = $1
               AND expires_ms IS NOT NULL
               AND expires_ms <= $2
             ORDER BY expires_ms
             LIMIT $3",
            &[&workspace, &at_ms, &count(limit)],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Gives one page of the log.
pub(crate) async fn events(
    link: &Link,
    workspace: &str,
    after_sequence: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    read_events(
        link,
        "SELECT sequence, operation, at_ms, actor, app, kind, document_kind, document, version, changes,
                salt, digest, hash
         FROM event
         WHERE workspace = $1
           AND sequence > $2
         ORDER BY sequence
         LIMIT $3",
        &[&workspace, &column(after_sequence), &count(limit)],
    )
    .await
}

/// Gives one page of a document's events.
pub(crate) async fn document_events(
    link: &Link,
    workspace: &str,
    document: &str,
    after_sequence: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    read_events(
        link,
        "SELECT sequence, operation, at_ms, actor, app, kind, document_kind, document, version, changes,
                salt, digest, hash
         FROM event
         WHERE workspace = $1
           AND document = $2
           AND sequence > $3
         ORDER BY sequence
         LIMIT $4",
        &[&workspace, &document, &column(after_sequence), &count(limit)],
    )
    .await
}

/// Reads a page of one document's events, newest first.
pub(crate) async fn document_events_below(
    link: &Link,
    workspace: &str,
    document: &str,
    below_sequence: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    read_events(
        link,
        "SELECT sequence, operation, at_ms, actor, app, kind, document_kind, document, version, changes,
                salt, digest, hash
         FROM event
         WHERE workspace = $1
           AND document = $2
           AND sequence < $3
         ORDER BY sequence DESC
         LIMIT $4",
        &[&workspace, &document, &column(below_sequence), &count(limit)],
    )
    .await
}

/// Gives those of the events of a document, up to a sequence number, that were not erased and do not tell of erasures.
pub(crate) async fn unerased_events(
    link: &Link,
    workspace: &str,
    (document_kind, document): DocumentKey<'_>,
    until: u64,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let rows = link
        .query(
            "SELECT sequence
             FROM event
             WHERE workspace = $1
               AND document = $2
               AND sequence <= $3
               AND document_kind = $4
               AND kind <> $5
               AND (salt IS NOT NULL OR changes IS NOT NULL)
             ORDER BY sequence
             LIMIT $6",
            &[&workspace, &document, &column(until), &document_kind, &ERASED, &count(limit)],
        )
        .await?;
    Ok(rows.iter().map(|row| number(row, 0)).collect())
}

async fn read_documents(
    link: &Link,
    sql: &'static str,
    values: &Values<'_>,
) -> Result<Vec<Document>, StoreError> {
    link.query(sql, values).await?.iter().map(|row| read_document(row, 0)).collect()
}

async fn read_events(link: &Link, sql: &'static str, values: &Values<'_>) -> Result<Vec<Event>, StoreError> {
    link.query(sql, values).await?.iter().map(read_event).collect()
}

fn read_workspace(row: &Row) -> Result<WorkspaceRow, StoreError> {
    Ok(WorkspaceRow {
        id: row.get(0),
        account: row.get(1),
        organisation: row.get(2),
        head: number(row, 3),
        config_version: number(row, 4),
        counters: writing::counters(row.get(5))?,
    })
}

/// Reads a document from the columns after the first few.
fn read_document(row: &Row, first: usize) -> Result<Document, StoreError> {
    let numbered: Option<i64> = row.get(first + 3);
    let schema = u32::try_from(number(row, first + 6));
    Ok(Document {
        kind: row.get(first),
        id: row.get(first + 1),
        parent: row.get(first + 2),
        number: numbered.map(i64::cast_unsigned),
        version: number(row, first + 4),
        sequence: number(row, first + 5),
        schema: schema.map_err(|_| StoreError::Damaged("a schema number is too large".into()))?,
        body: row.get(first + 7),
    })
}

fn read_event(row: &Row) -> Result<Event, StoreError> {
    let salt: Option<&[u8]> = row.get(10);
    Ok(Event {
        sequence: number(row, 0),
        operation: fixed(row.get(1))?,
        at_ms: row.get(2),
        actor: row.get(3),
        app: row.get(4),
        kind: row.get(5),
        document_kind: row.get(6),
        document: row.get(7),
        version: number(row, 8),
        changes: row.get(9),
        salt: salt.map(fixed).transpose()?,
        digest: fixed(row.get(11))?,
        hash: fixed(row.get(12))?,
    })
}

fn number(row: &Row, place: usize) -> u64 {
    row.get::<_, i64>(place).cast_unsigned()
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("an event has bytes of another length".into()))
}

/// A sequence number past what a column holds is past every event.
fn column(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn bounded<T>(rows: Vec<T>, what: &'static str, limit: usize) -> Result<Vec<T>, StoreError> {
    if rows.len() > limit { Err(StoreError::TooMany { what, limit }) } else { Ok(rows) }
}
