//! What a file is: what its first bytes say, and what may be said about it to whoever gets it.

use serde::{Deserialize, Serialize};

use super::Attachment;

/// The bytes at a file's beginning that tell an image.
pub const SIGNATURE_BYTES: usize = 12;

/// The media type of whatever is not told.
pub const OCTETS: &str = "application/octet-stream";

/// A sort of image that every browser shows and none runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Image {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
}

impl Image {
    const ALL: [Self; 4] = [Self::Png, Self::Jpeg, Self::Gif, Self::Webp];

    /// Tells the image that a file's first bytes are of.
    pub fn of_signature(first: &[u8]) -> Option<Self> {
        if first.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if first.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if first.starts_with(b"GIF87a") || first.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if first.starts_with(b"RIFF") && first.get(8..12) == Some(b"WEBP".as_slice()) {
            Some(Self::Webp)
        } else {
            None
        }
    }

    /// Gives the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }
}

/// How the bytes of an attachment are handed to a client that may be a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown<'a> {
    /// In place: an image.
    Inline(&'static str),
    /// To be saved, with this media type.
    Saved(&'a str),
}

impl Attachment {
    /// Tells how the bytes are handed out. An image is shown when what was told of it and its bytes agree; a type that
    /// browsers never run is passed on; anything else is bytes without a meaning.
    pub fn shown(&self) -> Shown<'_> {
        let told = essence(&self.media_type);
        if let Some(image) = Image::ALL.into_iter().find(|image| image.media_type() == told) {
            return if self.image == Some(image) {
                Shown::Inline(image.media_type())
            } else {
                Shown::Saved(OCTETS)
            };
        }
        Shown::Saved(if is_passive(&told) { &self.media_type } else { OCTETS })
    }
}

/// The type without parameters, in lower case.
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether no browser runs a file of the type, or applies it to a page, however it comes by it.
fn is_passive(essence: &str) -> bool {
    const KNOWN: [&str; 9] = [
        "application/gzip",
        "application/json",
        "application/pdf",
        "application/zip",
        "message/rfc822",
        "text/calendar",
        "text/csv",
        "text/markdown",
        "text/plain",
    ];
    let is_media = ["audio/", "image/", "video/"].iter().any(|start| essence.starts_with(start));
    KNOWN.contains(&essence) || (is_media && !essence.contains("svg") && !essence.contains("xml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachment::tests::attachment;

    fn shown(media_type: &str, first: &[u8]) -> String {
        let image = Image::of_signature(first);
        let attachment = Attachment { media_type: media_type.to_owned(), image, ..attachment() };
        match attachment.shown() {
            Shown::Inline(media_type) => format!("inline {media_type}"),
            Shown::Saved(media_type) => format!("saved {media_type}"),
        }
    }

    #[test]
    fn only_images_that_are_what_they_say_are_shown_in_place() {
        let (png, jpeg) = (b"\x89PNG\r\n\x1a\n\0\0\0\0".as_slice(), b"\xff\xd8\xff\xe0".as_slice());
        assert_eq!(shown("image/png", png), "inline image/png");
        assert_eq!(shown("Image/PNG; x=1", png), "inline image/png");
        assert_eq!(shown("image/jpeg", jpeg), "inline image/jpeg");
        assert_eq!(shown("image/gif", b"GIF89a"), "inline image/gif");
        assert_eq!(shown("image/webp", b"RIFF\x01\x02\x03\x04WEBP"), "inline image/webp");
        for (told, first) in
            [("image/png", jpeg), ("image/png", b"<svg onload=".as_slice()), ("image/gif", b"")]
        {
            assert_eq!(shown(told, first), format!("saved {OCTETS}"), "{told}");
        }
        assert_eq!(shown("image/webp", b"RIFF\x01\x02\x03\x04WAVE"), format!("saved {OCTETS}"));
    }

    #[test]
    fn what_a_browser_could_run_is_bytes_without_a_meaning() {
        for active in [
            "text/html",
            "TEXT/HTML; charset=utf-8",
            "application/xhtml+xml",
            "image/svg+xml",
            "text/xml",
            "text/javascript",
            "application/ecmascript",
            "text/css",
            "application/wasm",
            "application/x-shockwave-flash",
            "multipart/related",
        ] {
            assert_eq!(shown(active, b"\x89PNG\r\n\x1a\n"), format!("saved {OCTETS}"), "{active}");
        }
        for passive in ["text/plain; charset=utf-8", "application/pdf", "video/mp4", "image/tiff"] {
            assert_eq!(shown(passive, b""), format!("saved {passive}"));
        }
    }
}
