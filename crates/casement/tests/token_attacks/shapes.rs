//! Texts that are no token of three parts.

use serde_json::json;

use super::{Row, World};
use crate::harness::forge::{encoded, message};

pub fn rows(world: &World) -> Vec<Row> {
    let (header, claims) = world.right(&world.own);
    let token = world.signed(header.to_string(), claims.to_string());
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("a token has three parts") };
    let jwe = encoded(json!({"alg": "dir", "enc": "A128CBC-HS256"}).to_string());
    let rsa_jwe = encoded(json!({"alg": "RSA-OAEP", "enc": "A256GCM", "typ": "JWT"}).to_string());
    let flattened = json!({"protected": head, "payload": body, "signature": signature});
    let general = json!({"payload": body, "signatures": [{"protected": head, "signature": signature}]});
    let inner = world.signed(json!({"alg": "HS256"}).to_string(), format!("\"{token}\""));
    [
        ("one word", "x".to_owned()),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("three dots", "...".to_owned()),
        ("four dots", "....".to_owned()),
        ("only the header", head.to_owned()),
        ("only the claims", body.to_owned()),
        ("header and claims", format!("{head}.{body}")),
        ("claims and signature", format!("{body}.{signature}")),
        ("no header", format!(".{body}.{signature}")),
        ("no claims", format!("{head}..{signature}")),
        ("no signature", format!("{head}.{body}.")),
        ("a dot before", format!(".{token}")),
        ("a dot after", format!("{token}.")),
        ("four parts", format!("{token}.x")),
        ("a part between", format!("{head}.x.{body}.{signature}")),
        ("the parts in another order", format!("{body}.{head}.{signature}")),
        ("the token twice", format!("{token}.{token}")),
        ("two tokens and a comma", format!("{token},{token}")),
        ("two tokens and a blank", format!("{token} {token}")),
        ("JWE with a direct key", format!("{jwe}..AAAA.AAAA.AAAA")),
        ("JWE with an encrypted key", format!("{rsa_jwe}.AAAA.AAAA.AAAA.AAAA")),
        ("JWE around the claims", format!("{jwe}.{body}.AAAA.{body}.{signature}")),
        ("JWE of three parts", format!("{jwe}.{body}.{signature}")),
        ("five parts of a right header", format!("{head}..{body}.AAAA.{signature}")),
        ("flattened JSON", flattened.to_string()),
        ("general JSON", general.to_string()),
        ("a token within a token", inner),
        ("the word Bearer before it", format!("Bearer {token}")),
        ("the word JWT before it", format!("JWT {token}")),
        ("quotes around it", format!("\"{token}\"")),
        ("a token of letters beyond ASCII", "é.é.é".to_owned()),
        ("a detached payload", format!("{}.", message(header.to_string(), ""))),
        ("longer than a token may be", format!("{head}.{}.{signature}", "A".repeat(8 * 1024))),
        ("20 000 bytes", "e".repeat(20_000)),
        ("two thousand dots", ".".repeat(2_000)),
    ]
    .map(|(name, text)| Row::auth(name, text))
    .into_iter()
    .collect()
}
