//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

/// Casement: a self-hosted case management server.
#[derive(Debug, Parser)]
#[command(name = "casement", version, disable_help_subcommand = true, after_help = EXAMPLES)]
pub struct Cli {
    /// The settings file; `casement.toml` in the current folder where it is there.
    #[arg(long, global = true, env = "CASEMENT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  casement serve
      Serve on 127.0.0.1:7400. An empty data directory gets a workspace and an app; a curl that works is printed.
  casement init --data-dir /var/lib/casement --account-id 6639f7bd58c97ffac0300001 --stream-id st-support --json
      Make a workspace without a server and print its ids and the app's secret as JSON.
  casement token --client-id cs-… --client-secret … --hours 24
      Print a token for the API.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves the API. Makes a workspace first when the data directory has none.
    Serve(ServeArguments),
    /// Makes the first workspace of a data directory, without a server.
    Init(InitArguments),
    /// Prints a token for the API.
    Token(TokenArguments),
    /// Works on workspaces.
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Prints the settings in effect and where each comes from.
    Config(ConfigArguments),
    /// Prints the version.
    Version(VersionArguments),
    /// Prints the description of the API as OpenAPI 3.1.
    #[command(hide = true)]
    Openapi,
}

/// The subcommands of `workspace`.
#[derive(Debug, Subcommand)]
pub enum WorkspaceCommand {
    /// Makes a further workspace in a data directory that no server uses at the time.
    Create(InitArguments),
    /// Prints the configuration of a workspace as the document that makes it so.
    Show(ShowArguments),
    /// Makes the configuration of a workspace as a document says. Entries that it does not name stay; nothing is removed.
    Apply(ApplyArguments),
}

/// Where the data is.
#[derive(Debug, Args)]
pub struct DataDirectory {
    /// The directory that holds the database; made when it is absent.
    #[arg(long = "data-dir", env = "CASEMENT_DATA_DIR", value_name = "DIR", default_value = "casement-data")]
    pub path: PathBuf,
}

/// The arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement serve
  casement serve --data-dir /var/lib/casement --listen 0.0.0.0:7400 --log-format json")]
pub struct ServeArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// The address and port to listen on.
    #[arg(long, env = "CASEMENT_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:7400")]
    pub listen: SocketAddr,
    /// How log lines are written, to standard error.
    #[arg(long, env = "CASEMENT_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// What is logged: error, warn, info, debug or trace, also by module (casement_api=debug).
    #[arg(long, env = "CASEMENT_LOG", value_name = "LEVEL", default_value = "info")]
    pub log: String,
    /// The address and port for metrics alone; without it `/metrics` on the main one answers this machine.
    #[arg(long, env = "CASEMENT_METRICS_LISTEN", value_name = "ADDR")]
    pub metrics_listen: Option<SocketAddr>,
    /// The certificate chain for TLS, a PEM file. Read anew when it changes.
    #[arg(long, env = "CASEMENT_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, a PEM file.
    #[arg(long, env = "CASEMENT_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// The proxies before this server, as addresses or networks: only their `Forwarded` and `X-Forwarded-For` count.
    #[arg(long, env = "CASEMENT_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Connections at once; further ones are closed.
    #[arg(long, env = "CASEMENT_CONNECTIONS_MAX", value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections_max: u32,
    /// Connections at once from one address (IPv6: one /64); trusted proxies have no such limit.
    #[arg(long, env = "CASEMENT_CONNECTIONS_PER_ADDRESS_MAX", value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections_per_address_max: u32,
    /// Requests a second that each app may send in the long run; past it 429.
    #[arg(long, env = "CASEMENT_RATE_PER_SECOND", value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub rate_per_second: u32,
    /// Requests that each app may send at once after a rest.
    #[arg(long, env = "CASEMENT_RATE_BURST", value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub rate_burst: u32,
}

/// Reads a network, or an address as the network of that address alone.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse()
        .or_else(|_| address())
        .map_err(|_| "must be an address or a network such as 10.0.0.0/8".to_owned())
}

/// The arguments of `config`: those of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement config
  casement config --config /etc/casement/casement.toml --json")]
pub struct ConfigArguments {
    #[command(flatten)]
    pub serve: ServeArguments,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The arguments of `init` and `workspace create`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement init --data-dir data --json
  casement init --data-dir data --account-id 6639f7bd58c97ffac0300001 --stream-id st-support --name Support")]
pub struct InitArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// The account that the workspace belongs to; made when absent.
    #[arg(long, value_name = "ID")]
    pub account_id: Option<String>,
    /// The stream that the workspace is; made when absent.
    #[arg(long, value_name = "ID")]
    pub stream_id: Option<String>,
    /// The organisation that the workspace belongs to; made when absent.
    #[arg(long, value_name = "ID")]
    pub org_id: Option<String>,
    /// The name of the workspace; its app is named after it.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `workspace show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement workspace show --data-dir /var/lib/casement > configuration.json")]
pub struct ShowArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// The stream of the workspace; may be absent where there is only one.
    #[arg(long, value_name = "ID")]
    pub stream: Option<String>,
}

/// The arguments of `workspace apply`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement workspace apply --data-dir /var/lib/casement --file configuration.json --dry-run
  casement workspace apply --data-dir /var/lib/casement --file configuration.json")]
pub struct ApplyArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// The stream of the workspace; may be absent where there is only one.
    #[arg(long, value_name = "ID")]
    pub stream: Option<String>,
    /// The document, see docs/configuration.md; - reads standard input.
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// Say what would be added or changed, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `token`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  casement token --client-id cs-… --client-secret …
  CASEMENT_CLIENT_SECRET=… casement token --client-id cs-… --sub agent@example.com --hours 1")]
pub struct TokenArguments {
    /// The client id of the app.
    #[arg(long, env = "CASEMENT_CLIENT_ID", value_name = "ID")]
    pub client_id: String,
    /// The secret of the app; better given by the variable, which other users of the machine can't see.
    #[arg(long, env = "CASEMENT_CLIENT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub client_secret: String,
    /// Who acts: the user id or e-mail address of an agent. The app itself when absent.
    #[arg(long, value_name = "USER")]
    pub sub: Option<String>,
    /// How the app's tokens are signed.
    #[arg(long, value_name = "ALGORITHM", default_value = "hs256")]
    pub algorithm: TokenAlgorithm,
    /// Hours until the token expires.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub hours: u32,
}

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-512.
    Hs512,
}

/// The arguments of `version`.
#[derive(Debug, Args)]
pub struct VersionArguments {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
