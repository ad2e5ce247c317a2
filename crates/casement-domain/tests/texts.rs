//! How names and search words are compared.

use casement_domain::text::{Prefix, Words, fold_case, search_words};
use proptest::prelude::*;

fn found(text: &str, query: &str) -> bool {
    let words = Words::of([text]);
    search_words(query).iter().all(|word| words.has_prefix(&Prefix::of(word)))
}

#[test]
fn words_are_found_in_any_case_and_without_their_marks() {
    let rows = [
        ("Ünïcödé Straße", "unicode", true),
        ("Ünïcödé Straße", "STRA", true),
        ("İstanbul", "istanbul", true),
        ("ΟΔΟΣ", "οδος", true),
        ("ΟΔΟΣΑ", "ΟΔΟΣ", true),
        ("Привет мир", "ПРИВЕТ", true),
        ("ﬁle", "file", true),
        ("日本語", "日本", true),
        ("foo_bar", "bar", true),
        ("it's", "it", true),
        ("3.14", "3.1", true),
        ("CS000123", "cs0001", true),
        ("CS000123", "000123", false),
        ("printer", "rinter", false),
        ("anything", "?!", true),
    ];
    for (text, query, expected) in rows {
        assert_eq!(found(text, query), expected, "{query:?} in {text:?}");
    }
}

#[test]
fn names_are_equal_in_any_case() {
    for (one, other) in [("ÉTÉ", "été"), ("ΟΔΟΣ", "οδοσ"), ("Straße", "STRAßE")] {
        assert_eq!(fold_case(one), fold_case(other));
    }
    assert_ne!(fold_case("cafe"), fold_case("café"), "marks count in names");
}

proptest! {
    #[test]
    fn every_word_is_found_by_every_prefix_of_its_letters(
        words in prop::collection::vec("[a-zA-ZéÜßΣσα0-9]{1,8}", 1..4),
        which in any::<prop::sample::Index>(),
        upper in any::<bool>(),
    ) {
        let text = words.join(" ");
        let word: Vec<char> = words[which.index(words.len())].chars().collect();
        for length in 1..=word.len() {
            let prefix: String = word[..length].iter().collect();
            let prefix = if upper && !prefix.contains('ß') { prefix.to_uppercase() } else { prefix };
            prop_assert!(found(&text, &prefix), "{} in {}", prefix, text);
        }
    }
}
