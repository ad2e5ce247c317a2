//! Compression: large answers for clients that accept it, nothing else; and the time inside the server on demand.

use std::io::Read;
use std::sync::Arc;

use casement_api::api::{Api, ApiOptions};
use casement_api::router::router_of;
use flate2::read::GzDecoder;
use serde_json::json;

use crate::harness::server::Server;

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}

async fn with_cases() -> Server {
    let server = Server::start().await;
    for _ in 0..12 {
        server.create_case(json!({})).await;
    }
    server
}

#[tokio::test]
async fn a_large_page_is_compressed_for_who_accepts_gzip_and_says_that_it_varies() {
    let server = with_cases().await;
    let plain = server.post("getCases", json!({})).await;
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    assert_eq!(plain.header("vary"), Some("accept-encoding"));
    for accepted in ["gzip", "br, gzip;q=0.8", "*"] {
        let call = server.call("getCases").header("Accept-Encoding", accepted).json(&json!({}));
        let packed = call.send().await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{accepted}");
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        assert!(packed.bytes.len() * 4 < plain.bytes.len(), "{} {}", packed.bytes.len(), plain.bytes.len());
        assert_eq!(unpacked(&packed.bytes), plain.bytes);
    }
    for refused in ["identity", "gzip;q=0", "br"] {
        let call = server.call("getCases").header("Accept-Encoding", refused).json(&json!({}));
        let answer = call.send().await;
        assert_eq!((answer.header("content-encoding"), &answer.bytes), (None, &plain.bytes), "{refused}");
    }
}

#[tokio::test]
async fn small_answers_and_documents_with_an_entity_tag_stay_as_they_are() {
    let server = with_cases().await;
    let small = server.call("getCases").header("Accept-Encoding", "gzip").json(&json!({"limit": 1}));
    let small = small.send().await;
    assert!(small.bytes.len() < 4096 && small.header("content-encoding").is_none());
    let long = json!({"desc": "The printer is on fire. ".repeat(1_000)});
    let body = server.case_body(long);
    let created = server.call("createCase").header("Accept-Encoding", "gzip").json(&body).send().await;
    assert_eq!(created.header("content-encoding"), None);
    let tag = created.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("\"v"), "strong: {tag}");
    let id = created.document()["_id"].as_str().unwrap().to_owned();
    let update = server.call(&format!("updateCase/{id}")).header("Accept-Encoding", "gzip");
    let updated = update.header("If-Match", &tag).json(&json!({"priority": "High"})).send().await;
    assert_eq!(updated.document()["priority"]["name"], "High");
}

#[tokio::test]
async fn the_time_inside_the_server_is_told_only_where_the_options_say_so() {
    let mut server = Server::start().await;
    assert_eq!(server.post("getCases", json!({})).await.header("server-timing"), None);
    let options = ApiOptions { server_timing: true, ..ApiOptions::default() };
    server.router = router_of(Api::new(Arc::clone(&server.app), &options));
    let answer = server.post("getCases", json!({})).await;
    let told = answer.header("server-timing").unwrap();
    let ms: f64 = told.strip_prefix("total;dur=").unwrap().parse().unwrap();
    assert!(ms > 0.0 && ms < 60_000.0, "{told}");
}
