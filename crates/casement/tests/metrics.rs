//! The page of metrics: for this machine alone on the main listener, and nothing else on one of its own.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use casement_api::api::{Api, ApiOptions};
use casement_api::client::Peer;
use casement_api::metrics_page::{self, Metrics};
use casement_api::router::router_of;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::harness::server::Server;

fn page() -> Metrics {
    Metrics::new(|| "casement_test 1\n".to_owned())
}

async fn asked(router: axum::Router, peer: Option<&str>, header: Option<&str>) -> Response {
    let mut request = Request::get("/metrics").header("host", "localhost");
    if let Some(name) = header {
        request = request.header(name, "for=192.0.2.1");
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    }
    router.oneshot(request).await.unwrap()
}

#[tokio::test]
async fn on_the_main_listener_only_this_machine_reads_the_metrics() {
    let server = Server::start().await;
    let options = ApiOptions { metrics: Some(page()), ..ApiOptions::default() };
    let router = router_of(Api::new(Arc::clone(&server.app), &options));
    for peer in ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
        let answer = asked(router.clone(), Some(peer), None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{peer}");
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "casement_test 1\n");
    }
    let refused = [
        (Some("192.0.2.1:5"), None),
        (None, None),
        (Some("127.0.0.1:5"), Some("forwarded")),
        (Some("127.0.0.1:5"), Some("x-forwarded-for")),
        (Some("127.0.0.1:5"), Some("via")),
    ];
    for (peer, header) in refused {
        let answer = asked(router.clone(), peer, header).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{peer:?} {header:?}");
    }
    // With a listener of their own, there is no such route here.
    assert_eq!(asked(server.router, Some("127.0.0.1:5"), None).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_listener_of_its_own_has_metrics_and_nothing_else() {
    let router = metrics_page::router(page());
    let answer = asked(router.clone(), Some("192.0.2.1:5"), None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let other = Request::get("/healthz").body(Body::empty()).unwrap();
    assert_eq!(router.oneshot(other).await.unwrap().status(), StatusCode::NOT_FOUND);
}
