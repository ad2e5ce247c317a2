//! The rate of requests per client address, for routes that no app is asked for at.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use axum::http::request::Parts;
use casement_wire::error::ErrorKind;
use tokio::time::Instant;

use crate::answer::Refusal;
use crate::api::Api;
use crate::client::{self, Peer};
use crate::limits;
use crate::rate::{Allowance, Noted, Rate, Rates, seconds};

/// Stands for a client whose address is not known, and for those that come when too many are counted.
const OTHERS: &str = "others";

/// The rates of addresses. Each has an entry while it is at work, at most [`limits::ADDRESSES_COUNTED`] of them.
#[derive(Debug)]
pub struct AddressRates {
    rates: Rates,
    forgotten_at: Mutex<Option<Instant>>,
}

impl Default for AddressRates {
    fn default() -> Self {
        let rate = Rate { per_second: limits::ADDRESS_RATE_PER_SECOND, burst: limits::ADDRESS_RATE_BURST };
        Self { rates: Rates::new(rate), forgotten_at: Mutex::new(None) }
    }
}

impl AddressRates {
    /// Counts a request of a client; `None`: its address is not known.
    fn count(&self, address: Option<IpAddr>) -> Allowance {
        let name = address.map_or_else(|| OTHERS.to_owned(), network);
        if self.rates.counted() >= limits::ADDRESSES_COUNTED {
            self.forget();
            if self.rates.counted() >= limits::ADDRESSES_COUNTED {
                return self.rates.count(OTHERS);
            }
        }
        self.rates.count(&name)
    }

    /// Forgets addresses that are at rest, unless that was just done.
    fn forget(&self) {
        let mut at = self.forgotten_at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.is_none_or(|at| at.elapsed() >= limits::ADDRESSES_FORGOTTEN_AFTER) {
            self.rates.forget_resting();
            *at = Some(Instant::now());
        }
    }
}

/// What counts as one client: an IPv4 address, or a network of 64 bits of IPv6, which is the least that a client is given.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
    }
}

/// Counts a request among those of its client's address.
///
/// # Errors
/// The 429 when there are too many.
pub(crate) fn count(parts: &Parts, api: &Api) -> Result<(), Refusal> {
    let peer = parts.extensions.get::<Peer>();
    let address = peer.map(|peer| client::address(peer.0.ip(), &parts.headers, &api.trusted_proxies));
    let allowance = api.address_rates.count(address);
    if let Some(noted) = parts.extensions.get::<Noted>() {
        // A request is counted once, so nothing is noted yet.
        let _ = noted.set(allowance);
    }
    match allowance.wait {
        None => Ok(()),
        Some(wait) => {
            let detail =
                "more requests come from this address than it may send; wait as long as Retry-After says";
            Err(Refusal::new(ErrorKind::TooManyRequests, detail, None).retry_after(seconds(wait)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(rates: &AddressRates, address: &str) -> bool {
        rates.count(Some(address.parse().unwrap())).wait.is_none()
    }

    #[tokio::test]
    async fn each_address_has_a_rate_of_its_own_and_a_network_of_ipv6_is_one() {
        let rates = AddressRates::default();
        let burst = limits::ADDRESS_RATE_BURST.get();
        assert!((0..burst).all(|_| passed(&rates, "192.0.2.1")));
        assert!((0..2 * burst).any(|_| !passed(&rates, "192.0.2.1")));
        assert!(passed(&rates, "192.0.2.2"));
        assert!((0..2 * burst).any(|number| !passed(&rates, &format!("2001:db8::{number:x}"))));
        assert!(passed(&rates, "2001:db8:0:1::1"));
    }

    #[tokio::test(start_paused = true)]
    async fn past_the_most_addresses_new_ones_are_counted_as_one() {
        let rates = AddressRates::default();
        // No time passes, so that those at rest are not forgotten meanwhile, however slow the machine is.
        rates.forget();
        for number in 0..u32::try_from(limits::ADDRESSES_COUNTED).unwrap() {
            rates.count(Some(IpAddr::from(number.to_be_bytes())));
        }
        assert!((0..1_000).any(|number: u16| {
            let [high, low] = number.to_be_bytes();
            !passed(&rates, &format!("198.51.{high}.{low}"))
        }));
        assert!(rates.rates.counted() <= limits::ADDRESSES_COUNTED + 1);
    }
}
