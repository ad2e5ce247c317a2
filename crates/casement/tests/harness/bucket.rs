//! A bucket of S3 in memory, as much of it as blobs need: objects, uploads in parts, spans, lists in pages of two, deletion.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// The bucket's name.
pub const NAME: &str = "bucket";
/// When everything in it was written.
const WRITTEN: (&str, &str) = ("Sun, 22 Nov 2026 10:00:00 GMT", "2026-11-22T10:00:00.000Z");
const PAGE: usize = 2;

#[derive(Default)]
struct Held {
    objects: BTreeMap<String, Vec<u8>>,
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    aborted: usize,
    is_silent: bool,
    unanswered: usize,
    removals: usize,
    refuses_removals: bool,
    refuses_copies: bool,
}

/// A bucket that listens.
#[derive(Clone, Default)]
pub struct Bucket(Arc<Mutex<Held>>);

impl Bucket {
    /// Begins to listen; gives the variables that lead to it.
    pub async fn listening(&self) -> Vec<(String, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let router =
            Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let endpoint = format!("http://{address}");
        let variables = [
            ("AWS_ENDPOINT_URL_S3", endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().objects.keys().cloned().collect()
    }

    /// From now on no request for an object's bytes is answered.
    pub fn fall_silent(&self) {
        self.0.lock().unwrap().is_silent = true;
    }

    /// Whether removals are refused.
    pub fn refuse(&self, refuses: bool) {
        self.0.lock().unwrap().refuses_removals = refuses;
    }

    /// From now on copies are refused.
    pub fn refuse_copies(&self) {
        self.0.lock().unwrap().refuses_copies = true;
    }

    /// How many were not answered.
    pub fn unanswered(&self) -> usize {
        self.0.lock().unwrap().unanswered
    }

    /// How often an object was to be removed.
    pub fn removals(&self) -> usize {
        self.0.lock().unwrap().removals
    }

    /// Counts removals anew.
    pub fn forget_removals(&self) {
        self.0.lock().unwrap().removals = 0;
    }

    fn ignores(&self, method: &Method, key: &str) -> bool {
        let mut held = self.0.lock().unwrap();
        let ignores = held.is_silent && method == Method::GET && !key.is_empty();
        held.unanswered += usize::from(ignores);
        ignores
    }

    /// How many uploads in parts have begun and neither ended nor were given up, and how many were given up.
    pub fn uploads(&self) -> (usize, usize) {
        let held = self.0.lock().unwrap();
        (held.uploads.len(), held.aborted)
    }
}

async fn answer(
    State(bucket): State<Bucket>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert!(
        headers["authorization"].to_str().unwrap().starts_with("AWS4-HMAC-SHA256"),
        "every request is signed"
    );
    let key =
        uri.path().trim_start_matches('/').strip_prefix(NAME).unwrap().trim_start_matches('/').to_owned();
    if bucket.ignores(&method, &key) {
        std::future::pending::<()>().await;
    }
    let mut held = bucket.0.lock().unwrap();
    let tag = [("etag", "\"tag\""), ("last-modified", WRITTEN.0)];
    match (method.as_str(), query.get("uploadId")) {
        ("GET", _) if key.is_empty() => list(&held, &query).into_response(),
        ("POST", _) if query.contains_key("delete") && held.refuses_removals => refused(),
        ("DELETE", None) if held.refuses_removals => refused(),
        ("PUT", None) if held.refuses_copies && headers.contains_key("x-amz-copy-source") => refused(),
        ("POST", _) if query.contains_key("delete") => {
            let text = String::from_utf8(body.to_vec()).unwrap();
            let mut told = String::new();
            for part in text.split("<Key>").skip(1) {
                let key = part.split_once("</Key>").unwrap().0;
                held.objects.remove(key);
                held.removals += 1;
                told += &format!("<Deleted><Key>{key}</Key></Deleted>");
            }
            format!("<DeleteResult>{told}</DeleteResult>").into_response()
        }
        ("POST", None) => {
            let id = format!("upload-{}", held.uploads.len() + held.aborted);
            held.uploads.insert(id.clone(), BTreeMap::new());
            format!(
                "<InitiateMultipartUploadResult><Bucket>{NAME}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            )
            .into_response()
        }
        ("PUT", Some(id)) => {
            let number = query["partNumber"].parse().unwrap();
            held.uploads.get_mut(id).unwrap().insert(number, body.to_vec());
            tag.into_response()
        }
        ("POST", Some(id)) => {
            let parts = held.uploads.remove(id).unwrap();
            held.objects.insert(key.clone(), parts.into_values().flatten().collect());
            format!("<CompleteMultipartUploadResult><Bucket>{NAME}</Bucket><Key>{key}</Key><ETag>tag</ETag></CompleteMultipartUploadResult>")
                .into_response()
        }
        ("DELETE", Some(id)) => {
            held.uploads.remove(id);
            held.aborted += 1;
            StatusCode::NO_CONTENT.into_response()
        }
        ("DELETE", None) => {
            held.objects.remove(&key);
            held.removals += 1;
            StatusCode::NO_CONTENT.into_response()
        }
        ("PUT", None) => match headers.get("x-amz-copy-source") {
            None => {
                held.objects.insert(key, body.to_vec());
                tag.into_response()
            }
            Some(source) => {
                let source = source.to_str().unwrap().trim_start_matches('/').strip_prefix(NAME).unwrap();
                let copied = held.objects.get(source.trim_start_matches('/')).cloned().unwrap();
                held.objects.insert(key, copied);
                "<CopyObjectResult><ETag>tag</ETag></CopyObjectResult>".into_response()
            }
        },
        ("GET" | "HEAD", _) => match held.objects.get(&key) {
            None => (StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>").into_response(),
            Some(object) => match headers.get("range") {
                None => (tag, object.clone()).into_response(),
                Some(range) => {
                    let (first, last) =
                        range.to_str().unwrap().strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
                    let told = [("content-range", format!("bytes {first}-{last}/{}", object.len()))];
                    (StatusCode::PARTIAL_CONTENT, tag, told, object[first..=last].to_vec()).into_response()
                }
            },
        },
        other => panic!("{other:?} {uri}"),
    }
}

fn refused() -> Response {
    (StatusCode::FORBIDDEN, "<Error><Code>AccessDenied</Code></Error>").into_response()
}

fn list(held: &Held, query: &BTreeMap<String, String>) -> String {
    let prefix = query.get("prefix").map_or("", String::as_str);
    let after = query.get("continuation-token").map_or("", String::as_str);
    let rest: Vec<_> = held
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after)
        .take(PAGE + 1)
        .collect();
    let page = &rest[..rest.len().min(PAGE)];
    let mut text = String::from("<ListBucketResult>");
    for (key, object) in page {
        text.push_str(&format!(
            "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>tag</ETag><Size>{}</Size></Contents>",
            WRITTEN.1,
            object.len()
        ));
    }
    if let Some((last, _)) = page.last().filter(|_| rest.len() > PAGE) {
        text.push_str(&format!("<NextContinuationToken>{last}</NextContinuationToken>"));
    }
    text.push_str("</ListBucketResult>");
    text
}
