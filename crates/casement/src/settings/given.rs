//! One value of a setting as it was given: what is wrong with it, and how it is shown without its secrets.

use std::error::Error;

use casement_store::database_url::masked;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};

/// The argument that may hold a password however it is written.
const DATABASE_URL: &str = "database_url";
/// Stands for what is not shown.
const MASK: &str = "***";

/// Says why the parser of an argument does not take a text, with a value that it would take; `None`: it does.
pub fn fault(argument: &Arg, text: &str) -> Option<String> {
    let flag = argument.get_long().unwrap_or_default();
    let alone = Command::new("casement").no_binary_name(true).arg(argument.clone());
    let error = alone.try_get_matches_from([format!("--{flag}={text}")]).err()?;
    let reason = match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => source.to_string(),
        (None, Some(ContextValue::Strings(values))) if !values.is_empty() => {
            format!("must be one of {}", values.join(", "))
        }
        (None, _) => "is no value of this setting".to_owned(),
    };
    let example = example(argument).map(|example| format!("; {example} for example")).unwrap_or_default();
    Some(format!("{:?}: {reason}{example}", shown(argument, text)))
}

/// Gives a value that the argument takes, where it does not take any text.
fn example(argument: &Arg) -> Option<String> {
    let fixed = match argument.get_id().as_str() {
        "listen" => "127.0.0.1:7400",
        "metrics_listen" => "127.0.0.1:9400",
        "log" => "info",
        "log_format" => "json",
        "fresh_reads" => "commit",
        "otlp_endpoint" => "http://127.0.0.1:4318",
        "acme_domain" => "cases.example.com",
        "acme_contact" => "ops@example.com",
        "acme_directory" => "https://acme-v02.api.letsencrypt.org/directory",
        "trusted_proxies" => "10.0.0.0/8",
        "access_log" | "acme_accept_terms" | "server_timing" => "true",
        "trace_share" => "0.1",
        "connections_max" => "10000",
        "connections_per_address_max" => "256",
        "rate_per_second" => "1000",
        "rate_burst" => "2000",
        "backup_keep_bases" => "7",
        "attachment_bytes_max" => "104857600",
        "attachments_quota_bytes" => "10737418240",
        _ => return None,
    };
    Some(fixed.to_owned())
}

/// Gives a value as it may be shown: without the passwords and users of addresses.
pub fn shown(argument: &Arg, text: &str) -> String {
    if argument.get_id() == DATABASE_URL { masked(text) } else { without_user(text) }
}

/// Masks whoever an address names before its host.
pub fn without_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    // Slashes may stand in a secret that was not encoded: only what comes after the last mark is the host.
    match rest.rsplit_once('@') {
        Some((_, place)) => format!("{scheme}://{MASK}@{place}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn arguments() -> Vec<Arg> {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        serve.get_arguments().filter(|argument| argument.get_env().is_some()).cloned().collect()
    }

    #[test]
    fn a_setting_that_refuses_a_value_tells_one_that_it_takes() {
        let mut refused = 0;
        for argument in arguments() {
            let Some(fault) = fault(&argument, "//") else { continue };
            refused += 1;
            let example = example(&argument).unwrap_or_else(|| panic!("{argument:?}"));
            assert!(
                fault.starts_with("\"//\": ") && fault.ends_with(&format!("; {example} for example")),
                "{fault}"
            );
            assert_eq!(super::fault(&argument, &example), None);
        }
        assert!(refused > 15, "{refused}");
    }

    #[test]
    fn whoever_an_address_names_is_not_shown() {
        for (text, expected) in [
            ("http://u:p@collector:4318/x", "http://***@collector:4318/x"),
            ("http://token@collector", "http://***@collector"),
            ("s3://KEY:SE/CR@ET@bucket/prefix", "s3://***@bucket/prefix"),
            ("s3://bucket/prefix", "s3://bucket/prefix"),
            ("ops@example.com", "ops@example.com"),
        ] {
            assert_eq!(without_user(text), expected);
        }
    }
}
