//! Contract section 1 and 11.10: tokens, and who acts by them.

use casement_app::jwt_app::{Digest, Keys};
use serde_json::{Value, json};

use crate::harness::call::Call;
use crate::harness::configuration::jwt_app;
use crate::harness::server::{START_MS, STREAM, Server, update_of};
use crate::harness::token::{of, secret_of, signed, unsigned};

/// The clock in seconds, as claims tell times.
const NOW_S: i64 = START_MS / 1000;

fn list(server: &Server) -> Call<'_> {
    server.call("getCases")
}

async fn with_claims(server: &Server, claims: Value) -> u16 {
    list(server).claims(&claims).send().await.status
}

#[tokio::test]
async fn a_token_is_taken_from_auth_or_as_a_bearer() {
    let server = Server::start().await;
    let token = of(&server.jwt, &json!({}));
    list(&server).send().await.document();
    let bearer =
        |scheme: &str| list(&server).without("auth").header("Authorization", &format!("{scheme} {token}"));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        bearer(scheme).send().await.document();
    }
    bearer("Basic").refused(401).await;
    list(&server)
        .header("auth", "")
        .header("Authorization", &format!("Bearer {token}"))
        .send()
        .await
        .document();
}

#[tokio::test]
async fn the_header_auth_wins_over_the_bearer() {
    let server = Server::start().await;
    let token = of(&server.jwt, &json!({}));
    let (right, wrong) = (format!("Bearer {token}"), "Bearer nonsense");
    list(&server).header("auth", &token).header("Authorization", wrong).send().await.document();
    list(&server).header("auth", "nonsense").header("Authorization", &right).refused(401).await;
}

#[tokio::test]
async fn a_token_that_is_given_twice_is_refused() {
    let server = Server::start().await;
    let token = of(&server.jwt, &json!({}));
    list(&server).and_header("auth", &token).refused(401).await;
    list(&server).and_header("auth", "").refused(401).await;
}

