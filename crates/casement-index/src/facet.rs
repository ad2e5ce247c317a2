//! A facet: for each value the set of documents that have it, and for each document its values.
//!
//! Documents that have the same values share one entry that lists them: most facets have few combinations, so a document
//! costs four bytes here beside its place in the sets.

use crate::block::{self, BLOCK};
use crate::lookup::Lookup;
use crate::set::Set;

/// A value, interned.
pub type ValueId = u32;
/// A combination of values, interned; [`NO_VALUES`] is the empty one.
pub type ChoiceId = u32;

/// The combination of documents without a value.
pub const NO_VALUES: ChoiceId = 0;

/// The values of one facet and who has them.
#[derive(Debug)]
pub struct Facet {
    values: Vec<Value>,
    values_free: Vec<ValueId>,
    value_of: Lookup,
    choices: Vec<Choice>,
    choices_free: Vec<ChoiceId>,
    choice_of: Lookup,
    /// The combination of each document, by block.
    chosen: Vec<Vec<ChoiceId>>,
    len: usize,
    /// Documents without a value.
    pub missing: Set,
}

#[derive(Debug, Default)]
struct Value {
    text: Box<str>,
    documents: Set,
    /// Combinations that contain it.
    choices: u32,
    /// The combination of it alone, where there is one: what most documents have.
    alone: Option<ChoiceId>,
}

#[derive(Debug, Default)]
struct Choice {
    values: Box<[ValueId]>,
    documents: u32,
}

impl Default for Facet {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            values_free: Vec::new(),
            value_of: Lookup::default(),
            choices: vec![Choice::default()],
            choices_free: Vec::new(),
            choice_of: Lookup::default(),
            chosen: Vec::new(),
            len: 0,
            missing: Set::default(),
        }
    }
}

