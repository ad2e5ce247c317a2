//! Settings: a flag wins over its `CASEMENT_…` variable, that over the settings file, that over the default.
//!
//! The arguments of `casement serve` that have a variable are the settings; the command line alone knows them, their
//! types and their defaults. The file replaces defaults, so that flags, variables and file are read and refused by the
//! same parsers, and every command that shares an argument with `serve` takes it from the file too.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use casement_api::traces::Endpoint;
use clap::builder::OsStr;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};

use crate::cli::Cli;
use crate::settings::given::{fault, shown};

pub mod given;

/// The prefix of every variable of ours.
const PREFIX: &str = "CASEMENT_";
/// The variable that names the settings file.
pub const FILE_VARIABLE: &str = "CASEMENT_CONFIG";
/// The settings file that is read when none is named and it is there.
const FILE_DEFAULT: &str = "casement.toml";
/// Bytes of a settings file; a larger one is refused.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The variable by which OpenTelemetry names a collector, for whoever sets it for all programs of a machine.
const COLLECTOR_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The name of the setting that wins over it.
const COLLECTOR: &str = "otlp_endpoint";
/// The commands whose variables must all be settings: a slip of the pen must not go unnoticed there.
const STRICT_COMMANDS: [&str; 2] = ["serve", "config"];

/// Gives the collector of traces: that of the settings, else that of OpenTelemetry's own variable.
///
/// # Errors
/// The variable names none.
pub fn collector(set: Option<&Endpoint>) -> anyhow::Result<Option<Endpoint>> {
    match (set, collector_variable()) {
        (Some(endpoint), _) => Ok(Some(endpoint.clone())),
        (None, Some(text)) => match Endpoint::parse(&text) {
            Ok(endpoint) => Ok(Some(endpoint)),
            Err(fault) => bail!("{COLLECTOR_VARIABLE}: {fault}"),
        },
        (None, None) => Ok(None),
    }
}

fn collector_variable() -> Option<String> {
    std::env::var(COLLECTOR_VARIABLE).ok().filter(|text| !text.is_empty())
}

/// A setting with where its value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as in the file.
    pub name: String,
    /// The value as it would be written after the flag; `None`: it is not set.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: String,
}

/// The command line of this process, with the settings file in place of the defaults.
#[derive(Debug)]
pub struct Settings {
    /// The commands with their defaults from the file.
    pub command: Command,
    file: Option<PathBuf>,
    in_file: BTreeSet<String>,
    /// Whether the file holds what may not be shown.
    has_secret: bool,
}

impl Settings {
    /// Reads the settings file that the command line or the environment names, or `casement.toml` where it is there, and
    /// looks at the variables.
    ///
    /// # Errors
    /// The file can't be read, or file or variables hold unknown or wrong settings; all of them are named.
    pub fn read() -> anyhow::Result<Self> {
        let command = Cli::command();
        let in_variables = faults_of_variables(&command);
        let named = match file_named(&command)? {
            Some(path) => Some((defaults_of(&command, &text_of(&path)?), path)),
            None => None,
        };
        let mut faults = Vec::new();
        if let Some((Err(in_file), path)) = &named {
            faults.push(listed(&format!("{} is not usable", path.display()), in_file));
        }
        if !in_variables.is_empty() {
            faults.push(listed("the environment is not usable", &in_variables));
        }
        if !faults.is_empty() {
            bail!("{}", faults.join("\n"));
        }
        Ok(match named {
            Some((Ok(defaults), path)) => Self {
                has_secret: has_secret(&command, &defaults),
                command: with_defaults(command, &defaults),
                file: Some(path),
                in_file: defaults.into_keys().collect(),
            },
            Some((Err(_), _)) | None => {
                Self { command, file: None, in_file: BTreeSet::new(), has_secret: false }
            }
        })
    }

    /// The settings file that was read, when it holds a password or the like.
    pub fn file_with_secret(&self) -> Option<&Path> {
        self.file.as_deref().filter(|_| self.has_secret)
    }

    /// Lists the settings of a command as they are in effect, by name.
    pub fn in_effect(&self, matches: &ArgMatches) -> Vec<Setting> {
        let mut settings: Vec<Setting> =
            settings_of(&self.command).map(|argument| self.effective(argument, matches)).collect();
        settings.sort_by(|left, right| left.name.cmp(&right.name));
        settings
    }

    fn effective(&self, argument: &Arg, matches: &ArgMatches) -> Setting {
        let id = argument.get_id().as_str();
        let name = name_of(argument);
        let values = matches.get_raw(id).into_iter().flatten();
        let values: Vec<String> = values.map(|value| shown(argument, &value.to_string_lossy())).collect();
        if id == COLLECTOR
            && values.is_empty()
            && let Some(url) = collector_variable()
        {
            let origin = COLLECTOR_VARIABLE.to_owned();
            return Setting { name, value: Some(shown(argument, &url)), origin };
        }
        let variable = || argument.get_env().map(|name| name.to_string_lossy().into_owned());
        let origin = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => format!("--{}", argument.get_long().unwrap_or_default()),
            Some(ValueSource::EnvVariable) => variable().unwrap_or_default(),
            _ if self.in_file.contains(&name) => {
                self.file.as_deref().unwrap_or(Path::new(FILE_DEFAULT)).display().to_string()
            }
            _ => "default".to_owned(),
        };
        Setting { name, value: (!values.is_empty()).then(|| values.join(",")), origin }
    }
}

