//! Making an app.

use casement_domain::id::{AccountId, AppId, StreamId, UserId};
use casement_store::set::Guard;

use crate::app::App;
use crate::error::AppError;
use crate::installation::{INSTALLATION, KIND_WORKSPACE, SCOPE_CASES, WorkspaceEntry};
use crate::jwt_app::error::{Input, InputFault, JwtAppError};
use crate::jwt_app::public_key::PublicKey;
use crate::jwt_app::secret::Secret;
use crate::jwt_app::write::AppWrite;
use crate::jwt_app::{Algorithm, Digest, JwtApp, Keys, Rotating};
use crate::limits;

/// What a new app shall be.
#[derive(Debug, Clone)]
pub struct NewJwtApp {
    /// Its name; control characters are taken out.
    pub name: String,
    /// The streams that it reaches; empty: the only one that there is.
    pub streams: Vec<String>,
    /// How its tokens are signed.
    pub algorithm: Algorithm,
    /// The public key as PEM or JWK: for RSA, and only there.
    pub public_key: Option<String>,
    /// Whether its tokens must expire.
    pub requires_expiry: bool,
    /// Whether each token serves once.
    pub enforces_jti: bool,
}

/// An app that was made or got another key. The secret is shown this once; there is none for RSA.
#[derive(Debug)]
pub struct KeyedJwtApp {
    /// The app.
    pub app: JwtApp,
    /// Its new secret.
    pub secret: Option<Secret>,
}

/// Makes an app with the scope for the case management API.
///
/// # Errors
/// All faults of the input; too many apps; the store takes no writes.
pub async fn create_jwt_app(app: &App, input: NewJwtApp) -> Result<KeyedJwtApp, JwtAppError> {
    for _ in 0..limits::COMMIT_ATTEMPTS_MAX {
        let (made, guards) = decide(app, &input).await?;
        let write = AppWrite { event: "app.created", before: None, after: &made.app, guards };
        if app.write_jwt_app(write).await? {
            return Ok(made);
        }
    }
    Err(crate::commit::contended().into())
}

async fn decide(app: &App, input: &NewJwtApp) -> Result<(KeyedJwtApp, Vec<Guard>), JwtAppError> {
    let installation = app.installation();
    if installation.apps.len() >= limits::APPS_MAX {
        let reason =
            format!("there are {} apps already, the most is {}", installation.apps.len(), limits::APPS_MAX);
        return Err(JwtAppError::Conflict(reason));
    }
    let mut faults = Vec::new();
    let mut note = |input: Input, message: String| faults.push(InputFault { input, message });
    let name = usable_name(&input.name).map_err(|message| note(Input::Name, message)).ok();
    let entries = reached(&installation.workspaces, &input.streams)
        .map_err(|message| note(Input::Streams, message))
        .ok();
    let keys = first_keys(app, input).map_err(|message| note(Input::PublicKey, message)).ok();
    let (Some(name), Some((account, streams)), Some((keys, secret))) = (name, entries, keys) else {
        return Err(JwtAppError::Invalid(faults));
    };
    let guards = stream_guards(app, &streams).await?;
    let mut ids = app.sources().ids();
    let mut next = || ids.next().expect("invariant: the source of ids does not end");
    let made = JwtApp {
        client_id: AppId::fresh(next()),
        name,
        user: UserId::fresh(next()),
        account,
        keys,
        scopes: vec![SCOPE_CASES.to_owned()],
        streams,
        requires_expiry: input.requires_expiry,
        enforces_jti: input.enforces_jti,
        active: true,
    };
    Ok((KeyedJwtApp { app: made, secret }, guards))
}

/// Takes control characters and outer white space out of a name; what is left must be there and not too long.
fn usable_name(name: &str) -> Result<String, String> {
    let plain: String = name.chars().filter(|character| !is_hidden(*character)).collect();
    let plain = plain.trim();
    match plain.chars().count() {
        0 => Err("must hold at least one visible character".to_owned()),
        length if length > limits::APP_NAME_CHARACTERS_MAX => {
            Err(format!("must be at most {} characters long", limits::APP_NAME_CHARACTERS_MAX))
        }
        _ => Ok(plain.to_owned()),
    }
}

