//! The ids of tokens (`jti`) that serve once: a claim in the installation for each that was used, until it expires.
//!
//! The claim is durable before the request goes on, so that neither a restart nor two requests at the same moment let
//! a token serve twice.

use casement_domain::date::Moment;
use casement_store::set::ClaimWrite;

use crate::app::App;
use crate::error::AppError;
use crate::installation::INSTALLATION;
use crate::jwt_app::JwtApp;

/// A token that wants to serve.
#[derive(Debug, Clone, Copy)]
pub struct TokenUse<'a> {
    /// Its id.
    pub id: &'a str,
    /// When it is refused for its age, whoever asks; from then on its id is free.
    pub ends_at: Moment,
    /// The moment at which its times were found right.
    pub now: Moment,
}

/// Whether a token may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// It may, this once.
    First,
    /// It has served before.
    Before,
}

/// Uses up the id of a token.
///
/// # Errors
/// The index is still being built, or the store takes no writes.
pub async fn use_token_id(app: &App, jwt_app: &JwtApp, token: TokenUse<'_>) -> Result<Served, AppError> {
    app.check_followed()?;
    let mut set = app.made_set(INSTALLATION, token.now);
    // A fresh holder for each use: a claim that is put twice for one holder would be no miss.
    let holder = u128::from_be_bytes(set.operation);
    set.claims.push(ClaimWrite::Put {
        key: format!("jti:{}:{}", jwt_app.client_id, token.id),
        document: format!("{holder:032x}"),
        result: None,
        expires_ms: Some(token.ends_at.ms()),
    });
    match app.store().commit(set).await {
        Ok(_) => Ok(Served::First),
        Err(error) => AppError::of_commit(error).map_or(Ok(Served::Before), Err),
    }
}
