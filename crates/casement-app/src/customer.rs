//! Loading the customers that a decision may need.

use casement_domain::customer::{Customer, CustomerInput, Found};
use casement_domain::version::Versioned;
use quick_cache::sync::Cache;

use crate::app::App;
use crate::body;
use crate::commit::{Reads, email_claim, phone_claim};
use crate::error::AppError;
use crate::limits;

/// Customers that were read lately, and who holds which unique key.
///
/// An entry may be out of date: what is read here is guarded by its version when the decision is committed, so a stale
/// entry costs a second decision, which reads the store, and never a wrong one. Absence is not kept.
#[derive(Debug)]
pub struct CustomerCache {
    by_id: Cache<(Box<str>, Box<str>), Versioned<Customer>>,
    holders: Cache<(Box<str>, Box<str>), Box<str>>,
}

impl Default for CustomerCache {
    fn default() -> Self {
        Self { by_id: Cache::new(limits::CUSTOMERS_KEPT), holders: Cache::new(limits::CUSTOMERS_KEPT) }
    }
}

/// Whether customers may come from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// From the cache where they are in it.
    Kept,
    /// From the store: a decision on kept ones missed its guards.
    Stored,
}

impl Freshness {
    /// Gives what the attempt with this number reads: only the first one trusts the cache.
    pub fn of_attempt(attempt: u32) -> Self {
        if attempt == 0 { Self::Kept } else { Self::Stored }
    }
}

impl App {
    /// Finds the customers that a request's customer may mean, by id, e-mail and phone, and notes what was read.
    ///
    /// # Errors
    /// The store can't be read.
    pub(crate) async fn find_customers(
        &self,
        workspace: &str,
        input: Option<&CustomerInput>,
        freshness: Freshness,
        reads: &mut Reads,
    ) -> Result<Found, AppError> {
        let Some(input) = input else { return Ok(Found::default()) };
        let by_id = match input.id.as_deref().filter(|id| is_storable(id)) {
            Some(id) => self.customer(workspace, id, freshness, reads).await?,
            None => None,
        };
        let by_email = match input.email.as_deref().map(email_claim).filter(|key| is_storable(key)) {
            Some(key) => self.customer_by_claim(workspace, &key, freshness, reads).await?,
            None => None,
        };
        let by_phone = match input.phone.as_deref().map(phone_claim).filter(|key| is_storable(key)) {
            Some(key) => self.customer_by_claim(workspace, &key, freshness, reads).await?,
            None => None,
        };
        Ok(Found { by_id, by_email, by_phone })
    }

    async fn customer(
        &self,
        workspace: &str,
        id: &str,
        freshness: Freshness,
        reads: &mut Reads,
    ) -> Result<Option<Versioned<Customer>>, AppError> {
        let key = (workspace.into(), id.into());
        if freshness == Freshness::Kept
            && let Some(customer) = self.customers().by_id.get(&key)
        {
            reads.document(body::CUSTOMER, id, customer.version);
            return Ok(Some(customer));
        }
        let document = self.store().document(workspace, body::CUSTOMER, id).await?;
        reads.document(body::CUSTOMER, id, document.as_ref().map_or(0, |document| document.version));
        let customer = document.as_ref().map(body::decode_customer).transpose()?;
        if let Some(customer) = &customer {
            self.customers().by_id.insert(key, customer.clone());
        }
        Ok(customer)
    }

    async fn customer_by_claim(
        &self,
        workspace: &str,
        claim: &str,
        freshness: Freshness,
        reads: &mut Reads,
    ) -> Result<Option<Versioned<Customer>>, AppError> {
        let key = (workspace.into(), claim.into());
        let kept = self.customers().holders.get(&key).filter(|_| freshness == Freshness::Kept);
        let holder = match kept {
            Some(holder) => Some(holder),
            None => self.store().claim(workspace, claim).await?.map(|claim| claim.document.into_boxed_str()),
        };
        reads.claim(claim, holder.as_deref().map(str::to_owned));
        let Some(holder) = holder else { return Ok(None) };
        let customer = self.customer(workspace, &holder, freshness, reads).await?;
        self.customers().holders.insert(key, holder);
        Ok(customer)
    }
}

/// Tells whether the store takes a text as an id or key. What is longer is a fault that the domain reports.
fn is_storable(text: &str) -> bool {
    text.len() <= casement_store::limits::KEY_BYTES_MAX
}
