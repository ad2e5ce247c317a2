//! From text to parts: words, signs and quoted texts, each with its place in characters.

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `-` before a part.
    Minus,
    /// `,` between values.
    Comma,
    /// `:` and what compares: `<`, `<=`, `>`, `>=`.
    Compare(&'static str),
    /// A piece of text.
    Text {
        /// Without quotes.
        text: String,
        /// Whether it stood in quotes.
        quoted: bool,
    },
}

/// A part with where it lies, in characters from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub sign: Sign,
    /// Where it begins.
    pub at: usize,
    /// Where the next one could begin.
    pub end: usize,
}

/// A fault with its place in characters from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it begins.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

/// Cuts a text into its parts.
///
/// # Errors
/// A quote is not closed.
pub fn parts(text: &str) -> Result<Vec<Part>, Mistake> {
    let characters: Vec<char> = text.chars().collect();
    let mut parts: Vec<Part> = Vec::new();
    let mut at = 0;
    while let Some(first) = characters.get(at).copied() {
        if first.is_whitespace() {
            at += 1;
            continue;
        }
        let behind = characters.get(at + 1).copied();
        // A minus or comma means something only where a part begins or a value goes on.
        let starts =
            parts.last().is_none_or(|part| part.end < at || matches!(part.sign, Sign::Open | Sign::Minus));
        let (sign, end) = match (first, behind) {
            ('(', _) => (Sign::Open, at + 1),
            (')', _) => (Sign::Close, at + 1),
            (',', _) => (Sign::Comma, at + 1),
            (':', _) => (Sign::Compare(":"), at + 1),
            ('<', Some('=')) => (Sign::Compare("<="), at + 2),
            ('<', _) => (Sign::Compare("<"), at + 1),
            ('>', Some('=')) => (Sign::Compare(">="), at + 2),
            ('>', _) => (Sign::Compare(">"), at + 1),
            ('-', _) if starts => (Sign::Minus, at + 1),
            ('"', _) => quoted(&characters, at)?,
            _ => plain(&characters, at, parts.last()),
        };
        parts.push(Part { sign, at, end });
        at = end;
    }
    Ok(parts)
}

/// Reads a text in quotes from its first quote on.
fn quoted(characters: &[char], at: usize) -> Result<(Sign, usize), Mistake> {
    let mut text = String::new();
    let mut place = at + 1;
    while let Some(character) = characters.get(place).copied() {
        let behind = characters.get(place + 1).copied();
        match (character, behind) {
            ('"', _) => return Ok((Sign::Text { text, quoted: true }, place + 1)),
            ('\\', Some(escaped @ ('"' | '\\'))) => {
                text.push(escaped);
                place += 2;
            }
            _ => {
                text.push(character);
                place += 1;
            }
        }
    }
    Err(Mistake { at, message: "the quote that begins here is not closed".to_owned() })
}

/// Reads a text without quotes. A value goes on over colons, so that times and ids need no quotes.
fn plain(characters: &[char], at: usize, before: Option<&Part>) -> (Sign, usize) {
    let is_value =
        before.is_some_and(|part| part.end == at && matches!(part.sign, Sign::Compare(_) | Sign::Comma));
    let ends = |character: char| {
        character.is_whitespace()
            || matches!(character, '(' | ')' | '"' | ',')
            || (!is_value && matches!(character, ':' | '<' | '>'))
    };
    let rest = characters.get(at..).unwrap_or_default();
    let text: String = rest.iter().copied().take_while(|character| !ends(*character)).collect();
    let end = at + text.chars().count();
    (Sign::Text { text, quoted: false }, end)
}
