//! The certificate that the settings name: by files, by an authority, or none.

use anyhow::bail;
use casement_api::acme::name::DIRECTORY;
use casement_api::acme::{AcmeOptions, cache};
use casement_api::limits;
use casement_api::outbound::Roots;
use casement_api::tls::Tls;

use crate::cli::ServeArguments;

/// Reads the certificate files, or makes ready to ask an authority.
///
/// # Errors
/// Settings contradict each other, in the file, the variables or the flags: all contradictions are named. Files can't be
/// used.
pub fn of_settings(arguments: &ServeArguments) -> anyhow::Result<Option<Tls>> {
    let faults = contradictions(arguments);
    if !faults.is_empty() {
        bail!("the settings of TLS contradict each other:\n  {}", faults.join("\n  "));
    }
    if let (Some(certificate), Some(key)) = (&arguments.tls_certificate, &arguments.tls_key) {
        return Ok(Some(Tls::open(certificate.clone(), key.clone())?));
    }
    if arguments.acme_domain.is_empty() {
        return Ok(None);
    }
    let options = AcmeOptions {
        domains: arguments.acme_domain.clone(),
        contacts: arguments.acme_contact.clone(),
        directory: arguments.acme_directory.clone(),
        roots: arguments.acme_root.clone().map_or(Roots::System, Roots::File),
        terms_accepted: arguments.acme_accept_terms,
        folder: arguments.data.path.join(cache::FOLDER_NAME),
    };
    Ok(Some(Tls::by_acme(options)?))
}

/// Lists the settings that exclude each other, and those that say nothing alone.
pub fn contradictions(arguments: &ServeArguments) -> Vec<String> {
    let by_acme = !arguments.acme_domain.is_empty();
    let needs_domain = [
        ("acme_contact", !arguments.acme_contact.is_empty()),
        ("acme_root", arguments.acme_root.is_some()),
        ("acme_accept_terms", arguments.acme_accept_terms),
        ("acme_directory", arguments.acme_directory.as_str() != DIRECTORY),
    ];
    let mut faults = Vec::new();
    for (name, is_set) in needs_domain {
        if is_set && !by_acme {
            faults.push(format!("{name} says nothing without acme_domain"));
        }
    }
    let files = [("tls_certificate", &arguments.tls_certificate), ("tls_key", &arguments.tls_key)];
    for (name, file) in files {
        match (file, by_acme) {
            (Some(_), true) => faults.push(format!("{name} and acme_domain exclude each other")),
            (None, false) if files.iter().any(|(_, other)| other.is_some()) => {
                faults.push(format!("{name} is missing: a certificate and its key belong together"));
            }
            (Some(_) | None, true | false) => {}
        }
    }
    let names = arguments.acme_domain.len();
    if names > limits::ACME_DOMAINS_MAX {
        faults.push(format!(
            "acme_domain has {names} names, a certificate at most {}",
            limits::ACME_DOMAINS_MAX
        ));
    }
    faults
}
