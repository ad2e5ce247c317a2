//! Finding or making the customer of a request; contract section 5.

use super::{Customer, CustomerInput, CustomerSnapshot, Found};
use crate::change::{Record, RecordChange};
use crate::fault::{Faults, Key};
use crate::given::Given;
use crate::id::UserId;
use crate::item::input::ItemInput;
use crate::item::plain::is_within;
use crate::limits;
use crate::version::Versioned;

/// Who the customer is, and what changes in the profiles for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// What the document keeps.
    pub snapshot: CustomerSnapshot,
    /// The profile that is made or filled, if any.
    pub profile: Option<RecordChange>,
}

/// Gives the customer of a create with the e-mail and phone that stand beside it: the inner ones win. `None`: the
/// request has no usable customer.
pub fn of_create(input: &ItemInput, email: &Given<String>, phone: &Given<String>) -> Option<CustomerInput> {
    let mut customer = input.customer.value()?.clone();
    let beside = |given: &Given<String>| given.value().filter(|text| !text.is_empty()).cloned();
    customer.email = customer.email.or_else(|| beside(email));
    customer.phone = customer.phone.or_else(|| beside(phone));
    Some(customer)
}

/// Finds the customer of a create, with a fault when nothing names one. `None`: the faults are on the list.
pub fn named(
    input: &ItemInput,
    email: &Given<String>,
    phone: &Given<String>,
    faults: &mut Faults,
) -> Option<CustomerInput> {
    let customer = of_create(input, email, phone)?;
    let inner = input.customer.value()?;
    let email_key = if inner.email.is_some() { Key::CustomerEmail } else { Key::Email };
    let phone_key = if inner.phone.is_some() { Key::CustomerPhone } else { Key::Phone };
    check(&customer, email_key, phone_key, faults);
    if customer.id.is_none() && customer.email.is_none() && customer.phone.is_none() {
        // An unreadable one has its fault already and is not missing.
        if *email != Given::Invalid && *phone != Given::Invalid {
            faults.invalid(Key::Email, "is required, or a phone number, when the customer has no id");
        }
        return None;
    }
    Some(customer)
}

/// Adds the faults of a customer's texts: lengths only. The keys are those under which e-mail and phone were given.
pub fn check(customer: &CustomerInput, email_key: Key, phone_key: Key, faults: &mut Faults) {
    let texts = [
        (&customer.id, limits::ID_CHARACTERS_MAX, Key::CustomerId),
        (&customer.name, limits::CUSTOMER_NAME_CHARACTERS_MAX, Key::CustomerName),
        (&customer.email, limits::EMAIL_CHARACTERS_MAX, email_key),
        (&customer.phone, limits::PHONE_CHARACTERS_MAX, phone_key),
    ];
    for (text, characters_max, key) in texts {
        if let Some(text) = text {
            is_within(text, characters_max, key, faults);
        }
    }
}

/// Finds or makes the customer: a given id decides, and an unknown one is made; else found by e-mail, else by phone,
/// else made with `fresh`. Empty values of a profile are filled, full ones stay; an e-mail or phone that another
/// customer holds stays there.
pub fn resolve(input: &CustomerInput, found: &Found, fresh: u128) -> Resolved {
    let known = match &input.id {
        Some(_) => found.by_id.as_ref(),
        None => found.by_email.as_ref().or(found.by_phone.as_ref()),
    };
    let id = match (&input.id, known) {
        (_, Some(known)) => known.value.id.clone(),
        (Some(id), None) => UserId::from_text(id.clone()),
        (None, None) => UserId::fresh(fresh),
    };
    let is_free =
        |holder: &Option<Versioned<Customer>>| holder.as_ref().is_none_or(|holder| holder.value.id == id);
    let before = known.map(|known| known.value.clone());
    let stored = before.clone().unwrap_or_else(|| Customer {
        id: id.clone(),
        name: String::new(),
        email: None,
        phone: None,
    });
    let after = Customer {
        id: id.clone(),
        name: if stored.name.is_empty() { input.name.clone().unwrap_or_default() } else { stored.name },
        email: stored.email.or_else(|| input.email.clone().filter(|_| is_free(&found.by_email))),
        phone: stored.phone.or_else(|| input.phone.clone().filter(|_| is_free(&found.by_phone))),
    };
    let snapshot = CustomerSnapshot {
        id,
        name: input.name.clone().unwrap_or_else(|| after.name.clone()),
        email: input.email.clone().or_else(|| after.email.clone()),
        phone: input.phone.clone().or_else(|| after.phone.clone()),
    };
    let profile = (before.as_ref() != Some(&after)).then(|| RecordChange {
        before: known.map(|known| Versioned {
            version: known.version,
            number: None,
            value: Record::Customer(known.value.clone()),
        }),
        event: if known.is_some() { "customer.updated" } else { "customer.created" },
        after: Record::Customer(after),
    });
    Resolved { snapshot, profile }
}