/// Reads the log level anew, as a start of this very command line would.
///
/// # Errors
/// The settings can't be read, or are not those of `serve`.
pub fn log_level() -> anyhow::Result<String> {
    let matches = Settings::read()?.command.try_get_matches()?;
    match Cli::from_arg_matches(&matches)?.command {
        crate::cli::Command::Serve(arguments) => Ok(arguments.log),
        _ => bail!("only `serve` logs"),
    }
}

/// Finds the settings file: the flag `--config`, then the variable, then the default name where such a file is there.
fn file_named(command: &Command) -> anyhow::Result<Option<PathBuf>> {
    // Everything else may still be wrong here: the second, real parse tells.
    let matches = command.clone().ignore_errors(true).disable_help_flag(true).try_get_matches();
    let named = matches.ok().and_then(|matches| deepest(&matches, "config"));
    if let Some(path) = named.or_else(|| std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty())) {
        return Ok(Some(PathBuf::from(path)));
    }
    let default = PathBuf::from(FILE_DEFAULT);
    match default.try_exists() {
        Ok(exists) => Ok(exists.then_some(default)),
        Err(error) => Err(error).with_context(|| format!("can't look for {FILE_DEFAULT}")),
    }
}

fn deepest(matches: &ArgMatches, id: &str) -> Option<OsString> {
    let below = matches.subcommand().and_then(|(_, below)| deepest(below, id));
    below.or_else(|| {
        let mut values = matches.try_get_raw(id).ok().flatten()?;
        values.next().map(OsString::from)
    })
}

/// Gives the settings that a file holds, as they would be written after their flags, or all that is wrong with it.
fn defaults_of(command: &Command, text: &str) -> Result<BTreeMap<String, String>, Vec<String>> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| vec![error.to_string()])?;
    let known: BTreeMap<String, &Arg> =
        settings_of(command).map(|argument| (name_of(argument), argument)).collect();
    let mut faults = Vec::new();
    let mut defaults = BTreeMap::new();
    for (name, value) in &table {
        match known.get(name).map(|argument| checked(argument, value)) {
            None => faults.push(format!("{name}: there is no such setting")),
            Some(Err(fault)) => faults.push(format!("{name}: {fault}")),
            Some(Ok(text)) => drop(defaults.insert(name.clone(), text)),
        }
    }
    if faults.is_empty() { Ok(defaults) } else { Err(faults) }
}

fn has_secret(command: &Command, defaults: &BTreeMap<String, String>) -> bool {
    settings_of(command)
        .any(|argument| defaults.get(&name_of(argument)).is_some_and(|text| shown(argument, text) != *text))
}

fn listed(what: &str, faults: &[String]) -> String {
    let faults: Vec<String> = faults.iter().map(|fault| format!("\n  {}", fault.trim())).collect();
    format!("{what}:{}", faults.concat())
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    let failed = || format!("can't read {}", path.display());
    let size = std::fs::metadata(path).with_context(failed)?.len();
    if size > FILE_BYTES_MAX {
        bail!("{} is larger than {FILE_BYTES_MAX} bytes and no settings file", path.display());
    }
    std::fs::read_to_string(path).with_context(failed)
}

