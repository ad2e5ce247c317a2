//! Values of arguments that several commands read.

use std::net::IpAddr;

use casement_domain::date::{DateInput, Moment, Zone};
use ipnet::IpNet;

/// Reads a date as the moment at which it begins in UTC.
pub fn moment(text: &str) -> Result<Moment, String> {
    let moment = DateInput::parse(text).and_then(|date| date.moment(Zone::UTC));
    moment.ok_or_else(|| "must be a date such as 2026-11-22 or 2026-11-22T09:30:00Z".to_owned())
}

/// Reads a network, or an address as the network of that address alone.
pub fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse()
        .or_else(|_| address())
        .map_err(|_| "must be an address or a network such as 10.0.0.0/8".to_owned())
}