/// Lays the given parts over a stored snapshot; contract section 11.4.
pub fn overlay(stored: &CustomerSnapshot, input: &CustomerInput) -> CustomerSnapshot {
    CustomerSnapshot {
        id: stored.id.clone(),
        name: input.name.clone().unwrap_or_else(|| stored.name.clone()),
        email: input.email.clone().or_else(|| stored.email.clone()),
        phone: input.phone.clone().or_else(|| stored.phone.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(id: &str, name: &str, email: Option<&str>, phone: Option<&str>) -> Versioned<Customer> {
        Versioned {
            version: 1,
            number: None,
            value: Customer {
                id: UserId::from_text(id),
                name: name.to_owned(),
                email: email.map(str::to_owned),
                phone: phone.map(str::to_owned),
            },
        }
    }

    fn input(
        id: Option<&str>,
        name: Option<&str>,
        email: Option<&str>,
        phone: Option<&str>,
    ) -> CustomerInput {
        CustomerInput {
            id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            email: email.map(str::to_owned),
            phone: phone.map(str::to_owned),
        }
    }

    fn profile(resolved: &Resolved) -> Option<&Customer> {
        resolved.profile.as_ref().map(|change| match &change.after {
            Record::Customer(customer) => customer,
            Record::Case(_)
            | Record::Task(_)
            | Record::Attachment(_)
            | Record::Usage(_)
            | Record::Comment(_) => {
                panic!("not a customer")
            }
        })
    }

    #[test]
    fn an_unknown_id_makes_the_customer_with_it() {
        let resolved =
            resolve(&input(Some("u-x"), Some("John"), Some("j@example.com"), None), &Found::default(), 1);
        assert_eq!(resolved.snapshot.id.as_str(), "u-x");
        assert_eq!(profile(&resolved).unwrap().email.as_deref(), Some("j@example.com"));
    }

    #[test]
    fn an_address_that_another_customer_holds_stays_there() {
        let found = Found {
            by_email: Some(customer("u-y", "Other", Some("j@example.com"), None)),
            ..Found::default()
        };
        let resolved = resolve(&input(Some("u-x"), None, Some("j@example.com"), None), &found, 1);
        assert_eq!(profile(&resolved).unwrap().email, None);
        assert_eq!(resolved.snapshot.email.as_deref(), Some("j@example.com"));
    }

    #[test]
    fn without_an_id_the_address_decides_before_the_phone() {
        let found = Found {
            by_id: None,
            by_email: Some(customer("u-e", "E", Some("j@example.com"), None)),
            by_phone: Some(customer("u-p", "P", None, Some("1"))),
        };
        let resolved = resolve(&input(None, None, Some("J@example.com"), Some("1")), &found, 1);
        assert_eq!(resolved.snapshot.id.as_str(), "u-e");
        assert_eq!(resolved.snapshot.name, "E");
        assert_eq!(profile(&resolved), None, "the phone belongs to another customer");
    }

    #[test]
    fn empty_values_of_a_profile_are_filled_and_full_ones_stay() {
        let found = Found {
            by_email: Some(customer("u-e", "", Some("j@example.com"), Some("1"))),
            ..Found::default()
        };
        let resolved = resolve(&input(None, Some("John"), Some("j@example.com"), Some("2")), &found, 1);
        let profile = profile(&resolved).unwrap();
        assert_eq!((profile.name.as_str(), profile.phone.as_deref()), ("John", Some("1")));
        assert_eq!(resolved.snapshot.phone.as_deref(), Some("2"));
    }

    #[test]
    fn nobody_found_makes_a_customer_with_a_fresh_id() {
        let resolved = resolve(&input(None, None, None, Some("1")), &Found::default(), 7);
        assert_eq!(resolved.snapshot.id, UserId::fresh(7));
        assert!(resolved.profile.is_some());
    }
}
