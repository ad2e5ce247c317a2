//! `casement config`: the settings in effect and where each comes from.

use clap::ArgMatches;
use serde_json::{Map, Value, json};

use crate::cli::ConfigArguments;
use crate::settings::{Setting, Settings};

/// Runs `casement config`.
pub fn run(arguments: &ConfigArguments, settings: &Settings, matches: &ArgMatches) {
    let in_effect = settings.in_effect(matches);
    if arguments.json {
        println!("{:#}", as_json(&in_effect));
        return;
    }
    let width = in_effect.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
    for Setting { name, value, origin } in in_effect {
        println!("{name:width$} = {:30} ({origin})", value.as_deref().unwrap_or("not set"));
    }
}

fn as_json(settings: &[Setting]) -> Value {
    let entries = settings.iter().map(|setting| {
        let entry = json!({"value": setting.value, "origin": setting.origin});
        (setting.name.clone(), entry)
    });
    Value::Object(entries.collect::<Map<String, Value>>())
}
