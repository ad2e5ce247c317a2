//! What rich text may have: elements, attributes and addresses; and the cleaning by it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::{ParseError, Url};

use crate::limits;

/// The elements.
pub const ELEMENTS: [&str; 28] = [
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
    "wbr",
];

/// The attributes of elements; no other has any.
pub const ATTRIBUTES: [(&str, &[&str]); 6] = [
    ("a", &["href"]),
    ("img", &["src", "alt"]),
    ("ol", &["start"]),
    ("span", &["data-type", "data-id"]),
    ("td", &["align", "colspan", "rowspan"]),
    ("th", &["align", "colspan", "rowspan"]),
];

/// What every link is related by: it tells the other side nothing and passes nothing on.
pub const LINK_RELATION: &str = "noopener noreferrer nofollow";

/// The schemes of links.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    let attributes = ATTRIBUTES.map(|(element, names)| (element, names.iter().copied().collect()));
    builder
        .tags(HashSet::from(ELEMENTS))
        .clean_content_tags(HashSet::from(["script", "style"]))
        .tag_attributes(HashMap::from(attributes))
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Custom(Box::new(attachment)))
        .link_rel(Some(LINK_RELATION))
        .strip_comments(true)
        .attribute_filter(|element, name, value| {
            is_allowed(element, name, value).then_some(Cow::Borrowed(value))
        });
    builder
});

/// Cleans HTML as a browser would read it.
pub fn clean(html: &str) -> String {
    CLEANER.clean(html).to_string()
}

/// Tells whether an attribute may have a value. The relation of links is set by the cleaning.
pub fn is_allowed(element: &str, name: &str, value: &str) -> bool {
    match (element, name) {
        ("a", "href") => is_link(value),
        ("a", "rel") => value == LINK_RELATION,
        ("img", "src") => is_attachment(value),
        ("img", "alt") => true,
        ("ol", "start") => is_number(value, 9),
        ("span", "data-type") => value == "mention",
        ("span", "data-id") => is_id(value),
        ("td" | "th", "align") => ["left", "center", "right"].contains(&value),
        ("td" | "th", "colspan" | "rowspan") => is_number(value, 3),
        _ => false,
    }
}

/// Tells whether a link may lead there: http, https, mailto, or an attachment of ours.
fn is_link(address: &str) -> bool {
    if address.len() > limits::RICH_TEXT_LINK_BYTES_MAX || address.chars().any(char::is_control) {
        return false;
    }
    match Url::parse(address) {
        Ok(url) => SCHEMES.contains(&url.scheme()),
        Err(ParseError::RelativeUrlWithoutBase) => is_attachment(address),
        Err(_) => false,
    }
}

/// Tells whether an address is the path of an attachment: `/api/v1/streams/{id}/…/attachments/{id}`, perhaps with one more
/// step. Pictures from elsewhere would tell others who reads a text, and when.
fn is_attachment(address: &str) -> bool {
    let Some(path) = address.strip_prefix("/api/v1/streams/") else { return false };
    let steps: Vec<&str> = path.split('/').collect();
    let is_place = steps.iter().rev().skip(1).take(2).any(|step| *step == "attachments");
    path.len() <= limits::RICH_TEXT_LINK_BYTES_MAX && is_place && steps.iter().all(|step| is_id(step))
}

fn attachment(address: &str) -> Option<Cow<'_, str>> {
    is_attachment(address).then_some(Cow::Borrowed(address))
}

fn is_id(text: &str) -> bool {
    let is_usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= limits::ID_CHARACTERS_MAX && text.bytes().all(is_usable)
}

fn is_number(text: &str, digits_max: usize) -> bool {
    !text.is_empty() && text.len() <= digits_max && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_web_to_mail_and_to_attachments_alone() {
        let attachment = "/api/v1/streams/st-1/cases/ci-1/attachments/at-1";
        for good in ["http://a", "HTTPS://a/?b#c", "mailto:a@b.c", attachment] {
            assert!(is_link(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "java\tscript:alert(1)",
            " javascript:x",
            "data:text/html,x",
            "vbscript:x",
            "//a.b",
            "/api/v1/x",
            "a",
            "",
            "https:// a b",
            "/\\evil",
            "file:///etc/passwd",
        ] {
            assert!(!is_link(bad), "{bad}");
        }
    }

    #[test]
    fn pictures_are_attachments_alone() {
        for good in
            ["/api/v1/streams/st-1/attachments/at-1", "/api/v1/streams/s/cases/c/attachments/a/content"]
        {
            assert!(is_attachment(good), "{good}");
        }
        for bad in [
            "https://a/attachments/b",
            "/api/v1/streams/s/../attachments/a",
            "/api/v1/streams/s/attachments/a?x=1",
            "/api/v1/streams/s/attachments/",
            "/api/v1/streams/s/cases/c",
            "/api/v1/streams/s/attachments/a/b/c",
        ] {
            assert!(!is_attachment(bad), "{bad}");
        }
    }
}
