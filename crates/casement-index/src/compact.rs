//! Texts that stand in their entry when they are short, as most terms are: looking one up touches no other memory.

/// Bytes of a text that is kept in place.
const SHORT_MAX: usize = 22;

/// A text that never changes.
#[derive(Debug, Clone)]
pub enum Compact {
    /// In place: the number of bytes, and the bytes.
    Short(u8, [u8; SHORT_MAX]),
    /// Elsewhere.
    Long(Box<str>),
}

impl Default for Compact {
    fn default() -> Self {
        Self::Short(0, [0; SHORT_MAX])
    }
}

impl Compact {
    /// Takes a text.
    pub fn of(text: &str) -> Self {
        if text.len() > SHORT_MAX {
            return Self::Long(text.into());
        }
        let mut bytes = [0; SHORT_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Self::Short(text.len() as u8, bytes)
    }

    /// Gives the bytes of the text; they sort as the text does.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(length, bytes) => &bytes[..usize::from(*length)],
            Self::Long(text) => text.as_bytes(),
        }
    }

    /// Gives the text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("invariant: only whole texts were put in")
    }

    /// Gives the bytes that it takes beside its own entry.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Short(..) => 0,
            Self::Long(text) => text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_comes_back() {
        for length in [0, 1, SHORT_MAX - 1, SHORT_MAX, SHORT_MAX + 1, 500] {
            let text = "ä".repeat(length / 2) + &"b".repeat(length % 2);
            assert_eq!(Compact::of(&text).as_str(), text);
        }
        assert_eq!(size_of::<Compact>(), 24);
    }
}
