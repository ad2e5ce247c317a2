//! The limit of the rows on a database server: what the server's last write put into PostgreSQL, put there again and again
//! without a server of ours, in the same two round trips.
//!
//! It works in a workspace of its own in the server's own database, hence on the same tables, indexes and amount of data,
//! with the same guards (the workspace row, each document's version, a further document and a claim that are only read), with
//! batches of as many sets as clients can have in flight, and on one connection, as one workspace's writes are. It hashes
//! nothing: digests are bytes of the right length.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

/// The workspace that it writes to.
const WORKSPACE: &str = "raw-limit";

const LOCK: &str = "SELECT head, head_hash, config_version, counters FROM workspace WHERE id = $1 FOR UPDATE";

const READ_DOCUMENTS: &str = "SELECT named.place, found.version, found.number
    FROM unnest($2::TEXT[], $3::TEXT[]) WITH ORDINALITY AS named (kind, id, place)
    CROSS JOIN LATERAL (
        SELECT version, number FROM document WHERE workspace = $1 AND kind = named.kind AND id = named.id LIMIT 1
    ) AS found";

const READ_CLAIMS: &str = "SELECT named.place, found.document, found.expires_ms
    FROM unnest($2::TEXT[]) WITH ORDINALITY AS named (key, place)
    CROSS JOIN LATERAL (
        SELECT document, expires_ms FROM claim WHERE workspace = $1 AND key = named.key LIMIT 1
    ) AS found";

const WRITE_DOCUMENTS: &str =
    "INSERT INTO document (workspace, kind, id, parent, number, version, sequence, schema, body)
    SELECT $1, kind, id, NULL, number, 1, sequence, 1, body
    FROM unnest($2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[], $6::BYTEA[]) AS written (kind, id, number, sequence, body)";

