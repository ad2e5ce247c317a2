//! Who is mentioned within rich text: `<span data-type="mention" data-id="…">`, as editors write it.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, StartTag, Tag, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// Gives the ids that cleaned HTML mentions, in the order of the text.
pub fn mentioned_ids(html: &str) -> Vec<String> {
    // Most texts mention nobody. The cleaner writes attributes one way.
    if !html.contains("data-id=") {
        return Vec::new();
    }
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    // It asks to wait for scripts only where the sink says so.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[derive(Default)]
struct Sink(RefCell<Vec<String>>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(Tag { kind: StartTag, name, attrs, .. }) = token
            && &*name == "span"
        {
            let value = |name: &str| attrs.iter().find(|own| &*own.name.local == name).map(|own| &*own.value);
            if let (Some("mention"), Some(id)) = (value("data-type"), value("data-id")) {
                self.0.borrow_mut().push(id.to_owned());
            }
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_whom_a_text_mentions_come_in_its_order() {
        for (html, ids) in [
            ("<p>nobody</p>", Vec::new()),
            ("<p>data-id=\"a-1\"</p>", Vec::new()),
            (
                "<p><span data-type=\"mention\" data-id=\"a-2\">@B</span> <span data-id=\"a-1\" data-type=\"mention\">A</span></p>",
                vec!["a-2", "a-1"],
            ),
            (
                "<span data-type=\"mention\" data-id=\"a-1\">x</span><span data-type=\"mention\" data-id=\"a-1\">y</span>",
                vec!["a-1", "a-1"],
            ),
            ("<span data-id=\"a-1\">x</span><b data-type=\"mention\" data-id=\"a-1\">y</b>", Vec::new()),
            ("<span data-type=\"mention\">x</span>", Vec::new()),
        ] {
            assert_eq!(mentioned_ids(html), ids, "{html}");
        }
    }
}
