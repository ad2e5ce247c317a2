//! `/docs`: the API explorer. Its script comes from a crate, its description is ours, and its policy lets nothing out.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::answer::no_route;
use crate::router::description;

/// The explorer writes its own styles into the page; scripts, connections and all else come from this server alone.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
     font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'none'",
);
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Asked for each time, and sent again only when it has changed.
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Casement API</title>
</head>
<body>
<div id="app"></div>
<noscript>The explorer needs JavaScript. The description itself is <a href="/docs/openapi.json">openapi.json</a>.</noscript>
<script src="/docs/explorer.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"#;

/// Everything that would ask another server is off.
const START: &str = r#"Scalar.createApiReference('#app', {
  url: "/docs/openapi.json",
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  persistAuth: false,
});
"#;

/// A file of the explorer.
#[derive(Debug, Clone)]
struct Asset {
    media_type: HeaderValue,
    body: Bytes,
    tag: HeaderValue,
}

static EXPLORER: LazyLock<Option<Asset>> = LazyLock::new(|| {
    let script = scalar_api_reference::get_asset("scalar.js")?;
    Some(asset(SCRIPT, Bytes::from(script)))
});
static DESCRIPTION: LazyLock<Option<Asset>> =
    LazyLock::new(|| Some(asset(JSON, Bytes::from(description().to_string()))));

fn asset(media_type: HeaderValue, body: Bytes) -> Asset {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let tag = HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish()));
    Asset { media_type, body, tag: tag.unwrap_or(HeaderValue::from_static("\"1\"")) }
}

/// Makes the explorer's routes.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/docs", get(page))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route(
            "/docs/start.js",
            get(async |headers: HeaderMap| {
                answer(&asset(SCRIPT, Bytes::from_static(START.as_bytes())), &headers)
            }),
        )
        .route("/docs/explorer.js", get(stored).with_state(&EXPLORER))
        .route("/docs/openapi.json", get(stored).with_state(&DESCRIPTION))
}

async fn page() -> Response {
    let mut response = PAGE.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HTML);
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}

async fn stored(State(stored): State<&'static LazyLock<Option<Asset>>>, headers: HeaderMap) -> Response {
    match LazyLock::force(stored) {
        Some(asset) => answer(asset, &headers),
        None => no_route().await.into_response(),
    }
}

fn answer(asset: &Asset, asked: &HeaderMap) -> Response {
    let is_known = asked.get(IF_NONE_MATCH).is_some_and(|tag| *tag == asset.tag);
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = asset.body.clone().into_response();
        response.headers_mut().insert(CONTENT_TYPE, asset.media_type.clone());
        response
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, asset.tag.clone());
    headers.insert(CACHE_CONTROL, REVALIDATED);
    response
}
