//! A token: what nobody signed is never accepted, and what is signed counts as its claims say.
//!
//! The first character of an input says what the rest is: `t` a token as it comes, `m` changes of a right token, `c` the
//! claims of a rightly signed token, `h` the header of one.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use casement_api::api::{Api, ApiOptions};
use casement_api::rate::Rate;
use casement_api::router::router_of;
use casement_app::app::App;
use casement_app::making::NewWorkspaceInput;
use casement_app::seal::key_file::KeyFile;
use casement_app::sources::Sources;
use casement_store::options::Options;
use casement_store::store::Store;
use casement_wire::json::read_object;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::world::NOW;

const ACCOUNT: &str = "6639f7bd58c97ffac0300001";
const PATH: &str = "/caseManagement/api/public/analytics/st-proofs/getCases";
/// Bytes of a token that is looked at.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Seconds by which clocks may differ; contract section 1.
const LEEWAY_SECONDS: f64 = 60.0;

/// Requests a second that the app may send: more than any run does.
const RATE: NonZeroU32 = NonZeroU32::new(1_000_000).expect("it is not zero");

/// A server with one app.
struct Stage {
    runtime: Runtime,
    router: Router,
    client_id: String,
    secret: String,
    _directory: TempDir,
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let options = Options::new(data.clone());
        let (router, client_id, secret) = runtime.block_on(async {
            let (store, feed) = Store::open(options).expect("a store");
            let counter = Arc::new(AtomicU64::new(1));
            let next = move || u128::from(counter.fetch_add(1, Ordering::Relaxed));
            let sources = Sources::new(|| NOW, next, || *b"0123456789abcdef");
            let app =
                App::open(store, sources, KeyFile::of(&data, None, None)).await.expect("an application");
            tokio::spawn(Arc::clone(&app).follow(feed));
            while !app.is_ready() {
                tokio::task::yield_now().await;
            }
            let input = NewWorkspaceInput {
                account: Some(ACCOUNT.to_owned()),
                stream: Some("st-proofs".to_owned()),
                ..NewWorkspaceInput::default()
            };
            // The rates of apps have tests of their own.
            let options =
                ApiOptions { rate: Rate { per_second: RATE, burst: RATE }, ..ApiOptions::default() };
            let made = app.make_workspace(input).await.expect("a workspace");
            (
                router_of(Api::new(app, &options)),
                made.app.client_id.to_string(),
                made.secret.reveal().to_owned(),
            )
        });
        Stage { runtime, router, client_id, secret, _directory: directory }
    })
}

/// Checks an input.
pub(super) fn check(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    let stage = stage();
    match kind {
        b't' => assert_ne!(stage.status(rest), Some(200), "an unsigned token was accepted"),
        b'm' => check_changed(stage, rest),
        b'c' => check_claims(stage, rest),
        b'h' => check_header(stage, rest),
        _ => {}
    }
}

impl Stage {
    /// The status of a request with this token; `None`: it can't stand in a header.
    fn status(&self, token: &[u8]) -> Option<u16> {
        let token = HeaderValue::from_bytes(token).ok()?;
        let request = Request::post(PATH).header("auth", token).header("AccountId", ACCOUNT);
        let request = request.body(Body::from(r#"{"limit":1}"#)).ok()?;
        let status = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await;
            response.map(|response| response.status().as_u16())
        });
        let status = status.expect("invariant: the router does not fail");
        assert!(status == 200 || status == 401, "{status}");
        Some(status)
    }

    /// A token with this header and these claims, signed by the app.
    fn signed(&self, header: &[u8], claims: &[u8]) -> String {
        let base64 = |bytes: &[u8]| encoded(bytes);
        let message = format!("{}.{}", base64(header), base64(claims));
        let key = EncodingKey::from_secret(self.secret.as_bytes());
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
        format!("{message}.{}", signature.expect("invariant: HS256 takes any secret"))
    }

