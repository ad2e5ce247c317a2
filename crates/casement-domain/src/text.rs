//! How texts are compared: names in any case, search words with case and diacritics folded.

use std::ops::Range;

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

/// A piece of a folded text.
enum Piece<'text> {
    /// A word by Unicode's rules (UAX 29).
    Word(&'text str),
    /// Characters of a script that is written without spaces.
    Run(&'text str),
}

/// Tells whether a character is of a script that is written without spaces and has thousands of them: Chinese and
/// Japanese. There the pairs of neighbours stand for words.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{3005}'..='\u{3007}'
        | '\u{3041}'..='\u{3096}'
        | '\u{309D}'..='\u{309F}'
        | '\u{30A1}'..='\u{30FA}'
        | '\u{30FC}'..='\u{30FF}'
        | '\u{31F0}'..='\u{31FF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}')
}

fn for_each_piece<'text>(folded: &'text str, mut visit: impl FnMut(Piece<'text>)) {
    let mut rest = folded;
    while let Some(first) = rest.chars().next() {
        let is_run = is_unspaced(first);
        let end = if rest.is_ascii() { None } else { rest.find(|other| is_unspaced(other) != is_run) };
        let (piece, others) = rest.split_at(end.unwrap_or(rest.len()));
        rest = others;
        if is_run {
            visit(Piece::Run(piece));
        } else {
            piece.unicode_words().for_each(|word| visit(Piece::Word(word)));
        }
    }
}

/// Gives each character of a run with the one behind it; the last one alone.
fn pairs(run: &str) -> impl Iterator<Item = &str> {
    run.char_indices().filter_map(move |(start, first)| {
        let second = start + first.len_utf8();
        let behind = run.get(second..)?.chars().next().map_or(0, char::len_utf8);
        run.get(start..second + behind)
    })
}

/// Gives the words of a search text, folded; words without a letter or digit don't count. Of Chinese and Japanese it
/// gives each pair of neighbours, so that any run of two or more characters is found.
pub fn search_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for_each_piece(&fold_search(text), |piece| match piece {
        Piece::Word(word) => words.push(word.to_owned()),
        Piece::Run(run) => {
            let is_pair = |pair: &&str| pair.chars().nth(1).is_some();
            words.extend(pairs(run).filter(is_pair).map(str::to_owned));
            if run.chars().nth(1).is_none() {
                words.push(run.to_owned());
            }
        }
    });
    words
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
        for_each_piece(&fold_search(text), |piece| match piece {
            Piece::Word(word) => {
                self.0.push('\n');
                self.0.push_str(word);
                // The first part needs no entry of its own: it is a prefix of the whole word.
                for part in word.split(|character: char| !character.is_alphanumeric()).skip(1) {
                    self.0.push('\n');
                    self.0.push_str(part);
                }
            }
            // The last character stands alone, so that each is found by itself too.
            Piece::Run(run) => pairs(run).for_each(|pair| {
                self.0.push('\n');
                self.0.push_str(pair);
            }),
        });
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

/// Finds the words of a text that begin with one of the searched words: places in bytes, in order, none over another.
///
/// What a search finds is always marked, except where only folding splits a word otherwise.
pub fn marks(text: &str, searched: &[Prefix]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut mark = |place: Range<usize>| match found.last_mut() {
        Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
        Some(_) | None => found.push(place),
    };
    let is_hit = |piece: &str| {
        let folded = fold_search(piece);
        searched.iter().any(|prefix| !prefix.word().is_empty() && folded.starts_with(prefix.word()))
    };
    let place_of = |piece: &str| {
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        start..start + piece.len()
    };
    for_each_piece(text, |piece| match piece {
        Piece::Word(word) if is_hit(word) => mark(place_of(word)),
        // A word with inner punctuation is found by its parts too.
        Piece::Word(word) => {
            let parts = word.split(|character: char| !character.is_alphanumeric());
            parts.filter(|part| is_hit(part)).for_each(|part| mark(place_of(part)));
        }
        Piece::Run(run) => pairs(run).filter(|pair| is_hit(pair)).for_each(|pair| {
            // Of a pair that is found by its first character alone only that one is meant.
            let folded = fold_search(pair);
            let is_whole = searched.iter().any(|prefix| folded == prefix.word());
            let first = pair.chars().next().map_or(0, char::len_utf8);
            let place = place_of(pair);
            mark(place.start..if is_whole { place.end } else { place.start + first });
        }),
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, query: &str) -> String {
        let searched: Vec<Prefix> = search_words(query).iter().map(|word| Prefix::of(word)).collect();
        let mut out = text.to_owned();
        for place in marks(text, &searched).into_iter().rev() {
            out.insert(place.end, ']');
            out.insert(place.start, '[');
        }
        out
    }

    #[test]
    fn the_words_that_a_search_found_are_marked() {
        assert_eq!(marked("The Printer prints", "print"), "The [Printer] [prints]");
        assert_eq!(marked("Café Münster", "CAFE mun"), "[Café] [Münster]");
        assert_eq!(marked("write to john.doe@example.com", "doe exam"), "write to john.[doe]@[example.com]");
        assert_eq!(marked("東京都タワー", "京都"), "東[京都]タワー");
        assert_eq!(marked("東京都タワー", "都"), "東京[都]タワー");
        assert_eq!(marked("nothing here", "other"), "nothing here");
        assert_eq!(marked("", "a"), "");
    }

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
    fn chinese_and_japanese_are_found_by_any_run_of_characters() {
        for query in ["東京都", "京都", "東京", "都", "京", "タワ", "ワー", "都タ", "2024", "tow"]
        {
            assert!(found("東京都タワー2024 Tower", query), "{query}");
        }
        for query in ["都京", "東都", "京タ", "大"] {
            assert!(!found("東京都タワー2024 Tower", query), "{query}");
        }
        assert!(found("プリンターが動きません", "ﾌﾟﾘﾝﾀｰ"), "half-width letters are folded");
        assert!(found("한국어 문제", "한국"), "Korean has spaces");
        assert_eq!(search_words("東京 京都 大"), ["東京", "京都", "大"]);
    }

    #[test]
    fn a_text_without_letters_or_digits_has_no_words() {
        assert!(search_words("?! -- …").is_empty());
    }
}
