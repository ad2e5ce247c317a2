//! Names of files, made safe for whoever shows them or saves a file under them.

use serde::{Deserialize, Serialize};

use crate::limits;

/// The name of a file without anything that is part of a path, moves the cursor or turns the direction of writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileName(String);

/// What a file is called whose name has nothing left.
const NAMELESS: &str = "attachment";

impl FileName {
    /// Makes a name safe: separators of paths become `_`; control characters, marks of direction and other invisible
    /// characters are left out, as are dots and blanks at the ends. What has nothing left is called `attachment`.
    pub fn of(text: &str) -> Self {
        let safe = text.chars().filter(|character| !is_invisible(*character));
        let safe = safe.map(|character| if is_separator(character) { '_' } else { character });
        let safe: String = safe.take(limits::FILE_NAME_CHARACTERS_MAX).collect();
        let kept = safe.trim_matches(|character: char| character == '.' || character.is_whitespace());
        Self(if kept.is_empty() { NAMELESS.to_owned() } else { kept.to_owned() })
    }

    /// Gives the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the name in visible ASCII without quotes, backslashes and percent signs, for readers that know nothing better.
    pub fn ascii(&self) -> String {
        let plain = |character: char| {
            let is_plain = matches!(character, ' '..='~') && !matches!(character, '"' | '\\' | '%');
            if is_plain { character } else { '_' }
        };
        self.0.chars().map(plain).collect()
    }
}

fn is_separator(character: char) -> bool {
    matches!(character, '/' | '\\' | ':' | '\u{2044}' | '\u{2215}' | '\u{ff0f}' | '\u{ff3c}')
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_names_are_made_safe() {
        let table = [
            ("screen shot.png", "screen shot.png"),
            ("Übersicht \u{1f4ce}.pdf", "Übersicht \u{1f4ce}.pdf"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("..\\..\\boot.ini", "_.._boot.ini"),
            ("C:\\temp\\a.txt", "C__temp_a.txt"),
            ("/etc/shadow", "_etc_shadow"),
            ("a\u{2044}b\u{ff0f}c", "a_b_c"),
            ("..", "attachment"),
            (".", "attachment"),
            ("", "attachment"),
            (" \t\r\n", "attachment"),
            (".bashrc", "bashrc"),
            ("name. . .", "name"),
            ("a\r\nSet-Cookie: x=1", "aSet-Cookie_ x=1"),
            ("a\0b.txt", "ab.txt"),
            ("photo\u{202e}gnp.exe", "photognp.exe"),
            ("\u{2066}a\u{2069}\u{200b}\u{feff}.txt", "a.txt"),
            ("say \"hi\".txt", "say \"hi\".txt"),
        ];
        for (told, safe) in table {
            assert_eq!(FileName::of(told).as_str(), safe, "{told:?}");
        }
        assert_eq!(FileName::of("ä \"b\\\" 100%.txt").ascii(), "_ _b__ 100_.txt");
    }

    proptest! {
        #[test]
        fn a_safe_name_stays_as_it_is_and_has_nothing_of_a_path(text in any::<String>()) {
            let name = FileName::of(&text);
            prop_assert_eq!(&FileName::of(name.as_str()), &name);
            prop_assert!(!name.as_str().is_empty());
            prop_assert!(!name.as_str().contains(['/', '\\', '\r', '\n', '\0']));
            prop_assert!(name.ascii().bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"'));
        }
    }
}
