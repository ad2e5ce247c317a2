//! Keys that are not the app's, and the public key taken for a secret.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA512,
};
use serde_json::json;

use super::{Row, World};
use crate::harness::forge::{encoded, hmac_of, hs256, message, with_signature};
use crate::harness::token::secret_of;

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = confusion(world);
    rows.extend(secrets(world));
    rows.extend(signatures(world));
    rows.extend(rsa(world));
    rows
}

/// HMAC with the public key in every form, under each algorithm that a header could say.
fn confusion(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    let attacks = [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
        ("RS256", hmac::HMAC_SHA256),
    ];
    for (form, key) in world.pair.public_forms() {
        for (alg, algorithm) in attacks {
            let claims = world.right(&world.rs256).1.to_string();
            let signed = message(json!({"alg": alg, "typ": "JWT"}).to_string(), claims);
            let token = with_signature(&signed, hmac_of(algorithm, &key, &signed));
            rows.push(Row::auth(format!("{alg} by HMAC with the public key: {form}"), token));
        }
    }
    for (form, key) in world.pair512.public_forms() {
        let claims = world.right(&world.rs512).1.to_string();
        let signed = message(json!({"alg": "RS512", "typ": "JWT"}).to_string(), claims);
        let token = with_signature(&signed, hmac_of(hmac::HMAC_SHA512, &key, &signed));
        rows.push(Row::auth(format!("RS512 by HMAC with the public key: {form}"), token));
    }
    rows
}

/// Secrets that are nearly the app's, or somebody's.
fn secrets(world: &World) -> Vec<Row> {
    let secret = secret_of(&world.own);
    let raw: Vec<u8> =
        (0..secret.len()).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap()).collect();
    let (header, claims) = world.right(&world.own);
    let keys: [(&str, Vec<u8>); 12] = [
        ("no secret", Vec::new()),
        ("a zero byte", vec![0]),
        ("the word secret", b"secret".to_vec()),
        ("the client id", world.own.client_id.as_str().into()),
        ("the user id", world.own.user.as_str().into()),
        ("the secret without its last digit", secret[..secret.len() - 1].into()),
        ("the secret and a blank", format!("{secret} ").into()),
        ("the secret and a line feed", format!("{secret}\n").into()),
        ("the secret in upper case", secret.to_uppercase().replace('0', "O").into()),
        ("the bytes of the secret", raw.clone()),
        ("the secret in base64url", encoded(raw).into()),
        ("the secret of another app", secret_of(&world.sister).into()),
    ];
    let signed = |key: &[u8]| hs256(header.to_string(), claims.to_string(), key);
    let mut rows: Vec<Row> = keys.iter().map(|(name, key)| Row::auth(*name, signed(key))).collect();
    rows.push(Row::auth("the secret of another account's app", signed(secret_of(&world.foreign).as_bytes())));
    rows.push(Row::auth("a revoked app", world.signed_claims_of(&world.revoked, &json!({}))));
    rows
}

