//! Erasures on a server: a log from which more is missing than events tell of is noticed.

use super::open;
use super::own::sql;
use crate::conformance::erasing::{TAMPERED, erased};

#[tokio::test]
async fn tampering_with_erasures_is_found() {
    for (sequence, statement) in TAMPERED {
        let (database, subject) = open().await;
        let store = subject.acknowledging().await;
        erased(&store).await;
        assert_eq!(store.verify("w").await.unwrap().fault, None);
        sql(&database, statement);
        let fault = store.verify("w").await.unwrap().fault.expect(statement);
        assert_eq!(fault.sequence, sequence, "{statement}: {fault:?}");
    }
}
