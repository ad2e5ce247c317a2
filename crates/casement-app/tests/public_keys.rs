//! Public keys as operators give them: PEM and JWK, and what is refused.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use casement_app::jwt_app::Algorithm;
use casement_app::jwt_app::public_key::{PublicKey, PublicKeyFault};
use serde_json::{Value, json};

/// A key of 1024 bits.
const SHORT: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC+Vske4tOEiG7+f75MCfJH1pBJ
9+jWsvTTbSFzof6XFxkhpbP42pf5vc1BuRJnyQWno3qfCOC9DDhIPEjwetIPyDNJ
ueXj9lGCelw/R6HjnWLo7vQzqtGpzJkNRwnPM1YBWLPT9VnoZW6zhDWxNhdvt3Ng
aBSJNvjm2QKMkcqPuwIDAQAB
-----END PUBLIC KEY-----
";
/// A key of 8200 bits.
const LONG: &str = "-----BEGIN PUBLIC KEY-----
MIIEIzANBgkqhkiG9w0BAQEFAAOCBBAAMIIECwKCBAIApuYzlSPmwF+eHuZdubhK
FNBhXGhIK7tAYKvznn2OAtNg4t+no/3bTvNTW0pX+BoD4eaCnVfCwj18yHsklur+
DwHXtp6y0OP0ZsYjsxkyXR0BCLHWTSfHwNld9GJHnHGSo1+oEiaaGe8U6qxm32Qk
Q5m+27LyG3pJIqm1PxiyAB7v5uKb6aXUtBV8NadBYSKkJu2b8fIV773hixN9karf
6FNXy38mfwM0v6P1Sm4TMuqvX6Hp9i5qJIsN/OCLtXvHecEMgRtULFiGcnJ+Q+4S
lTTjqeDnzBWCuaRmUU8cGSoouChuwCn4TkNyYlWuaMRdEOGJZqVoO3SnV91GGisS
jJc+vUHXx7JKczSEGkcnKPhjCD7PHzYqTCjMLDC4sFYvIElvESpahGEmhdx8UDU+
DABYRyPQsaMzcG2s2joEV+A2eRgom7HA+Q/JpEJLrF+VogYxAjJb4hz21FmzuVbo
i++C3xnGNPSJz7Z6QC7QOdq6VNsKpKyiSqxcJKF9W5kovFAsw+Zu52uZAzMgVT3D
ATQ8c8VXSNtLSPa6pqn9OiqnOVPXW8yIb7+vdl75fQaVukXJCICT9vUHYunm4Jcm
njWsrHovE596op6K1/iHcifY/FKkxx/syqp/eSWkiieLQ5Ybg1Rq806Hq4FJh4b1
QqkW3MMhqOZ69eOzWM9CRPQ5INGNNV84RMgeSuH+NRkJbzoG/aRfxQLTvl+MYYB0
Zn2BZXGQnOFxMyT3sxXSOyu35+O5TruzVjMcaefCNEL5ZD313jzI3Jk14yhu2ZrS
MLb4R4SrwwAltx/7u6+DUV9H4LoeK+EZ8eo0oLa0+ix2DAD/7SpLfhafi2MKdirB
fNQ3gRjZ2WwpxndJi4wPqFx6CX6VgxtA81jVgj0zsd6rVK+j3SQqPtJtAy+TbcJb
yShvKXfX0rZ+0wH8tV8Ht4wlFURGHIeOnr1VzKTI152Y18NxBM0dScfta+/uASft
0lBm1mSdE1fO7tNHq9Bc8PCjRAoAOBiy/uLVdxIjlRrYDhjeZwv7BGEgNYMkkKzU
w/wr4go0MCT+WGprsmuiuHdwI33JJ3jQmlFgOrdGJ3nzpnTITaB7AIH2OM5CcpD4
yAeCWomhKAuMQpzlc44XHnUW5LSfBe2OoR0qaO3Ft1CQiKqtKExi02ywg3sJZsnf
H9XxScy8Cv4Qj0WUssbBx5/1y138cH6p36RJxqPZlAFHoTTkbNinRgtBZKpi6Bpi
pgVDvO4b/kEWRtk1pwer0vTzEQxROktBFF0fRCtnJOmmiCE+ItXxE/w7MB2Ik7Xl
Da98igt7bOqUvP3Nt2vA67f1qTsc49QRYD80KjuAd9E/+VLBWthZzXV6xRw+p36M
p9MCAwEAAQ==
-----END PUBLIC KEY-----
";

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

struct Key {
    spki: Vec<u8>,
    pkcs1: Vec<u8>,
    private: Vec<u8>,
}

impl Key {
    fn generate() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        Self {
            spki: spki.as_ref().to_vec(),
            pkcs1: pair.public_key().as_ref().to_vec(),
            private: private.as_ref().to_vec(),
        }
    }

    fn jwk(&self) -> Value {
        json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(&self.pkcs1[9..9 + 256]), "e": "AQAB"})
    }
}

fn read(text: &str) -> Result<PublicKey, PublicKeyFault> {
    PublicKey::read(text, Algorithm::Rs256)
}

