//! The limits of a request's head, and what a head must say about its host and its target.
//!
//! The HTTP library reads any host and any form of target. A proxy decides by them where a request goes, so that what
//! it may read in another way than its neighbours is refused, and the connection closed: a 400, before any route.

use axum::extract::Request;
use axum::http::header::{CONNECTION, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Method, Version};
use axum::response::{IntoResponse, Response};
use casement_wire::error::ErrorKind;

use crate::answer::Refusal;
use crate::client::Peer;
use crate::limits;

/// Gives the answer that refuses a head, when something is wrong with it. Requests that came by no network connection
/// have nothing but limits.
pub(crate) fn refused(request: &Request) -> Option<Response> {
    if let Err(refusal) = check_sizes(request) {
        return Some(refusal.into_response());
    }
    request.extensions().get::<Peer>()?;
    let refusal = check_host(request).and_then(|()| check_target(request)).err()?;
    let mut response = refusal.into_response();
    if request.version() < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Some(response)
}

fn check_sizes(request: &Request) -> Result<(), Refusal> {
    // "POST " before and " HTTP/1.1" after the target.
    let target_bytes = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let line_bytes = request.method().as_str().len() + 1 + target_bytes + " HTTP/1.1".len();
    if line_bytes > limits::REQUEST_LINE_BYTES_MAX {
        let detail =
            format!("the request line must be at most {} bytes long", limits::REQUEST_LINE_BYTES_MAX);
        return Err(Refusal::new(ErrorKind::UriTooLong, &detail, None));
    }
    let headers = request.headers();
    // ": " between name and value, and the end of the line.
    let headers_bytes: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers_bytes > limits::HEADERS_BYTES_MAX || headers.len() > limits::HEADERS_MAX {
        let detail = format!(
            "there must be at most {} headers of {} bytes in all",
            limits::HEADERS_MAX,
            limits::HEADERS_BYTES_MAX
        );
        return Err(Refusal::new(ErrorKind::HeadersTooLarge, &detail, None));
    }
    Ok(())
}

fn fault(detail: &str, field: Option<&str>) -> Refusal {
    Refusal::new(ErrorKind::Invalid, detail, field)
}

/// One host, of the form that an address has; RFC 9112, section 3.2. HTTP/1.0 may have none, HTTP/2 may name it in
/// `:authority`.
fn check_host(request: &Request) -> Result<(), Refusal> {
    let mut lines = request.headers().get_all(HOST).iter();
    let (first, second) = (lines.next(), lines.next());
    if second.is_some() {
        return Err(fault("Host: must be given once", Some("Host")));
    }
    let authority = request.uri().authority();
    let Some(host) = first else {
        let may_lack = request.version() < Version::HTTP_11 || authority.is_some();
        return if may_lack { Ok(()) } else { Err(fault("Host: the header is required", Some("Host"))) };
    };
    let Some(host) = authority_of(host.as_bytes()) else {
        return Err(fault("Host: must be a host name or address, with a port or without", Some("Host")));
    };
    match authority {
        Some(authority) if !authority.as_str().eq_ignore_ascii_case(host.as_str()) => {
            Err(fault("Host: differs from the host of the request's target", Some("Host")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Reads a host with or without a port.
fn authority_of(bytes: &[u8]) -> Option<Authority> {
    let authority = Authority::try_from(bytes).ok()?;
    let is_plain = !authority.as_str().contains('@') && !authority.host().is_empty();
    let after_host = authority.as_str().strip_prefix(authority.host())?;
    let has_good_port = matches!(after_host, "" | ":") || authority.port_u16().is_some();
    (is_plain && has_good_port).then_some(authority)
}

/// A path, or a whole address of the web; RFC 9112, section 3.2.
fn check_target(request: &Request) -> Result<(), Refusal> {
    let uri = request.uri();
    let is_web = uri.scheme_str().is_none_or(|scheme| matches!(scheme, "http" | "https"));
    let has_good_authority = uri
        .authority()
        .is_none_or(|own| uri.scheme().is_some() && authority_of(own.as_str().as_bytes()).is_some());
    let is_path = uri.path().starts_with('/') || (uri.path() == "*" && request.method() == Method::OPTIONS);
    if is_web && has_good_authority && is_path {
        return Ok(());
    }
    Err(fault("the target of the request must be a path, or an address of http or https", None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port_or_without() {
        for host in
            ["localhost", "localhost:80", "localhost:", "127.0.0.1:7400", "[::1]", "[::1]:80", "a.example."]
        {
            assert!(authority_of(host.as_bytes()).is_some(), "{host}");
        }
        for host in [
            "",
            ":80",
            "u@localhost",
            "localhost:x",
            "localhost:99999",
            "localhost:1:2",
            "[::1",
            "a b",
            "a/",
            "a?b",
            "a#b",
            "a\\b",
            "http://a",
            "\u{e9}",
        ] {
            assert!(authority_of(host.as_bytes()).is_none(), "{host}");
        }
    }
}
