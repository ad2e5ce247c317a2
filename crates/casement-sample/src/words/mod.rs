//! The words of the languages that customers write in, and the sentences that are made of them.
//!
//! A sentence has slots in braces, which [`crate::prose`] fills: `{thing}` the thing's name alone, `{it}` with its article
//! as the subject of a sentence, `{It}` the same at the beginning of one, `{order}` an order's number, `{model}` a model,
//! `{city}` a place, `{number}` a small number.

mod arabic;
mod chinese;
mod english;
mod german;
mod hindi;
mod japanese;
mod spanish;

/// A name as it is written, and in Latin letters for addresses.
pub(crate) type Name = (&'static str, &'static str);

/// What stands between two words or sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// A space, and given names come first.
    Spaced,
    /// Nothing, and family names come first.
    Unspaced,
}

/// The words of one language.
#[derive(Debug)]
pub(crate) struct Lexicon {
    /// The language as a case names it.
    pub language: &'static str,
    /// How its words are put together.
    pub spacing: Spacing,
    /// Given names.
    pub given: &'static [Name],
    /// Family names.
    pub family: &'static [Name],
    /// Places.
    pub cities: &'static [&'static str],
    /// Things: the name alone, and with its article.
    pub things: &'static [(&'static str, &'static str)],
    /// Titles of cases.
    pub titles: &'static [&'static str],
    /// How a message begins.
    pub openings: &'static [&'static str],
    /// What is wrong.
    pub troubles: &'static [&'static str],
    /// What else there is to say.
    pub details: &'static [&'static str],
    /// How it ends.
    pub closings: &'static [&'static str],
}

/// The languages by their weight in a hundred.
pub(crate) const LEXICONS: [(u64, &Lexicon); 7] = [
    (54, &english::LEXICON),
    (15, &german::LEXICON),
    (12, &spanish::LEXICON),
    (6, &chinese::LEXICON),
    (5, &arabic::LEXICON),
    (4, &hindi::LEXICON),
    (4, &japanese::LEXICON),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_slot_of_every_sentence_is_known() {
        for (_, lexicon) in LEXICONS {
            let lists =
                [lexicon.titles, lexicon.openings, lexicon.troubles, lexicon.details, lexicon.closings];
            for sentence in lists.into_iter().flatten() {
                for slot in sentence.split('{').skip(1) {
                    let (name, _) = slot.split_once('}').unwrap_or(("", ""));
                    let known = ["thing", "it", "It", "order", "model", "city", "number"];
                    assert!(known.contains(&name), "{sentence}");
                }
            }
        }
    }

    #[test]
    fn each_language_has_its_own_name_and_addresses_are_plain_letters() {
        let names: BTreeSet<&str> = LEXICONS.iter().map(|(_, lexicon)| lexicon.language).collect();
        assert_eq!(names.len(), LEXICONS.len());
        for (_, lexicon) in LEXICONS {
            for (written, latin) in lexicon.given.iter().chain(lexicon.family) {
                assert!(!written.is_empty() && !latin.is_empty());
                assert!(latin.bytes().all(|byte| byte.is_ascii_lowercase()), "{latin}");
            }
        }
    }
}
