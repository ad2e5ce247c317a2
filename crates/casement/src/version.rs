//! `casement version` and the description of the API.

use serde_json::json;

use crate::cli::VersionArguments;

/// Runs `casement version`.
///
/// # Errors
/// None.
pub fn run(arguments: &VersionArguments) -> anyhow::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    if arguments.json {
        println!("{}", json!({"name": "casement", "version": version}));
    } else {
        println!("casement {version}");
    }
    Ok(())
}

/// Prints the description of the API as OpenAPI 3.1.
///
/// # Errors
/// It can't be written as JSON.
pub fn openapi() -> anyhow::Result<()> {
    println!("{:#}", casement_api::router::description());
    Ok(())
}
