//! Writes HTML anew: tags of the policy alone, each closed where it must be, nothing deeper than the limit.
//!
//! A browser mends broken HTML, and some of that mending costs time and memory out of all proportion: formatting that was
//! never closed is opened again in each paragraph, and each element looks at all those around it. Nothing that comes out of
//! here needs mending. What is safe is not decided here: [`super::policy::clean`] reads the result once more.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, EndTag, StartTag, Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::Unclean;
use super::policy::{ATTRIBUTES, is_allowed};
use crate::limits;

/// Gives the HTML balanced.
///
/// # Errors
/// It goes past a limit.
pub(super) fn balanced(html: &str) -> Result<String, Unclean> {
    check_attributes(html)?;
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(Sink(RefCell::new(Writer::default())), TokenizerOpts::default());
    // It asks to wait for scripts only where the sink says so.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut writer = tokenizer.sink.0.into_inner();
    writer.close_to(0);
    writer.fault.map_or(Ok(writer.html), Err)
}

/// Refuses a tag with very many attributes: each is held against all before it.
fn check_attributes(html: &str) -> Result<(), Unclean> {
    let bytes = html.as_bytes();
    let mut separators: Option<usize> = None;
    // The quote that ends the value that is being read, and whether a value begins here.
    let (mut quote, mut is_value) = (None, false);
    for (place, byte) in bytes.iter().enumerate() {
        if quote.is_some() {
            quote = quote.filter(|quote| quote != byte);
            continue;
        }
        if separators.is_some() && is_value && matches!(byte, b'"' | b'\'') {
            quote = Some(*byte);
        }
        is_value = *byte == b'=' || is_value && byte.is_ascii_whitespace();
        match byte {
            b'<' => {
                let next = bytes.get(place + 1);
                let is_tag = next.is_some_and(|next| next.is_ascii_alphabetic() || *next == b'/');
                separators = separators.or(is_tag.then_some(0));
            }
            b'>' => separators = None,
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c | b'/' | b'"' | b'\'' => {
                separators = separators.map(|count| count + 1);
            }
            _ => {}
        }
        if separators.is_some_and(|count| count > limits::RICH_TEXT_ATTRIBUTES_MAX) {
            return Err(Unclean::TooManyAttributes);
        }
    }
    Ok(())
}

/// What a tag is to the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Within a line: formatting, links and mentions.
    Inline,
    /// A block, which ends the paragraph before it.
    Block,
    /// An entry of a list.
    Entry,
    /// A group of rows.
    Rows,
    /// A row.
    Row,
    /// A cell.
    Cell,
    /// Has no content.
    Void,
}

/// The tags that are written, by what they are written as.
fn written(name: &str) -> Option<(&'static str, Sort)> {
    Some(match name {
        "a" => ("a", Sort::Inline),
        "code" | "kbd" | "samp" | "tt" => ("code", Sort::Inline),
        "em" | "i" => ("em", Sort::Inline),
        "s" | "strike" | "del" => ("s", Sort::Inline),
        "span" => ("span", Sort::Inline),
        "strong" | "b" => ("strong", Sort::Inline),
        "u" | "ins" => ("u", Sort::Inline),
        "blockquote" => ("blockquote", Sort::Block),
        "h1" => ("h1", Sort::Block),
        "h2" => ("h2", Sort::Block),
        "h3" => ("h3", Sort::Block),
        "h4" | "h5" | "h6" => ("h4", Sort::Block),
        "ol" => ("ol", Sort::Block),
        "p" => ("p", Sort::Block),
        "pre" => ("pre", Sort::Block),
        "table" => ("table", Sort::Block),
        "ul" => ("ul", Sort::Block),
        "li" => ("li", Sort::Entry),
        "tbody" => ("tbody", Sort::Rows),
        "tfoot" => ("tfoot", Sort::Rows),
        "thead" => ("thead", Sort::Rows),
        "tr" => ("tr", Sort::Row),
        "td" => ("td", Sort::Cell),
        "th" => ("th", Sort::Cell),
        "br" => ("br", Sort::Void),
        "hr" => ("hr", Sort::Void),
        "img" => ("img", Sort::Void),
        "wbr" => ("wbr", Sort::Void),
        _ => return None,
    })
}

/// Blocks that are not written: what stood in two of them must not become one word.
const UNWRITTEN_BLOCKS: [&str; 18] = [
    "address", "article", "aside", "caption", "dd", "details", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "header", "main", "nav", "section", "summary",
];

