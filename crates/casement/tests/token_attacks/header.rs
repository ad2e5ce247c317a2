//! Headers that name, carry or point to keys, or ask for something that is not done.

use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

use super::{Row, World};
use crate::harness::forge::{hs256, message};
use crate::harness::token::secret_of;

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = keys_by_header(world);
    rows.extend(demands(world));
    rows.extend(types(world));
    rows
}

/// Keys of the attacker's choice, with a signature that they verify.
fn keys_by_header(world: &World) -> Vec<Row> {
    let address = world.bait.local_addr().unwrap();
    let url = format!("http://{address}/keys.json");
    let chosen: [(&str, Value); 9] = [
        ("jwk", world.evil.jwk()),
        ("jku", json!(url)),
        ("jku", json!(format!("file:///proc/self/environ#{address}"))),
        ("x5u", json!(url)),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("url", json!(url)),
        ("kid", json!(url)),
    ];
    let mut rows = Vec::new();
    for (at, (member, value)) in chosen.into_iter().enumerate() {
        let claims = world.right(&world.rs256).1.to_string();
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        header[member] = value.clone();
        let token = world.evil.token(&RSA_PKCS1_SHA256, header.to_string(), claims);
        rows.push(Row::auth(format!("{at}: {member} of the attacker for RS256"), token));
        let claims = world.right(&world.own).1.to_string();
        let token = world.evil.token(&RSA_PKCS1_SHA256, header.to_string(), &claims);
        rows.push(Row::auth(format!("{at}: {member} of the attacker for an app with a secret"), token));
        header["alg"] = json!("HS256");
        let token = hs256(header.to_string(), &claims, b"");
        rows.push(Row::auth(format!("{at}: {member} of the attacker and no secret"), token));
    }
    let octets = json!({"kty": "oct", "k": "AAAA"});
    let token = hs256(
        json!({"alg": "HS256", "jwk": octets}).to_string(),
        world.right(&world.own).1.to_string(),
        [0; 3],
    );
    rows.push(Row::auth("a secret in the header", token));
    for kid in ["../../../../dev/null", "/dev/null", "' OR '1'='1", "x' union select 'a", "|cat", "", "0"] {
        let token = hs256(
            json!({"alg": "HS256", "kid": kid}).to_string(),
            world.right(&world.own).1.to_string(),
            b"",
        );
        rows.push(Row::auth(format!("kid {kid:?} and no secret"), token));
    }
    let header = json!({"alg": "HS256", "kid": world.sister.client_id});
    let token = hs256(header.to_string(), world.right(&world.own).1.to_string(), secret_of(&world.sister));
    rows.push(Row::auth("kid of another app, signed by that", token));
    rows
}

/// Right signatures under headers that ask for something that is not done.
fn demands(world: &World) -> Vec<Row> {
    let demanded = [
        json!({"crit": ["exp"], "exp": 1}),
        json!({"crit": ["http://example.com/unknown"], "http://example.com/unknown": true}),
        json!({"crit": ["alg"]}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"crit": ["b64"], "b64": true}),
        json!({"crit": []}),
        json!({"crit": null}),
        json!({"crit": "exp"}),
        json!({"crit": {}}),
        json!({"crit": false}),
        json!({"b64": false}),
        json!({"b64": true}),
        json!({"b64": "false"}),
        json!({"enc": "A128GCM"}),
        json!({"zip": "DEF"}),
        json!({"zip": "GZIP"}),
        json!({"cty": "JWT"}),
        json!({"cty": "application/json"}),
    ];
    let mut rows = Vec::new();
    for members in demanded {
        let mut header = json!({"alg": "HS256", "typ": "JWT"});
        header.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        rows.push(Row::auth(format!("the header has {members}"), world.signed_header(&header)));
    }
    // A payload that is not encoded, as RFC 7797 has it.
    let claims = json!({"appId": world.own.client_id}).to_string().replace('.', "");
    let header = message(json!({"alg": "HS256", "b64": false, "crit": ["b64"]}).to_string(), "");
    rows.push(Row::auth("claims that are not encoded", format!("{header}{claims}.c2ln")));
    rows
}

fn types(world: &World) -> Vec<Row> {
    let types = [
        json!("JWE"),
        json!("JWS"),
        json!("JOSE"),
        json!("JOSE+JSON"),
        json!("at+jwt"),
        json!("secevent+jwt"),
        json!("dpop+jwt"),
        json!("application/jwt"),
        json!("JWT "),
        json!(""),
        json!(null),
        json!(7),
        json!(["JWT"]),
    ];
    let row = |typ: Value| {
        Row::auth(format!("typ is {typ}"), world.signed_header(&json!({"alg": "HS256", "typ": typ})))
    };
    types.into_iter().map(row).collect()
}
