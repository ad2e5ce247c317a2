//! Turns at the processors: long questions to the index, as many at once as there are processors.
//!
//! Each keeps a processor busy for its whole time. More at once would take longer together, and keep writes from theirs. One whose
//! request was given up while it waited is not begun.

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Instrument;

use crate::error::AppError;
use crate::limits;
use crate::trace;

/// The processors' turns.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    Arc::new(Semaphore::new(processors.max(limits::TURNS_MIN)))
});

/// Asks the index off the runtime, when it is its turn.
///
/// # Errors
/// It was not in time, or the work panicked.
pub(crate) async fn ask<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
    ask_at(&TURNS, limits::TURN_WAIT, work).await
}

async fn ask_at<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    wait_max: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    let Ok(Ok(turn)) = timeout(wait_max, Arc::clone(turns).acquire_owned()).await else {
        return Err(AppError::Overloaded);
    };
    let asked = spawn_blocking(move || {
        // Until the work has ended: a request that is given up does not end it.
        let _turn = turn;
        work()
    });
    let asked = asked.instrument(trace::index()).await;
    asked.map_err(|error| AppError::Failed(format!("a question to the index ended early: {error}")))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_question_waits_for_its_turn_and_not_for_ever() {
        let turns = Arc::new(Semaphore::new(1));
        let turn = Arc::clone(&turns).acquire_owned().await.unwrap();
        assert!(matches!(ask_at(&turns, Duration::ZERO, || ()).await, Err(AppError::Overloaded)));
        drop(turn);
        assert!(ask_at(&turns, limits::TURN_WAIT, || ()).await.is_ok());
    }

    #[tokio::test]
    async fn work_whose_request_is_given_up_keeps_its_turn_to_its_end() {
        let turns = Arc::new(Semaphore::new(1));
        let (begun, has_begun) = oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let asking = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move {
                let work = move || (begun.send(()), ended.recv());
                ask_at(&turns, limits::TURN_WAIT, work).await.map(drop)
            }
        });
        has_begun.await.unwrap();
        asking.abort();
        assert!(asking.await.is_err());
        assert_eq!(turns.available_permits(), 0);
        end.send(()).unwrap();
        assert!(ask_at(&turns, limits::TURN_WAIT, || ()).await.is_ok());
    }
}
