//! The API explorer: its files come from this server, and its policy lets nothing out.

use serde_json::Value;

use crate::harness::answer::Answer;
use crate::harness::server::Server;

async fn get(server: &Server, path: &str) -> Answer {
    server.call("").bare().method("GET").path(path).send().await
}

#[tokio::test]
async fn the_explorers_page_asks_no_other_server() {
    let server = Server::start().await;
    let page = get(&server, "/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
    assert_eq!(page.header("cross-origin-resource-policy"), Some("same-origin"));
    let policy = page.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "script-src 'self';", "connect-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("http"), "{policy}");
    let text = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(!text.contains("//"), "an address of another server: {text}");
    for script in ["/docs/explorer.js", "/docs/start.js"] {
        assert!(text.contains(&format!("<script src=\"{script}\"></script>")), "{text}");
        let answer = get(&server, script).await;
        assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"), "{script}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn the_explorer_shows_the_description_of_this_server() {
    let server = Server::start().await;
    let answer = get(&server, "/docs/openapi.json").await;
    let served: Value = answer.document();
    let own = casement_api::router::description();
    assert_eq!(served, own);
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let server = Server::start().await;
    let first = get(&server, "/docs/explorer.js").await;
    let tag = first.header("etag").unwrap().to_owned();
    let call = server.call("").bare().method("GET").path("/docs/explorer.js").header("If-None-Match", &tag);
    let second = call.send().await;
    assert_eq!((second.status, second.bytes.len()), (304, 0));
    assert!(first.bytes.len() > 1_000_000);
}
