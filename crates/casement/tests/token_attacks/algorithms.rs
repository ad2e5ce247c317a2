//! Algorithms that the token chooses itself.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::{Row, World};
use crate::harness::forge::{hmac_of, hs256, message, with_signature};
use crate::harness::token::secret_of;

const NONE: [&str; 10] =
    ["none", "None", "NONE", "nOnE", "NonE", "none ", " none", "none\t", "no\u{0}ne", "ｎｏｎｅ"];

const OTHERS: [&str; 24] = [
    "",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS512",
    "ES256",
    "ES256K",
    "ES512",
    "EdDSA",
    "Ed25519",
    "hs256",
    "Hs256",
    "HS256 ",
    " HS256",
    "HS-256",
    "HMACSHA256",
    "HS256\u{0}",
    "ＨＳ２５６",
    "dir",
    "RSA1_5",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
];

pub fn rows(world: &World) -> Vec<Row> {
    let claims = world.right(&world.own).1.to_string();
    let mut rows = Vec::new();
    for alg in NONE {
        let header = json!({"alg": alg, "typ": "JWT"}).to_string();
        let unsigned = message(&header, &claims);
        rows.push(Row::auth(format!("{alg:?} without a signature"), format!("{unsigned}.")));
        rows.push(Row::auth(format!("{alg:?} without its last part"), unsigned.clone()));
        rows.push(Row::auth(format!("{alg:?} and any signature"), with_signature(&unsigned, "signed")));
        rows.push(Row::auth(format!("{alg:?} and the right signature"), world.signed(&header, &claims)));
    }
    for alg in OTHERS {
        let header = json!({"alg": alg, "typ": "JWT"}).to_string();
        rows.push(Row::auth(format!("{alg:?} over HMAC-SHA256"), world.signed(&header, &claims)));
        rows.push(Row::auth(format!("{alg:?} unsigned"), format!("{}.", message(&header, &claims))));
    }
    for alg in [
        json!(null),
        json!(256),
        json!(true),
        json!([]),
        json!(["HS256"]),
        json!({}),
        json!({"alg": "HS256"}),
    ] {
        rows.push(Row::auth(
            format!("alg is {alg}"),
            world.signed_header(&json!({"alg": alg, "typ": "JWT"})),
        ));
    }
    rows.push(Row::auth("no alg", world.signed_header(&json!({"typ": "JWT"}))));
    rows.push(Row::auth("ALG", world.signed_header(&json!({"ALG": "HS256"}))));
    for (alg, algorithm) in [("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
        let signed = message(json!({"alg": alg}).to_string(), &claims);
        let signature = hmac_of(algorithm, secret_of(&world.own), &signed);
        rows.push(Row::auth(format!("the right secret by {alg}"), with_signature(&signed, signature)));
    }
    let long: Value = world.right(&world.hs512).1;
    let short = hs256(json!({"alg": "HS256"}).to_string(), long.to_string(), secret_of(&world.hs512));
    rows.push(Row::auth("HS256 for an app of HS512", short));
    let mislabelled = hs256(json!({"alg": "HS512"}).to_string(), long.to_string(), secret_of(&world.hs512));
    rows.push(Row::auth("HS512 over HMAC-SHA256 for an app of HS512", mislabelled));
    rows
}
