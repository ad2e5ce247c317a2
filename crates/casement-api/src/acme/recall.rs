//! Whether the kept certificate is still the one to present.

use casement_app::certificate::Age;
use casement_domain::date::Moment;

use crate::acme::AcmeOptions;
use crate::acme::cache::Cache;
use crate::tls::certificate::Certificate;

/// Gives the kept certificate; `None` when none is kept.
///
/// # Errors
/// Says why it is not to be used: it is damaged, of another authority, for other names, or expired.
pub(super) fn kept(cache: &Cache, options: &AcmeOptions, now: Moment) -> Result<Option<Certificate>, String> {
    let Some(kept) = cache.certificate().map_err(|error| error.to_string())? else { return Ok(None) };
    if kept.directory != options.directory.as_str() {
        return Err(format!("it is of another authority, {}", kept.directory));
    }
    if kept.domains != options.names() {
        return Err(format!("it is for other names: {}", kept.domains.join(", ")));
    }
    let certificate = kept.certificate().map_err(|unusable| unusable.reason)?;
    match certificate.validity.age(now) {
        Age::Expired => Err(format!("it expired at {}", certificate.validity.until.iso())),
        Age::Young | Age::Due | Age::Overdue => Ok(Some(certificate)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;
    use crate::acme::cache::{CERTIFICATE_NAME, FOLDER_NAME, Kept};
    use crate::acme::name::{DIRECTORY, Directory, DomainName};
    use crate::outbound::Roots;

    const NAME: &str = "cases.example.com";
    /// 2026-11-22, within the life of the certificates below, which begins in 1975 and ends in 4096.
    const NOW: Moment = Moment::from_ms(1_795_341_600_000);

    fn options(data: &Path, directory: &str, names: &[&str]) -> AcmeOptions {
        AcmeOptions {
            domains: names.iter().map(|name| DomainName::parse(name).unwrap()).collect(),
            contacts: Vec::new(),
            directory: Directory::parse(directory).unwrap(),
            roots: Roots::System,
            terms_accepted: true,
            folder: data.join(FOLDER_NAME),
        }
    }

    /// Keeps a certificate for the name in a data directory.
    fn keeping(data: &Path) -> Cache {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
        let cache = Cache::new(data.join(FOLDER_NAME));
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        cache.keep_certificate(&Kept::new(DIRECTORY.to_owned(), vec![NAME.to_owned()], chain, key)).unwrap();
        cache
    }

    #[test]
    fn what_was_kept_is_presented_again() {
        let data = tempfile::tempdir().unwrap();
        let own = options(data.path(), DIRECTORY, &[NAME]);
        assert!(kept(&Cache::new(own.folder.clone()), &own, NOW).unwrap().is_none(), "nothing is kept yet");
        let cache = keeping(data.path());
        assert!(kept(&cache, &own, NOW).unwrap().is_some());
    }

    #[test]
    fn a_certificate_of_another_authority_for_other_names_or_expired_is_not_used() {
        let data = tempfile::tempdir().unwrap();
        let cache = keeping(data.path());
        let refused = |options: &AcmeOptions, now| kept(&cache, options, now).unwrap_err();
        let elsewhere = options(data.path(), "https://ca.example/dir", &[NAME]);
        assert!(refused(&elsewhere, NOW).contains("another authority"));
        let more = options(data.path(), DIRECTORY, &[NAME, "more.example.com"]);
        assert!(refused(&more, NOW).contains("other names"));
        let later = Moment::from_ms(0).plus_ms(i64::MAX);
        assert!(refused(&options(data.path(), DIRECTORY, &[NAME]), later).contains("it expired"));
    }

    #[test]
    fn damage_anywhere_in_the_kept_file_is_noticed() {
        let data = tempfile::tempdir().unwrap();
        let cache = keeping(data.path());
        let own = options(data.path(), DIRECTORY, &[NAME]);
        let path = own.folder.join(CERTIFICATE_NAME);
        let sound = fs::read(&path).unwrap();
        for place in (0..sound.len()).step_by(7) {
            let mut damaged = sound.clone();
            damaged[place] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert!(kept(&cache, &own, NOW).is_err(), "byte {place}");
        }
        fs::write(&path, &sound[..sound.len() / 2]).unwrap();
        assert!(kept(&cache, &own, NOW).is_err(), "cut off");
        fs::write(&path, &sound).unwrap();
        assert!(kept(&cache, &own, NOW).unwrap().is_some());
    }

    #[test]
    fn the_folder_and_its_files_are_their_owner_s_alone() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join(FOLDER_NAME);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        keeping(data.path());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(CERTIFICATE_NAME)), 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no unfinished file stays");
    }
}
