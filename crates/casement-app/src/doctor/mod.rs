//! The doctor: what is wrong with an installation, and what to do, before users notice.
//!
//! It looks at a data directory without its lock, beside a server at work, and changes nothing. `data` judges what is
//! stored, `attachments` their bytes, `backup` what follows it, `secrets` whether what is sealed can be opened, `host` what the machine gives; facts about the machine are handed in.

pub mod attachments;
pub mod backup;
pub mod certificate;
pub mod data;
pub mod host;
pub mod secrets;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing to do.
    Fine,
    /// It works; it may not for long.
    Warning,
    /// Something is broken, or will be at once.
    Error,
}

impl Level {
    /// Its name in JSON: `ok`, `warning` or `error`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The exit code of a command whose gravest finding it is: 0, 1 or 2.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Warning => 1,
            Self::Error => 2,
        }
    }
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at; a fixed name.
    pub check: &'static str,
    /// How grave it is.
    pub level: Level,
    /// What was found, in a sentence.
    pub message: String,
    /// What to do; `None` where there is nothing.
    pub advice: Option<String>,
}

impl Finding {
    /// Nothing to do.
    pub fn fine(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, level: Level::Fine, message: message.into(), advice: None }
    }

    /// It works, and something should be done.
    pub fn warning(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, message: message.into(), advice: Some(advice.into()) }
    }

    /// Something is broken.
    pub fn error(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Error, message: message.into(), advice: Some(advice.into()) }
    }
}

/// Gives the gravest level of some findings.
pub fn gravest(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Fine)
}
