//! Titles and messages of cases, made of a language's sentences.

use crate::dice::Dice;
use crate::words::{Lexicon, Spacing};

/// How many models and orders there are.
const MODELS: u64 = 900;
const ORDERS: u64 = 400_000;

/// What one case is about: its sentences share it.
#[derive(Debug)]
pub(crate) struct Topic {
    lexicon: &'static Lexicon,
    thing: &'static str,
    phrase: &'static str,
    city: &'static str,
    model: String,
    /// The number of an order.
    pub order: String,
}

impl Topic {
    /// Picks what a case in a language is about.
    pub fn new(lexicon: &'static Lexicon, dice: &mut Dice) -> Self {
        let (thing, phrase) = dice.pick_skewed(lexicon.things).copied().unwrap_or_default();
        let family = dice.text(&["HX", "QL", "TR", "ZM", "VP", "KD"]);
        Self {
            lexicon,
            thing,
            phrase,
            city: dice.text(lexicon.cities),
            model: format!("{family}-{}", 100 + dice.below(MODELS)),
            order: format!("{}", 500_000 + dice.below(ORDERS)),
        }
    }

    /// Makes a title.
    pub fn title(&self, dice: &mut Dice) -> String {
        let mut title = String::new();
        let sentence = dice.text(self.lexicon.titles);
        self.fill(sentence, &mut title, dice);
        title
    }

    /// Makes a message: mostly a few sentences, now and then a long one.
    pub fn message(&self, dice: &mut Dice) -> String {
        let details =
            dice.weighed(&[(30, 0), (30, 1), (20, 2), (12, 4), (6, 8), (2, 20)]).unwrap_or_default();
        let mut message = String::with_capacity(256);
        let (opening, trouble) = (dice.text(self.lexicon.openings), dice.text(self.lexicon.troubles));
        self.add(opening, &mut message, dice);
        self.add(trouble, &mut message, dice);
        for _ in 0..details {
            let detail = dice.text(self.lexicon.details);
            self.add(detail, &mut message, dice);
        }
        if dice.hits(600) {
            let closing = dice.text(self.lexicon.closings);
            self.add(closing, &mut message, dice);
        }
        message
    }

    /// Makes one sentence of what was found out.
    pub fn remark(&self, dice: &mut Dice) -> String {
        let mut remark = String::new();
        let detail = dice.text(self.lexicon.details);
        self.add(detail, &mut remark, dice);
        remark
    }

    /// Adds a sentence to a text.
    fn add(&self, sentence: &str, text: &mut String, dice: &mut Dice) {
        let begins = text.is_empty() || text.ends_with(['.', '。']);
        if !text.is_empty() && self.lexicon.spacing == Spacing::Spaced {
            text.push(' ');
        }
        let start = text.len();
        self.fill(sentence, text, dice);
        if begins {
            let first = text.get(start..).and_then(|added| added.chars().next());
            if let Some(first) = first.filter(|first| first.is_lowercase()) {
                let upper: String = first.to_uppercase().collect();
                text.replace_range(start..start + first.len_utf8(), &upper);
            }
        }
    }

    /// Writes a sentence with its slots filled.
    fn fill(&self, sentence: &str, text: &mut String, dice: &mut Dice) {
        let mut rest = sentence;
        while let Some((before, slot)) = rest.split_once('{') {
            text.push_str(before);
            let (name, after) = slot.split_once('}').unwrap_or((slot, ""));
            match name {
                "thing" => text.push_str(self.thing),
                "it" => text.push_str(self.phrase),
                "It" => {
                    let mut letters = self.phrase.chars();
                    text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
                    text.push_str(letters.as_str());
                }
                "order" => text.push_str(&self.order),
                "model" => text.push_str(&self.model),
                "city" => text.push_str(self.city),
                // A test knows that there is no other.
                _ => text.push_str(&dice.between(2, 30).to_string()),
            }
            rest = after;
        }
        text.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::LEXICONS;

    #[test]
    fn texts_have_no_open_slot_and_differ_in_length() {
        let mut dice = Dice::new(3, 0);
        for (_, lexicon) in LEXICONS {
            let mut lengths = Vec::new();
            for _ in 0..300 {
                let topic = Topic::new(lexicon, &mut dice);
                for text in [topic.title(&mut dice), topic.message(&mut dice), topic.remark(&mut dice)] {
                    assert!(!text.is_empty() && !text.contains(['{', '}']), "{text}");
                    assert_eq!(text.trim(), text);
                }
                lengths.push(topic.message(&mut dice).chars().count());
            }
            let (shortest, longest) = (lengths.iter().min(), lengths.iter().max());
            assert!(longest > shortest.map(|shortest| shortest * 5).as_ref(), "{}", lexicon.language);
        }
    }

    #[test]
    fn a_sentence_after_a_full_stop_begins_with_a_capital() {
        let mut dice = Dice::new(3, 0);
        for (_, lexicon) in LEXICONS {
            for _ in 0..200 {
                let message = Topic::new(lexicon, &mut dice).message(&mut dice);
                let starts = message.split(". ").filter_map(|sentence| sentence.chars().next());
                assert!(starts.skip(1).all(|first| !first.is_lowercase()), "{message}");
            }
        }
    }
}
