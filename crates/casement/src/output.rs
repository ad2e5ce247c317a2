//! What commands print. A reader that has gone (`casement doctor | head -1`) ends nothing: the command goes on in silence and
//! ends with the exit code that it would have had.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// The exit code when what was asked for can't be printed, on a full disk for example.
const UNPRINTED_EXIT: i32 = 1;

/// Prints a line to standard output.
pub fn line(line: impl Display) {
    settle(written(&mut io::stdout(), format_args!("{line}\n")));
}

/// Prints text to standard output as it is.
pub fn text(text: impl Display) {
    settle(written(&mut io::stdout(), text));
}

/// Prints a line to standard error. Nobody can be told that it can't be printed.
pub fn aside(line: impl Display) {
    let _ = written(&mut io::stderr(), format_args!("{line}\n"));
}

fn written(to: &mut impl Write, text: impl Display) -> io::Result<()> {
    match write!(to, "{text}").and_then(|()| to.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn settle(outcome: io::Result<()>) {
    if let Err(error) = outcome {
        aside(format_args!("casement: the output can't be written: {error}"));
        std::process::exit(UNPRINTED_EXIT);
    }
}
