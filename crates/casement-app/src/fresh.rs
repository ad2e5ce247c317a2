//! Fresh reads: a request sees everything that was acknowledged before it came, on whichever node.

use casement_domain::id::StreamId;

use crate::app::App;
use crate::error::AppError;
use crate::installation::INSTALLATION;
use crate::limits;

/// Proof that everything which was acknowledged before a request came is known here.
#[derive(Debug, Clone, Copy)]
pub struct Fresh(());

impl App {
    /// Waits until the installation and the workspace of a stream are as they were, at least, when this was called. Where
    /// no other node writes, they are, and nothing is asked.
    ///
    /// # Errors
    /// The database does not answer, or what others committed could not be applied in time: the request must be sent again.
    pub async fn refresh(&self, stream: &str) -> Result<Fresh, AppError> {
        if !self.store().is_shared() || !self.is_ready() {
            return Ok(Fresh(()));
        }
        let Some(heads) = self.store().heads().await? else { return Ok(Fresh(())) };
        let applied = async {
            self.wait_for_installation(heads.of(INSTALLATION).sequence).await;
            if let Some(workspace) = self.workspace(&StreamId::from_text(stream)) {
                workspace.wait_for(heads.of(stream).sequence).await;
            }
        };
        tokio::time::timeout(limits::FRESH_WAIT, applied).await.map(|()| Fresh(())).map_err(|_| {
            AppError::Unavailable("what other nodes have committed is not applied here yet".to_owned())
        })
    }

    /// Waits until the installation's log has been applied up to a sequence number.
    pub(crate) async fn wait_for_installation(&self, sequence: u64) {
        if *self.installation_applied().borrow() < sequence {
            // An error says that the sender is gone, and the application holds it.
            let _ = self.installation_applied().subscribe().wait_for(|applied| *applied >= sequence).await;
        }
    }
}
