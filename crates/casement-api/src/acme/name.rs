//! The names that certificates are asked for, the addresses that an authority may write to, and where it is.

use std::net::IpAddr;

use axum::http::Uri;
use axum::http::uri::Scheme;
use rustls::pki_types::DnsName;

/// A DNS name that an authority can give a certificate for, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainName(String);

impl DomainName {
    /// Reads a name.
    ///
    /// # Errors
    /// Says what the name must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains('*') {
            return Err("must be a name without *: TLS-ALPN-01 can't prove a whole domain".to_owned());
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err("must be a name, not an address".to_owned());
        }
        let name = text.to_ascii_lowercase();
        match DnsName::try_from(name.as_str()) {
            Ok(_) if !name.ends_with('.') => Ok(Self(name)),
            Ok(_) | Err(_) => {
                Err("must be a DNS name such as cases.example.com (in its ASCII form)".to_owned())
            }
        }
    }

    /// Gives the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address for the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact(String);

impl Contact {
    /// Reads an address. The authority judges it; here it is only kept from being something else.
    ///
    /// # Errors
    /// Says what the address must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let plain = |character: char| character.is_ascii_graphic() && !"?&,;:<>\"".contains(character);
        let is_address = text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && DomainName::parse(domain).is_ok() && text.chars().all(plain)
        });
        if is_address { Ok(Self(text.to_owned())) } else { Err("must be an e-mail address".to_owned()) }
    }

    /// Gives the address as a URL.
    pub fn url(&self) -> String {
        format!("mailto:{}", self.0)
    }
}

/// The authority that is asked unless another is named: Let's Encrypt.
pub const DIRECTORY: &str = instant_acme::LetsEncrypt::Production.url();

/// The URL of an authority's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory(String);

impl Directory {
    /// Reads a URL.
    ///
    /// # Errors
    /// It is none, or not of https.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url: Uri = text.parse().map_err(|error| format!("must be a URL: {error}"))?;
        let is_https =
            url.scheme() == Some(&Scheme::HTTPS) && url.host().is_some_and(|host| !host.is_empty());
        if is_https {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a URL that begins with https://".to_owned())
        }
    }

    /// Gives the URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_dns_name_without_wildcards() {
        assert_eq!(DomainName::parse("Cases.Example.COM").unwrap().as_str(), "cases.example.com");
        assert!(DomainName::parse("xn--bcher-kva.example").is_ok());
        assert!(DomainName::parse("intern").is_ok(), "a private authority may know short names");
        for wrong in [
            "",
            "*.example.com",
            "192.0.2.1",
            "::1",
            "bücher.example",
            "a b",
            "a..b",
            "example.com.",
            "-a.example",
        ] {
            assert!(DomainName::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_contact_is_one_address() {
        assert_eq!(Contact::parse("ops@example.com").unwrap().url(), "mailto:ops@example.com");
        for wrong in [
            "",
            "ops",
            "@example.com",
            "ops@",
            "a@b@c",
            "a@example.com?subject=x",
            "a@example.com,b@example.com",
        ] {
            assert!(Contact::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_directory_is_asked_over_tls_only() {
        assert!(Directory::parse(DIRECTORY).is_ok());
        assert!(Directory::parse("https://localhost:14000/dir").is_ok());
        for wrong in ["", "example.com/dir", "http://example.com/dir", "https://", "ftp://example.com"] {
            assert!(Directory::parse(wrong).is_err(), "{wrong}");
        }
    }
}