/// Lists what is wrong with the variables that the command of this process reads. Whoever asks for help gets it in any case.
fn faults_of_variables(command: &Command) -> Vec<String> {
    let asks = |text: OsString| text == "--help" || text == "-h" || text == "--version" || text == "-V";
    if std::env::args_os().any(asks) {
        return Vec::new();
    }
    let (mut here, mut name) = (command, "");
    let matches = command.clone().ignore_errors(true).disable_help_flag(true).try_get_matches().ok();
    let mut matched = matches.as_ref();
    while let Some((below, found)) = matched.and_then(ArgMatches::subcommand)
        && let Some(inner) = here.find_subcommand(below)
    {
        (here, name, matched) = (inner, inner.get_name(), Some(found));
    }
    // A flag wins over its variable, whatever that holds.
    let flagged = |argument: &Arg| {
        let flag = format!("--{}", argument.get_long().unwrap_or_default());
        std::env::args_os().any(|text| {
            let text = text.to_string_lossy();
            text.strip_prefix(&flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    };
    let wrong = |argument: &Arg| {
        let variable = argument.get_env()?.to_str()?;
        let text = std::env::var(variable).ok()?;
        if flagged(argument) {
            None
        } else {
            fault(argument, &text).map(|fault| format!("{variable}: {fault}"))
        }
    };
    let mut faults: Vec<String> = here.get_arguments().filter_map(wrong).collect();
    if STRICT_COMMANDS.contains(&name) {
        let mut known = BTreeSet::from([FILE_VARIABLE.to_owned()]);
        variables_of(command, &mut known);
        let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        let unknown = names.filter(|name| name.starts_with(PREFIX) && !known.contains(name));
        faults.extend(
            unknown.map(|name| format!("{name}: there is no such setting; `casement config` lists them")),
        );
    }
    faults
}

/// Gives a value as it would be written after its flag, when the flag's parser takes it.
fn checked(argument: &Arg, value: &Value) -> Result<String, String> {
    let text = written(value).ok_or("must be a string, a number, true, false or a list of these")?;
    match fault(argument, &text) {
        None => Ok(text),
        Some(fault) => Err(fault),
    }
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Array(values) => {
            let texts: Option<Vec<String>> = values.iter().map(written).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Datetime(_) | Value::Table(_) => None,
    }
}

/// Puts the file's values in place of the defaults, in every command that has the argument.
fn with_defaults(command: Command, defaults: &BTreeMap<String, String>) -> Command {
    let command = command.mut_args(|argument| match defaults.get(&name_of(&argument)) {
        Some(text) if argument.get_env().is_some() => argument.default_value(OsStr::from(text.clone())),
        Some(_) | None => argument,
    });
    command.mut_subcommands(|below| with_defaults(below, defaults))
}

/// The arguments of `serve` that have a variable.
fn settings_of(command: &Command) -> impl Iterator<Item = &Arg> {
    let serve = command.find_subcommand("serve").into_iter();
    serve.flat_map(Command::get_arguments).filter(|argument| argument.get_env().is_some())
}

/// The name of an argument in the file: its flag with underscores.
fn name_of(argument: &Arg) -> String {
    argument.get_long().unwrap_or_default().replace('-', "_")
}

fn variables_of(command: &Command, known: &mut BTreeSet<String>) {
    known.extend(
        command.get_arguments().filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned)),
    );
    for below in command.get_subcommands() {
        variables_of(below, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        defaults_of(&Cli::command(), text).unwrap_err()
    }

    #[test]
    fn a_file_may_hold_any_setting_of_serve() {
        let defaults = defaults_of(&Cli::command(), "listen = \"0.0.0.0:1\"\nlog_format = \"json\"").unwrap();
        assert_eq!(defaults["listen"], "0.0.0.0:1");
        let command = with_defaults(Cli::command(), &defaults);
        let matches = command.try_get_matches_from(["casement", "serve"]).unwrap();
        let serve = matches.subcommand_matches("serve").unwrap();
        assert_eq!(serve.get_raw("listen").unwrap().next().unwrap(), "0.0.0.0:1");
    }

    #[test]
    fn every_unknown_and_every_wrong_setting_is_named() {
        let faults = faults("listne = 1\nlisten = \"nowhere\"\nlog_format = \"xml\"\n[data_dir]\nx = 1");
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(faults.iter().any(|fault| fault == "listne: there is no such setting"), "{faults:?}");
        for name in ["listen: ", "log_format: ", "data_dir: "] {
            assert!(faults.iter().any(|fault| fault.starts_with(name)), "{name} {faults:?}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        assert!(faults("listen = ").concat().contains("line 1"));
    }

    #[test]
    fn a_flag_beats_the_file() {
        let defaults = BTreeMap::from([("listen".to_owned(), "0.0.0.0:1".to_owned())]);
        let command = with_defaults(Cli::command(), &defaults);
        let matches = command.try_get_matches_from(["casement", "serve", "--listen", "0.0.0.0:2"]).unwrap();
        let serve = matches.subcommand_matches("serve").unwrap();
        assert_eq!(serve.get_raw("listen").unwrap().next().unwrap(), "0.0.0.0:2");
    }

    #[test]
    fn settings_that_need_each_other_may_stand_in_the_file() {
        let defaults =
            defaults_of(&Cli::command(), "tls_key = \"k.pem\"\ntls_certificate = \"c.pem\"").unwrap();
        let command = with_defaults(Cli::command(), &defaults);
        let matches = command.try_get_matches_from(["casement", "serve"]).unwrap();
        let serve = matches.subcommand_matches("serve").unwrap();
        assert_eq!(serve.get_raw("tls_certificate").unwrap().next().unwrap(), "c.pem");
        assert_eq!(serve.get_raw("tls_key").unwrap().next().unwrap(), "k.pem");
    }

    #[test]
    fn a_list_in_the_file_is_a_list() {
        let defaults = defaults_of(&Cli::command(), "trusted_proxies = [\"10.0.0.0/8\", \"::1\"]").unwrap();
        let command = with_defaults(Cli::command(), &defaults);
        let matches = command.try_get_matches_from(["casement", "serve"]).unwrap();
        let serve = matches.subcommand_matches("serve").unwrap();
        let networks: Vec<_> = serve.get_many::<ipnet::IpNet>("trusted_proxies").unwrap().collect();
        assert_eq!(networks.len(), 2);
    }

    #[test]
    fn every_setting_has_the_variable_of_its_name() {
        for argument in settings_of(&Cli::command()) {
            let variable = argument.get_env().and_then(|name| name.to_str()).unwrap();
            assert_eq!(variable, format!("{PREFIX}{}", name_of(argument).to_uppercase()));
        }
    }
}
