//! The address of a database server, as an operator writes it.
//!
//! It is read strictly: what is not supported is refused with what to write instead, because a setting about security
//! that is silently left out is worse than none. The password is never shown.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslNegotiation, TargetSessionAttrs};
use url::form_urlencoded;

use crate::limits;

/// What stands where a password was.
const MASK: &str = "***";

/// Whether connections are encrypted. Wherever they are, the server's certificate and name are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// They are not.
    Never,
    /// They are where the server offers it. Somebody in between can take the offer away.
    Offered,
    /// They are, or there is no connection.
    Always,
}

/// The roots by which a server's certificate is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those that the machine trusts.
    System,
    /// Those of a PEM file, and no others.
    File(PathBuf),
}

/// The address of a database with everything that connecting needs: `postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/NAME`
/// with `sslmode` and others as parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    shown: String,
    config: Config,
    encryption: Encryption,
    roots: Roots,
}

impl DatabaseUrl {
    /// Gives the configuration of one host each, in the order written.
    pub(crate) fn hosts(&self) -> Vec<Config> {
        let hosts = self.config.get_hosts();
        let (ports, addresses) = (self.config.get_ports(), self.config.get_hostaddrs());
        let count = hosts.len().max(addresses.len());
        let each = (0..count).map(|place| {
            let mut one = Config::new();
            match hosts.get(place) {
                Some(Host::Tcp(name)) => drop(one.host(name)),
                Some(Host::Unix(path)) => drop(one.host_path(path)),
                None => {}
            }
            if let Some(address) = addresses.get(place) {
                one.hostaddr(*address);
            }
            if let Some(port) = ports.get(place).or(ports.first()) {
                one.port(*port);
            }
            self.copy_common(&mut one);
            one
        });
        each.collect()
    }

    fn copy_common(&self, one: &mut Config) {
        let all = &self.config;
        if let Some(user) = all.get_user() {
            one.user(user);
        }
        if let Some(password) = all.get_password() {
            one.password(password);
        }
        if let Some(name) = all.get_dbname() {
            one.dbname(name);
        }
        if let Some(options) = all.get_options() {
            one.options(options);
        }
        one.application_name(all.get_application_name().unwrap_or("casement"));
        one.ssl_mode(match self.encryption {
            Encryption::Never => tokio_postgres::config::SslMode::Disable,
            Encryption::Offered => tokio_postgres::config::SslMode::Prefer,
            Encryption::Always => tokio_postgres::config::SslMode::Require,
        });
        one.channel_binding(all.get_channel_binding());
        one.target_session_attrs(TargetSessionAttrs::ReadWrite);
        one.connect_timeout(all.get_connect_timeout().copied().unwrap_or(limits::CONNECT_WAIT));
        one.tcp_user_timeout(all.get_tcp_user_timeout().copied().unwrap_or(limits::TCP_USER_TIMEOUT));
        one.keepalives(all.get_keepalives());
        one.keepalives_idle(limits::KEEPALIVE_IDLE);
        one.keepalives_interval(all.get_keepalives_interval().unwrap_or(limits::KEEPALIVE_INTERVAL));
        one.keepalives_retries(all.get_keepalives_retries().unwrap_or(limits::KEEPALIVE_RETRIES));
    }

    /// Gives whether connections are encrypted.
    pub fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// Gives the roots by which the server's certificate is known.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Gives the number of hosts.
    pub fn host_count(&self) -> usize {
        self.config.get_hosts().len().max(self.config.get_hostaddrs().len())
    }
}

impl fmt::Display for DatabaseUrl {
    /// Writes the address with its password masked.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// Reads an address. The message of a fault tells what to write; it never repeats the text, which may hold a password.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > limits::DATABASE_URL_BYTES_MAX {
            return Err(format!("it is longer than {} bytes", limits::DATABASE_URL_BYTES_MAX));
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err("must be postgres://USER:PASSWORD@HOST:PORT/DATABASE".into());
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let mut rest = form_urlencoded::Serializer::new(String::new());
        let (mut mode, mut roots, mut any) = (None, Roots::System, false);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "sslmode" => mode = Some(encryption(&value)?),
                "sslrootcert" if value == "system" => roots = Roots::System,
                "sslrootcert" => roots = Roots::File(PathBuf::from(value.as_ref())),
                "sslcert" | "sslkey" | "sslpassword" | "sslcrl" => {
                    return Err(format!(
                        "{key} is not supported: let the server ask for a password, or leave the connection to a proxy"
                    ));
                }
                _ => {
                    rest.append_pair(&key, &value);
                    any = true;
                }
            }
        }
        let plain = if any { format!("{base}?{}", rest.finish()) } else { base.to_owned() };
        let config: Config = plain.parse().map_err(|error: tokio_postgres::Error| told(&error))?;
        check(&config)?;
        let encryption = mode.unwrap_or_else(|| by_place(&config));
        Ok(Self { shown: masked(text), config, encryption, roots })
    }
}

fn told(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    // The library repeats a key at the most, never a value.
    format!("it can't be read as an address of a database: {cause}")
}

