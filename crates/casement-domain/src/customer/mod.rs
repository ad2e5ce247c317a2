//! Customers: the profile, the snapshot that documents keep, and how a request's customer is found or made.

pub mod resolve;

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::version::Versioned;

/// A customer's profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Its id.
    pub id: UserId,
    /// The name; empty when unknown.
    pub name: String,
    /// The e-mail address, unique among customers in any ASCII case.
    pub email: Option<String>,
    /// The phone number, unique among customers.
    pub phone: Option<String>,
}

/// What a document keeps of its customer: the request's own words, completed from the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerSnapshot {
    /// The customer.
    pub id: UserId,
    /// The name; may be empty.
    pub name: String,
    /// The e-mail address when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The phone number when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl CustomerSnapshot {
    /// Stands for a customer of whom nothing was said yet.
    pub fn unknown() -> Self {
        Self { id: UserId::from_text(""), name: String::new(), email: None, phone: None }
    }
}

/// The customer as a request tells; an empty e-mail, phone or id counts as absent (contract section 11.11).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomerInput {
    /// The id.
    pub id: Option<String>,
    /// The name; may be empty.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
}

/// The profiles that a request's customer may mean, as they are stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The customer with the id that the request gives.
    pub by_id: Option<Versioned<Customer>>,
    /// The customer who holds the e-mail address.
    pub by_email: Option<Versioned<Customer>>,
    /// The customer who holds the phone number.
    pub by_phone: Option<Versioned<Customer>>,
}
