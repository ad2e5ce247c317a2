//! The command line.

pub mod app;
pub mod attachments;
pub mod backup;
pub mod key;
pub mod unit;
pub mod value;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use casement_api::acme::name::{self, Contact, DIRECTORY, DomainName};
use casement_api::traces::{Endpoint, Share};
use casement_app::limits;
use casement_app::seal::key_file::KeyFile;
use casement_domain::date::Moment;
use casement_store::database_url::DatabaseUrl;
use casement_store::inspect::Depth;
use casement_store::options::{Directory, FreshReads, Server};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::cli::app::{AppAlgorithm, AppCommand};
use crate::cli::attachments::{AttachmentLimits, AttachmentPlace};
use crate::cli::backup::{BackupArguments, RestoreArguments};
use crate::cli::key::KeyCommand;
use crate::cli::unit::UnitCommand;
use crate::cli::value::{moment, network};
use crate::levels;

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
      Print a token for the API.
  casement app rotate cs-… --grace 24h
      Give an app another secret; the former one stays good for a day.
  casement sample --data-dir casement-demo --cases 10000
      Fill a data directory with made-up cases, to try things out.
  casement backup --to /mnt/backup/casement
      Add to a backup, or begin one.
  casement restore --from /mnt/backup/casement --data-dir /var/lib/casement-new --at 2026-11-22T09:30:00Z
      Make a data directory as it was at a moment.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves the API. Makes a workspace first when the data directory has none.
    Serve(ServeArguments),
    /// Makes the first workspace of a data directory, without a server.
    Init(InitArguments),
    /// Prints a token for the API.
    Token(TokenArguments),
    /// Adds to a backup, or begins one.
    Backup(BackupArguments),
    /// Makes a data directory from a backup.
    Restore(RestoreArguments),
    /// Moves the embedded database, or a backup of it, to a PostgreSQL server. Goes on where it was broken off.
    Migrate(MigrateArguments),
    /// Fills a workspace with made-up cases, without a server. Makes the workspace when the data directory has none.
    Sample(SampleArguments),
    /// Looks at an installation and says what is wrong with it, also while a server runs.
    Doctor(DoctorArguments),
    /// Works on workspaces.
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Prints the settings in effect and where each comes from, and fails where `serve` would refuse them.
    Config(ConfigArguments),
    /// Works on the apps that sign tokens, also while a server runs: it is asked then.
    #[command(subcommand)]
    App(AppCommand),
    /// Works on the key that seals secrets.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Makes Casement a service of systemd.
    #[command(subcommand)]
    Service(UnitCommand),
    /// Says whether the server on a data directory serves; the exit code is 0 when it does.
    Health(HealthArguments),
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
    /// The directory that holds the database, or what a node keeps beside a database server; made when it is absent.
    #[arg(long = "data-dir", env = "CASEMENT_DATA_DIR", value_name = "DIR", default_value = "casement-data")]
    pub path: PathBuf,
    /// The file with the key that seals secrets, mode 0600; else the systemd credential `casement.key`, else `secrets.key` in
    /// the data directory. Made when nothing is sealed yet.
    #[arg(long = "key-file", env = "CASEMENT_KEY_FILE", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Keep the data on a PostgreSQL server instead: postgres://USER:PASSWORD@HOST:PORT/DATABASE, several hosts by commas.
    #[arg(long, env = "CASEMENT_DATABASE_URL", value_name = "URL", hide_env_values = true, value_parser = DatabaseAddress::read)]
    pub database_url: Option<DatabaseAddress>,
    /// How reads on a database server see what other nodes committed: by a small commit, which a server that was replaced
    /// can't do, or by a plain question, for servers that are never replaced.
    #[arg(long, env = "CASEMENT_FRESH_READS", value_name = "HOW", default_value = "commit")]
    pub fresh_reads: FreshReadsSetting,
    #[command(flatten)]
    pub bytes: AttachmentPlace,
}

/// The address of a database server, or why it can't be read: the parser of arguments would repeat a wrong one, with its
/// password, in its message.
#[derive(Debug, Clone)]
pub struct DatabaseAddress(Result<DatabaseUrl, String>);

impl DatabaseAddress {
    #[expect(clippy::unnecessary_wraps, reason = "the form of a parser of arguments")]
    fn read(text: &str) -> Result<Self, String> {
        Ok(Self(text.parse()))
    }

    /// Gives the address.
    ///
    /// # Errors
    /// It can't be read; the message does not repeat it.
    pub fn url(&self) -> anyhow::Result<&DatabaseUrl> {
        self.0.as_ref().map_err(|reason| anyhow::anyhow!("--database-url (CASEMENT_DATABASE_URL): {reason}"))
    }
}

/// How reads are made fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FreshReadsSetting {
    /// By a small commit.
    Commit,
    /// By a plain question.
    Plain,
}

