//! Whether the TLS certificate lasts.
//!
//! Pure: the command line reads the certificate.

use casement_domain::date::Moment;

use crate::certificate::{Age, Validity};
use crate::doctor::Finding;
use crate::doctor::host::Access;

/// Judges a certificate; `found` is what is there, or why nothing can be read.
pub fn judge(found: Result<Option<Validity>, String>, now: Moment) -> Finding {
    let check = "certificate";
    let advice = "renew the certificate; with ACME the server's log says why it could not";
    match found {
        Err(reason) => Finding::error(check, reason, "put a certificate there, or let ACME get another"),
        Ok(None) => Finding::warning(
            check,
            "no certificate was given by ACME yet",
            "start the server; when it runs, its log says why there is none",
        ),
        Ok(Some(validity)) => {
            let until = validity.until.iso();
            match validity.age(now) {
                Age::Expired => Finding::error(check, format!("the certificate expired at {until}"), advice),
                Age::Overdue => {
                    Finding::warning(check, format!("the certificate expires soon, at {until}"), advice)
                }
                Age::Young | Age::Due => Finding::fine(check, format!("the certificate holds until {until}")),
            }
        }
    }
}

/// Judges who may read the private key. A group may: keys are handed to servers that way.
pub fn key(file: &Access) -> Finding {
    let check = "tls-key";
    let message = format!("the TLS key {} ({:o})", file.path, file.mode);
    if file.mode & 0o007 == 0 {
        return Finding::fine(check, format!("{message} is not everybody's"));
    }
    let advice =
        "chmod 640 it, with the group of the server's user, and ask for another certificate with a new key";
    Finding::warning(check, format!("{message} may be read by everybody"), advice)
}

#[cfg(test)]
mod tests {
    use casement_domain::date::DAY_MS;

    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_certificate_that_ends_soon_is_a_warning_and_an_ended_or_unreadable_one_an_error() {
        let lasting = |days: i64| {
            let until = Moment::from_ms(90 * DAY_MS);
            (Ok(Some(Validity { from: Moment::from_ms(0), until })), until.plus_ms(-days * DAY_MS))
        };
        let table = [
            (lasting(60), Level::Fine),
            (lasting(25), Level::Fine),
            (lasting(20), Level::Warning),
            (lasting(0), Level::Error),
            ((Ok(None), Moment::from_ms(0)), Level::Warning),
            ((Err("can't read it".to_owned()), Moment::from_ms(0)), Level::Error),
        ];
        for ((found, now), expected) in table {
            assert_eq!(judge(found.clone(), now).level, expected, "{found:?}");
        }
    }

    #[test]
    fn a_key_that_everybody_may_read_is_a_warning() {
        for (mode, level) in [(0o600, Level::Fine), (0o640, Level::Fine), (0o644, Level::Warning)] {
            assert_eq!(key(&Access { path: "k.pem".into(), mode, owned: true }).level, level, "{mode:o}");
        }
    }
}
