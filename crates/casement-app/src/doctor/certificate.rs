//! Whether the TLS certificate lasts.
//!
//! Pure: the command line reads the certificate.

use casement_domain::date::Moment;

use crate::certificate::{Age, Validity};
use crate::doctor::Finding;

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
}
