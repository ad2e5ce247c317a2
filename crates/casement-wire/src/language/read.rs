//! From parts to an expression.

use casement_domain::fault::{FaultKind, Faults, Key};
use casement_domain::limits::{EXPRESSION_CHARACTERS_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_PARTS_MAX};
use casement_domain::list::expression::{Clause, Comparison, Operand, Subject, Written};

use super::parts::{Mistake, Part, Sign, parts};

/// What clauses can compare, by the names that they may be written with, and what may be written.
const SUBJECTS: &[(&str, Subject)] = &[
    ("status", Subject::Status),
    ("priority", Subject::Priority),
    ("queue", Subject::Queue),
    ("assignee", Subject::Assignee),
    ("agent", Subject::Assignee),
    ("watcher", Subject::Watcher),
    ("channel", Subject::Channel),
    ("source", Subject::Channel),
    ("tag", Subject::Tag),
    ("customer", Subject::Customer),
    ("template", Subject::Template),
    ("name", Subject::Name),
    ("comment", Subject::Comment),
    ("id", Subject::Id),
    ("case", Subject::Case),
    ("created", Subject::Created),
    ("updated", Subject::Updated),
    ("due", Subject::Due),
    ("is", Subject::Is),
    ("has", Subject::Has),
];

/// Reads an expression. `None` for a text that says nothing, and where there are faults: these name their place.
pub fn read(text: &str, faults: &mut Faults) -> Option<Written> {
    match try_read(text) {
        Ok(written) => written,
        Err(Mistake { at, message }) => {
            faults.add_in_text(
                FaultKind::Invalid,
                Key::Expression,
                at,
                format!("at character {}: {message}", at + 1),
            );
            None
        }
    }
}

fn try_read(text: &str) -> Result<Option<Written>, Mistake> {
    if text.chars().count() > EXPRESSION_CHARACTERS_MAX {
        let message = format!("the text is longer than {EXPRESSION_CHARACTERS_MAX} characters");
        return Err(Mistake { at: EXPRESSION_CHARACTERS_MAX, message });
    }
    let parts = parts(text)?;
    if let Some(part) = parts.get(EXPRESSION_PARTS_MAX) {
        let message = format!("there are more than {EXPRESSION_PARTS_MAX} words and signs");
        return Err(Mistake { at: part.at, message });
    }
    let mut reading = Reading { parts: &parts, next: 0, end: text.chars().count() };
    if parts.is_empty() {
        return Ok(None);
    }
    let written = reading.any(0)?;
    match reading.peek() {
        None => Ok(Some(written)),
        Some(part) => {
            Err(Mistake { at: part.at, message: "this closes a bracket that was not opened".to_owned() })
        }
    }
}

struct Reading<'a> {
    parts: &'a [Part],
    next: usize,
    /// Where the text ends, in characters.
    end: usize,
}

