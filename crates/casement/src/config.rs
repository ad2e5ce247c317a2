//! `casement config`: the settings in effect, where each comes from, and whether `serve` would take them.

use clap::ArgMatches;
use serde_json::{Map, Value, json};

use crate::cli::ConfigArguments;
use crate::settings::{Setting, Settings};
use crate::{contradictions, output};

/// Runs `casement config`.
///
/// # Errors
/// The settings can't be served; they are printed all the same.
pub fn run(arguments: &ConfigArguments, settings: &Settings, matches: &ArgMatches) -> anyhow::Result<()> {
    let in_effect = settings.in_effect(matches);
    if arguments.json {
        output::line(format_args!("{:#}", as_json(&in_effect)));
    } else {
        let width = in_effect.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
        for Setting { name, value, origin } in in_effect {
            output::line(format_args!(
                "{name:width$} = {:30} ({origin})",
                value.as_deref().unwrap_or("not set")
            ));
        }
    }
    contradictions::check(&arguments.serve)
}

fn as_json(settings: &[Setting]) -> Value {
    let entries = settings.iter().map(|setting| {
        let entry = json!({"value": setting.value, "origin": setting.origin});
        (setting.name.clone(), entry)
    });
    Value::Object(entries.collect::<Map<String, Value>>())
}
