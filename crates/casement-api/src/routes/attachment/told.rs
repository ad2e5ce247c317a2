//! What the head of an upload tells: name, media type, length, and the hash that the bytes should have.

use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use casement_app::attachment::upload::Told;
use casement_domain::attachment::kind::{OCTETS, essence};
use casement_domain::limits::{FILE_NAME_CHARACTERS_MAX, MEDIA_TYPE_CHARACTERS_MAX};
use casement_wire::error::{ErrorKind, Problem};
use casement_wire::json::JsonFault;

use crate::answer::Refusal;
use crate::query::Parameters;

/// What the head of an upload tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadHead {
    /// Name and media type.
    pub(crate) told: Told,
    /// The length that was announced; `None` for bytes in chunks.
    pub(crate) announced: Option<u64>,
    /// The SHA-256 that the bytes should have, and the header that says so.
    pub(crate) digest: Option<(&'static str, [u8; 32])>,
}

impl UploadHead {
    /// Reads the head.
    ///
    /// # Errors
    /// It is a form or compressed, or every other fault of it.
    pub(crate) fn read(headers: &HeaderMap, uri: &Uri) -> Result<Self, Refusal> {
        check_kind(headers)?;
        let mut faults = Vec::new();
        let mut fault = |path: &str, message: String| {
            faults.push(JsonFault { path: Some(path.to_owned()), message });
        };
        let mut parameters = Parameters::of(uri)?;
        let name = parameters.text("name", FILE_NAME_CHARACTERS_MAX).unwrap_or_default();
        let media_type = media_type(headers).unwrap_or_else(|message| {
            fault("Content-Type", message);
            String::new()
        });
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let digest = digest(headers).unwrap_or_else(|name| {
            fault(name, "must hold sha-256, 32 bytes in base64".to_owned());
            None
        });
        parameters.faults(faults);
        parameters.end()?;
        Ok(Self { told: Told { name, media_type }, announced, digest })
    }
}

fn check_kind(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_form = headers
        .get_all(CONTENT_TYPE)
        .iter()
        .any(|value| essence(&String::from_utf8_lossy(value.as_bytes())).starts_with("multipart/form-data"));
    if is_form {
        let detail = "send the file itself as the body, not a form: its name goes into the query, its media type into Content-Type";
        return Err(Refusal::new(ErrorKind::UnsupportedMediaType, detail, Some("Content-Type")));
    }
    let is_plain = |value: &axum::http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(is_plain) {
        let detail = "the body is kept as it is: Content-Encoding must be absent";
        return Err(Refusal::new(ErrorKind::UnsupportedMediaType, detail, Some("Content-Encoding")));
    }
    Ok(())
}

/// Reads the media type; absent: bytes of any sort.
fn media_type(headers: &HeaderMap) -> Result<String, String> {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let Some(line) = lines.next() else { return Ok(OCTETS.to_owned()) };
    let text = line.to_str().map(str::trim).unwrap_or_default();
    let is_token = |part: &str| {
        let is_own = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        !part.is_empty() && part.bytes().all(is_own)
    };
    let bare = text.split(';').next().unwrap_or_default().trim();
    let is_type = bare.split_once('/').is_some_and(|(kind, sort)| is_token(kind) && is_token(sort));
    if !is_type || lines.next().is_some() || text.len() > MEDIA_TYPE_CHARACTERS_MAX {
        return Err(format!(
            "must be given once, a media type such as image/png of at most {MEDIA_TYPE_CHARACTERS_MAX} characters"
        ));
    }
    Ok(text.to_owned())
}

/// Reads the hash that the bytes should have: `Content-Digest: sha-256=:…:` (RFC 9530), or `Digest: sha-256=…` (RFC 3230).
/// Entries of other algorithms are left, but not a header that has nothing else: whoever sends it relies on it.
fn digest(headers: &HeaderMap) -> Result<Option<(&'static str, [u8; 32])>, &'static str> {
    for name in ["Content-Digest", "Digest"] {
        let mut lines = headers.get_all(name).iter().peekable();
        if lines.peek().is_none() {
            continue;
        }
        let text: Vec<&str> = lines.map(|line| line.to_str().unwrap_or_default()).collect();
        let text = text.join(",");
        let mut entries = text.split(',').filter_map(|entry| entry.trim().split_once('='));
        let (_, value) = entries.find(|(name, _)| name.eq_ignore_ascii_case("sha-256")).ok_or(name)?;
        let value = match name {
            "Content-Digest" => {
                value.strip_prefix(':').and_then(|value| value.strip_suffix(':')).ok_or(name)?
            }
            _ => value,
        };
        let bytes = STANDARD.decode(value).map_err(|_| name)?;
        return Ok(Some((name, bytes.try_into().map_err(|_| name)?)));
    }
    Ok(None)
}

/// Refuses bytes that are not as they were announced.
pub(crate) fn check_bytes(head: &UploadHead, bytes: u64, hash: &[u8; 32]) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    if let Some(announced) = head.announced.filter(|announced| *announced != bytes) {
        let message = format!("announces {announced} bytes, and {bytes} came");
        faults.push(JsonFault { path: Some("Content-Length".to_owned()), message });
    }
    if let Some((name, _)) = head.digest.filter(|(_, expected)| expected != hash) {
        let message = "is not the SHA-256 of the bytes that came".to_owned();
        faults.push(JsonFault { path: Some(name.to_owned()), message });
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::of_problem(Problem::of_json(faults))) }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_media_type_is_kept_as_it_is_told() {
        for told in ["image/png", "Text/Plain; charset=\"UTF-8\"", "application/vnd.x+json;v=1"] {
            assert_eq!(media_type(&headers(&[("content-type", told)])).as_deref(), Ok(told));
        }
        assert_eq!(media_type(&headers(&[])).as_deref(), Ok(OCTETS));
        for wrong in ["", "png", "image/", "/png", "ima ge/png", "image/p<g"] {
            assert!(media_type(&headers(&[("content-type", wrong)])).is_err(), "{wrong}");
        }
        assert!(media_type(&headers(&[("content-type", "a/b"), ("content-type", "a/b")])).is_err());
    }

    #[test]
    fn the_hash_is_read_from_both_headers_and_never_overlooked() {
        let (text, hash) = ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", [0xe3, 0xb0, 0xc4, 0x42]);
        let first = |lines: &[(&'static str, &'static str)]| {
            digest(&headers(lines))
                .map(|found| found.map(|(name, hash)| (name, [hash[0], hash[1], hash[2], hash[3]])))
        };
        let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let (new, old) = (leak(format!("sha-256=:{text}:")), leak(format!("SHA-256={text}")));
        assert_eq!(first(&[]), Ok(None));
        assert_eq!(first(&[("content-digest", new)]), Ok(Some(("Content-Digest", hash))));
        assert_eq!(first(&[("digest", old)]), Ok(Some(("Digest", hash))));
        let both = leak(format!("sha-512=:AAAA:, {new}"));
        assert_eq!(first(&[("content-digest", both)]), Ok(Some(("Content-Digest", hash))));
        for wrong in ["", "sha-256", "sha-256=:AAAA:", "sha-512=:AAAA:", "sha-256=::"] {
            assert_eq!(first(&[("content-digest", wrong)]), Err("Content-Digest"), "{wrong}");
        }
    }
}