    fn right(&self) -> String {
        let claims = json!({"appId": self.client_id, "sub": "u-1", "iat": NOW.ms() / 1000});
        self.signed(br#"{"alg":"HS256","typ":"JWT"}"#, claims.to_string().as_bytes())
    }
}

/// Base64 for addresses, without padding.
fn encoded(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let padded = [0, 1, 2].map(|place| u32::from(chunk.get(place).copied().unwrap_or_default()));
        let bits = padded.iter().fold(0, |bits, byte| bits << 8 | byte);
        for sextet in 0..=chunk.len() {
            let place = (bits >> (18 - 6 * sextet)) & 63;
            text.extend(LETTERS.get(place as usize).map(|letter| char::from(*letter)));
        }
    }
    text
}

/// Three bytes are one change: what to do, where, and with which character.
fn check_changed(stage: &Stage, changes: &[u8]) {
    let right = stage.right();
    assert_eq!(stage.status(right.as_bytes()), Some(200), "a right token was refused");
    let mut token = right.clone().into_bytes();
    for change in changes.chunks_exact(3) {
        let [what, place, byte] = change else { continue };
        let place = usize::from(*place) * token.len() / 256;
        match what % 4 {
            0 => {
                if let Some(letter) = token.get_mut(place) {
                    *letter = *byte;
                }
            }
            1 => token.insert(place, *byte),
            2 if place < token.len() => {
                token.remove(place);
            }
            _ => token.truncate(place + 1),
        }
    }
    if token != right.as_bytes() {
        assert_ne!(stage.status(&token), Some(200), "a changed token was accepted");
    }
}

/// The contract's section 1 for a token that the app has signed.
fn check_claims(stage: &Stage, claims: &[u8]) {
    // The id of the app is not known to a corpus: a mark stands for it.
    let text = String::from_utf8_lossy(claims).replace("<app>", &stage.client_id);
    let token = stage.signed(br#"{"alg":"HS256","typ":"JWT"}"#, text.as_bytes());
    let Some(status) = stage.status(token.as_bytes()) else { return };
    let claims: Option<Map<String, Value>> = serde_json::from_str(&text).ok();
    let is_right = claims.as_ref().is_some_and(|claims| is_right(claims, &stage.client_id));
    if status == 200 {
        assert!(is_right, "accepted: {text}");
    } else {
        // Claims that are given twice, or that no JSON reader of ours would take, may be refused.
        let is_strict = read_object(text.as_bytes()).is_ok() && token.len() <= TOKEN_BYTES_MAX;
        assert!(!is_right || !is_strict, "refused: {text}");
    }
}

fn is_right(claims: &Map<String, Value>, client_id: &str) -> bool {
    let app = claims.get("appId").or_else(|| claims.get("iss"));
    let texts_fit = ["sub", "iss", "jti"].iter().all(|name| claims.get(*name).is_none_or(Value::is_string));
    let now = NOW.ms() as f64 / 1000.0;
    let time = |name: &str| match claims.get(name) {
        None => Some(None),
        Some(value) => value.as_f64().filter(|time| (0.0..=253_402_300_799.0).contains(time)).map(Some),
    };
    let (Some(expires), Some(not_before), Some(issued)) = (time("exp"), time("nbf"), time("iat")) else {
        return false;
    };
    app.and_then(Value::as_str) == Some(client_id)
        && texts_fit
        && expires.is_none_or(|expires| now < expires + LEEWAY_SECONDS)
        && not_before.is_none_or(|not_before| now >= not_before - LEEWAY_SECONDS)
        && issued.is_none_or(|issued| now >= issued - LEEWAY_SECONDS)
}

/// The algorithm is the app's, never the token's.
fn check_header(stage: &Stage, header: &[u8]) {
    let claims = json!({"appId": stage.client_id}).to_string();
    let token = stage.signed(header, claims.as_bytes());
    if stage.status(token.as_bytes()) == Some(200) {
        let header: Option<Value> = serde_json::from_slice(header).ok();
        assert_eq!(header.map(|header| header["alg"].clone()), Some(json!("HS256")));
    }
}