/// Tells whether a character shows nothing or changes how others show: a name stands in terminals and logs.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Finds the streams that are named, and the one account that they belong to.
fn reached(entries: &[WorkspaceEntry], named: &[String]) -> Result<(AccountId, Vec<StreamId>), String> {
    let known = || entries.iter().map(|entry| entry.stream.as_str()).collect::<Vec<_>>().join(", ");
    let chosen: Vec<&WorkspaceEntry> = match (named, entries) {
        ([], []) => return Err("there is no workspace yet; `casement init` makes the first".to_owned()),
        ([], [only]) => vec![only],
        ([], _) => return Err(format!("must be named, there are several: {}", known())),
        (named, _) if named.len() > limits::APP_STREAMS_MAX => {
            return Err(format!("must be at most {}", limits::APP_STREAMS_MAX));
        }
        (named, entries) => {
            let mut chosen: Vec<&WorkspaceEntry> = Vec::new();
            for stream in named {
                let entry = entries.iter().find(|entry| entry.stream.as_str() == stream);
                let entry =
                    entry.ok_or_else(|| format!("there is no stream {stream:?}; there are: {}", known()))?;
                if !chosen.contains(&entry) {
                    chosen.push(entry);
                }
            }
            chosen
        }
    };
    let account = chosen.first().map(|entry| entry.account.clone()).ok_or("must be named")?;
    if chosen.iter().any(|entry| entry.account != account) {
        return Err("belong to several accounts; an app belongs to one".to_owned());
    }
    Ok((account, chosen.into_iter().map(|entry| entry.stream.clone()).collect()))
}

fn first_keys(app: &App, input: &NewJwtApp) -> Result<(Keys, Option<Secret>), String> {
    let now = app.sources().now();
    let secrets = |digest: Digest| match &input.public_key {
        Some(_) => Err(format!("belongs to RS256 and RS512; {} has a secret", input.algorithm.name())),
        None => {
            let secret = Secret::fresh(app.sources());
            Ok((Keys::Hmac(digest, Rotating::first(secret.clone(), now)), Some(secret)))
        }
    };
    let public_keys = |digest: Digest| {
        let text = input.public_key.as_deref();
        let text = text.ok_or_else(|| format!("is required for {}", input.algorithm.name()))?;
        let key = PublicKey::read(text, input.algorithm).map_err(|fault| fault.to_string())?;
        Ok((Keys::Rsa(digest, Rotating::first(key, now)), None))
    };
    match input.algorithm {
        Algorithm::Hs256 => secrets(Digest::Sha256),
        Algorithm::Hs512 => secrets(Digest::Sha512),
        Algorithm::Rs256 => public_keys(Digest::Sha256),
        Algorithm::Rs512 => public_keys(Digest::Sha512),
    }
}

/// Names the entries of the streams as they are stored, so that the app is not made for one that has changed.
async fn stream_guards(app: &App, streams: &[StreamId]) -> Result<Vec<Guard>, AppError> {
    let mut guards = Vec::with_capacity(streams.len());
    for stream in streams {
        let stored = app.store().document(INSTALLATION, KIND_WORKSPACE, stream.as_str()).await?;
        guards.push(Guard {
            kind: KIND_WORKSPACE.to_owned(),
            id: stream.to_string(),
            version: stored.map_or(0, |document| document.version),
        });
    }
    Ok(guards)
}

#[cfg(test)]
mod tests {
    use casement_domain::date::Moment;
    use casement_domain::id::OrganisationId;

    use super::*;

    fn entry(account: &str, stream: &str) -> WorkspaceEntry {
        WorkspaceEntry {
            stream: StreamId::from_text(stream),
            account: AccountId::from_text(account),
            organisation: OrganisationId::from_text("o-1"),
            name: "Support".to_owned(),
            created_at: Moment::from_ms(0),
        }
    }

    #[test]
    fn a_name_loses_what_does_not_show_and_has_a_limit() {
        assert_eq!(usable_name(" Ship\u{1b}[31mping\u{202e}\n "), Ok("Ship[31mping".to_owned()));
        for wrong in ["", " \t ", "\u{0}\u{7}", "\u{200b}"] {
            assert!(usable_name(wrong).is_err(), "{wrong:?}");
        }
        let longest = "é".repeat(limits::APP_NAME_CHARACTERS_MAX);
        assert_eq!(usable_name(&longest), Ok(longest.clone()));
        assert!(usable_name(&format!("{longest}x")).is_err());
    }

    #[test]
    fn the_only_stream_need_not_be_named_and_streams_share_an_account() {
        let (one, other, foreign) = (entry("a", "st-1"), entry("a", "st-2"), entry("b", "st-3"));
        let streams = |named: &[&str], entries: &[WorkspaceEntry]| {
            let named: Vec<String> = named.iter().map(|stream| (*stream).to_owned()).collect();
            reached(entries, &named)
                .map(|(_, streams)| streams.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let all = [one.clone(), other, foreign];
        assert_eq!(streams(&[], &[one]), Ok(vec!["st-1".to_owned()]));
        assert_eq!(streams(&["st-2", "st-1", "st-2"], &all), Ok(vec!["st-2".to_owned(), "st-1".to_owned()]));
        assert!(streams(&[], &all).unwrap_err().contains("st-3"));
        assert!(streams(&[], &[]).unwrap_err().contains("casement init"));
        assert!(streams(&["st-9"], &all).unwrap_err().contains("st-9"));
        assert!(streams(&["st-1", "st-3"], &all).unwrap_err().contains("accounts"));
    }
}
