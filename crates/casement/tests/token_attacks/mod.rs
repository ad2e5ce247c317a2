//! Attacks on tokens, as a table: each row is a request that must get the one 401 and change nothing.
//!
//! The rows stand in files by what they attack. Every table is run against the real router, with a body that would
//! make a case; beside it stand the untampered tokens, which must work, or the rows would prove nothing.

mod algorithms;
mod base64;
mod claims;
mod header;
mod json;
mod keys;
mod places;
mod shapes;
mod times;

use std::collections::HashSet;
use std::net::TcpListener;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512};
use casement_app::jwt_app::create::{NewJwtApp, create_jwt_app};
use casement_app::jwt_app::revoke::revoke_jwt_app;
use casement_app::jwt_app::{Algorithm, JwtApp};
use serde_json::{Value, json};

use crate::harness::call::Call;
use crate::harness::forge::{Pair, hmac_of, hs256, message, with_signature};
use crate::harness::server::{START_MS, STREAM, Server};
use crate::harness::token::secret_of;

/// The least number of rows: the suite must not shrink unseen.
const ROWS_MIN: usize = 600;

/// The clock in seconds, as claims tell times.
const NOW_S: i64 = START_MS / 1000;

const WRONG: &str = "the token is not valid";
const MISSING: &str = "a token is required in the header auth";
const TWICE: &str = "the token is given more than once";

/// An attack.
pub struct Row {
    name: String,
    headers: Vec<(String, String)>,
    query: String,
    detail: &'static str,
}

impl Row {
    /// A token in the header `auth`.
    pub fn auth(name: impl Into<String>, token: impl Into<String>) -> Self {
        Self::of(name, vec![("auth", token.into())])
    }

    /// Headers of any sort.
    pub fn of(name: impl Into<String>, headers: Vec<(&str, String)>) -> Self {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { name: name.into(), headers, query: String::new(), detail: WRONG }
    }

    /// Without a token where one belongs.
    pub fn missing(self) -> Self {
        Self { detail: MISSING, ..self }
    }

    /// With a header that must not be repeated.
    pub fn twice(self) -> Self {
        Self { detail: TWICE, ..self }
    }

    /// With a query.
    pub fn query(self, query: String) -> Self {
        Self { query, ..self }
    }
}

/// The apps that are attacked.
pub struct World {
    pub server: Server,
    /// HS256; the app of the workspace.
    pub own: JwtApp,
    pub hs512: JwtApp,
    pub rs256: JwtApp,
    pub rs512: JwtApp,
    /// HS256, of the same account and stream.
    pub sister: JwtApp,
    /// HS256, of another account.
    pub foreign: JwtApp,
    pub revoked: JwtApp,
    /// HS256, requires an expiry.
    pub strict: JwtApp,
    /// HS256, lets each token serve once.
    pub once: JwtApp,
    pub pair: Pair,
    pub pair512: Pair,
    /// The attacker's.
    pub evil: Pair,
    /// Where the attacker's keys would be fetched from.
    pub bait: TcpListener,
}

impl World {
    async fn make() -> Self {
        let server = Server::start().await;
        let (pair, pair512) = (Pair::generate(), Pair::generate());
        let rs256 = app(&server, Algorithm::Rs256, Some(pair.pem())).await;
        let rs512 = app(&server, Algorithm::Rs512, Some(pair512.pem())).await;
        let hs512 = app(&server, Algorithm::Hs512, None).await;
        let sister = app(&server, Algorithm::Hs256, None).await;
        let revoked = app(&server, Algorithm::Hs256, None).await;
        revoke_jwt_app(&server.app, revoked.client_id.as_str()).await.unwrap();
        let strict = new_app(&server, |app| app.requires_expiry = true).await;
        let once = new_app(&server, |app| app.enforces_jti = true).await;
        let foreign = server.another_workspace("6639f7bd58c97ffac0300002", "st-foreign").await.app;
        let bait = TcpListener::bind("127.0.0.1:0").unwrap();
        bait.set_nonblocking(true).unwrap();
        let own = server.jwt.clone();
        let evil = Pair::generate();
        Self {
            server,
            own,
            hs512,
            rs256,
            rs512,
            sister,
            foreign,
            revoked,
            strict,
            once,
            pair,
            pair512,
            evil,
            bait,
        }
    }

    /// The header and claims of a right token of an app.
    pub fn right(&self, app: &JwtApp) -> (Value, Value) {
        let header = json!({"alg": app.keys.algorithm().name(), "typ": "JWT"});
        (header, json!({"appId": app.client_id, "exp": NOW_S + 3600}))
    }

    /// Signs texts with the secret of the workspace's app.
    pub fn signed(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        hs256(header, claims, secret_of(&self.own))
    }

    /// Signs claims beside the id of the workspace's app.
    pub fn signed_claims(&self, extra: &Value) -> String {
        self.signed_claims_of(&self.own, extra)
    }

    /// Signs claims beside the id of an app with a secret.
    pub fn signed_claims_of(&self, app: &JwtApp, extra: &Value) -> String {
        let (header, _) = self.right(app);
        let mut claims = json!({"appId": app.client_id});
        claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        hs256(header.to_string(), claims.to_string(), secret_of(app))
    }

    /// Signs a header in place of the right one.
    pub fn signed_header(&self, header: &Value) -> String {
        self.signed(header.to_string(), self.right(&self.own).1.to_string())
    }