impl DataDirectory {
    /// The database server, if the data is on one. `directory` says how the node's own directory is used.
    ///
    /// # Errors
    /// The address can't be read.
    pub fn server(&self, directory: impl FnOnce(PathBuf) -> Directory) -> anyhow::Result<Option<Server>> {
        let Some(address) = &self.database_url else { return Ok(None) };
        let mut server = Server::new(address.url()?.clone());
        server.fresh_reads = match self.fresh_reads {
            FreshReadsSetting::Commit => FreshReads::Commit,
            FreshReadsSetting::Plain => FreshReads::Plain,
        };
        server.directory = Some(directory(self.path.clone()));
        Ok(Some(server))
    }

    /// Names where the data is, for people.
    pub fn place(&self) -> String {
        match &self.database_url {
            Some(DatabaseAddress(Ok(url))) => url.to_string(),
            Some(DatabaseAddress(Err(_))) => "the database".to_owned(),
            None => self.path.display().to_string(),
        }
    }

    /// Refuses what can only be done with the embedded database.
    ///
    /// # Errors
    /// The data is on a database server; `instead` says what to use there.
    pub fn check_embedded(&self, command: &str, instead: &str) -> anyhow::Result<()> {
        match &self.database_url {
            Some(_) => anyhow::bail!("{command} works on the embedded database alone: {instead}"),
            None => Ok(()),
        }
    }

    /// Where the key is.
    pub fn key_file(&self) -> KeyFile {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        KeyFile::of(&self.path, self.key.as_deref(), credentials.as_deref())
    }
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
    #[arg(long, env = "CASEMENT_LOG", value_name = "LEVEL", default_value = "info", value_parser = levels::read)]
    pub log: String,
    /// Log a line for each request, whatever the level.
    #[arg(long, env = "CASEMENT_ACCESS_LOG", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = ArgAction::Set)]
    pub access_log: bool,
    /// Send traces to this collector, as OTLP over HTTP; OTEL_EXPORTER_OTLP_ENDPOINT counts when it is absent.
    #[arg(long, env = "CASEMENT_OTLP_ENDPOINT", value_name = "URL", value_parser = Endpoint::parse)]
    pub otlp_endpoint: Option<Endpoint>,
    /// The share of requests that are traced, from 0 to 1, where the client has not decided it.
    #[arg(long, env = "CASEMENT_TRACE_SHARE", value_name = "SHARE", default_value = "1", value_parser = Share::parse)]
    pub trace_share: Share,
    /// The address and port for metrics alone; without it `/metrics` on the main one answers this machine.
    #[arg(long, env = "CASEMENT_METRICS_LISTEN", value_name = "ADDR")]
    pub metrics_listen: Option<SocketAddr>,
    /// The certificate chain for TLS, a PEM file. Read anew when it changes.
    #[arg(long, env = "CASEMENT_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, a PEM file.
    #[arg(long, env = "CASEMENT_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Take the certificate from an authority by ACME, for this name; several names by commas or repetition. The authority
    /// must reach this server at port 443 of each.
    #[arg(long, env = "CASEMENT_ACME_DOMAIN", value_name = "NAMES", value_delimiter = ',', value_parser = DomainName::parse)]
    pub acme_domain: Vec<DomainName>,
    /// The e-mail addresses that the authority may write to.
    #[arg(long, env = "CASEMENT_ACME_CONTACT", value_name = "ADDRESSES", value_delimiter = ',', value_parser = Contact::parse)]
    pub acme_contact: Vec<Contact>,
    /// The directory of the authority; Let's Encrypt unless another is named.
    #[arg(long, env = "CASEMENT_ACME_DIRECTORY", value_name = "URL", default_value = DIRECTORY, value_parser = name::Directory::parse)]
    pub acme_directory: name::Directory,
    /// The root certificates by which the authority itself is known, a PEM file; those of the machine when absent.
    #[arg(long, env = "CASEMENT_ACME_ROOT", value_name = "FILE")]
    pub acme_root: Option<PathBuf>,
    /// Accept the authority's terms, which most have.
    #[arg(long, env = "CASEMENT_ACME_ACCEPT_TERMS", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = ArgAction::Set)]
    pub acme_accept_terms: bool,
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
    /// Whether answers say in the header `Server-Timing` how long they took in the server: for measuring.
    #[arg(long, env = "CASEMENT_SERVER_TIMING", value_name = "BOOL", default_value_t = false, action = ArgAction::Set)]
    pub server_timing: bool,
    /// Keep a backup in this directory, at most 5 s behind, with a new base each day.
    #[arg(long, env = "CASEMENT_BACKUP_TO", value_name = "DIR")]
    pub backup_to: Option<PathBuf>,
    /// How many bases that backup keeps; with a base each day, so many days can be restored.
    #[arg(long, env = "CASEMENT_BACKUP_KEEP_BASES", value_name = "COUNT", default_value = "7")]
    pub backup_keep_bases: NonZeroUsize,
    #[command(flatten)]
    pub attachments: AttachmentLimits,
}