fn choice_bytes(values: &[ValueId]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

impl Facet {
    /// Adds the values of the next document.
    pub fn push(&mut self, values: &[String]) {
        let choice = self.choose(values);
        self.push_choice(choice);
    }

    /// Adds the combination of the next document.
    fn push_choice(&mut self, choice: ChoiceId) {
        if self.len.is_multiple_of(BLOCK) {
            self.chosen.push(if self.len == 0 { Vec::new() } else { Vec::with_capacity(BLOCK) });
        }
        let ordinal = self.len as u32;
        if let Some(own) = self.chosen.last_mut() {
            own.push(choice);
        }
        self.len += 1;
        self.choices[choice as usize].documents += 1;
        if choice == NO_VALUES {
            self.missing.insert(ordinal);
        }
        for value in &self.choices[choice as usize].values {
            self.values[*value as usize].documents.insert(ordinal);
        }
    }

    /// Changes the values of a document.
    pub fn set(&mut self, ordinal: u32, values: &[String]) {
        let after = self.choose(values);
        let (number, low) = block::place(ordinal);
        let before = std::mem::replace(&mut self.chosen[number][usize::from(low)], after);
        if before == after {
            return;
        }
        self.choices[after as usize].documents += 1;
        let former = &self.choices[before as usize].values;
        let fresh = &self.choices[after as usize].values;
        for value in former.iter().filter(|value| !fresh.contains(value)) {
            self.values[*value as usize].documents.remove(ordinal);
        }
        for value in fresh.iter().filter(|value| !former.contains(value)) {
            self.values[*value as usize].documents.insert(ordinal);
        }
        if before == NO_VALUES {
            self.missing.remove(ordinal);
        }
        if after == NO_VALUES {
            self.missing.insert(ordinal);
        }
        self.leave(before);
    }

    /// Gives the combination of these values, made when it is new.
    fn choose(&mut self, values: &[String]) -> ChoiceId {
        if values.is_empty() {
            return NO_VALUES;
        }
        if let [only] = values {
            let value = self.intern(only);
            let alone = self.values[value as usize].alone;
            return alone.unwrap_or_else(|| self.intern_choice(vec![value]));
        }
        let mut chosen: Vec<ValueId> = values.iter().map(|text| self.intern(text)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        self.intern_choice(chosen)
    }

    fn intern_choice(&mut self, chosen: Vec<ValueId>) -> ChoiceId {
        let hashed = self.choice_of.hash(&choice_bytes(&chosen));
        let known = self.choice_of.get(hashed, |choice| *self.choices[choice as usize].values == *chosen);
        known.unwrap_or_else(|| {
            for value in &chosen {
                self.values[*value as usize].choices += 1;
            }
            let fresh = Choice { values: chosen.into(), documents: 0 };
            let choice = put(&mut self.choices, &mut self.choices_free, fresh);
            self.choice_of.insert(hashed, choice);
            if let [only] = *self.choices[choice as usize].values {
                self.values[only as usize].alone = Some(choice);
            }
            choice
        })
    }

    fn intern(&mut self, text: &str) -> ValueId {
        let hashed = self.value_of.hash(text.as_bytes());
        let known = self.value_of.get(hashed, |value| *self.values[value as usize].text == *text);
        known.unwrap_or_else(|| {
            let fresh = Value { text: text.into(), ..Value::default() };
            let value = put(&mut self.values, &mut self.values_free, fresh);
            self.value_of.insert(hashed, value);
            value
        })
    }

    /// Takes one document from a combination; what nobody has any more is forgotten.
    fn leave(&mut self, choice: ChoiceId) {
        let left = &mut self.choices[choice as usize];
        left.documents -= 1;
        if left.documents > 0 || choice == NO_VALUES {
            return;
        }
        let values = std::mem::take(&mut left.values);
        let hashed = self.choice_of.hash(&choice_bytes(&values));
        self.choice_of.remove(hashed, choice);
        self.choices_free.push(choice);
        for value in values {
            let own = &mut self.values[value as usize];
            own.choices -= 1;
            if own.alone == Some(choice) {
                own.alone = None;
            }
            if own.choices == 0 {
                let text = std::mem::take(own).text;
                let hashed = self.value_of.hash(text.as_bytes());
                self.value_of.remove(hashed, value);
                self.values_free.push(value);
            }
        }
    }

    /// Counts the documents.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Gives a value by its text.
    pub fn value(&self, text: &str) -> Option<ValueId> {
        let hashed = self.value_of.hash(text.as_bytes());
        self.value_of.get(hashed, |value| *self.values[value as usize].text == *text)
    }

    /// Gives the documents that have a value.
    pub fn documents(&self, value: ValueId) -> &Set {
        &self.values[value as usize].documents
    }

    /// Gives the values that some document has.
    pub fn values(&self) -> impl Iterator<Item = (ValueId, &str, &Set)> {
        let all = self.values.iter().enumerate().filter(|(_, value)| value.choices > 0);
        all.map(|(value, own)| (value as ValueId, &*own.text, &own.documents))
    }

    /// Counts the entries that values have or had; each value is below it.
    pub fn values_len(&self) -> usize {
        self.values.len()
    }

    /// Counts the entries that combinations have or had; each combination is below it.
    pub fn choices_len(&self) -> usize {
        self.choices.len()
    }

    /// Gives the combination of a document.
    pub fn choice(&self, ordinal: u32) -> ChoiceId {
        let (number, low) = block::place(ordinal);
        self.chosen[number][usize::from(low)]
    }

    /// Gives the combinations of the documents of a block.
    pub fn block_choices(&self, number: usize) -> &[ChoiceId] {
        self.chosen.get(number).map_or(&[], Vec::as_slice)
    }

    /// Gives the values of a combination.
    pub fn choice_values(&self, choice: ChoiceId) -> &[ValueId] {
        &self.choices[choice as usize].values
    }

    /// Gives the text of a value.
    pub fn text(&self, value: ValueId) -> &str {
        &self.values[value as usize].text
    }

    /// Takes the tables of a snapshot: the text of each value and the values of each combination, by number, and the
    /// combinations of the documents. All are interned anew, so that tables which were written at different moments
    /// make a sound facet. `None`: they name what is not there.
    pub fn restore(
        texts: &[&str],
        choices: &[Vec<ValueId>],
        chosen: impl Iterator<Item = ChoiceId>,
    ) -> Option<Self> {
        let mut facet = Self {
            values: Vec::with_capacity(texts.len()),
            value_of: Lookup::with_room(texts.len()),
            choice_of: Lookup::with_room(choices.len()),
            ..Self::default()
        };
        facet.choices.reserve(choices.len());
        let mut fresh: Vec<Option<ChoiceId>> = vec![None; choices.len()];
        for choice in chosen {
            let known = fresh.get_mut(choice as usize)?;
            let own = match known {
                Some(own) => *own,
                None => {
                    let values = choices.get(choice as usize)?.iter();
                    let values = values.map(|value| Some(facet.intern(texts.get(*value as usize)?)));
                    let mut values = values.collect::<Option<Vec<ValueId>>>()?;
                    values.sort_unstable();
                    values.dedup();
                    let own = if values.is_empty() { NO_VALUES } else { facet.intern_choice(values) };
                    *known.insert(own)
                }
            };
            facet.push_choice(own);
        }
        facet.shrink();
        Some(facet)
    }

    /// Writes the combinations of the first documents of a block for a snapshot.
    pub fn dump_block(&self, number: usize, count: usize, out: &mut Vec<u8>) {
        let chosen = self.block_choices(number);
        let chosen = chosen.get(..count).unwrap_or(chosen);
        chosen.iter().for_each(|choice| out.extend(choice.to_le_bytes()));
    }

    /// Gives the text of each value by number, for a snapshot; empty where none has it.
    pub fn dump_texts(&self, from: usize) -> impl Iterator<Item = &str> {
        self.values.iter().skip(from).map(|value| &*value.text)
    }

    /// Gives the values of each combination by number, for a snapshot.
    pub fn dump_choices(&self, from: usize) -> impl Iterator<Item = &[ValueId]> {
        self.choices.iter().skip(from).map(|choice| &*choice.values)
    }

    /// Gives back memory that was taken in advance.
    pub fn shrink(&mut self) {
        self.values.iter_mut().for_each(|value| value.documents.shrink());
        self.missing.shrink();
    }

    /// Gives the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let values: usize = self.values.iter().map(|value| value.text.len() + value.documents.bytes()).sum();
        let choices: usize =
            self.choices.iter().map(|choice| choice.values.len() * size_of::<ValueId>()).sum();
        let chosen: usize = self.chosen.iter().map(|own| own.capacity() * size_of::<ChoiceId>()).sum();
        let tables =
            self.values.capacity() * size_of::<Value>() + self.choices.capacity() * size_of::<Choice>();
        values
            + choices
            + chosen
            + tables
            + self.missing.bytes()
            + self.value_of.bytes()
            + self.choice_of.bytes()
    }
}

/// Puts an entry where one was freed, or at the end.
fn put<T>(entries: &mut Vec<T>, free: &mut Vec<u32>, entry: T) -> u32 {
    match free.pop() {
        Some(number) => {
            entries[number as usize] = entry;
            number
        }
        None => {
            entries.push(entry);
            entries.len() as u32 - 1
        }
    }
}