struct Open {
    name: &'static str,
    sort: Sort,
    /// Whether its tag was written; a link that leads nowhere is remembered for its end alone.
    is_written: bool,
}

#[derive(Default)]
struct Writer {
    html: String,
    open: Vec<Open>,
    /// The element whose text is no text: its content goes until its end.
    skipped: Option<String>,
    /// Whether `<pre>` was written last: a newline there would not be kept.
    is_after_pre: bool,
    fault: Option<Unclean>,
}

struct Sink(RefCell<Writer>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        self.0.borrow_mut().take(token)
    }
}

impl Writer {
    fn take(&mut self, token: Token) -> TokenSinkResult<()> {
        if self.fault.is_some() {
            return TokenSinkResult::Continue;
        }
        match token {
            Token::CharacterTokens(text) if self.skipped.is_none() => self.text(&text),
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(_)
            | Token::NullCharacterToken
            | Token::CommentToken(_)
            | Token::DoctypeToken(_)
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if let Some(skipped) = &self.skipped {
            if tag.kind == EndTag && skipped == name {
                self.skipped = None;
            }
            return TokenSinkResult::Continue;
        }
        let raw = match name {
            "script" => Some(RawKind::ScriptData),
            "style" | "iframe" | "noembed" | "noframes" | "xmp" => Some(RawKind::Rawtext),
            "title" | "textarea" => Some(RawKind::Rcdata),
            _ => None,
        };
        match (tag.kind, written(name)) {
            (StartTag, None) => {
                if let Some(raw) = raw {
                    self.skipped = Some(name.to_owned());
                    return TokenSinkResult::RawData(raw);
                }
                if name == "plaintext" {
                    self.skipped = Some(name.to_owned());
                    return TokenSinkResult::Plaintext;
                }
                self.part_blocks(name);
            }
            (EndTag, None) => self.part_blocks(name),
            (StartTag, Some((name, sort))) => self.start(name, sort, tag),
            (EndTag, Some((_, Sort::Void))) => {}
            (EndTag, Some((name, sort))) => self.end(name, sort),
        }
        TokenSinkResult::Continue
    }

    fn part_blocks(&mut self, name: &str) {
        if UNWRITTEN_BLOCKS.contains(&name) {
            self.text("\n");
        }
    }

    fn text(&mut self, text: &str) {
        let mut text = text;
        if self.is_after_pre {
            text = text.trim_start_matches(['\n', '\r']);
            if text.is_empty() {
                return;
            }
            self.is_after_pre = false;
        }
        for character in text.chars() {
            match character {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '\r' => self.html.push('\n'),
                // A form feed or another control is no text, and readers differ in what they make of it.
                control if control.is_control() && control != '\n' && control != '\t' => {}
                other => self.html.push(other),
            }
        }
        self.check_size();
    }

    fn start(&mut self, name: &'static str, sort: Sort, tag: &Tag) {
        match sort {
            Sort::Inline if name == "a" => {
                // No link stands in another.
                if let Some(place) = self.find("a") {
                    self.close_to(place);
                }
            }
            Sort::Inline => {}
            Sort::Void => {
                if name == "hr" {
                    self.end_paragraph();
                }
            }
            Sort::Block => self.end_paragraph(),
            Sort::Entry => {
                let Some(list) = self.open.iter().rposition(|open| ["ul", "ol"].contains(&open.name)) else {
                    return self.text("\n");
                };
                let is_within = self.open.iter().skip(list).any(|open| is_fence(open.sort, open.name));
                if is_within {
                    return self.text("\n");
                }
                self.close_to(list + 1);
            }
            Sort::Rows | Sort::Row | Sort::Cell => {
                let Some(table) = self.open.iter().rposition(|open| open.name == "table") else {
                    return self.text("\n");
                };
                let above = |sort: Sort, writer: &Self| {
                    let found = writer.open.iter().skip(table).position(|open| open.sort == sort);
                    found.map(|place| table + place)
                };
                match sort {
                    Sort::Row => self.close_to(above(Sort::Rows, self).unwrap_or(table) + 1),
                    Sort::Cell => match above(Sort::Row, self) {
                        Some(row) => self.close_to(row + 1),
                        None => {
                            self.close_to(above(Sort::Rows, self).unwrap_or(table) + 1);
                            self.push("tr", Sort::Row, "<tr>");
                        }
                    },
                    Sort::Rows | Sort::Inline | Sort::Block | Sort::Entry | Sort::Void => {
                        self.close_to(table + 1);
                    }
                }
            }
        }
        let (opening, is_written) = opening(name, tag);
        if sort == Sort::Void {
            if is_written {
                self.html.push_str(&opening);
                self.is_after_pre = false;
            }
        } else if is_written {
            self.push(name, sort, &opening);
            self.is_after_pre = name == "pre";
        } else {
            self.open.push(Open { name, sort, is_written });
        }
        if self.open.len() > limits::RICH_TEXT_NESTING_MAX {
            self.fault = Some(Unclean::TooDeep);
        }
        self.check_size();
    }

    fn push(&mut self, name: &'static str, sort: Sort, opening: &str) {
        self.html.push_str(opening);
        self.open.push(Open { name, sort, is_written: true });
    }

    fn end(&mut self, name: &'static str, sort: Sort) {
        let place = match sort {
            Sort::Inline | Sort::Block | Sort::Entry if name != "table" => self.find(name),
            Sort::Inline | Sort::Block | Sort::Entry | Sort::Rows | Sort::Row | Sort::Cell => {
                let table = self.open.iter().rposition(|open| open.name == "table");
                let found = self.open.iter().rposition(|open| open.name == name);
                found.filter(|found| Some(*found) >= table)
            }
            Sort::Void => None,
        };
        if let Some(place) = place {
            self.close_to(place);
        }
    }

    /// Finds an open element that is in the same cell.
    fn find(&self, name: &str) -> Option<usize> {
        let fence = self.open.iter().rposition(|open| is_fence(open.sort, open.name));
        let found = self.open.iter().rposition(|open| open.name == name);
        found.filter(|found| Some(*found) > fence)
    }

    /// Closes an open paragraph or heading: no block stands in one.
    fn end_paragraph(&mut self) {
        let is_paragraph = |open: &Open| ["p", "h1", "h2", "h3", "h4"].contains(&open.name);
        let is_around = |open: &Open| is_paragraph(open) || open.sort != Sort::Inline;
        if let Some(place) = self.open.iter().rposition(is_around)
            && self.open.get(place).is_some_and(is_paragraph)
        {
            self.close_to(place);
        }
    }

    fn close_to(&mut self, length: usize) {
        while self.open.len() > length {
            let Some(open) = self.open.pop() else { return };
            if open.is_written {
                self.html.push_str("</");
                self.html.push_str(open.name);
                self.html.push('>');
            }
            self.is_after_pre = false;
        }
    }

    fn check_size(&mut self) {
        if self.html.len() > limits::RICH_TEXT_HTML_BYTES_MAX {
            self.fault = Some(Unclean::TooLarge);
        }
    }
}

/// Tells whether an element keeps what is in it apart: a cell, or a table outside of its cells.
fn is_fence(sort: Sort, name: &str) -> bool {
    sort == Sort::Cell || name == "table"
}

/// Writes an opening tag with the attributes that it may have, and tells whether it is worth writing.
fn opening(name: &'static str, tag: &Tag) -> (String, bool) {
    let names = ATTRIBUTES.iter().find(|(element, _)| *element == name).map(|(_, names)| *names);
    let mut text = format!("<{name}");
    let mut count = 0;
    for known in names.unwrap_or_default() {
        let Some(attribute) = tag.attrs.iter().find(|attribute| *attribute.name.local == **known) else {
            continue;
        };
        if !is_allowed(name, known, &attribute.value) {
            continue;
        }
        count += 1;
        text.push_str(&format!(" {known}=\""));
        for character in attribute.value.chars() {
            match character {
                '&' => text.push_str("&amp;"),
                '"' => text.push_str("&quot;"),
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                control if control.is_control() => text.push(' '),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    text.push('>');
    let is_worth = match name {
        "a" => count == 1,
        "img" => text.contains(" src="),
        "span" => count == 2,
        _ => true,
    };
    (text, is_worth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_counted_past_whatever_stands_in_quotes() {
        let many: String = (0..2_000).map(|number| format!(" a{number}")).collect();
        for begin in ["<p", "<p x='>'", "<p x=\">\"", "<p x = '>' y=\"'>\"", "</p x='>'"] {
            assert_eq!(balanced(&format!("{begin}{many}>")), Err(Unclean::TooManyAttributes), "{begin}");
        }
        let quoted = format!("<p title='{many}'>x</p>");
        assert_eq!(balanced(&quoted).as_deref(), Ok("<p>x</p>"));
        assert!(balanced(&format!("<p>{}</p>", "a = ' b ".repeat(2_000))).is_ok());
    }
}
