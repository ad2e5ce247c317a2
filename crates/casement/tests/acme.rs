//! Certificates by ACME, as far as they need no authority: settings, an authority that is not there, and a server
//! without a certificate. `cargo xtask proof acme` has a real authority.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use casement_api::acme::cache::FOLDER_NAME;
use casement_api::acme::name::{Directory, DomainName};
use casement_api::acme::{AcmeError, AcmeOptions};
use casement_api::api::{Api, ApiOptions};
use casement_api::outbound::Roots;
use casement_api::router::router_of;
use casement_api::server::{ServerOptions, serve};
use casement_api::tls::{CertificateState, Tls};
use casement_domain::date::Moment;
use http_body_util::BodyExt;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio_rustls::TlsConnector;
use tower::ServiceExt;

use crate::harness::program::{casement, failed, text};
use crate::harness::server::{START_MS, Server};

const NAME: &str = "cases.example.com";

/// An address of this machine that nobody listens on.
fn nobody() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// A file with a root certificate.
fn root(directory: &Path) -> std::path::PathBuf {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = directory.join("root.pem");
    fs::write(&path, made.cert.pem()).unwrap();
    path
}

fn asking(directory: &Path, authority: SocketAddr) -> Tls {
    Tls::by_acme(AcmeOptions {
        domains: vec![DomainName::parse(NAME).unwrap()],
        contacts: Vec::new(),
        directory: Directory::parse(&format!("https://{authority}/dir")).unwrap(),
        roots: Roots::File(root(directory)),
        terms_accepted: true,
        folder: directory.join(FOLDER_NAME),
    })
    .unwrap()
}

/// Greets a server with any certificate in mind, and gives what the greeting ends with.
async fn greeting_error(address: SocketAddr, protocol: &[u8]) -> String {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_certificate_greetings_fail_and_readiness_says_why() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().unwrap();
    let tls = asking(directory.path(), nobody());
    tls.recall(Moment::from_ms(START_MS));
    assert_eq!(tls.state(Moment::from_ms(START_MS)), CertificateState::Missing);
    let options = ServerOptions { tls: Some(tls.clone()), ..ServerOptions::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, server.router.clone(), options, std::future::pending()));
    for protocol in [b"http/1.1".as_slice(), b"acme-tls/1"] {
        let error = greeting_error(address, protocol).await;
        assert!(error.contains("AccessDenied"), "{error}");
    }

    let router =
        router_of(Api::new(Arc::clone(&server.app), &ApiOptions { tls: Some(tls), ..ApiOptions::default() }));
    let answer = router.oneshot(Request::get("/readyz").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body: Value =
        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!((&body["status"], &body["certificate"]), (&"not-ready".into(), &"missing".into()));
    assert!(body["reason"].as_str().unwrap().contains("no certificate"), "{body}");
}

#[tokio::test]
async fn an_authority_that_is_not_there_is_named_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let authority = nobody();
    let tls = asking(directory.path(), authority);
    let error = tls.renew(Moment::from_ms(START_MS)).await.unwrap_err();
    assert!(matches!(error, AcmeError::Authority(_)), "{error}");
    let told = error.to_string();
    assert!(told.contains(&authority.to_string()) && told.contains("refused"), "{told}");
    assert_eq!(tls.state(Moment::from_ms(START_MS)), CertificateState::Missing);
}

#[test]
fn settings_of_tls_that_contradict_each_other_are_all_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("casement.toml");
    let data = directory.path().join("data");
    fs::write(
        &file,
        format!("tls_certificate = \"c.pem\"\nacme_domain = [\"{NAME}\", \"second.example.com\"]"),
    )
    .unwrap();
    let serve = |more: &[&str]| {
        let arguments =
            ["serve", "--config", text(&file), "--data-dir", text(&data), "--listen", "127.0.0.1:0"];
        failed(&[&arguments, more].concat())
    };
    let said = serve(&[]);
    assert!(said.contains("tls_certificate and acme_domain exclude each other"), "{said}");
    fs::write(&file, "acme_contact = \"ops@example.com\"\nacme_accept_terms = true\ntls_key = \"key.pem\"")
        .unwrap();
    let said = serve(&[]);
    for fault in [
        "acme_contact says nothing without acme_domain",
        "acme_accept_terms says nothing without acme_domain",
        "tls_certificate is missing: a certificate and its key belong together",
    ] {
        assert!(said.contains(fault), "{said}");
    }
    fs::write(&file, format!("acme_domain = \"{NAME}\"\nacme_root = \"nowhere.pem\"")).unwrap();
    assert!(serve(&[]).contains("can't read nowhere.pem"), "{}", serve(&[]));
    assert!(!data.exists(), "nothing is made");
}

#[test]
fn a_wrong_name_address_or_authority_is_refused_with_its_setting() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("casement.toml");
    fs::write(
        &file,
        "acme_domain = [\"*.example.com\"]\nacme_contact = \"ops\"\nacme_directory = \"http://example.com\"\nacme_accept_terms = \"perhaps\"",
    )
    .unwrap();
    let said = failed(&["config", "--config", text(&file)]);
    for name in ["acme_domain: ", "acme_contact: ", "acme_directory: ", "acme_accept_terms: "] {
        assert!(said.contains(name), "{name} {said}");
    }
}

#[test]
fn the_terms_are_accepted_by_flag_variable_or_file() {
    let accepted = |arguments: &[&str], variable: Option<&str>| {
        let mut command = casement(&[&["config", "--json"], arguments].concat());
        command.envs(variable.map(|value| ("CASEMENT_ACME_ACCEPT_TERMS", value)));
        let settings: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        settings["acme_accept_terms"]["value"].clone()
    };
    assert_eq!(accepted(&[], None), "false");
    assert_eq!(accepted(&["--acme-accept-terms"], None), "true");
    assert_eq!(accepted(&["--acme-accept-terms=false"], Some("true")), "false");
    assert_eq!(accepted(&[], Some("true")), "true");
}
