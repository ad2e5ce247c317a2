//! Patterns: regular expressions that a text must match whole, compiled once where a configuration is loaded.
//!
//! Matching takes time in proportion to the text, whatever the pattern: the engine knows no look-around and no
//! back-references. Compiled size and nesting are limited, so that a configuration can't take the memory.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits;

/// A regular expression that was compiled. Two are equal when they are written the same.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    whole: Regex,
}

/// Why a text is no usable pattern; a sentence for whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Pattern {
    /// Compiles a pattern that somebody configures.
    ///
    /// # Errors
    /// It is longer than [`limits::PATTERN_CHARACTERS_MAX`], no regular expression, or larger than
    /// [`limits::PATTERN_COMPILED_BYTES_MAX`] when compiled.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        if text.is_empty() || text.chars().count() > limits::PATTERN_CHARACTERS_MAX {
            let characters_max = limits::PATTERN_CHARACTERS_MAX;
            return Err(Unusable(format!("must be 1 to {characters_max} characters long")));
        }
        Self::compile(text, limits::PATTERN_COMPILED_BYTES_MAX)
    }

    /// Tells whether the whole of a text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// Gives the pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn compile(text: &str, bytes_max: usize) -> Result<Self, Unusable> {
        let build = |text: &str| {
            RegexBuilder::new(text)
                .size_limit(bytes_max)
                .dfa_size_limit(bytes_max)
                .nest_limit(limits::PATTERN_NESTING_MAX)
                .build()
        };
        // By itself first: a pattern that closes a group of ours must not pass for one.
        let checked = build(text).and_then(|_| build(&format!(r"\A(?:{text})\z")));
        let unusable = |error: regex::Error| match error {
            regex::Error::CompiledTooBig(bytes) => {
                Unusable(format!("is too large: it takes more than {bytes} bytes when compiled"))
            }
            error => Unusable(format!("is no usable regular expression: {}", last_line(&error.to_string()))),
        };
        Ok(Self { text: text.to_owned(), whole: checked.map_err(unusable)? })
    }
}

/// Gives the line of a message that says what is wrong; those before it draw the pattern.
fn last_line(message: &str) -> &str {
    let line = message.lines().last().unwrap_or(message);
    line.strip_prefix("error: ").unwrap_or(line)
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    /// Compiles a stored pattern. It was accepted once; the engine of a later release may need some more room for it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::compile(&text, 4 * limits::PATTERN_COMPILED_BYTES_MAX).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_match() {
        let pattern = Pattern::parse("[A-Z]{2}|[0-9]+").unwrap();
        for (text, fits) in
            [("AB", true), ("12", true), ("AB1", false), ("xAB", false), ("AB\n", false), ("", false)]
        {
            assert_eq!(pattern.matches(text), fits, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_regular_expression_of_linear_time_is_refused() {
        for wrong in ["(", "a)|(b", "(?=a)b", r"(a)\1", "(?x)a#", "", "a{2,1}"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Pattern::parse(&"a".repeat(limits::PATTERN_CHARACTERS_MAX)).is_ok());
        assert!(Pattern::parse(&"a".repeat(limits::PATTERN_CHARACTERS_MAX + 1)).is_err());
        let nested = format!("{}a{}", "(".repeat(200), ")".repeat(200));
        assert!(Pattern::parse(&nested).is_err());
    }

    #[test]
    fn a_pattern_that_would_take_much_memory_is_refused() {
        let message = Pattern::parse(r"(\w{100}){100}").unwrap_err().to_string();
        assert!(message.contains("too large"), "{message}");
        assert!(Pattern::parse(r"\w{2,20}").is_ok());
    }

    #[test]
    fn patterns_are_equal_when_they_are_written_the_same() {
        assert_eq!(Pattern::parse("a+").unwrap(), Pattern::parse("a+").unwrap());
        assert_ne!(Pattern::parse("a+").unwrap(), Pattern::parse("aa*").unwrap());
        let stored: Pattern = serde_json::from_str("\"a+\"").unwrap();
        assert!(stored.matches("aaa"));
        assert_eq!(serde_json::to_string(&stored).unwrap(), "\"a+\"");
        assert!(serde_json::from_str::<Pattern>("\"(\"").is_err());
    }
}
