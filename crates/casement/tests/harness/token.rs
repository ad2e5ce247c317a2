//! Tokens as clients sign them.

use casement_app::installation::{Algorithm, JwtApp};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::server::overlaid;

/// Signs claims beside the `appId` of an app, as the app's tokens are signed.
pub fn of(app: &JwtApp, claims: &Value) -> String {
    let algorithm = match app.algorithm {
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::Hs512 => jsonwebtoken::Algorithm::HS512,
    };
    let claims = overlaid(json!({"appId": app.client_id}), claims.clone());
    signed(algorithm, app.secret.reveal(), &claims)
}

/// Signs any claims in any way.
pub fn signed(algorithm: jsonwebtoken::Algorithm, secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
}

/// Gives a token of the same claims that says `alg: none` and carries no signature.
pub fn unsigned(token: &str) -> String {
    // {"alg":"none","typ":"JWT"}
    let claims = token.split('.').nth(1).unwrap();
    format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")
}
