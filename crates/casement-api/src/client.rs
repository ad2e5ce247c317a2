//! Who the client is: the peer of the connection, or whom a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::FORWARDED;
use ipnet::IpNet;

/// The other end of the connection that a request came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Gives the address of the client: going back from the peer, the first that is no trusted proxy. `Forwarded` wins over
/// `X-Forwarded-For`; what can't be read ends the way back, since whoever wrote it is the last one that is known.
pub fn address(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted_proxies.iter().any(|network| network.contains(address));
    let mut last = peer.to_canonical();
    if !is_trusted(&last) {
        return last;
    }
    for hop in hops(headers).into_iter().rev() {
        let Some(address) = hop else { return last };
        last = address.to_canonical();
        if !is_trusted(&last) {
            return last;
        }
    }
    last
}

/// The addresses that proxies have noted, nearest to the client first; `None` for one that can't be read.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let listed = |name: &str| -> Vec<String> {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',').map(|entry| entry.trim().to_owned())).collect()
    };
    let forwarded = listed(FORWARDED.as_str());
    if !forwarded.is_empty() {
        return forwarded.iter().map(|entry| forwarded_for(entry)).collect();
    }
    listed("x-forwarded-for").iter().map(|entry| node(entry)).collect()
}

/// Reads the parameter `for` of an entry; RFC 7239.
fn forwarded_for(entry: &str) -> Option<IpAddr> {
    let parameters = entry.split(';').filter_map(|parameter| parameter.trim().split_once('='));
    let (_, value) = parameters.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    node(value.trim_matches('"'))
}

/// Reads an address that may have a port and, for IPv6, brackets.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']')?.0.parse().ok();
    }
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn client(peer: &str, lines: &[(&'static str, &'static str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        address(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_may_say_who_the_client_is() {
        let headers = [("x-forwarded-for", "203.0.113.9")];
        assert_eq!(client("192.0.2.1", &headers), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &headers), "203.0.113.9");
        assert_eq!(client("::ffff:10.0.0.1", &headers), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_a_client_writes_before_the_first_proxy_counts_for_nothing() {
        assert_eq!(
            client("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.2.2.2")]),
            "203.0.113.9"
        );
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(client("10.0.0.1", &lines), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, nonsense")]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "nonsense, 10.3.3.3")]), "10.3.3.3");
    }

    #[test]
    fn forwarded_is_read_as_its_standard_says_and_wins() {
        let table = [
            ("for=203.0.113.9", "203.0.113.9"),
            ("For=\"203.0.113.9:4711\";proto=https;by=10.0.0.1", "203.0.113.9"),
            ("for=1.1.1.1, for=\"[2001:db8::9]:80\", for=10.1.1.1", "2001:db8::9"),
            ("for=unknown", "10.0.0.1"),
            ("for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ];
        for (line, expected) in table {
            assert_eq!(
                client("10.0.0.1", &[("forwarded", line), ("x-forwarded-for", "9.9.9.9")]),
                expected,
                "{line}"
            );
        }
    }
}