const WRITE_EVENTS: &str =
    "INSERT INTO event (workspace, sequence, operation, at_ms, actor, app, kind, document_kind, document, version,
                        changes, salt, digest, hash)
    SELECT $1, sequence, operation, 0, 'raw', 'raw', kind, document_kind, document, 1, NULL, salt, digest, digest
    FROM unnest($2::BIGINT[], $3::BYTEA[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::BYTEA[], $8::BYTEA[])
      AS written (sequence, operation, kind, document_kind, document, salt, digest)";

const WRITE_WORKSPACE: &str =
    "UPDATE workspace SET head = $2, head_hash = $3, config_version = $4, counters = $5 WHERE id = $1";

/// A connection that repeats the last write of a server.
pub struct RawServer {
    client: Client,
    statements: [Statement; 6],
    batch_sets: usize,
    /// Kind and body of what the last write made.
    documents: Vec<(String, Vec<u8>)>,
    /// Kinds of its events, and of their documents.
    events: Vec<(String, String)>,
    sequence: i64,
}

impl RawServer {
    /// Connects to the database of a server that is idle, and takes its last write as the pattern.
    ///
    /// # Errors
    /// When the database can't be reached or holds no write.
    pub async fn connect(url: &str, batch_sets: usize) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("the database")?;
        tokio::spawn(connection);
        let session =
            "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off; SET jit = off;
                       SET plan_cache_mode = force_generic_plan";
        client.batch_execute(session).await?;
        let last = client
            .query_one("SELECT id, head FROM workspace WHERE head > 0 ORDER BY head DESC LIMIT 1", &[])
            .await
            .context("the database holds no workspace")?;
        let (workspace, head): (String, i64) = (last.get(0), last.get(1));
        let events = client
            .query(
                "SELECT kind, document_kind, document, sequence FROM event WHERE workspace = $1 AND operation =
                 (SELECT operation FROM event WHERE workspace = $1 AND sequence = $2) ORDER BY sequence",
                &[&workspace, &head],
            )
            .await?;
        let mut documents = Vec::new();
        for event in &events {
            let rows: Vec<Row> = client
                .query(
                    "SELECT body FROM document WHERE workspace = $1 AND kind = $2 AND id = $3",
                    &[&workspace, &event.get::<_, String>(1), &event.get::<_, String>(2)],
                )
                .await?;
            documents.extend(rows.iter().map(|row| (event.get::<_, String>(1), row.get::<_, Vec<u8>>(0))));
        }
        ensure!(!documents.is_empty(), "the last operation wrote no document");
        client
            .execute(
                "INSERT INTO workspace (id, account, organisation, head, head_hash, config_version, counters)
                 VALUES ($1, 'raw', 'raw', 0, $2, 1, '{}') ON CONFLICT (id) DO NOTHING",
                &[&WORKSPACE, &[0_u8; 32].as_slice()],
            )
            .await?;
        let statements = [
            client.prepare(LOCK).await?,
            client.prepare(READ_DOCUMENTS).await?,
            client.prepare(READ_CLAIMS).await?,
            client.prepare(WRITE_DOCUMENTS).await?,
            client.prepare(WRITE_EVENTS).await?,
            client.prepare(WRITE_WORKSPACE).await?,
        ];
        let events = events.iter().map(|event| (event.get(0), event.get(1))).collect();
        let sequence =
            client.query_one("SELECT head FROM workspace WHERE id = $1", &[&WORKSPACE]).await?.get(0);
        Ok(Self { client, statements, batch_sets, documents, events, sequence })
    }

    /// Commits batches for so long; gives the number of sets and the time they took.
    ///
    /// # Errors
    /// When the database refuses a statement.
    pub async fn drive(&mut self, time: Duration) -> Result<(u64, Duration)> {
        let begun = Instant::now();
        let mut sets = 0;
        while begun.elapsed() < time {
            self.commit_batch().await?;
            sets += self.batch_sets as u64;
        }
        Ok((sets, begun.elapsed()))
    }

    /// One transaction in two round trips: lock and read what the guards name; write every set and commit.
    async fn commit_batch(&mut self) -> Result<()> {
        let [lock, read_documents, read_claims, write_documents, write_events, write_workspace] =
            &self.statements;
        let first = self.sequence;
        let (mut kinds, mut ids, mut numbers, mut sequences, mut bodies) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut event_sequences, mut operations, mut event_kinds, mut document_kinds, mut event_documents) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (salt, digest) = ([7_u8; 16], [8_u8; 32]);
        for set in 0..self.batch_sets {
            let operation = (i128::from(self.sequence) << 32 | set as i128).to_be_bytes().to_vec();
            let id = format!("ci-{:08x}-raw0-7000-8000-{set:012x}", self.sequence);
            for (kind, body) in &self.documents {
                kinds.push(kind.as_str());
                ids.push(id.clone());
                numbers.push(Some(self.sequence));
                sequences.push(self.sequence + 1);
                bodies.push(body.as_slice());
            }
            for (kind, document_kind) in &self.events {
                self.sequence += 1;
                event_sequences.push(self.sequence);
                operations.push(operation.clone());
                event_kinds.push(kind.as_str());
                document_kinds.push(document_kind.as_str());
                event_documents.push(id.clone());
            }
        }
        // A customer and who holds its address are read too.
        let (mut guard_kinds, mut guard_ids) = (kinds.clone(), ids.clone());
        guard_kinds.extend(ids.iter().map(|_| "customer"));
        guard_ids.extend(ids.iter().map(|id| format!("u-{id}")));
        let claims: Vec<String> = ids.iter().map(|id| format!("customer.email:{id}")).collect();
        let (salts, digests) =
            (vec![salt.as_slice(); operations.len()], vec![digest.as_slice(); operations.len()]);
        let client = &self.client;
        let locking: [&(dyn ToSql + Sync); 1] = [&WORKSPACE];
        let reading: [&(dyn ToSql + Sync); 3] = [&WORKSPACE, &guard_kinds, &guard_ids];
        let holding: [&(dyn ToSql + Sync); 2] = [&WORKSPACE, &claims];
        let (begun, locked, read, held) = tokio::join!(
            biased;
            client.batch_execute("BEGIN"),
            client.query(lock, &locking),
            client.query(read_documents, &reading),
            client.query(read_claims, &holding),
        );
        begun?;
        let head: i64 = locked?.first().context("the workspace is gone")?.get(0);
        ensure!(head == first && read?.is_empty() && held?.is_empty(), "a guard of the raw writer missed");
        let writing: [&(dyn ToSql + Sync); 6] = [&WORKSPACE, &kinds, &ids, &numbers, &sequences, &bodies];
        let telling: [&(dyn ToSql + Sync); 8] = [
            &WORKSPACE,
            &event_sequences,
            &operations,
            &event_kinds,
            &document_kinds,
            &event_documents,
            &salts,
            &digests,
        ];
        let (hash, version, counters) = (digest.as_slice(), 1_i64, "{}");
        let noting: [&(dyn ToSql + Sync); 5] = [&WORKSPACE, &self.sequence, &hash, &version, &counters];
        let (written, told, noted, committed) = tokio::join!(
            biased;
            client.execute(write_documents, &writing),
            client.execute(write_events, &telling),
            client.execute(write_workspace, &noting),
            client.batch_execute("COMMIT"),
        );
        written?;
        told?;
        noted?;
        committed?;
        Ok(())
    }
}
