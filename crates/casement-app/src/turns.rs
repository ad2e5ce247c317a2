//! Turns at the processors: long questions to the index, as many at once as there are processors.
//!
//! Each keeps a processor busy for its whole time. More at once would take longer together, and keep writes from theirs. One whose
//! request was given up while it waited is not begun.

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

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
    ask_at(&TURNS, work).await
}

async fn ask_at<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    let Ok(Ok(turn)) = timeout(limits::TURN_WAIT, Arc::clone(turns).acquire_owned()).await else {
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

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_question_waits_for_its_turn_and_not_for_ever() {
        let turns = Arc::new(Semaphore::new(1));
        let (end, ended) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { ask_at(&turns, move || ended.recv()).await }
        });
        tokio::task::yield_now().await;
        assert!(matches!(ask_at(&turns, || ()).await, Err(AppError::Overloaded)));
        first.abort();
        assert!(first.await.is_err());
        assert!(
            matches!(ask_at(&turns, || ()).await, Err(AppError::Overloaded)),
            "who gives up leaves the work at its turn"
        );
        end.send(()).unwrap();
        tokio::time::resume();
        assert!(ask_at(&turns, || ()).await.is_ok());
    }
}
