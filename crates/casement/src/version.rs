//! `casement version` and the description of the API.

use serde_json::json;

use crate::cli::VersionArguments;

use crate::output;

/// Runs `casement version`.
///
/// # Errors
/// None.
pub fn run(arguments: &VersionArguments) -> anyhow::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    if arguments.json {
        output::line(format_args!("{}", json!({"name": "casement", "version": version})));
    } else {
        output::line(format_args!("casement {version}"));
    }
    Ok(())
}

/// Prints the description of the API as OpenAPI 3.1.
///
/// # Errors
/// It can't be written as JSON.
pub fn openapi() -> anyhow::Result<()> {
    output::line(format_args!("{:#}", casement_api::router::description()));
    Ok(())
}
