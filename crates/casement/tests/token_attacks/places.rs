//! Tokens in places where none belongs.

use super::{Row, World};

pub fn rows(world: &World) -> Vec<Row> {
    let token = world.untampered().remove(0).1;
    let mut rows = Vec::new();
    for name in
        ["auth", "token", "access_token", "jwt", "id_token", "Authorization", "authorization", "AccountId"]
    {
        let row = Row::of(format!("in the query as {name}"), Vec::new());
        rows.push(row.query(format!("?{name}={token}")).missing());
    }
    let row = Row::of("in the query as a bearer", Vec::new());
    rows.push(row.query(format!("?Authorization=Bearer%20{token}")).missing());
    for name in [
        "X-Auth",
        "X-Auth-Token",
        "X-Access-Token",
        "X-Authorization",
        "Proxy-Authorization",
        "Token",
        "JWT",
        "Iid",
        "client-app",
        "state",
        "X-Forwarded-Authorization",
    ] {
        rows.push(Row::of(format!("in the header {name}"), vec![(name, token.clone())]).missing());
    }
    rows.push(Row::of("in a cookie", vec![("Cookie", format!("auth={token}; token={token}"))]).missing());
    let bearer = |scheme: &str| format!("{scheme}{token}");
    for scheme in
        ["", "Basic ", "JWT ", "Token ", "Bearer", "Bearer:", "Bearer\t", "MAC ", "DPoP ", "Digest "]
    {
        let row = Row::of(format!("Authorization: {scheme:?}"), vec![("Authorization", bearer(scheme))]);
        rows.push(row.missing());
    }
    rows.push(Row::of("a bearer that is empty", vec![("Authorization", "Bearer ".to_owned())]).missing());
    rows.push(Row::of("an auth that is empty", vec![("auth", String::new())]).missing());
    rows.push(Row::of("no header at all", Vec::new()).missing());
    rows.push(Row::of("auth twice", vec![("auth", token.clone()), ("auth", token.clone())]).twice());
    rows.push(
        Row::of("auth and an empty one", vec![("auth", token.clone()), ("auth", String::new())]).twice(),
    );
    let both = vec![("Authorization", bearer("Bearer ")), ("Authorization", bearer("Bearer "))];
    rows.push(Row::of("Authorization twice", both).twice());
    let two = vec![("Authorization", format!("Bearer {token}, Bearer {token}"))];
    rows.push(Row::of("two bearers in one header", two));
    let wrong_first = vec![("auth", "wrong".to_owned()), ("Authorization", bearer("Bearer "))];
    rows.push(Row::of("a wrong auth before a right bearer", wrong_first));
    rows.push(Row::of("a bearer twice in a row", vec![("Authorization", bearer("Bearer Bearer "))]));
    rows
}