#[test]
fn every_form_of_a_public_key_is_the_same_key() {
    let key = Key::generate();
    let wanted = read(&pem("PUBLIC KEY", &key.spki)).unwrap();
    assert_eq!((wanted.bits(), wanted.der()), (2048, key.spki.as_slice()));
    assert_eq!(wanted.pem(), pem("PUBLIC KEY", &key.spki));
    let mut jwk = key.jwk();
    let described = |jwk: &Value| read(&jwk.to_string()).unwrap();
    assert_eq!(described(&jwk), wanted);
    jwk["use"] = json!("sig");
    jwk["alg"] = json!("RS256");
    jwk["key_ops"] = json!(["verify"]);
    jwk["kid"] = json!("2026-11");
    assert_eq!(described(&jwk), wanted);
    for text in [
        pem("RSA PUBLIC KEY", &key.pkcs1),
        pem("PUBLIC KEY", &key.spki).replace('\n', "\r\n"),
        format!("\n\n{}\n", pem("PUBLIC KEY", &key.spki)),
        format!("\n {}\n", key.jwk()),
        serde_json::to_string_pretty(&key.jwk()).unwrap(),
    ] {
        assert_eq!(read(&text).as_ref(), Ok(&wanted), "{text}");
    }
}

#[test]
fn a_private_key_is_refused_in_every_form() {
    let key = Key::generate();
    let private = pem("PRIVATE KEY", &key.private);
    let mut jwk = key.jwk();
    jwk["d"] = json!("AQAB");
    for text in [
        private.clone(),
        pem("RSA PRIVATE KEY", &key.private),
        pem("ENCRYPTED PRIVATE KEY", &key.private),
        pem("EC PRIVATE KEY", &key.private),
        format!("{private}{}", pem("PUBLIC KEY", &key.spki)),
        format!("{}{private}", pem("PUBLIC KEY", &key.spki)),
        jwk.to_string(),
        json!({"kty": "oct", "k": "AAAA"}).to_string(),
    ] {
        assert_eq!(read(&text), Err(PublicKeyFault::Private), "{text}");
    }
    assert!(PublicKeyFault::Private.to_string().contains("openssl pkey"));
}

#[test]
fn what_is_no_public_rsa_key_is_refused_with_its_reason() {
    let key = Key::generate();
    let spki = pem("PUBLIC KEY", &key.spki);
    for text in ["", " \n", "no key", "-----BEGIN PUBLIC KEY-----", "{", "{}x", "[]", "\u{0}"] {
        assert_eq!(read(text), Err(PublicKeyFault::Unreadable), "{text:?}");
    }
    assert_eq!(read(&format!("{spki}{spki}")), Err(PublicKeyFault::Several));
    assert_eq!(read(&"x".repeat(17 * 1024)), Err(PublicKeyFault::TooLong));
    let certificate = read(&pem("CERTIFICATE", &key.spki));
    assert_eq!(certificate, Err(PublicKeyFault::Label("CERTIFICATE".to_owned())));
    let longer = [key.spki.as_slice(), &[0]].concat();
    for der in [&key.spki[1..], &key.spki[..100], &key.private, &longer, b"x".as_slice(), b"".as_slice()] {
        assert_eq!(read(&pem("PUBLIC KEY", der)), Err(PublicKeyFault::NotRsa));
    }
}

#[test]
fn members_of_a_jwk_are_checked_where_they_are_there() {
    let key = Key::generate();
    for (member, wrong) in [
        ("kty", json!("EC")),
        ("kty", json!("oct")),
        ("kty", json!(null)),
        ("use", json!("enc")),
        ("use", json!(null)),
        ("alg", json!("RS512")),
        ("alg", json!("HS256")),
        ("alg", json!("RSA-OAEP")),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!("verify")),
        ("n", json!(null)),
        ("n", json!("")),
        ("n", json!("not base64url!")),
        ("n", json!("AQAB==")),
        ("n", json!("AAEAAQ")),
        ("e", json!(65537)),
        ("e", json!("")),
    ] {
        let mut jwk = key.jwk();
        jwk[member] = wrong.clone();
        let fault = read(&jwk.to_string()).unwrap_err();
        assert!(
            matches!(&fault, PublicKeyFault::Jwk(text) if text.starts_with(member)),
            "{member} {wrong}: {fault}"
        );
    }
    for (member, wrong) in [("e", "Ag"), ("e", "AQ"), ("n", "AQAB")] {
        let mut jwk = key.jwk();
        jwk[member] = json!(wrong);
        let fault = read(&jwk.to_string()).unwrap_err();
        assert!(
            matches!(fault, PublicKeyFault::NotRsa | PublicKeyFault::Size(_)),
            "{member} {wrong}: {fault}"
        );
    }
    let twice = key.jwk().to_string().replacen('{', "{\"kty\":\"RSA\",", 1);
    assert_eq!(read(&twice), Err(PublicKeyFault::Unreadable));
}

#[test]
fn a_key_has_2048_to_8192_bits() {
    assert_eq!(read(SHORT), Err(PublicKeyFault::Size(1024)));
    assert_eq!(read(LONG), Err(PublicKeyFault::Size(8200)));
    assert!(PublicKeyFault::Size(1024).to_string().contains("2048 to 8192"));
}