    /// An untampered token of each algorithm.
    pub fn untampered(&self) -> Vec<(&'static str, String)> {
        let texts = |app: &JwtApp| {
            let (header, claims) = self.right(app);
            (header.to_string(), claims.to_string())
        };
        let (header, claims) = texts(&self.own);
        let hs256_token = self.signed(&header, &claims);
        let (header, claims) = texts(&self.hs512);
        let signed = message(&header, &claims);
        let hs512_token =
            with_signature(&signed, hmac_of(hmac::HMAC_SHA512, secret_of(&self.hs512), &signed));
        let (header, claims) = texts(&self.rs256);
        let rs256_token = self.pair.token(&RSA_PKCS1_SHA256, header, claims);
        let (header, claims) = texts(&self.rs512);
        let rs512_token = self.pair512.token(&RSA_PKCS1_SHA512, header, claims);
        vec![("HS256", hs256_token), ("HS512", hs512_token), ("RS256", rs256_token), ("RS512", rs512_token)]
    }
}

/// Makes an app of an algorithm.
async fn app(server: &Server, algorithm: Algorithm, public_key: Option<String>) -> JwtApp {
    new_app(server, |app| {
        app.algorithm = algorithm;
        app.public_key = public_key;
    })
    .await
}

async fn new_app(server: &Server, change: impl FnOnce(&mut NewJwtApp)) -> JwtApp {
    let mut input = NewJwtApp {
        name: "App".to_owned(),
        streams: vec![STREAM.to_owned()],
        algorithm: Algorithm::Hs256,
        public_key: None,
        requires_expiry: false,
        enforces_jti: false,
    };
    change(&mut input);
    create_jwt_app(&server.app, input).await.unwrap().app
}

fn create<'a>(world: &'a World, row: &Row) -> Call<'a> {
    let path = format!("/caseManagement/api/public/analytics/{STREAM}/createCase{}", row.query);
    let mut call = world.server.call("createCase").without("auth").path(&path);
    for (name, value) in &row.headers {
        call = call.and_header(name, value);
    }
    call.json(&world.server.case_body(json!({})))
}

async fn untampered_tokens_work(world: &World) {
    for (name, token) in world.untampered() {
        let row = Row::auth(name, token);
        assert_eq!(create(world, &row).send().await.status, 200, "{name}");
    }
    for app in [&world.sister, &world.strict] {
        let token = world.signed_claims_of(app, &json!({"exp": NOW_S + 60}));
        assert_eq!(create(world, &Row::auth("", token)).send().await.status, 200);
    }
    let token = world.signed_claims_of(&world.once, &json!({"exp": NOW_S + 60, "jti": "served"}));
    assert_eq!(create(world, &Row::auth("", token)).send().await.status, 200);
}

#[tokio::test]
async fn every_attack_on_a_token_gets_the_one_401_and_changes_nothing() {
    let world = World::make().await;
    untampered_tokens_work(&world).await;
    let tables = [
        algorithms::rows(&world),
        keys::rows(&world),
        header::rows(&world),
        shapes::rows(&world),
        json::rows(&world),
        base64::rows(&world),
        claims::rows(&world),
        times::rows(&world),
        places::rows(&world),
    ];
    let rows: Vec<Row> = tables.into_iter().flatten().collect();
    let names: HashSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    assert!(rows.len() >= ROWS_MIN, "{} rows", rows.len());
    let before = world.server.store.workspaces().await.unwrap();
    for row in &rows {
        let answer = create(&world, row).send().await;
        assert_eq!(answer.status, 401, "{}", row.name);
        let wanted = json!({
            "type": "urn:casement:problem:unauthenticated",
            "title": "The token is missing or not valid",
            "status": 401,
            "detail": row.detail,
            "errors": [{"msg": row.detail, "code": 4002}],
        });
        assert_eq!(answer.json(), wanted, "{}", row.name);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{}", row.name);
        assert_eq!(world.server.store.workspaces().await.unwrap(), before, "{}", row.name);
    }
    let fetched = world.bait.accept().map(|(_, peer)| peer).map_err(|error| error.kind());
    assert_eq!(fetched, Err(std::io::ErrorKind::WouldBlock), "somebody fetched a key");
    untampered_tokens_work_still(&world).await;
}

async fn untampered_tokens_work_still(world: &World) {
    for (name, token) in world.untampered() {
        let listed = world.server.call("getCases").header("auth", &token).send().await;
        assert_eq!(listed.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_token_of_a_megabyte_is_refused_by_the_limit_of_headers() {
    let server = Server::start().await;
    let token = format!("{}.e30.x", "e".repeat(1024 * 1024));
    for (name, value) in [("auth", token.clone()), ("Authorization", format!("Bearer {token}"))] {
        let call = server.call("createCase").without("auth").header(name, &value);
        call.json(&server.case_body(json!({}))).refused(431).await;
    }
}

#[tokio::test]
async fn a_right_token_of_another_account_reaches_no_stream_of_this_one() {
    let world = World::make().await;
    let token = world.signed_claims_of(&world.foreign, &json!({}));
    let before = world.server.store.workspaces().await.unwrap();
    create(&world, &Row::auth("", token)).refused(403).await;
    assert_eq!(world.server.store.workspaces().await.unwrap(), before);
}
