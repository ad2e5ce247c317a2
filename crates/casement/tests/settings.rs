//! Settings: what is wrong is told at once and by its own name, and `config` tells what `serve` does.

use std::process::Output;

use serde_json::{Value, json};

use crate::harness::program::{Program, casement, failed, init, succeeded, text};
use crate::harness::server::{ACCOUNT, STREAM};

fn with_variables(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    casement(arguments).envs(variables.iter().copied()).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_word_that_is_no_log_level_is_refused_wherever_it_stands() {
    let directory = tempfile::tempdir().unwrap();
    let (data, file) = (directory.path().join("data"), directory.path().join("casement.toml"));
    std::fs::write(&file, "log = \"warning\"\n").unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", text(&data)];
    assert!(failed(&[&serve[..], &["--config", text(&file)]].concat()).contains("\"warning\" is no level"));
    let variable = with_variables(&serve, &[("CASEMENT_LOG", "casment=info")]);
    assert!(said(&variable).contains("\"casment\" is no module"));
    let flag = with_variables(&[&serve[..], &["--log", "x=y=z"]].concat(), &[]);
    assert!(said(&flag).contains("is no level"));
    assert!(!data.exists());
}

#[test]
fn a_wrong_log_level_at_a_reload_is_told_and_the_former_stays() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("casement.toml"), "log = \"info\"\n").unwrap();
    let mut program =
        Program::serve_logging(&at("data"), &["--config", text(&at("casement.toml"))], &at("log"));
    program.address();
    std::fs::write(at("casement.toml"), "log = \"warning\"\n").unwrap();
    program.tell("-HUP");
    let log = || std::fs::read_to_string(at("log")).unwrap();
    for _ in 0..1000 {
        if log().contains("stays as it was") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(program.stop());
    let log = log();
    for part in ["the log level stays as it was", "is no level", "everything acknowledged is on disk"] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[test]
fn every_wrong_variable_is_named_by_its_own_name_with_a_value_that_is_taken() {
    let wrong = [
        ("CASEMENT_RATE_BURST", "x"),
        ("CASEMENT_LISTEN", "y"),
        ("CASEMENT_LOG_FORMAT", "xml"),
        ("CASEMENT_LISTNE", "z"),
    ];
    for command in ["config", "serve"] {
        let said = said(&with_variables(&[command], &wrong));
        for part in [
            "CASEMENT_RATE_BURST: \"x\": ",
            "CASEMENT_LISTEN: \"y\": ",
            "127.0.0.1:7400 for example",
            "CASEMENT_LOG_FORMAT: \"xml\": must be one of text, json",
            "CASEMENT_LISTNE: there is no such setting",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("--listen"), "{said}");
    }
    let flagged = with_variables(&["config", "--listen", "127.0.0.1:1"], &wrong[1..2]);
    assert!(flagged.status.success(), "a flag wins: {}", String::from_utf8_lossy(&flagged.stderr));
    assert!(with_variables(&["serve", "--help"], &wrong).status.success());
}

#[test]
fn config_tells_the_collector_of_the_machine_and_no_secret_of_an_address() {
    let otel = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ann:s3cret@collector:4318");
    let config = |further: &[&str]| {
        let output = with_variables(&[&["config", "--json"], further].concat(), &[otel]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = config(&["--attachments", "s3://KEY:s3cret@bucket/x"]);
    assert!(!shown.contains("s3cret") && !shown.contains("KEY") && !shown.contains("ann"), "{shown}");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let expected = json!({"value": "http://***@collector:4318", "origin": "OTEL_EXPORTER_OTLP_ENDPOINT"});
    assert_eq!(shown["otlp_endpoint"], expected);
    let set: Value = serde_json::from_str(&config(&["--otlp-endpoint", "http://b:s3cret@other"])).unwrap();
    assert_eq!(set["otlp_endpoint"], json!({"value": "http://***@other", "origin": "--otlp-endpoint"}));
    let wrong = with_variables(&["config"], &[("CASEMENT_OTLP_ENDPOINT", "ftp://ann:s3cret@x")]);
    let said = said(&wrong);
    assert!(said.contains("CASEMENT_OTLP_ENDPOINT") && !said.contains("s3cret"), "{said}");
}

#[test]
fn config_refuses_everything_that_serve_refuses_and_both_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = directory.path().join("casement.toml");
    let settings = format!(
        "data_dir = {data:?}\nlisten = \"127.0.0.1:7411\"\nmetrics_listen = \"127.0.0.1:7411\"\nacme_domain = \"a.example\"\n\
         tls_certificate = \"c.pem\"\nattachments = \"ftp://x:s3cret@y\"\nbackup_to = {:?}\n",
        data.join("backup")
    );
    std::fs::write(&file, settings).unwrap();
    for command in ["config", "serve"] {
        let output = with_variables(&[command, "--config", text(&file)], &[]);
        let said = said(&output);
        for part in [
            "tls_certificate and acme_domain exclude each other",
            "metrics_listen: ",
            "attachments: ",
            "lies in the data directory",
        ] {
            assert!(said.contains(part), "{command}: {part}: {said}");
        }
        assert!(!said.contains("s3cret"), "{said}");
        assert_eq!(output.stdout.is_empty(), command == "serve");
    }
    assert!(!data.exists(), "nothing was made");
    let said =
        said(&with_variables(&["config", "--tls-certificate", "absent.pem", "--tls-key", "k.pem"], &[]));
    assert!(said.contains("absent.pem"), "{said}");
}

#[test]
fn a_backup_of_another_installation_ends_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for name in ["one", "other"] {
        init(&at(name), ACCOUNT, STREAM);
    }
    let backup = at("backup");
    succeeded(&["backup", "--data-dir", text(&at("one")), "--to", text(&backup)]);
    let of = |name: &str| {
        ["--listen", "127.0.0.1:0", "--backup-to", text(&backup), "--data-dir", text(&at(name))]
            .map(str::to_owned)
    };
    for name in ["other", "new"] {
        for command in ["serve", "config"] {
            let arguments: Vec<String> = std::iter::once(command.to_owned()).chain(of(name)).collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let said = said(&with_variables(&arguments, &[]));
            assert!(said.contains("holds the backup of another installation"), "{said}");
        }
    }
    assert!(!at("new").exists());
    let mut program = Program::serve_with(&at("one"), &["--backup-to", text(&backup)]);
    program.address();
    assert!(program.stop());
}