/// The arguments of `sample`.
#[derive(Debug, Args)]
#[command(after_help = "\
The cases lie in the four years before --until, with customers, tasks and changes, through the log like those of clients. The
same seed gives the same cases in a directory without data. Running it again adds others. Ctrl-C ends it; what was made stays.

Examples:
  casement sample --data-dir casement-demo --cases 10000
  casement sample --data-dir casement-demo --cases 1000000 --seed 7 --no-index")]
pub struct SampleArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// How many cases are made.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=limits::SAMPLE_CASES_MAX))]
    pub cases: u64,
    /// What all choices follow from.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// The stream of the workspace; needed where there are several.
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<String>,
    /// The date at which the four years end, in UTC; without it the beginning of today.
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub until: Option<Moment>,
    /// Leave the index to the next start: faster, and takes no memory for it.
    #[arg(long)]
    pub no_index: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `migrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
No server may run on the directory meanwhile; it is left as it is. The database must be empty. In the end everything is read
again on both sides and compared; only then the workspaces appear in the database.

Examples:
  casement migrate --from /var/lib/casement --to postgres://casement@db/casement
  casement migrate --from /mnt/backup/casement --work /var/tmp/casement --to postgres://casement@db/casement")]
pub struct MigrateArguments {
    /// The data directory, or the directory of a backup.
    #[arg(long, value_name = "DIR|BACKUP")]
    pub from: PathBuf,
    /// The empty database on a server.
    #[arg(long, value_name = "URL", value_parser = DatabaseAddress::read)]
    pub to: DatabaseAddress,
    /// An empty or absent directory into which a backup is restored first.
    #[arg(long, value_name = "DIR")]
    pub work: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is changed. The exit code is 0 when all is well, 1 after warnings, 2 after errors.

Examples:
  casement doctor
  casement doctor --data-dir /var/lib/casement --backup-to /mnt/backup/casement --full --json")]
pub struct DoctorArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// A backup to look at too, by its manifest.
    #[arg(long, env = "CASEMENT_BACKUP_TO", value_name = "DIR")]
    pub backup_to: Option<PathBuf>,
    /// The certificate chain to look at, a PEM file.
    #[arg(long, env = "CASEMENT_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,
    /// The private key of that certificate, a PEM file.
    #[arg(long, env = "CASEMENT_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// The names that a certificate is had for by ACME: then the one in the data directory is looked at.
    #[arg(long, env = "CASEMENT_ACME_DOMAIN", value_name = "NAMES", value_delimiter = ',', value_parser = DomainName::parse)]
    pub acme_domain: Vec<DomainName>,
    /// The connections that the server takes, for judging how many files it may open.
    #[arg(long, env = "CASEMENT_CONNECTIONS_MAX", value_name = "N", default_value_t = 10_000)]
    pub connections_max: u32,
    /// Compare every index with its table too: several times slower.
    #[arg(long)]
    pub full: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl DoctorArguments {
    /// How thoroughly the database file is checked.
    pub fn depth(&self) -> Depth {
        if self.full { Depth::Full } else { Depth::Quick }
    }
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
  CASEMENT_CLIENT_SECRET=… casement token --client-id cs-… --sub agent@example.com --hours 1
  casement token --client-id cs-… --algorithm rs256 --private-key app.pem --jti --hours 1")]
pub struct TokenArguments {
    /// The client id of the app.
    #[arg(long, env = "CASEMENT_CLIENT_ID", value_name = "ID")]
    pub client_id: String,
    /// The secret of the app, for hs256 and hs512; better given by the variable, which other users of the machine
    /// can't see.
    #[arg(long, env = "CASEMENT_CLIENT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub client_secret: Option<String>,
    /// The file with the app's private key, for rs256 and rs512: PEM, not encrypted.
    #[arg(long, value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// Who acts: the user id or e-mail address of an agent. The app itself when absent.
    #[arg(long, value_name = "USER")]
    pub sub: Option<String>,
    /// How the app's tokens are signed.
    #[arg(long, value_name = "ALGORITHM", default_value = "hs256")]
    pub algorithm: AppAlgorithm,
    /// Hours until the token expires.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub hours: u32,
    /// Give the token an id of its own, for an app whose tokens serve once.
    #[arg(long)]
    pub jti: bool,
}

/// The arguments of `health`.
#[derive(Debug, Args)]
#[command(after_help = "\
It asks over the control socket, as the same user or root. `/readyz` says the same over the network.

Examples:
  casement health --data-dir /var/lib/casement")]
pub struct HealthArguments {
    #[command(flatten)]
    pub data: DataDirectory,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `version`.
#[derive(Debug, Args)]
pub struct VersionArguments {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
