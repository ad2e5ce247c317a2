//! Claims that name another app, nobody, or nothing that can be read; and ids of tokens that serve once.

use serde_json::{Value, json};

use super::{NOW_S, Row, World};
use crate::harness::forge::hs256;
use crate::harness::token::secret_of;

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = names(world);
    rows.extend(texts(world));
    rows.extend(token_ids(world));
    rows
}

/// Tokens signed by the own secret that name somebody else, or by another's that name the own app.
fn names(world: &World) -> Vec<Row> {
    let own = world.own.client_id.as_str();
    let sister = world.sister.client_id.as_str();
    let named = [
        json!({}),
        json!({"appId": ""}),
        json!({"appId": null}),
        json!({"appId": 7}),
        json!({"appId": true}),
        json!({"appId": [own]}),
        json!({"appId": {"$eq": own}}),
        json!({"appId": own.to_uppercase()}),
        json!({"appId": format!("{own} ")}),
        json!({"appId": format!(" {own}")}),
        json!({"appId": format!("{own}\n")}),
        json!({"appId": format!("{own}/../{sister}")}),
        json!({"appId": own[..own.len() - 1]}),
        json!({"appId": "cs-unknown"}),
        json!({"appId": "*"}),
        json!({"appId": "' OR '1'='1"}),
        json!({"appId": sister}),
        json!({"appId": world.foreign.client_id}),
        json!({"appId": world.rs256.client_id}),
        json!({"appId": null, "iss": own}),
        json!({"appId": 7, "iss": own}),
        json!({"appId": "", "iss": own}),
        json!({"appId": "cs-unknown", "iss": own}),
        json!({"appid": own}),
        json!({"AppId": own}),
        json!({"app_id": own}),
        json!({"clientId": own}),
        json!({"client_id": own}),
        json!({"azp": own}),
        json!({"aud": own}),
        json!({"sub": own}),
        json!({"iss": [own]}),
        json!({"iss": {"id": own}}),
        json!({"iss": ""}),
        json!({"iss": "cs-unknown"}),
    ];
    let header = json!({"alg": "HS256", "typ": "JWT"}).to_string();
    let mut rows: Vec<Row> = named
        .iter()
        .map(|claims| Row::auth(format!("claims {claims}"), world.signed(&header, claims.to_string())))
        .collect();
    for (name, app) in [("sister", &world.sister), ("foreign", &world.foreign), ("revoked", &world.revoked)] {
        let claims = json!({"appId": own, "iss": app.client_id});
        let token = hs256(&header, claims.to_string(), secret_of(app));
        rows.push(Row::auth(format!("the own app named, signed by the {name} one"), token));
    }
    rows
}

/// Claims of the wrong type, which are never treated as absent.
fn texts(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for claim in ["sub", "iss", "jti"] {
        for wrong in [json!(7), json!(null), json!([]), json!(["a"]), json!({}), json!(true)] {
            let token = world.signed_claims(&json!({claim: wrong}));
            rows.push(Row::auth(format!("{claim} is {wrong}"), token));
        }
    }
    rows
}

/// Tokens of an app that lets each serve once.
fn token_ids(world: &World) -> Vec<Row> {
    let near = NOW_S + 60;
    let refused: Vec<(&str, Value)> = vec![
        ("once: no id", json!({"exp": near})),
        ("once: an empty id", json!({"exp": near, "jti": ""})),
        ("once: an id of 257 bytes", json!({"exp": near, "jti": "x".repeat(257)})),
        ("once: an id of 129 letters and 258 bytes", json!({"exp": near, "jti": "é".repeat(129)})),
        ("once: a number as the id", json!({"exp": near, "jti": 7})),
        ("once: null as the id", json!({"exp": near, "jti": null})),
        ("once: a list as the id", json!({"exp": near, "jti": ["a"]})),
        ("once: an id that has served", json!({"exp": near, "jti": "served"})),
        ("once: an id that has served, in a later token", json!({"exp": near + 60, "jti": "served"})),
        ("once: no expiry", json!({"jti": "a"})),
        ("once: an expiry after a day", json!({"exp": NOW_S + 86_461, "jti": "b"})),
        ("once: an expiry in the year 9999", json!({"exp": 253_402_300_799_i64, "jti": "c"})),
        ("once: expired", json!({"exp": NOW_S - 61, "jti": "d"})),
        ("once: another spelling of the claim", json!({"exp": near, "JTI": "e"})),
    ];
    let mut rows: Vec<Row> = refused
        .into_iter()
        .map(|(name, claims)| Row::auth(name, world.signed_claims_of(&world.once, &claims)))
        .collect();
    rows.push(Row::auth("strict: no expiry", world.signed_claims_of(&world.strict, &json!({}))));
    rows.push(Row::auth(
        "strict: null as the expiry",
        world.signed_claims_of(&world.strict, &json!({"exp": null})),
    ));
    rows
}
