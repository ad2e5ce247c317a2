//! Tokens as clients sign them.

use casement_app::jwt_app::{Digest, JwtApp, Keys};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::server::overlaid;

/// Signs claims beside the `appId` of an app, as the app's tokens are signed.
pub fn of(app: &JwtApp, claims: &Value) -> String {
    let claims = overlaid(json!({"appId": app.client_id}), claims.clone());
    let algorithm = match &app.keys {
        Keys::Hmac(Digest::Sha256, _) => jsonwebtoken::Algorithm::HS256,
        Keys::Hmac(Digest::Sha512, _) => jsonwebtoken::Algorithm::HS512,
        Keys::Rsa(_, _) => panic!("the server has no private key"),
    };
    signed(algorithm, secret_of(app), &claims)
}

/// Gives the secret of an app that has one.
pub fn secret_of(app: &JwtApp) -> &str {
    match &app.keys {
        Keys::Hmac(_, keys) => keys.current.reveal(),
        Keys::Rsa(_, _) => panic!("the app has no secret"),
    }
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
