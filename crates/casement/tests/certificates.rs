//! Certificates whose time or key is wrong: what the log, `/readyz` and the doctor say.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use casement_api::api::{Api, ApiOptions};
use casement_api::router::router_of;
use casement_api::tls::Tls;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::harness::program::{Program, casement, failed, init, text};
use crate::harness::server::{ACCOUNT, STREAM, Server};

/// Writes a certificate that holds from the beginning of one year to that of another, with its key.
fn certificate(directory: &Path, from: i32, until: i32) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    fs::write(directory.join("certificate.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
    fs::set_permissions(directory.join("key.pem"), Permissions::from_mode(0o600)).unwrap();
}

fn arguments(directory: &Path) -> [String; 4] {
    let path = |name: &str| directory.join(name).display().to_string();
    ["--tls-certificate".to_owned(), path("certificate.pem"), "--tls-key".to_owned(), path("key.pem")]
}

/// Looks at the certificate; gives the findings about it and its key.
fn doctor(data: &Path, further: &[&str]) -> Vec<(String, String)> {
    let output =
        casement(&[&["doctor", "--json", "--data-dir", text(data)], further].concat()).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = found["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| {
            ["certificate", "tls-key", "settings"].contains(&finding["check"].as_str().unwrap())
        })
        .map(|finding| (text(finding, "level"), text(finding, "message")))
        .collect()
}

#[test]
fn a_certificate_that_clients_refuse_is_told_in_the_log_with_its_date() {
    for (from, until, wanted) in [
        (2019, 2020, "the certificate expired at 2020-01-01"),
        (3000, 4000, "the certificate does not hold before 3000-01-01"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        certificate(directory.path(), from, until);
        let log = directory.path().join("log");
        let tls = arguments(directory.path());
        let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
        let mut program = Program::serve_logging(&directory.path().join("data"), &tls, &log);
        program.printed_until("-d '{}'");
        let read = || fs::read_to_string(&log).unwrap();
        for _ in 0..1000 {
            if read().contains(wanted) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(program.stop());
        assert_eq!(read().matches(wanted).count(), 1, "{}", read());
    }
}

#[tokio::test]
async fn readyz_tells_when_the_certificate_expired() {
    let directory = tempfile::tempdir().unwrap();
    certificate(directory.path(), 2019, 2020);
    let path = |name: &str| directory.path().join(name);
    let tls = Tls::open(path("certificate.pem"), path("key.pem")).unwrap();
    let server = Server::start().await;
    let options = ApiOptions { tls: Some(tls), ..ApiOptions::default() };
    let router = router_of(Api::new(Arc::clone(&server.app), &options));
    let request = Request::get("/readyz").header("host", "localhost").body(Body::empty()).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    let body: Value =
        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(body["certificate"], "expired");
    let reason = body["reason"].as_str().unwrap();
    assert!(reason.starts_with("the certificate expired at 2020-01-01"), "{reason}");
}

#[test]
fn the_doctor_reads_certificate_and_key_as_the_server_does() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    init(&data, ACCOUNT, STREAM);
    let key = directory.path().join("key.pem");
    let look = || {
        let tls = arguments(directory.path());
        let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
        doctor(&data, &tls)
    };
    certificate(directory.path(), 2020, 4000);
    let sound = look();
    assert_eq!(sound.iter().map(|(level, _)| level.as_str()).collect::<Vec<_>>(), ["ok", "ok"], "{sound:?}");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(look()[1].0, "warning");
    fs::write(&key, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(look()[0].0 == "error" && look()[0].1.contains("certificate for the key"), "{:?}", look());
    fs::remove_file(&key).unwrap();
    assert!(look()[0].0 == "error" && look()[0].1.contains("key.pem: No such file"), "{:?}", look());
    let half = doctor(&data, &["--tls-certificate", "certificate.pem"]);
    assert!(half[0].1.contains("tls_key is missing"), "{half:?}");
}

#[test]
fn a_key_that_is_encrypted_or_not_there_is_told_in_words() {
    let directory = tempfile::tempdir().unwrap();
    certificate(directory.path(), 2020, 4000);
    let key = directory.path().join("key.pem");
    for (held, wanted) in [
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "it is encrypted",
        ),
        ("", "there is none in it"),
    ] {
        fs::write(&key, held).unwrap();
        let error = Tls::open(directory.path().join("certificate.pem"), key.clone()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_settings_file_with_a_password_that_everybody_may_read_is_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let (data, file) = (directory.path().join("data"), directory.path().join("casement.toml"));
    init(&data, ACCOUNT, STREAM);
    let look = |mode| {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        doctor(&data, &["--config", text(&file)])
    };
    fs::write(&file, "otlp_endpoint = \"http://ann:s3cret@127.0.0.1:4318\"\n").unwrap();
    let wide = look(0o644);
    assert!(wide[0].0 == "warning" && wide[0].1.contains("everybody may read it"), "{wide:?}");
    assert!(!wide[0].1.contains("s3cret"));
    assert_eq!(look(0o640)[0].0, "ok");
    fs::write(&file, "listen = \"127.0.0.1:1\"\n").unwrap();
    assert_eq!(look(0o644), []);
}

#[test]
fn the_installer_keeps_the_settings_from_others() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let installed =
        casement(&["service", "install", "--root", text(root), "--binary", "/usr/bin/casement"]).output();
    assert!(installed.unwrap().status.success());
    let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("etc/casement/casement.toml"), 0o640);
    assert_eq!(mode("etc/systemd/system/casement.service"), 0o644);
    let owner = fs::read_to_string(root.join("etc/tmpfiles.d/casement.conf")).unwrap();
    assert!(owner.ends_with("z /etc/casement/casement.toml 0640 root casement -\n"), "{owner}");
}

#[test]
fn a_server_that_may_not_be_asked_is_told_with_its_socket() {
    let directory = tempfile::tempdir().unwrap();
    // A loop of links can't be opened by anybody, root neither.
    std::os::unix::fs::symlink("control.sock", directory.path().join("control.sock")).unwrap();
    let said = failed(&["health", "--data-dir", text(directory.path())]);
    assert!(said.contains("can't ask the server by") && said.contains("control.sock"), "{said}");
}
