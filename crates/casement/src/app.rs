//! `casement app`: the apps that sign tokens.

use std::path::Path;

use casement_api::control::document::{AppDocument, CreateAppBody, RotateAppBody};
use casement_app::jwt_app::Algorithm;
use serde::Serialize;

use crate::cli::app::{
    AppAlgorithm, AppCreateArguments, AppListArguments, AppRotateArguments, AppShowArguments,
};
use crate::{control, file, output};

/// Runs `casement app create`.
///
/// # Errors
/// The input is not usable, or the data can't be reached.
pub fn create(arguments: &AppCreateArguments) -> anyhow::Result<()> {
    let body = CreateAppBody {
        name: arguments.name.clone(),
        streams: arguments.streams.clone(),
        algorithm: algorithm(arguments.algorithm),
        public_key: read_key(arguments.public_key.as_deref())?,
        requires_expiry: arguments.require_expiry,
        enforces_jti: arguments.enforce_jti,
    };
    let made = control::run(&arguments.data, async |client| client.create_app(&body).await)?;
    if arguments.json {
        return print_json(&made);
    }
    output::line("An app was made.");
    print_app(&made);
    Ok(())
}

/// Runs `casement app list`.
///
/// # Errors
/// The data can't be reached.
pub fn list(arguments: &AppListArguments) -> anyhow::Result<()> {
    let listed = control::run(&arguments.data, async |client| client.list_apps().await)?;
    if arguments.json {
        return print_json(&listed);
    }
    let head = ["CLIENT ID", "NAME", "ALGORITHM", "STATE", "KEY", "STREAMS"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(listed.apps.iter().map(|app| {
        let former = app.former_key_ends_at.as_ref().map_or("", |_| " (+1)");
        [
            app.client_id.clone(),
            app.name.clone(),
            algorithm_name(app),
            state(app).to_owned(),
            format!("{}{former}", app.key.number),
            app.streams.join(","),
        ]
    }));
    print_table(&rows);
    Ok(())
}

/// Runs `casement app show`.
///
/// # Errors
/// There is no such app, or the data can't be reached.
pub fn show(arguments: &AppShowArguments) -> anyhow::Result<()> {
    let ask =
        async |client: casement_api::control::client::Client| client.show_app(&arguments.client_id).await;
    let app = control::run(&arguments.data, ask)?;
    if arguments.json {
        return print_json(&app);
    }
    print_app(&app);
    Ok(())
}

/// Runs `casement app rotate`.
///
/// # Errors
/// There is no such app, it is revoked, the key is not usable, or the data can't be reached.
pub fn rotate(arguments: &AppRotateArguments) -> anyhow::Result<()> {
    let public_key = read_key(arguments.public_key.as_deref())?;
    let body = RotateAppBody { public_key, grace_seconds: arguments.grace };
    let id = &arguments.client_id;
    let app = control::run(&arguments.data, async |client| client.rotate_app(id, &body).await)?;
    if arguments.json {
        return print_json(&app);
    }
    output::line("The app has another key.");
    print_app(&app);
    Ok(())
}

/// Runs `casement app revoke`.
///
/// # Errors
/// There is no such app, or the data can't be reached.
pub fn revoke(arguments: &AppShowArguments) -> anyhow::Result<()> {
    let id = &arguments.client_id;
    let app = control::run(&arguments.data, async |client| client.revoke_app(id).await)?;
    if arguments.json {
        return print_json(&app);
    }
    output::line("The app is revoked: none of its tokens is accepted any more.");
    print_app(&app);
    Ok(())
}

fn algorithm(algorithm: AppAlgorithm) -> Algorithm {
    match algorithm {
        AppAlgorithm::Hs256 => Algorithm::Hs256,
        AppAlgorithm::Hs512 => Algorithm::Hs512,
        AppAlgorithm::Rs256 => Algorithm::Rs256,
        AppAlgorithm::Rs512 => Algorithm::Rs512,
    }
}

fn algorithm_name(app: &AppDocument) -> String {
    app.algorithm.name().to_lowercase()
}

fn read_key(path: Option<&Path>) -> anyhow::Result<Option<String>> {
    path.map(file::read_text).transpose()
}

fn state(app: &AppDocument) -> &'static str {
    if app.active { "active" } else { "revoked" }
}

fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    output::line(format_args!("{}", serde_json::to_string_pretty(value)?));
    Ok(())
}

fn print_app(app: &AppDocument) {
    output::line("");
    output::line(format_args!("  name          {}", app.name));
    output::line(format_args!("  client id     {}", app.client_id));
    if let Some(secret) = &app.client_secret {
        output::line(format_args!("  client secret {secret}  (shown this once)"));
    }
    output::line(format_args!("  state         {}", state(app)));
    output::line(format_args!("  algorithm     {}", algorithm_name(app)));
    output::line(format_args!("  account       {}", app.account_id));
    output::line(format_args!("  streams       {}", app.streams.join(", ")));
    let expiry = match (app.requires_expiry, app.enforces_jti) {
        (_, true) => "serve once (jti) and expire within a day",
        (true, false) => "must expire",
        (false, false) => "need not expire",
    };
    output::line(format_args!("  tokens        {expiry}"));
    let made_at = app.key.made_at.as_ref().map_or(String::new(), |made_at| format!(", since {made_at}"));
    let bits = app.key.bits.map_or(String::new(), |bits| format!(", {bits} bits"));
    output::line(format_args!("  key           number {}{bits}{made_at}", app.key.number));
    if let Some(ends_at) = &app.former_key_ends_at {
        output::line(format_args!("  former key    good until {ends_at}"));
    }
    if let Some(public_key) = &app.key.public_key {
        output::line("");
        output::text(format_args!("{public_key}"));
    }
}

/// Prints rows with each column as wide as its widest cell; the last one as it is.
fn print_table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let blanks = width + 2 - cell.chars().count();
            line.push_str(cell);
            line.push_str(&" ".repeat(blanks));
        }
        output::line(format_args!("{}", line.trim_end()));
    }
}
