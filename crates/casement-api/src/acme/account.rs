//! The account at an authority: the kept one, or a new one.

use std::future::Future;
use std::pin::Pin;

use axum::http::Request;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use instant_acme::{Account, BodyWrapper, BytesResponse, Error, HttpClient, NewAccount};
use serde_json::Value;

use crate::acme::cache::{Cache, KeptAccount};
use crate::acme::name::Contact;
use crate::acme::{AcmeError, AcmeOptions};
use crate::outbound::Outbound;

/// Opens the kept account when it is of this authority, else makes one.
pub(super) async fn open(
    outbound: &Outbound,
    cache: &Cache,
    options: &AcmeOptions,
) -> Result<Account, AcmeError> {
    match cache.account() {
        Ok(Some(kept)) if kept.directory == options.directory.as_str() => {
            let account = builder(outbound).from_credentials(kept.credentials).await;
            match account {
                Err(Error::KeyRejected | Error::Crypto) => {
                    tracing::warn!("the kept account has no usable key")
                }
                account => return Ok(account?),
            }
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the kept account is not used"),
    }
    create(outbound, cache, options).await
}

/// Makes an account and keeps it.
pub(super) async fn create(
    outbound: &Outbound,
    cache: &Cache,
    options: &AcmeOptions,
) -> Result<Account, AcmeError> {
    if !options.terms_accepted
        && let Some(url) = terms(outbound, options.directory.as_str()).await?
    {
        return Err(AcmeError::Terms { url });
    }
    let contacts: Vec<String> = options.contacts.iter().map(Contact::url).collect();
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
    let wanted = NewAccount {
        contact: &contacts,
        terms_of_service_agreed: options.terms_accepted,
        only_return_existing: false,
    };
    let directory = options.directory.as_str().to_owned();
    let (account, credentials) = builder(outbound).create(&wanted, directory.clone(), None).await?;
    // An account that can't be kept is still good for now.
    if let Err(error) = cache.keep_account(&KeptAccount { directory, credentials }) {
        tracing::warn!(%error, "the account can't be kept; the next start makes another");
    }
    Ok(account)
}

/// Where the authority's terms are; `None` when it has none.
async fn terms(outbound: &Outbound, directory: &str) -> Result<Option<String>, AcmeError> {
    let told = |error: &dyn std::fmt::Display| AcmeError::Authority(error.to_string());
    let request = Request::get(directory).body(Full::default()).map_err(|error| told(&error))?;
    let answer = outbound.send(request).await.map_err(|error| told(&error))?;
    if !answer.status().is_success() {
        return Err(AcmeError::Authority(format!("{directory} answers {}", answer.status())));
    }
    let body: Value = serde_json::from_slice(answer.body())
        .map_err(|error| AcmeError::Authority(format!("{directory} is no directory: {error}")))?;
    Ok(body.pointer("/meta/termsOfService").and_then(Value::as_str).map(str::to_owned))
}

fn builder(outbound: &Outbound) -> instant_acme::AccountBuilder {
    Account::builder_with_http(Box::new(Requests(outbound.clone())))
}

/// Our client under the library.
struct Requests(Outbound);

impl HttpClient for Requests {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let outbound = self.0.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let answer = outbound.send(Request::from_parts(head, Full::new(body))).await;
            let answer = answer.map_err(|error| Error::Other(Box::new(error)))?;
            Ok(BytesResponse::from(answer.map(Full::new)))
        })
    }
}