fn check(config: &Config) -> Result<(), String> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err("it names no host".into());
    }
    if config.get_user().is_none_or(str::is_empty) {
        return Err("it names no user: postgres://USER@HOST/DATABASE".into());
    }
    if config.get_dbname().is_none_or(str::is_empty) {
        return Err("it names no database: postgres://USER@HOST/DATABASE".into());
    }
    let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
    if config.get_ports().len() > 1 && config.get_ports().len() != hosts {
        return Err("it has another number of ports than of hosts".into());
    }
    match config.get_target_session_attrs() {
        TargetSessionAttrs::Any | TargetSessionAttrs::ReadWrite => {}
        _ => return Err("target_session_attrs must be read-write: Casement writes".into()),
    }
    if config.get_load_balance_hosts() != LoadBalanceHosts::Disable {
        return Err("load_balance_hosts is not supported: one host at a time takes the writes".into());
    }
    match config.get_ssl_negotiation() {
        SslNegotiation::Postgres => Ok(()),
        _ => Err("sslnegotiation is not supported; leave it away".into()),
    }
}

fn encryption(mode: &str) -> Result<Encryption, String> {
    match mode {
        "disable" => Ok(Encryption::Never),
        "prefer" => Ok(Encryption::Offered),
        "require" | "verify-full" => Ok(Encryption::Always),
        "verify-ca" => Err("sslmode verify-ca is not supported: the server's name is always checked too; \
                            write verify-full"
            .into()),
        "allow" => Err("sslmode allow is not supported: write prefer, verify-full or disable".into()),
        _ => Err("sslmode must be disable, prefer, require or verify-full".into()),
    }
}

/// Without a word about it, what stays on this machine is not encrypted and everything else is.
fn by_place(config: &Config) -> Encryption {
    let is_near = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    });
    let addresses_near = config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
    if is_near && addresses_near { Encryption::Never } else { Encryption::Always }
}

/// Gives an address with its passwords masked, whether or not it can be read.
pub fn masked(text: &str) -> String {
    let (base, query) = match text.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (text, None),
    };
    let mut shown = match base.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((user, place)) => match user.split_once(':') {
                Some((name, _)) => format!("{scheme}://{name}:{MASK}@{place}"),
                None => base.to_owned(),
            },
            None => base.to_owned(),
        },
        // No address at all: a password may be anywhere in it.
        None => MASK.to_owned(),
    };
    if let Some(query) = query {
        let parts: Vec<String> = query
            .split('&')
            .map(|part| match part.split_once('=') {
                Some((key, _)) if key.to_ascii_lowercase().contains("pass") => format!("{key}={MASK}"),
                Some(_) | None => part.to_owned(),
            })
            .collect();
        shown.push('?');
        shown.push_str(&parts.join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> DatabaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_password_is_never_shown() {
        for (text, shown) in [
            ("postgres://ann:secret@db/casement", "postgres://ann:***@db/casement"),
            ("postgres://ann:s@cr:et@db/casement", "postgres://ann:***@db/casement"),
            ("postgres://ann@db/casement?password=secret", "postgres://ann@db/casement?password=***"),
            ("postgres://ann@db/casement", "postgres://ann@db/casement"),
            ("password=secret host=db", "***"),
        ] {
            assert_eq!(masked(text), shown);
        }
        let url = url("postgres://ann:secret@127.0.0.1/casement");
        assert_eq!(format!("{url} {url:?}"), "postgres://ann:***@127.0.0.1/casement ".repeat(2).trim());
        for wrong in ["mysql://ann:secret@db/x", "postgres://ann:secret@db:port/x", "postgres://:secret@db"] {
            assert!(!wrong.parse::<DatabaseUrl>().unwrap_err().contains("secret"), "{wrong}");
        }
    }

    #[test]
    fn each_host_has_its_port_and_must_take_writes() {
        let url = url("postgres://ann@db1:5433,db2,db3:5435/casement?target_session_attrs=read-write");
        let hosts = url.hosts();
        let ports: Vec<u16> = hosts.iter().map(|one| one.get_ports()[0]).collect();
        assert_eq!(ports, [5433, 5432, 5435]);
        assert!(hosts.iter().all(|one| one.get_hosts().len() == 1
            && one.get_target_session_attrs() == TargetSessionAttrs::ReadWrite
            && one.get_dbname() == Some("casement")));
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_told_otherwise() {
        for (text, encryption) in [
            ("postgres://ann@127.0.0.1/c", Encryption::Never),
            ("postgres://ann@localhost,[::1]/c", Encryption::Never),
            ("postgres://ann@%2Frun%2Fpostgresql/c", Encryption::Never),
            ("postgres://ann@db/c", Encryption::Always),
            ("postgres://ann@localhost,db/c", Encryption::Always),
            ("postgres://ann@db/c?sslmode=disable", Encryption::Never),
            ("postgres://ann@db/c?sslmode=prefer", Encryption::Offered),
            ("postgres://ann@db/c?sslmode=verify-full&sslrootcert=/ca.pem", Encryption::Always),
        ] {
            assert_eq!(url(text).encryption(), encryption, "{text}");
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_with_what_to_write() {
        for (text, reason) in [
            ("postgres://ann@db/c?sslmode=verify-ca", "verify-full"),
            ("postgres://ann@db/c?sslmode=allow", "prefer"),
            ("postgres://ann@db/c?sslmode=maybe", "disable, prefer"),
            ("postgres://ann@db/c?sslcert=a.pem", "password"),
            ("postgres://ann@db/c?target_session_attrs=read-only", "read-write"),
            ("postgres://ann@db/c?load_balance_hosts=random", "one host"),
            ("postgres://ann@db1:1,db2:2,db3/c?port=5,6", "ports"),
            ("postgres://db/c", "no user"),
            ("postgres://ann@db", "no database"),
            ("postgres:///c?user=ann", "no host"),
            ("postgres://ann@db/c?nonsense=1", "nonsense"),
            ("http://db", "postgres://"),
        ] {
            let said = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(said.contains(reason), "{text}: {said}");
        }
    }
}
