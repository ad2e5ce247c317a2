//! Loading the customers that a decision may need.

use casement_domain::change::Versioned;
use casement_domain::customer::{Customer, CustomerInput, Found};

use crate::app::App;
use crate::body;
use crate::commit::{Reads, email_claim, phone_claim};
use crate::error::AppError;

impl App {
    /// Finds the customers that a request's customer may mean, by id, e-mail and phone, and notes what was read.
    ///
    /// # Errors
    /// The store can't be read.
    pub(crate) async fn find_customers(
        &self,
        workspace: &str,
        input: Option<&CustomerInput>,
        reads: &mut Reads,
    ) -> Result<Found, AppError> {
        let Some(input) = input else { return Ok(Found::default()) };
        let by_id = match input.id.as_deref().filter(|id| is_storable(id)) {
            Some(id) => self.customer(workspace, id, reads).await?,
            None => None,
        };
        let by_email = match input.email.as_deref().map(email_claim).filter(|key| is_storable(key)) {
            Some(key) => self.customer_by_claim(workspace, &key, reads).await?,
            None => None,
        };
        let by_phone = match input.phone.as_deref().map(phone_claim).filter(|key| is_storable(key)) {
            Some(key) => self.customer_by_claim(workspace, &key, reads).await?,
            None => None,
        };
        Ok(Found { by_id, by_email, by_phone })
    }

    async fn customer(
        &self,
        workspace: &str,
        id: &str,
        reads: &mut Reads,
    ) -> Result<Option<Versioned<Customer>>, AppError> {
        let document = self.store().document(workspace, body::CUSTOMER, id).await?;
        reads.document(body::CUSTOMER, id, document.as_ref().map_or(0, |document| document.version));
        document.as_ref().map(body::decode_customer).transpose()
    }

    async fn customer_by_claim(
        &self,
        workspace: &str,
        key: &str,
        reads: &mut Reads,
    ) -> Result<Option<Versioned<Customer>>, AppError> {
        let claim = self.store().claim(workspace, key).await?;
        reads.claim(key, claim.as_ref().map(|claim| claim.document.clone()));
        match claim {
            Some(claim) => self.customer(workspace, &claim.document, reads).await,
            None => Ok(None),
        }
    }
}

/// Tells whether the store takes a text as an id or key. What is longer is a fault that the domain reports.
fn is_storable(text: &str) -> bool {
    text.len() <= casement_store::limits::KEY_BYTES_MAX
}
