//! Places for connections: so many in all, so many from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;

use crate::measure;
use crate::server::ServerOptions;
use crate::share::Share;

/// The places of a server.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    per_address_max: usize,
    trusted_proxies: Arc<[IpNet]>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, Own>,
}

/// What one address has.
#[derive(Debug, Default)]
struct Own {
    connections: usize,
    share: Arc<Share>,
}

/// A taken place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    /// Absent for a trusted proxy, which stands for many clients.
    address: Option<(IpAddr, Arc<Share>)>,
}

impl Places {
    pub(crate) fn new(options: &ServerOptions) -> Self {
        Self(Arc::new(Inner {
            max: options.connections_max,
            per_address_max: options.connections_per_address_max,
            trusted_proxies: Arc::clone(&options.trusted_proxies),
            taken: Mutex::default(),
        }))
    }

    /// Takes a place for a connection from an address; `None` when there is none left.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let is_proxy = self.0.trusted_proxies.iter().any(|network| network.contains(&address));
        let counted = (!is_proxy).then(|| household(address));
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.0.max {
            return None;
        }
        let address = match counted {
            None => None,
            Some(address) => {
                let own = taken.by_address.entry(address).or_default();
                if own.connections >= self.0.per_address_max {
                    return None;
                }
                own.connections += 1;
                Some((address, Arc::clone(&own.share)))
            }
        };
        taken.all += 1;
        measure::connection_opened();
        Some(Place { places: self.clone(), address })
    }
}

impl Place {
    /// What the connections of the address hold together.
    pub(crate) fn share(&self) -> Option<Arc<Share>> {
        self.address.as_ref().map(|(_, share)| Arc::clone(share))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        measure::connection_closed();
        if let Some((address, _)) = &self.address
            && let Some(own) = taken.by_address.get_mut(address)
        {
            own.connections -= 1;
            if own.connections == 0 {
                taken.by_address.remove(address);
            }
        }
    }
}

/// Gives what one customer of a network provider has: an IPv4 address, or a /64 of IPv6.
fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(max: usize, per_address_max: usize, proxies: &[&str]) -> Places {
        let trusted_proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
        Places::new(&ServerOptions {
            connections_max: max,
            connections_per_address_max: per_address_max,
            trusted_proxies,
            tls: None,
        })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_can_not_take_the_places_of_all() {
        let places = places(3, 2, &[]);
        let held: Vec<_> = (0..2).map(|_| places.take(address("192.0.2.1")).unwrap()).collect();
        assert!(places.take(address("192.0.2.1")).is_none());
        assert!(places.take(address("::ffff:192.0.2.1")).is_none(), "the same address in other clothes");
        let other = places.take(address("192.0.2.2")).unwrap();
        let [first, second] = [0, 1].map(|place: usize| held[place].share().unwrap());
        assert!(Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&first, &other.share().unwrap()));
        assert!(places.take(address("192.0.2.3")).is_none(), "all are taken");
        drop((held, other));
        assert!(places.take(address("192.0.2.1")).is_some());
        assert!(places.0.taken.lock().unwrap().by_address.is_empty());
    }

    #[test]
    fn a_network_of_64_bits_counts_as_one_address() {
        let places = places(9, 1, &[]);
        let _held = places.take(address("2001:db8::1")).unwrap();
        assert!(places.take(address("2001:db8::2")).is_none());
        assert!(places.take(address("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn a_trusted_proxy_has_no_limit_of_its_own() {
        let places = places(3, 1, &["10.0.0.0/8"]);
        let held: Vec<_> = (0..3).map(|_| places.take(address("10.1.2.3")).unwrap()).collect();
        assert!(places.take(address("10.1.2.3")).is_none(), "the limit of all holds for it too");
        assert!(held.iter().all(|place| place.share().is_none()));
        drop(held);
    }
}
