//! The command line of `casement app`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::DataDirectory;

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AppAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-512.
    Hs512,
    /// RSA with SHA-256.
    Rs256,
    /// RSA with SHA-512.
    Rs512,
}

/// The subcommands of `app`.
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// Makes an app and prints its secret, this once.
    Create(AppCreateArguments),
    /// Lists the apps, without secrets.
    List(AppListArguments),
    /// Shows an app, without its secret.
    Show(AppShowArguments),
    /// Gives an app another key; the former one stays good for a time.
    Rotate(AppRotateArguments),
    /// Revokes an app: none of its tokens is accepted from the next request on. It can't be taken back.
    Revoke(AppShowArguments),
}

/// The arguments of `app create`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement app create --name Website
  casement app create --name Billing --algorithm rs256 --public-key billing.pem --enforce-jti --json")]
pub struct AppCreateArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// The name of the app, which shows where it acts.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// A stream that it reaches; may be repeated. The only one when there is but one.
    #[arg(long = "stream", value_name = "ID")]
    pub streams: Vec<String>,
    /// How its tokens are signed.
    #[arg(long, value_name = "ALGORITHM", default_value = "hs256")]
    pub algorithm: AppAlgorithm,
    /// The file with its public key, PEM or JWK: for rs256 and rs512.
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// Its tokens must expire.
    #[arg(long)]
    pub require_expiry: bool,
    /// Each of its tokens must have an id (`jti`), serves once and expires within a day.
    #[arg(long)]
    pub enforce_jti: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `app list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement app list
  casement app list --data-dir /var/lib/casement --json")]
pub struct AppListArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `app show` and `app revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement app show cs-…
  casement app revoke cs-…")]
pub struct AppShowArguments {
    /// The client id of the app.
    #[arg(value_name = "CLIENT_ID", value_parser = NonEmptyStringValueParser::new())]
    pub client_id: String,
    #[command(flatten)]
    pub data: DataDirectory,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `app rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement app rotate cs-…
  casement app rotate cs-… --grace 0
  casement app rotate cs-… --public-key next.pem --grace 7d")]
pub struct AppRotateArguments {
    /// The client id of the app.
    #[arg(value_name = "CLIENT_ID", value_parser = NonEmptyStringValueParser::new())]
    pub client_id: String,
    #[command(flatten)]
    pub data: DataDirectory,
    /// The file with the new public key, PEM or JWK: for rs256 and rs512. A new secret is made for the others.
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// How long the former key stays good: a number with s, m, h or d, at most 30d; 0 ends it at once.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = seconds)]
    pub grace: i64,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Reads a time such as `24h` as seconds.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no time; write 0, or a number with s, m, h or d");
    if text == "0" {
        return Ok(0);
    }
    let unit = text.chars().last().ok_or_else(wrong)?;
    let unit_seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u32 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    Ok(i64::from(number) * unit_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        for (text, wanted) in
            [("0", 0), ("0s", 0), ("90s", 90), ("5m", 300), ("24h", 86_400), ("30d", 2_592_000)]
        {
            assert_eq!(seconds(text), Ok(wanted), "{text}");
        }
        for wrong in ["", "h", "24", "-1h", "1.5h", "1 h", "1w", "1é", "99999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
