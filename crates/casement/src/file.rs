//! Reading the small files that a command line names.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};

/// Bytes of a file that a command line names; past it the command fails.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Reads a text file.
///
/// # Errors
/// It can't be read, is too long or is no UTF-8.
pub fn read_text(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = File::open(path).with_context(|| format!("can't read {}", path.display()))?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("can't read {}", path.display()))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        bail!("{} is longer than {FILE_BYTES_MAX} bytes", path.display());
    }
    Ok(text)
}