/// Signatures that are nearly right.
fn signatures(world: &World) -> Vec<Row> {
    let (header, claims) = world.right(&world.own);
    let signed = message(header.to_string(), claims.to_string());
    let right = hmac_of(hmac::HMAC_SHA256, secret_of(&world.own), &signed);
    let long = hmac_of(hmac::HMAC_SHA512, secret_of(&world.own), &signed);
    let flipped = |at: usize, bit: u8| {
        let mut signature = right.clone();
        signature[at] ^= bit;
        signature
    };
    let of_another = hmac_of(hmac::HMAC_SHA256, secret_of(&world.own), &message(header.to_string(), "{}"));
    let signatures: [(&str, Vec<u8>); 12] = [
        ("no byte of signature", Vec::new()),
        ("one byte of the signature", right[..1].into()),
        ("half of the signature", right[..16].into()),
        ("all but a byte of the signature", right[..31].into()),
        ("the signature and a byte", [right.as_slice(), &[0]].concat()),
        ("the signature twice", [right.as_slice(), &right].concat()),
        ("zeros as the signature", vec![0; 32]),
        ("the first bit flipped", flipped(0, 0x80)),
        ("the last bit flipped", flipped(31, 1)),
        ("HMAC-SHA512", long.clone()),
        ("HMAC-SHA512 cut to 32 bytes", long[..32].into()),
        ("the signature of another token", of_another),
    ];
    let mut rows: Vec<Row> = signatures
        .iter()
        .map(|(name, signature)| Row::auth(*name, with_signature(&signed, signature)))
        .collect();
    let (_, other) = world.right(&world.sister);
    let moved = message(header.to_string(), other.to_string());
    rows.push(Row::auth("the claims of another app under the signature", with_signature(&moved, &right)));
    let later = json!({"appId": world.own.client_id, "exp": super::NOW_S + 7200});
    let later = message(header.to_string(), later.to_string());
    rows.push(Row::auth("a later expiry under the signature", with_signature(&later, &right)));
    let retyped = message(json!({"typ": "JWT", "alg": "HS256"}).to_string(), claims.to_string());
    rows.push(Row::auth("the header in another order", with_signature(&retyped, &right)));
    rows
}

fn rsa(world: &World) -> Vec<Row> {
    let (header, claims) = world.right(&world.rs256);
    let (header, claims) = (header.to_string(), claims.to_string());
    let signed = message(&header, &claims);
    let right = world.pair.signature(&RSA_PKCS1_SHA256, &signed);
    let with = |signature: &[u8]| with_signature(&signed, signature);
    let other = |alg: &str| json!({"alg": alg}).to_string();
    vec![
        Row::auth("RS256 by the attacker's key", world.evil.token(&RSA_PKCS1_SHA256, &header, &claims)),
        Row::auth("RS256 by another app's key", world.pair512.token(&RSA_PKCS1_SHA256, &header, &claims)),
        Row::auth("RS256 over SHA-384", world.pair.token(&RSA_PKCS1_SHA384, &header, &claims)),
        Row::auth("RS256 over SHA-512", world.pair.token(&RSA_PKCS1_SHA512, &header, &claims)),
        Row::auth("RS256 with PSS", world.pair.token(&RSA_PSS_SHA256, &header, &claims)),
        Row::auth("PS256 by the right key", world.pair.token(&RSA_PSS_SHA256, other("PS256"), &claims)),
        Row::auth("PS512 by the right key", world.pair.token(&RSA_PSS_SHA512, other("PS512"), &claims)),
        Row::auth("RS384 by the right key", world.pair.token(&RSA_PKCS1_SHA384, other("RS384"), &claims)),
        Row::auth("RS512 by the right key", world.pair.token(&RSA_PKCS1_SHA512, other("RS512"), &claims)),
        Row::auth("rs256 in lower case", world.pair.token(&RSA_PKCS1_SHA256, other("rs256"), &claims)),
        Row::auth("none for RSA", format!("{}.", message(other("none"), &claims))),
        Row::auth("an empty RSA signature", with(&[])),
        Row::auth("an RSA signature of zeros", with(&[0; 256])),
        Row::auth("an RSA signature of one", with(&[&[0; 255][..], &[1]].concat())),
        Row::auth("an RSA signature that is the modulus", with(&world.pair.modulus())),
        Row::auth("an RSA signature without its first byte", with(&right[1..])),
        Row::auth("an RSA signature after a zero", with(&[&[0], right.as_slice()].concat())),
        Row::auth("an RSA signature and a byte", with(&[right.as_slice(), &[0]].concat())),
        Row::auth("a signature of RSA for an app with a secret", {
            let (_, claims) = world.right(&world.own);
            world.evil.token(&RSA_PKCS1_SHA256, other("RS256"), claims.to_string())
        }),
        Row::auth("a signature of RSA under HS256", {
            let (header, claims) = world.right(&world.own);
            world.pair.token(&RSA_PKCS1_SHA256, header.to_string(), claims.to_string())
        }),
    ]
}
