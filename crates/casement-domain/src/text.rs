//! How texts are compared: names in any case, search words with case and diacritics folded.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// Folds a name for a comparison in any case.
pub fn fold_case(text: &str) -> String {
    with_one_sigma(text.to_lowercase())
}

/// Writes the sigma that ends a word as any other: which of the two lower case gives depends on what follows, and the
/// beginning of a word must stay a beginning.
fn with_one_sigma(text: String) -> String {
    if text.contains('ς') { text.replace('ς', "σ") } else { text }
}

/// Folds an e-mail address: ASCII letters only; contract section 5.
pub fn fold_email(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// Folds a text for search: case, compatibility forms and diacritics.
pub fn fold_search(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lower =
        text.nfkd().filter(|character| !is_combining_mark(*character)).collect::<String>().to_lowercase();
    with_one_sigma(lower)
}

/// Gives the words of a search text, folded (Unicode words, UAX 29); words without a letter or digit don't count.
pub fn search_words(text: &str) -> Vec<String> {
    fold_search(text).unicode_words().map(str::to_owned).collect()
}

/// The words of a document's texts, kept so that a prefix is found by one substring search.
///
/// Each word stands behind a line feed. A word with inner punctuation (`john.doe`) stands there whole and in parts,
/// so that it is found by either.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Collects the words of several texts.
    pub fn of<'text>(texts: impl IntoIterator<Item = &'text str>) -> Self {
        let mut words = Self::default();
        for text in texts {
            words.add(text);
        }
        words
    }

    /// Adds the words of one more text.
    pub fn add(&mut self, text: &str) {
        for word in fold_search(text).unicode_words() {
            self.0.push('\n');
            self.0.push_str(word);
            // The first part needs no entry of its own: it is a prefix of the whole word.
            for part in word.split(|character: char| !character.is_alphanumeric()).skip(1) {
                self.0.push('\n');
                self.0.push_str(part);
            }
        }
    }

    /// Gives each word and part of a word.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.0.split('\n').filter(|word| !word.is_empty())
    }

    /// Tells whether some word begins with the given folded word, which must not be empty.
    pub fn has_prefix(&self, word: &Prefix) -> bool {
        self.0.contains(&word.0)
    }
}

/// A folded search word, made ready to be looked for as a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Takes a folded word.
    pub fn of(word: &str) -> Self {
        Self(format!("\n{word}"))
    }

    /// Gives the word.
    pub fn word(&self) -> &str {
        self.0.strip_prefix('\n').unwrap_or(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, query: &str) -> bool {
        let words = Words::of([text]);
        search_words(query).iter().all(|word| words.has_prefix(&Prefix::of(word)))
    }

    #[test]
    fn each_word_is_found_as_a_prefix_in_any_case_without_diacritics() {
        assert!(found("Café Münster opens", "cafe"));
        assert!(found("cafe munster opens", "MÜN OPEN"));
        assert!(!found("Café Münster opens", "afe"));
        assert!(!found("Café Münster opens", "cafe close"));
    }

    #[test]
    fn an_address_is_found_whole_and_by_its_parts() {
        for query in ["john.doe@example.com", "john", "doe", "example", "example.c", "com"] {
            assert!(found("john.doe@example.com", query), "{query}");
        }
        assert!(!found("john.doe@example.com", "ohn"));
    }

    #[test]
    fn a_text_without_letters_or_digits_has_no_words() {
        assert!(search_words("?! -- …").is_empty());
    }
}
