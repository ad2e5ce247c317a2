//! Leases: work that one node at a time should do, where several could.
//!
//! A lease is a claim in the workspace that the work is about. Its holder's name ends with a fencing number that grows with
//! each holder. Whatever the holder commits is guarded by the claim: a node that was stopped, and wakes when another has the
//! lease, misses and does no harm. It is had when there is work and renewed while there is; nobody renews an idle one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use casement_domain::date::Moment;
use casement_store::error::CommitError;
use casement_store::set::{ClaimGuard, ClaimWrite};

use crate::app::App;
use crate::error::AppError;
use crate::limits;

/// What a lease is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// Marking passed deadlines.
    Deadlines,
    /// Removing ended claims.
    Sweep,
    /// Making the first workspace of an installation.
    FirstWorkspace,
}

impl Work {
    fn key(self) -> &'static str {
        match self {
            Self::Deadlines => "lease:deadlines",
            Self::Sweep => "lease:sweep",
            Self::FirstWorkspace => "lease:first-workspace",
        }
    }
}

/// Tells whether a claim is a lease.
pub(crate) fn is_lease(key: &str) -> bool {
    key.starts_with("lease:")
}

/// A lease that this node has, or had: only a commit under its guard tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    key: &'static str,
    holder: String,
    ends_at: Moment,
}

/// The leases that this node has, by workspace and work.
#[derive(Debug, Default)]
pub(crate) struct Leases(Mutex<HashMap<(String, Work), Lease>>);

impl Leases {
    fn known(&self, place: &(String, Work)) -> Option<Lease> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    fn keep(&self, place: (String, Work), lease: Option<Lease>) {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match lease {
            Some(lease) => drop(leases.insert(place, lease)),
            None => drop(leases.remove(&place)),
        }
    }
}

/// Whether a worker may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// No other node could do it: there is nothing to guard.
    Alone,
    /// Under this lease.
    Under(Lease),
    /// Another node does it.
    Others,
}

impl Turn {
    /// Gives what a set is guarded by.
    pub fn guard(&self) -> Option<ClaimGuard> {
        match self {
            Self::Under(lease) => {
                Some(ClaimGuard { key: lease.key.to_owned(), document: Some(lease.holder.clone()) })
            }
            Self::Alone | Self::Others => None,
        }
    }
}

impl App {
    /// Has the lease on some work in a workspace, taking or renewing it where that is due.
    ///
    /// # Errors
    /// The store can't be asked or takes no writes.
    pub async fn turn_of(&self, workspace: &str, work: Work) -> Result<Turn, AppError> {
        if !self.store().is_shared() {
            return Ok(Turn::Alone);
        }
        let now = self.sources().now();
        let place = (workspace.to_owned(), work);
        let known = self.leases().known(&place);
        if let Some(lease) = &known
            && lease.ends_at.ms() > now.ms() + limits::LEASE_RENEW_MS
        {
            return Ok(Turn::Under(lease.clone()));
        }
        let taken = self.take_lease(workspace, work, known.as_ref(), now).await?;
        self.leases().keep(place, taken.clone());
        Ok(taken.map_or(Turn::Others, Turn::Under))
    }

    /// Takes or renews a lease; `None`: another node has it.
    async fn take_lease(
        &self,
        workspace: &str,
        work: Work,
        known: Option<&Lease>,
        now: Moment,
    ) -> Result<Option<Lease>, AppError> {
        let key = work.key();
        let found = self.store().claim(workspace, key).await?;
        let running = found.as_ref().filter(|claim| !claim.is_expired(now.ms()));
        let own = running.filter(|claim| known.is_some_and(|known| known.holder == claim.document));
        if running.is_some() && own.is_none() {
            return Ok(None);
        }
        let holder = match own {
            Some(claim) => claim.document.clone(),
            None => {
                let former = found.as_ref().map_or(0, |claim| fence(&claim.document));
                // Ended claims are swept away: then the time goes on from where the number was.
                let fence = (former + 1).max(now.ms().cast_unsigned());
                format!("{:032x}:{fence}", u128::from_be_bytes(self.sources().operation()))
            }
        };
        let ends_at = Moment::from_ms(now.ms() + limits::LEASE_MS);
        let mut set = self.made_set(workspace, now);
        set.claim_guards
            .push(ClaimGuard { key: key.to_owned(), document: running.map(|claim| claim.document.clone()) });
        set.claims.push(ClaimWrite::Put {
            key: key.to_owned(),
            document: holder.clone(),
            result: None,
            expires_ms: Some(ends_at.ms()),
        });
        match self.store().commit(set).await {
            Ok(_) => Ok(Some(Lease { key, holder, ends_at })),
            Err(CommitError::Missed(_)) => Ok(None),
            Err(error) => {
                let missed = || AppError::Failed("a miss was answered above".to_owned());
                Err(AppError::of_commit(error).unwrap_or_else(missed))
            }
        }
    }
}

/// Reads the fencing number of a holder's name.
fn fence(holder: &str) -> u64 {
    holder.rsplit_once(':').and_then(|(_, fence)| fence.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fencing_number_stands_at_the_end_of_the_holder() {
        assert_eq!(fence("00ff:17"), 17);
        assert_eq!(fence("nobody"), 0);
    }
}
