//! Rich text: HTML of an editor, or Markdown, made safe to show. Pure: the same source gives the same HTML.
//!
//! What comes in is read as tokens and written anew, balanced, with the elements of [`policy`] alone ([`tokens`]); then a
//! library that knows how browsers read HTML cleans it ([`policy::clean`]). The first bounds the work of the second and takes
//! away what parsers understand differently; the second decides what is safe. Both are repeated until nothing changes, so
//! that what is kept is clean when it is cleaned again.

pub mod mentions;
pub mod plain;
pub mod policy;
mod tokens;

use serde::{Deserialize, Serialize};

use crate::limits;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextFormat {
    /// HTML, as an editor gives it.
    Html,
    /// Markdown as of CommonMark, with tables, strikethrough and bare links; a line break is a line break.
    Markdown,
}

/// Why a text can't be made safe within the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclean {
    /// Elements stand more than [`limits::RICH_TEXT_NESTING_MAX`] deep in one another.
    TooDeep,
    /// A tag has more than [`limits::RICH_TEXT_ATTRIBUTES_MAX`] attributes.
    TooManyAttributes,
    /// The HTML takes more than [`limits::RICH_TEXT_HTML_BYTES_MAX`].
    TooLarge,
    /// It is not the same when it is cleaned again, however often.
    Unsettled,
    /// Nothing that can be seen is left.
    Empty,
}

impl Unclean {
    /// Gives the reason as a sentence about the text.
    pub fn sentence(self) -> String {
        match self {
            Self::TooDeep => format!(
                "must not have elements more than {} deep in one another",
                limits::RICH_TEXT_NESTING_MAX
            ),
            Self::TooManyAttributes => {
                format!("must not have a tag with more than {} attributes", limits::RICH_TEXT_ATTRIBUTES_MAX)
            }
            Self::TooLarge => {
                format!("must not take more than {} bytes as HTML", limits::RICH_TEXT_HTML_BYTES_MAX)
            }
            Self::Unsettled => "can't be cleaned: browsers could read it in several ways".to_owned(),
            Self::Empty => "has nothing to show once it is cleaned".to_owned(),
        }
    }
}

/// Gives the HTML of a text, safe to show. The work is bounded by the limits, whatever the text is.
///
/// # Errors
/// The text goes past a limit, or has nothing to show.
pub fn render(format: TextFormat, text: &str) -> Result<String, Unclean> {
    let html = match format {
        TextFormat::Html => clean(text)?,
        TextFormat::Markdown => clean(&comrak::markdown_to_html(text, &markdown_options()))?,
    };
    if shows_something(&html) { Ok(html) } else { Err(Unclean::Empty) }
}

/// Cleans HTML: what it gives stays as it is when it is cleaned again.
///
/// # Errors
/// The HTML goes past a limit.
pub fn clean(html: &str) -> Result<String, Unclean> {
    let mut before = policy::clean(&tokens::balanced(html)?);
    for _ in 0..limits::RICH_TEXT_CLEANINGS_MAX {
        if before.len() > limits::RICH_TEXT_HTML_BYTES_MAX {
            return Err(Unclean::TooLarge);
        }
        let after = policy::clean(&tokens::balanced(&before)?);
        if after == before {
            return Ok(after);
        }
        before = after;
    }
    Err(Unclean::Unsettled)
}

fn markdown_options() -> comrak::Options<'static> {
    let mut options = comrak::Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.render.hardbreaks = true;
    // HTML inside goes through the same cleaning as all HTML.
    options.render.r#unsafe = true;
    options
}

/// Tells whether cleaned HTML has a visible character or a picture.
fn shows_something(html: &str) -> bool {
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        if has_visible(text) || tag.starts_with("img ") || tag.starts_with("hr>") {
            return true;
        }
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    has_visible(rest)
}

fn has_visible(text: &str) -> bool {
    !text.replace("&nbsp;", " ").trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_editor_writes_stays() {
        for html in [
            "<p>Hello <strong>you</strong>, <em>see</em> <u>this</u> <s>that</s> <code>x</code><br>y</p>",
            "<h1>a</h1><h4>b</h4><blockquote><p>c</p></blockquote><pre><code>d\n  e</code></pre><hr>",
            "<ul><li><p>a</p><ul><li>b</li></ul></li></ul><ol start=\"3\"><li>c</li></ol>",
            "<table><thead><tr><th align=\"center\">a</th></tr></thead><tbody><tr><td colspan=\"2\">b</td></tr></tbody></table>",
            "<p><span data-type=\"mention\" data-id=\"a-1\">@Ann</span></p>",
            "<p><img src=\"/api/v1/streams/st-1/cases/ci-1/attachments/at-1/content\" alt=\"a\"></p>",
            "<p><a href=\"https://example.com/?a=1&amp;b\" rel=\"noopener noreferrer nofollow\">x</a></p>",
        ] {
            assert_eq!(render(TextFormat::Html, html).as_deref(), Ok(html));
        }
    }

    #[test]
    fn what_is_not_in_the_policy_goes_and_its_text_stays() {
        for (html, expected) in [
            ("<div>a</div><div onclick=x>b</div>", "\na\n\nb\n"),
            ("<p>a<script>alert(1)</script>b<style>p{}</style></p>", "<p>ab</p>"),
            ("<b>a</b><i>b</i><del>c</del><h6>d</h6>", "<strong>a</strong><em>b</em><s>c</s><h4>d</h4>"),
            ("<a href=javascript:alert(1)>a</a><img src=https://x/y.png>", "a"),
            ("<p>a<p>b", "<p>a</p><p>b</p>"),
            ("a<!-- b -->c</p></strong>", "ac"),
            ("<strong>a<em>b</strong>c</em>", "<strong>a<em>b</em></strong>c"),
            ("<li>a", "\na"),
            ("<table><td>a<td>b", "<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>"),
        ] {
            assert_eq!(render(TextFormat::Html, html).as_deref(), Ok(expected), "{html}");
        }
    }

    #[test]
    fn markdown_becomes_html_of_the_same_policy() {
        for (text, expected) in [
            ("**a** _b_ ~~c~~\nd", "<p><strong>a</strong> <em>b</em> <s>c</s><br>\nd</p>\n"),
            (
                "# a\n\n> b\n\n- c",
                "<h1>a</h1>\n<blockquote>\n<p>b</p>\n</blockquote>\n<ul>\n<li>c</li>\n</ul>\n",
            ),
            ("<b onclick=x>a</b> [b](javascript:x)", "<p><strong>a</strong> b</p>\n"),
            ("![a](https://x/y.png)b", "<p>b</p>\n"),
        ] {
            assert_eq!(render(TextFormat::Markdown, text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_text_with_nothing_to_show_is_refused() {
        for html in ["", " \n", "<p>&nbsp;</p>", "<script>x</script>", "<img src=x>", "<!-- x -->"] {
            assert_eq!(render(TextFormat::Html, html), Err(Unclean::Empty), "{html}");
        }
        assert_eq!(render(TextFormat::Markdown, "[a]: b"), Err(Unclean::Empty));
    }
}