impl Reading<'_> {
    fn peek(&self) -> Option<&Part> {
        self.parts.get(self.next)
    }

    fn take(&mut self) -> Option<Part> {
        let part = self.parts.get(self.next).cloned();
        self.next += 1;
        part
    }

    /// Tells whether the next part is this word of the language, and no name of a field.
    fn is_word(&self, word: &str) -> bool {
        let is_it = self.peek().is_some_and(|part| match &part.sign {
            Sign::Text { text, quoted } => !quoted && text.eq_ignore_ascii_case(word),
            Sign::Open | Sign::Close | Sign::Minus | Sign::Comma | Sign::Compare(_) => false,
        });
        is_it && !self.parts.get(self.next + 1).is_some_and(|part| matches!(part.sign, Sign::Compare(_)))
    }

    fn mistake<T>(&self, message: &str) -> Result<T, Mistake> {
        let at = self.peek().map_or(self.end, |part| part.at);
        Err(Mistake { at, message: message.to_owned() })
    }

    fn any(&mut self, depth: usize) -> Result<Written, Mistake> {
        if depth > EXPRESSION_DEPTH_MAX {
            return self.mistake(&format!("brackets are nested more than {EXPRESSION_DEPTH_MAX} deep"));
        }
        let mut any = vec![self.all(depth)?];
        while self.is_word("or") {
            self.next += 1;
            any.push(self.all(depth)?);
        }
        Ok(if any.len() == 1 { any.swap_remove(0) } else { Written::Any(any) })
    }

    fn all(&mut self, depth: usize) -> Result<Written, Mistake> {
        let mut all = Vec::new();
        loop {
            if self.is_word("and") {
                if all.is_empty() {
                    return self
                        .mistake("something must stand before \"and\"; a word to be found stands in quotes");
                }
                self.next += 1;
                all.push(self.part(depth)?);
                continue;
            }
            let ends = match self.peek().map(|part| &part.sign) {
                None | Some(Sign::Close) => true,
                Some(Sign::Open | Sign::Minus | Sign::Comma | Sign::Compare(_) | Sign::Text { .. }) => {
                    self.is_word("or")
                }
            };
            if ends {
                break;
            }
            all.push(self.part(depth)?);
        }
        if all.is_empty() {
            return self.mistake("something to look for is missing here");
        }
        Ok(Written::All(all))
    }

    fn part(&mut self, depth: usize) -> Result<Written, Mistake> {
        let is_not = self.is_word("not");
        let Some(part) = self.peek().cloned() else {
            return self.mistake("something to look for is missing here");
        };
        match part.sign {
            Sign::Minus => self.negated(depth),
            Sign::Text { .. } if is_not => self.negated(depth),
            Sign::Open => {
                self.next += 1;
                let inner = self.any(depth + 1)?;
                match self.take().map(|part| part.sign) {
                    Some(Sign::Close) => Ok(inner),
                    _ => Err(Mistake {
                        at: part.at,
                        message: "the bracket that opens here is not closed".to_owned(),
                    }),
                }
            }
            Sign::Text { text, quoted } => {
                if self.parts.get(self.next + 1).is_some_and(|next| matches!(next.sign, Sign::Compare(_))) {
                    return self.clause();
                }
                let is_reserved = |word: &str| !quoted && text.eq_ignore_ascii_case(word);
                if is_reserved("and") || is_reserved("or") {
                    return self.mistake(
                        "something to look for is missing here; a word to be found stands in quotes",
                    );
                }
                self.next += 1;
                Ok(Written::Words(text))
            }
            Sign::Close => self.mistake("this closes a bracket with nothing in it"),
            Sign::Comma => self.mistake("a comma stands only between values; in a text it stands in quotes"),
            Sign::Compare(sign) => {
                self.mistake(&format!("a field must stand before {sign:?}; in a text it stands in quotes"))
            }
        }
    }

    fn negated(&mut self, depth: usize) -> Result<Written, Mistake> {
        if depth > EXPRESSION_DEPTH_MAX {
            return self.mistake(&format!("brackets are nested more than {EXPRESSION_DEPTH_MAX} deep"));
        }
        self.next += 1;
        Ok(Written::Not(Box::new(self.part(depth + 1)?)))
    }

    fn clause(&mut self) -> Result<Written, Mistake> {
        let (Some(name), Some(compare)) = (self.take(), self.take()) else {
            return self.mistake("a field is missing here");
        };
        let (Sign::Text { text, quoted }, Sign::Compare(sign)) = (name.sign, compare.sign) else {
            return self.mistake("a field is missing here");
        };
        let known = SUBJECTS.iter().find(|(known, _)| !quoted && known.eq_ignore_ascii_case(&text));
        let subject = known.map_or(Subject::Field(text), |(_, subject)| subject.clone());
        let comparison = match sign {
            "<" => Comparison::Before,
            "<=" => Comparison::UpTo,
            ">" => Comparison::After,
            ">=" => Comparison::From,
            _ => Comparison::Is,
        };
        let mut values = vec![self.value(compare.end)?];
        while self.peek().is_some_and(|part| part.sign == Sign::Comma) {
            let comma = self.take().map_or(self.end, |part| part.end);
            values.push(self.value(comma)?);
        }
        if values.len() > 1 && comparison != Comparison::Is {
            let at = values.get(1).map_or(compare.at, |value| value.at);
            return Err(Mistake { at, message: format!("only one value can follow {sign:?}") });
        }
        Ok(Written::Clause(Clause { subject, comparison, values, at: name.at }))
    }

    /// Reads a value that follows without a space.
    fn value(&mut self, at: usize) -> Result<Operand, Mistake> {
        let message = "a value must follow here without a space; one with spaces stands in quotes".to_owned();
        let Some(part) = self.peek().filter(|part| part.at == at).cloned() else {
            return Err(Mistake { at, message });
        };
        match part.sign {
            Sign::Text { text, quoted } => {
                self.next += 1;
                Ok(Operand { text, quoted, at: part.at })
            }
            Sign::Open | Sign::Close | Sign::Minus | Sign::Comma | Sign::Compare(_) => {
                Err(Mistake { at, message })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(text: &str) -> String {
        let mut faults = Faults::new();
        let written = read(text, &mut faults);
        assert!(faults.is_empty(), "{text}: {:?}", faults.list());
        written.map(|written| show(&written)).unwrap_or_default()
    }

    fn show(written: &Written) -> String {
        let list =
            |parts: &[Written], between: &str| parts.iter().map(show).collect::<Vec<_>>().join(between);
        match written {
            Written::All(parts) if parts.len() == 1 => list(parts, ""),
            Written::All(parts) => format!("({})", list(parts, " & ")),
            Written::Any(parts) => format!("({})", list(parts, " | ")),
            Written::Not(part) => format!("!{}", show(part)),
            Written::Words(text) => text.clone(),
            Written::Clause(clause) => {
                let values: Vec<String> = clause
                    .values
                    .iter()
                    .map(|value| if value.quoted { format!("{:?}", value.text) } else { value.text.clone() })
                    .collect();
                format!("{:?} {:?} {}", clause.subject, clause.comparison, values.join("/"))
            }
        }
    }

    #[test]
    fn what_stands_side_by_side_must_all_hold_and_or_binds_weaker() {
        for (text, meant) in [
            ("printer", "printer"),
            ("printer jam", "(printer & jam)"),
            ("printer and jam", "(printer & jam)"),
            ("printer jam or paper", "((printer & jam) | paper)"),
            ("printer (jam OR paper)", "(printer & (jam | paper))"),
            ("-printer", "!printer"),
            ("not printer", "!printer"),
            ("--printer", "!!printer"),
            ("-(a b)", "!(a & b)"),
            ("well-known", "well-known"),
            ("\"or\" \"and more\"", "(or & and more)"),
            ("", ""),
            ("   ", ""),
        ] {
            assert_eq!(ok(text), meant, "{text}");
        }
    }

    #[test]
    fn clauses_have_a_field_a_sign_and_values() {
        for (text, meant) in [
            ("status:open", "Status Is open"),
            ("Status:open,\"On hold\"", "Status Is open/\"On hold\""),
            ("due<7d", "Due Before 7d"),
            ("due<=2026-01-31T12:00Z", "Due UpTo 2026-01-31T12:00Z"),
            ("created>-7d", "Created After -7d"),
            ("priority>=High", "Priority From High"),
            ("-status:closed", "!Status Is closed"),
            ("assignee:me due<7d", "(Assignee Is me & Due Before 7d)"),
            ("\"Order number\":47", "Field(\"Order number\") Is 47"),
            ("\"status\":x", "Field(\"status\") Is x"),
            ("name:\"a \\\"b\\\" \\\\\"", "Name Is \"a \\\"b\\\" \\\\\""),
            ("not:1", "Field(\"not\") Is 1"),
        ] {
            assert_eq!(ok(text), meant, "{text}");
        }
    }

    #[test]
    fn a_mistake_says_where_it_is() {
        for (text, at) in [
            ("(printer", 0),
            ("printer)", 7),
            ("()", 1),
            ("printer or", 10),
            ("or printer", 0),
            ("a and", 5),
            ("and a", 0),
            ("a or or b", 5),
            ("status:", 7),
            ("status: open", 7),
            ("status:open,", 12),
            ("status:open, closed", 12),
            (":open", 0),
            ("a , b", 2),
            ("\"open", 0),
            ("ä \"open", 2),
            ("-", 1),
            ("due<1d,2d", 7),
            ("status:(open)", 7),
        ] {
            let mut faults = Faults::new();
            assert_eq!(read(text, &mut faults), None, "{text}");
            let places: Vec<_> = faults.list().iter().map(|fault| fault.position).collect();
            assert_eq!(places, [Some(at)], "{text}: {:?}", faults.list());
        }
    }

    #[test]
    fn long_and_deep_texts_are_refused() {
        for text in
            ["a ".repeat(EXPRESSION_PARTS_MAX + 1), "(".repeat(300), "-".repeat(300) + "a", "a".repeat(5_000)]
        {
            let mut faults = Faults::new();
            assert_eq!(read(&text, &mut faults), None);
            assert_eq!(faults.list().len(), 1);
        }
    }
}