#[tokio::test]
async fn without_a_usable_token_the_answer_is_401() {
    let server = Server::start().await;
    let token = of(&server.jwt, &json!({}));
    list(&server).without("auth").refused(401).await;
    list(&server).header("auth", "").refused(401).await;
    list(&server).header("auth", &format!("Bearer {token}")).refused(401).await;
    list(&server).without("auth").header("Authorization", &token).refused(401).await;
    list(&server).without("auth").header("Authorization", "Bearer ").refused(401).await;
    for wrong in [
        "x",
        "a.b.c",
        "..",
        "é",
        &token[1..],
        &token[..token.len() - 1],
        &format!("{token}x"),
        &"x".repeat(9000),
    ] {
        list(&server).header("auth", wrong).refused(401).await;
    }
    let answer = list(&server).without("auth").send().await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_token_of_another_secret_or_app_is_refused() {
    let server = Server::start().await;
    let claims = json!({"appId": server.jwt.client_id});
    let hs256 = jsonwebtoken::Algorithm::HS256;
    list(&server).header("auth", &signed(hs256, secret_of(&server.jwt), &claims)).send().await.document();
    list(&server).header("auth", &signed(hs256, "another secret", &claims)).refused(401).await;
    let unknown = signed(hs256, secret_of(&server.jwt), &json!({"appId": "cs-unknown"}));
    list(&server).header("auth", &unknown).refused(401).await;
    let mut revoked = jwt_app("cs-revoked", "revoked", &[STREAM]);
    revoked.active = false;
    server.register(&revoked).await;
    list(&server).header("auth", &of(&revoked, &json!({}))).refused(401).await;
}

#[tokio::test]
async fn the_algorithm_is_the_apps_and_never_the_tokens() {
    let server = Server::start().await;
    let secret = secret_of(&server.jwt);
    let claims = json!({"appId": server.jwt.client_id});
    for wrong in [jsonwebtoken::Algorithm::HS384, jsonwebtoken::Algorithm::HS512] {
        list(&server).header("auth", &signed(wrong, secret, &claims)).refused(401).await;
    }
    list(&server).header("auth", &unsigned(&of(&server.jwt, &json!({})))).refused(401).await;

    let mut long = jwt_app("cs-long", "a secret of its own", &[STREAM]);
    let Keys::Hmac(_, keys) = long.keys else { panic!("it has a secret") };
    long.keys = Keys::Hmac(Digest::Sha512, keys);
    server.register(&long).await;
    list(&server).header("auth", &of(&long, &json!({}))).send().await.document();
    let short = signed(jsonwebtoken::Algorithm::HS256, secret_of(&long), &json!({"appId": "cs-long"}));
    list(&server).header("auth", &short).refused(401).await;
}

#[tokio::test]
async fn the_issuer_names_the_app_only_where_app_id_is_absent() {
    let server = Server::start().await;
    let own = server.jwt.client_id.as_str();
    for (claims, status) in [
        (json!({"iss": own, "appId": "<absent>"}), 200),
        (json!({"iss": "somebody", "appId": own}), 200),
        (json!({"iss": own, "appId": "somebody"}), 401),
        (json!({"iss": own, "appId": null}), 401),
        (json!({"iss": own, "appId": 7}), 401),
        (json!({"appid": own, "appId": "<absent>"}), 401),
        (json!({"appId": "<absent>"}), 401),
        (json!({"iss": 7}), 401),
    ] {
        assert_eq!(with_claims(&server, claims.clone()).await, status, "{claims}");
    }
}

#[tokio::test]
async fn times_are_honoured_with_a_leeway_of_a_minute() {
    let server = Server::start().await;
    for (claims, status) in [
        (json!({}), 200),
        (json!({"exp": NOW_S + 1}), 200),
        (json!({"exp": NOW_S - 59}), 200),
        (json!({"exp": NOW_S - 61}), 401),
        (json!({"nbf": NOW_S + 59}), 200),
        (json!({"nbf": NOW_S + 61}), 401),
        (json!({"iat": NOW_S + 59}), 200),
        (json!({"iat": NOW_S + 61}), 401),
        (json!({"iat": NOW_S - 10_000_000}), 200),
        (json!({"exp": NOW_S + 10, "nbf": NOW_S - 10, "iat": NOW_S}), 200),
        // The last second of the year 9999, which some libraries write for "never".
        (json!({"exp": 253_402_300_799_i64}), 200),
        (json!({"exp": (NOW_S + 10) as f64 + 0.5}), 200),
    ] {
        assert_eq!(with_claims(&server, claims.clone()).await, status, "{claims}");
    }
}

#[tokio::test]
async fn a_malformed_claim_is_never_treated_as_absent() {
    let server = Server::start().await;
    for claim in ["exp", "nbf", "iat"] {
        for wrong in [json!("2026-11-22"), json!(null), json!([]), json!({}), json!(true), json!(-1)] {
            let claims = json!({claim: wrong});
            assert_eq!(with_claims(&server, claims.clone()).await, 401, "{claims}");
        }
    }
    for claim in ["sub", "iss", "jti"] {
        for wrong in [json!(7), json!(null), json!([]), json!({}), json!(true)] {
            let claims = json!({claim: wrong});
            assert_eq!(with_claims(&server, claims.clone()).await, 401, "{claims}");
        }
    }
}

#[tokio::test]
async fn an_app_may_require_that_its_tokens_expire() {
    let server = Server::start().await;
    let mut strict = jwt_app("cs-strict", "strict", &[STREAM]);
    strict.requires_expiry = true;
    server.register(&strict).await;
    list(&server).header("auth", &of(&strict, &json!({}))).refused(401).await;
    list(&server).header("auth", &of(&strict, &json!({"exp": NOW_S + 60}))).send().await.document();
}

#[tokio::test]
async fn the_subject_names_an_agent_by_id_or_by_email() {
    let server = Server::start().await;
    let agent = server.agent("Ann").await;
    for subject in ["u-Ann", "ann@example.com", "Ann@Example.com"] {
        let body = server.case_body(json!({}));
        let case = server.call("createCase").acting_as(subject).json(&body).send().await.document();
        assert_eq!(case["createdBy"], json!({"name": "Ann", "_id": agent.user, "profImage": "no-avatar"}));
        assert_eq!(case["updatedBy"], case["createdBy"]);
    }
}

#[tokio::test]
async fn without_a_known_subject_the_app_itself_acts() {
    let server = Server::start().await;
    let app = json!({"name": "Support app", "_id": server.jwt.user, "profImage": "no-avatar"});
    assert!(app["_id"].as_str().unwrap().starts_with("u-"));
    for claims in
        [json!({}), json!({"sub": "nobody@example.com"}), json!({"sub": ""}), json!({"sub": "a-Ann"})]
    {
        let body = server.case_body(json!({}));
        let case = server.call("createCase").claims(&claims).json(&body).send().await.document();
        assert_eq!(case["createdBy"], app);
    }
    let other = jwt_app("cs-other", "other", &[STREAM]);
    server.register(&other).await;
    let case = server.create_case(json!({})).await;
    let token = of(&other, &json!({}));
    let call =
        server.call(&update_of("updateCase", &case)).header("auth", &token).json(&json!({"name": "New"}));
    let updated = call.send().await.document();
    assert_eq!(updated["createdBy"], app);
    assert_eq!(updated["updatedBy"]["_id"], "u-cs-other");
}

#[tokio::test]
async fn a_subject_never_adds_rights() {
    let server = Server::start().await;
    server.agent("Ann").await;
    let mut stranger = jwt_app("cs-stranger", "stranger", &[]);
    stranger.scopes.clear();
    server.register(&stranger).await;
    list(&server).header("auth", &of(&stranger, &json!({"sub": "u-Ann"}))).refused(403).await;
}
