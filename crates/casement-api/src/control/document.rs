//! What the control API takes and gives. Keys are in camel case, as in what the command line prints.

use std::num::NonZeroUsize;

use casement_app::jwt_app::secret::Secret;
use casement_app::jwt_app::{Algorithm, JwtApp, Keys};
use casement_domain::date::Moment;
use casement_domain::workspace::configure::ChangedEntry;
use casement_domain::workspace::configure::fault::EntryList;
use serde::{Deserialize, Serialize};

/// A new app, as it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateAppBody {
    /// Its name.
    pub name: String,
    /// The streams that it reaches; empty: the only one that there is.
    #[serde(default)]
    pub streams: Vec<String>,
    /// `hs256`, `hs512`, `rs256` or `rs512`.
    pub algorithm: Algorithm,
    /// The public key as PEM or JWK, for RSA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Whether its tokens must expire.
    #[serde(default)]
    pub requires_expiry: bool,
    /// Whether each token serves once.
    #[serde(default)]
    pub enforces_jti: bool,
}

/// Another key for an app, as it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateAppBody {
    /// The public key as PEM or JWK, for RSA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// How long the former key stays good, in seconds.
    pub grace_seconds: i64,
}

/// An app, as it is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppDocument {
    /// Its client id.
    pub client_id: String,
    /// Its secret, in the answer that makes it and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Its name.
    pub name: String,
    /// The account that it belongs to.
    pub account_id: String,
    /// The streams that it reaches.
    pub streams: Vec<String>,
    /// `hs256`, `hs512`, `rs256` or `rs512`.
    pub algorithm: Algorithm,
    /// Whether its tokens must expire.
    pub requires_expiry: bool,
    /// Whether each token serves once.
    pub enforces_jti: bool,
    /// False once it is revoked.
    pub active: bool,
    /// Its key.
    pub key: KeyDocument,
    /// When the key before it ends; absent when there is none that is still good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_key_ends_at: Option<String>,
}

/// The key of an app, without what is secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyDocument {
    /// How many keys the app has had with this one.
    pub number: u32,
    /// Since when it signs; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<String>,
    /// The size of a public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// A public key as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// All apps, as they are shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppsDocument {
    /// The apps in the order of their making.
    pub apps: Vec<AppDocument>,
}

/// What a configuration document changed, or would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedDocument {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The new entries.
    pub added: Vec<AppliedEntry>,
    /// The entries that were there and are other now.
    pub changed: Vec<AppliedEntry>,
}

/// An entry of the configuration that was added or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedEntry {
    /// `status`, `priority`, `queue`, `agent`, `field`, `task template` or `case template`.
    pub kind: String,
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// Its name.
    pub name: String,
}

impl AppliedDocument {
    /// Tells what was changed.
    pub fn of(entries: &[ChangedEntry], dry_run: bool) -> Self {
        let of = |is_new: bool| {
            let chosen = entries.iter().filter(|entry| entry.is_new == is_new);
            let written = chosen.map(|entry| AppliedEntry {
                kind: noun(entry.list).to_owned(),
                id: entry.id.clone(),
                name: entry.name.clone(),
            });
            written.collect()
        };
        Self { dry_run, added: of(true), changed: of(false) }
    }
}

fn noun(list: EntryList) -> &'static str {
    match list {
        EntryList::Statuses => "status",
        EntryList::Priorities => "priority",
        EntryList::Queues => "queue",
        EntryList::Agents => "agent",
        EntryList::Fields => "field",
        EntryList::TaskTemplates => "task template",
        EntryList::CaseTemplates => "case template",
        EntryList::StandardResponses => "standard response",
    }
}

impl AppDocument {
    /// Shows an app; `secret` only where it was just made.
    pub fn of(app: &JwtApp, secret: Option<&Secret>, now: Moment) -> Self {
        let (number, made_at) = app.keys.current();
        let public_key = match &app.keys {
            Keys::Hmac(_, _) => None,
            Keys::Rsa(_, keys) => Some(&keys.current),
        };
        let former_ends_at = app.keys.former_ends_at().filter(|ends_at| app.active && now < *ends_at);
        Self {
            client_id: app.client_id.to_string(),
            client_secret: secret.map(|secret| secret.reveal().to_owned()),
            name: app.name.clone(),
            account_id: app.account.to_string(),
            streams: app.streams.iter().map(ToString::to_string).collect(),
            algorithm: app.keys.algorithm(),
            requires_expiry: app.requires_expiry,
            enforces_jti: app.enforces_jti,
            active: app.active,
            key: KeyDocument {
                number,
                made_at: made_at.map(Moment::iso),
                bits: public_key.map(|key| key.bits()),
                public_key: public_key.map(|key| key.pem()),
            },
            former_key_ends_at: former_ends_at.map(Moment::iso),
        }
    }
}

/// A run of a backup, as it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupBody {
    /// The absolute path of the backup's directory.
    pub to: String,
    /// Whether a base is taken in any case.
    #[serde(default)]
    pub base: bool,
    /// How many bases are kept; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_bases: Option<NonZeroUsize>,
}

/// A backup that is not continued any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForgetBackupBody {
    /// The path of the backup's directory, as the doctor names it.
    pub target: String,
}

/// The answer to a command that has nothing to tell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NothingDocument {}

/// What a run of a backup has done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupDocument {
    /// The base that was taken; null when none was.
    pub base: Option<BaseDocument>,
    /// The changes that were added.
    pub changes: u64,
    /// The files that were not needed any more.
    pub removed_files: usize,
    /// The bases that the backup has now.
    pub bases: usize,
    /// The attachments whose bytes were added.
    #[serde(default)]
    pub attachments: u64,
    /// The attachments whose bytes are missing or damaged where they are served from.
    #[serde(default)]
    pub attachments_missing: u64,
    /// Files of the backup that are damaged or missing, each with what is wrong with it: what only they hold can't be
    /// restored. The latest state can.
    #[serde(default)]
    pub damaged: Vec<String>,
    /// Everything up to this moment can be restored.
    pub until: String,
    /// The key file, which is in no backup.
    pub key_file: String,
    /// The key that opens the secrets in the backup.
    pub key_id: String,
}

/// Whether the server serves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthDocument {
    /// Whether requests are served: what `/readyz` says by its status.
    pub serves: bool,
    /// `ready` or `building`.
    pub index: String,
    /// `ready`, `full`, `unreachable` or `restart-required`.
    pub store: String,
}

/// A rotation of the key that seals.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RotatedKeyDocument {
    /// The key file.
    pub key_file: String,
    /// The key that seals now.
    pub key_id: String,
    /// The keys that are not in the file any more; older backups need them.
    pub former_key_ids: Vec<String>,
    /// How many documents were sealed anew.
    pub sealed: usize,
}

/// A base that was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BaseDocument {
    /// Its file.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Why it was taken.
    pub reason: String,
}
