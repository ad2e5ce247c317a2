//! The compact form of a token: three parts in base64url, a header and claims that are strict JSON.
//!
//! Read before the signature is looked at, so that nothing can be read in two ways: no padding, no bits left over, no
//! duplicate member, and no header that asks for something that is not done here. Keys that a header names or carries
//! (`kid`, `jku`, `jwk`, `x5u`, `x5c`) are never looked at, let alone fetched.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use casement_wire::json::read_object;
use serde_json::{Map, Value};

/// The members of a header that change how a token is to be read: extensions that must be understood, a payload that
/// is not encoded, encryption, compression, a token within the token.
const REFUSED_MEMBERS: [&str; 5] = ["crit", "b64", "enc", "zip", "cty"];

/// A token whose form is right. Whether its signature is, nobody knows yet.
#[derive(Debug)]
pub(crate) struct Compact<'a> {
    /// The algorithm that it says it is signed with.
    pub(crate) algorithm: String,
    /// Its claims.
    pub(crate) claims: Map<String, Value>,
    /// What is signed.
    pub(crate) message: &'a str,
    /// The signature in base64url.
    pub(crate) signature: &'a str,
}

impl<'a> Compact<'a> {
    /// Reads a token; `None` when its form is wrong.
    pub(crate) fn read(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let mut header = object(header)?;
        if REFUSED_MEMBERS.iter().any(|member| header.contains_key(*member)) || !is_jwt(header.get("typ")) {
            return None;
        }
        let Some(Value::String(algorithm)) = header.remove("alg") else { return None };
        Some(Self { algorithm, claims: object(claims)?, message, signature })
    }
}

/// Reads a part that holds a JSON object. A dot in it is no digit of base64url, so there are three parts and no more.
fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    read_object(&bytes).ok()
}

/// Tells whether a header's type says that it is a JWT: not at all, or so in any case.
fn is_jwt(typ: Option<&Value>) -> bool {
    match typ {
        None => true,
        Some(Value::String(typ)) => typ.eq_ignore_ascii_case("JWT"),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_plain_token_is_read() {
        let text = token(r#"{"alg":"HS256","typ":"jwt","kid":"1"}"#, r#"{"appId":"cs-1"}"#);
        let compact = Compact::read(&text).unwrap();
        assert_eq!((compact.algorithm.as_str(), compact.signature), ("HS256", "c2ln"));
        assert_eq!(compact.claims.get("appId"), Some(&Value::from("cs-1")));
        assert_eq!(format!("{}.c2ln", compact.message), text);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        let claims = r#"{"appId":"cs-1"}"#;
        for header in [
            r#"{"alg":"HS256","alg":"HS256"}"#,
            r#"{"alg":"HS256","crit":[]}"#,
            r#"{"alg":"HS256","crit":null}"#,
            r#"{"alg":"HS256","b64":true}"#,
            r#"{"alg":"HS256","typ":"JWE"}"#,
            r#"{"alg":"HS256","typ":null}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"typ":"JWT"}"#,
            r#"["HS256"]"#,
            "",
        ] {
            assert!(Compact::read(&token(header, claims)).is_none(), "{header}");
        }
        let header = r#"{"alg":"HS256"}"#;
        for claims in
            [r#"{"appId":"cs-1","appId":"cs-1"}"#, r#"{"a":{"b":1,"b":1}}"#, "[]", "null", "{}x", ""]
        {
            assert!(Compact::read(&token(header, claims)).is_none(), "{claims}");
        }
    }

    #[test]
    fn only_the_canonical_base64url_is_read() {
        let text = token(r#"{"alg":"HS256"}"#, r#"{"appId":"cs-10"}"#);
        let (head, rest) = text.split_once('.').unwrap();
        assert!(Compact::read(&text).is_some());
        for wrong in [
            format!("{head}=.{rest}"),
            format!("{head}.{rest}.x"),
            format!("{head}.x.{rest}"),
            format!(" {text}"),
            text.replacen("ey", "ey ", 1),
            text.replacen("ey", "e\ny", 1),
            rest.to_owned(),
        ] {
            assert!(Compact::read(&wrong).is_none(), "{wrong}");
        }
    }
}
