//! Places of uploads: so many at once, and no more than a share of them for one app, so that none keeps the others out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::attachment::place;
use crate::error::AppError;
use crate::limits;

/// The places.
#[derive(Debug, Clone)]
pub(crate) struct UploadPlaces {
    all: Arc<Semaphore>,
    /// The share of each app that has sent a file, at most [`limits::APPS_MAX`].
    shares: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct UploadPlace {
    _share: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl UploadPlaces {
    /// Makes [`limits::UPLOADS_MAX`] of them.
    pub(crate) fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(limits::UPLOADS_MAX)), shares: Arc::default() }
    }

    /// Takes one for an app; waits a bounded time until one of its share is free, and then for one of all.
    ///
    /// # Errors
    /// There was none in time.
    pub(crate) async fn take(&self, app: &str) -> Result<UploadPlace, AppError> {
        let Ok(Ok(share)) = timeout(limits::BYTES_WAIT, self.share(app).acquire_owned()).await else {
            return Err(AppError::Busy(format!(
                "the app sends {} files already, as many as it may at once: try again when one has ended",
                limits::UPLOADS_OF_APP_MAX
            )));
        };
        Ok(UploadPlace { _share: share, _place: place(&self.all).await? })
    }

    fn share(&self, app: &str) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares.entry(app.to_owned());
        Arc::clone(share.or_insert_with(|| Arc::new(Semaphore::new(limits::UPLOADS_OF_APP_MAX))))
    }
}
