//! The clock, the ids and the random bytes of the real program: the one place that reads them.

use std::time::{SystemTime, UNIX_EPOCH};

use casement_app::sources::Sources;
use casement_domain::date::Moment;

/// Gives the system's clock, time-ordered ids (UUID v7) and the system's randomness.
#[expect(clippy::disallowed_methods, reason = "this is the source that everything else is handed")]
pub fn system() -> Sources {
    Sources::new(
        now,
        || uuid::Uuid::now_v7().as_u128(),
        || {
            let mut bytes = [0; 16];
            aws_lc_rs::rand::fill(&mut bytes).expect("invariant: the system gives random bytes");
            bytes
        },
    )
}

/// Reads the system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the source that everything else is handed")]
pub fn now() -> Moment {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
