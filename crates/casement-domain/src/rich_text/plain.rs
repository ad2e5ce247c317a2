//! The text that somebody sees in rich text: without markup, with a line for each block.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, EndTag, StartTag, Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// Gives the text that cleaned HTML shows. Blocks stand on lines of their own, paragraphs have an empty line between them, and
/// what stands in one word with markup inside is one word. Pictures and where links lead are no text.
pub fn plain_text(html: &str) -> String {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(Sink(RefCell::new(Writer::default())), TokenizerOpts::default());
    // It asks to wait for scripts only where the sink says so.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner().text
}

/// What is to be written before the next character.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    Nothing,
    Space,
    Line,
    EmptyLine,
}

#[derive(Default)]
struct Writer {
    text: String,
    gap: Gap,
    /// In how many `<pre>` it is: there white space is text.
    pre: usize,
}

struct Sink(RefCell<Writer>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut writer = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => writer.text(&text),
            Token::TagToken(tag) => writer.tag(&tag),
            Token::NullCharacterToken
            | Token::CommentToken(_)
            | Token::DoctypeToken(_)
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

impl Writer {
    fn tag(&mut self, tag: &Tag) {
        match &*tag.name {
            // Each is a line end, also two in a row.
            "br" => match self.gap {
                Gap::Nothing | Gap::Space => self.gap = Gap::Line,
                Gap::Line | Gap::EmptyLine => self.gap = Gap::EmptyLine,
            },
            "td" | "th" => self.part(Gap::Space),
            "li" | "tr" | "thead" | "tbody" | "tfoot" => self.part(Gap::Line),
            "blockquote" | "h1" | "h2" | "h3" | "h4" | "hr" | "ol" | "p" | "table" | "ul" => {
                self.part(Gap::EmptyLine);
            }
            "pre" => {
                self.part(Gap::EmptyLine);
                match tag.kind {
                    StartTag => self.pre += 1,
                    EndTag => self.pre = self.pre.saturating_sub(1),
                }
            }
            _ => {}
        }
    }

    fn part(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            if self.pre > 0 && character == '\n' {
                self.part(Gap::Line);
            } else if self.pre == 0 && character.is_ascii_whitespace() {
                self.part(Gap::Space);
            } else {
                self.fill_gap();
                self.text.push(character);
            }
        }
    }

    fn fill_gap(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if !self.text.is_empty() {
            self.text.push_str(match gap {
                Gap::Nothing => "",
                Gap::Space => " ",
                Gap::Line => "\n",
                Gap::EmptyLine => "\n\n",
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_is_seen() {
        for (html, expected) in [
            ("<p>re<strong>fund</strong> it</p><p>now</p>", "refund it\n\nnow"),
            ("<p>a<br>\nb<br><br>c</p>\n", "a\nb\n\nc"),
            ("<ul>\n<li>a</li>\n<li><p>b</p></li></ul>", "a\n\nb"),
            (
                "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>c</td></tr></tbody></table>",
                "a b\nc",
            ),
            ("<pre><code>x  y\n  z\n</code></pre>", "x  y\n  z"),
            (
                "<p><a href=\"https://example.com/secret\">the&nbsp;page</a> &lt;b&gt; &amp;amp;</p>",
                "the\u{a0}page <b> &amp;",
            ),
            (
                "<p><span data-type=\"mention\" data-id=\"a-1\">@Ann</span>!<img src=\"/x\" alt=\"pic\"></p>",
                "@Ann!",
            ),
            ("", ""),
        ] {
            assert_eq!(plain_text(html), expected, "{html}");
        }
    }
}
