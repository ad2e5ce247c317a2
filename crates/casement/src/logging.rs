//! Logging to standard error, and the way of spans to a collector.
//!
//! What leaves as a line is ours: libraries speak at `info` and above alone, since their finer lines may hold headers, and
//! with them tokens. Control characters never reach the reader's terminal or the next line.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use casement_api::gate::ACCESS_TARGET;
use casement_api::traces::Traces;
use casement_app::trace::TARGET as TRACE_TARGET;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::cli::LogFormat;
use crate::levels;

/// How to log.
#[derive(Debug, Clone, Copy)]
pub struct Logging<'a> {
    /// A level, or levels by module.
    pub filter: &'a str,
    /// How lines are written.
    pub format: LogFormat,
    /// Whether each request has a line, whatever the level.
    pub access: bool,
}

/// What is logged; it can be changed.
#[derive(Clone)]
pub struct Level {
    handle: reload::Handle<EnvFilter, Registry>,
    /// Whether each request has a line, which no level changes.
    access: bool,
}

impl fmt::Debug for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Level")
    }
}

impl Level {
    /// Logs by another filter from now on.
    ///
    /// # Errors
    /// The filter can't be read; what was logged before is still.
    pub fn set(&self, filter: &str) -> anyhow::Result<()> {
        self.handle.reload(read(filter, self.access)?).context("the log level can't be changed")
    }
}

/// Reads levels, and sets those of the access log and of spans, which follow settings of their own.
fn read(filter: &str, access: bool) -> anyhow::Result<EnvFilter> {
    levels::read(filter).map_err(|fault| anyhow::anyhow!("log: {fault}"))?;
    // The library of HTTP/2 warns of each hostile connection, without its address. Whoever names it hears it.
    let levels = EnvFilter::try_new(format!("h2=error,{filter}"))
        .with_context(|| format!("{filter:?} is no log level"))?;
    let access_level = if access { "info" } else { "off" };
    Ok(levels
        .add_directive(format!("{ACCESS_TARGET}={access_level}").parse()?)
        .add_directive(format!("{TRACE_TARGET}=off").parse()?))
}

/// Begins to log, and to send spans where there is a collector.
///
/// # Errors
/// The filter can't be read.
pub fn begin(logging: Logging<'_>, traces: Option<&Traces>) -> anyhow::Result<Level> {
    let Logging { filter, format, access } = logging;
    let (levels, handle) = reload::Layer::new(read(filter, access)?);
    let is_terminal = io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(move || Escaped { inner: io::stderr(), keeps_colours: is_terminal })
        .with_ansi(is_terminal)
        .with_target(false);
    let shown = levels.and(filter_fn(is_shown));
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => lines.with_filter(shown).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(shown).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines);
    match traces {
        None => registry.init(),
        Some(traces) => registry.with(spans(traces)).init(),
    }
    Ok(Level { handle, access })
}

/// The layer that makes spans of a trace, and of nothing else.
fn spans<S>(traces: &Traces) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    let of_traces = filter_fn(|metadata| metadata.is_span() && metadata.target() == TRACE_TARGET);
    tracing_opentelemetry::layer()
        .with_tracer(traces.tracer())
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(of_traces.with_max_level_hint(LevelFilter::INFO))
}

fn is_shown(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("casement") || *metadata.level() <= tracing::Level::INFO
}

/// Writes lines with their control characters escaped.
struct Escaped<W> {
    inner: W,
    /// Whether the escape character is the formatter's own, who escapes those of values.
    keeps_colours: bool,
}

impl<W: Write> Write for Escaped<W> {
    /// Takes whole lines: the formatter hands over each in one piece.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let (line, end) = match text.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (text.as_ref(), ""),
        };
        let is_harmless = |character: char| {
            !character.is_control() || character == '\t' || (self.keeps_colours && character == '\u{1b}')
        };
        if line.chars().all(is_harmless) {
            return lost_without_reader(self.inner.write_all(bytes)).map(|()| bytes.len());
        }
        let mut escaped = String::with_capacity(line.len() + 16);
        for character in line.chars() {
            if is_harmless(character) {
                escaped.push(character);
            } else {
                // Also what JSON calls it.
                escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
        }
        escaped.push_str(end);
        lost_without_reader(self.inner.write_all(escaped.as_bytes())).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Lines that nobody reads any more are lost, in silence: the library would tell it where nobody reads either, and panic.
fn lost_without_reader(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_whose_reader_has_gone_disturbs_nobody() {
        for line in ["plain\n", "a\u{0}b\n"] {
            let mut writer = Escaped { inner: Gone, keeps_colours: false };
            assert_eq!(writer.write(line.as_bytes()).unwrap(), line.len());
        }
    }

    fn written(line: &str, keeps_colours: bool) -> String {
        let mut inner = Vec::new();
        let mut writer = Escaped { inner: &mut inner, keeps_colours };
        writer.write_all(line.as_bytes()).unwrap();
        String::from_utf8(inner).unwrap()
    }

    #[test]
    fn a_line_stays_one_line_whatever_is_in_it() {
        assert_eq!(written("plain ünd\ttab\n", false), "plain ünd\ttab\n");
        assert_eq!(written("a\nb\r\u{7f}\u{9b}\u{0}\n", false), "a\\u000ab\\u000d\\u007f\\u009b\\u0000\n");
    }

    #[test]
    fn the_escape_character_is_the_formatters_alone_and_only_on_a_terminal() {
        assert_eq!(written("\u{1b}[31m\n", false), "\\u001b[31m\n");
        assert_eq!(written("\u{1b}[31m\u{9b}\n", true), "\u{1b}[31m\\u009b\n");
    }
}
