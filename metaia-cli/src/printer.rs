//! All output: data on standard output, notes and errors on standard error. No character reaches a
//! terminal that acts on it, but for the styles of this file.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::time::Instant;

use clap::ValueEnum;
use console::Style;
use metaia_realtime::Role;
use serde::Serialize;

use crate::blocked_output;
use crate::exit::{Exit, Failure};
use crate::screen::{self, Stream};
use crate::terminal::{Styles, one_line, safe};

/// The output format of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    #[default]
    Text,
    /// Indented JSON, one document per report
    Json,
    /// One JSON object per line
    Ndjson,
}

/// The choice of colours in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    fn is_on(self, terminal: bool, no_color: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && !no_color,
        }
    }
}

/// A result of a command, for people as text and for programs as JSON.
pub(crate) trait Report: Serialize {
    /// Formats one or more lines, without a newline at the end. Must be clear without colour.
    fn text(&self, paint: Paint) -> String;
}

/// Colours text, or leaves it plain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Leaves text plain.
    pub(crate) const PLAIN: Self = Self { on: false };
    #[cfg(test)]
    pub(crate) const COLOURED: Self = Self { on: true };

    /// Returns whether it colours.
    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    /// Returns whether texts may have styles.
    fn styles(self) -> Styles {
        if self.on {
            Styles::Allowed
        } else {
            Styles::None
        }
    }

    fn apply(self, style: Style, text: &str) -> String {
        style.force_styling(self.on).apply_to(text).to_string()
    }

    pub(crate) fn name(self, text: &str) -> String {
        self.apply(Style::new().cyan().bold(), text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.apply(Style::new().bold(), text)
    }

    /// Colours the name of a person by the role.
    pub(crate) fn role(self, role: Role, text: &str) -> String {
        let style = Style::new();
        let style = match role {
            Role::Customer => style.cyan(),
            Role::Admin => style.magenta(),
            Role::Tailor => style.blue(),
            Role::Delivery => style.green(),
        };
        self.apply(style, text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.apply(Style::new().dim(), text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.apply(Style::new().green(), text)
    }

    pub(crate) fn warn(self, text: &str) -> String {
        self.apply(Style::new().yellow(), text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.apply(Style::new().red().bold(), text)
    }
}

/// Writes to both streams. A failed write to standard error is ignored; a failed write to standard
/// output ends the command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    format: Format,
    out: Paint,
    err: Paint,
    quiet: bool,
    verbose: bool,
}

impl Printer {
    pub(crate) fn new(format: Format, color: Color, quiet: bool, verbose: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let out = Paint {
            on: color.is_on(std::io::stdout().is_terminal(), no_color),
        };
        let err = Paint {
            on: color.is_on(std::io::stderr().is_terminal(), no_color),
        };
        Self {
            format,
            out,
            err,
            quiet,
            verbose,
        }
    }

    /// Writes a result to standard output.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::output_closed`] if the reader has closed the pipe, and another failure if
    /// the write fails otherwise.
    pub(crate) fn report(&self, report: &impl Report) -> Result<(), Failure> {
        let text = match self.format {
            Format::Text => report.text(self.out),
            Format::Json => json(serde_json::to_string_pretty(report))?,
            Format::Ndjson => json(serde_json::to_string(report))?,
        };
        // JSON has no styles, and keeps its value.
        let styles = match self.format {
            Format::Text => self.out.styles(),
            Format::Json | Format::Ndjson => Styles::None,
        };
        let text = safe(&text, styles);
        if screen::print_above(Stream::Out, &text) {
            return Ok(());
        }
        let began = Instant::now();
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        blocked_output::record(began.elapsed());
        written.map_err(not_written)
    }

    /// Writes the result of a check, and returns its exit code, which counts even if nobody reads
    /// the output.
    pub(crate) fn verdict(&self, report: &impl Report, exit: Exit) -> Result<Exit, Failure> {
        match self.report(report) {
            Err(failure) if failure.exit != Exit::Ok => Err(failure),
            _ => Ok(exit),
        }
    }

    /// Writes a note to standard error, unless `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.write_stderr(text);
        }
    }

    /// Writes a notice to standard error as text, unless `--quiet`.
    pub(crate) fn notice(&self, notice: &impl Report) {
        if !self.quiet {
            self.write_stderr(&notice.text(self.err));
        }
    }

    /// Writes a warning to standard error, unless `--quiet`.
    pub(crate) fn warning(&self, text: &str) {
        self.note(&format!("{} {text}", self.err.warn("warning:")));
    }

    /// Writes lines that belong to the result, for people, to standard output.
    pub(crate) fn lines(&self, text: &str) {
        let text = safe(text, self.out.styles());
        // The result counts even if nobody reads it.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// Returns the colours of standard output.
    pub(crate) fn paint(&self) -> Paint {
        self.out
    }

    /// Returns true if results are written as text.
    pub(crate) fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// Returns true if a report of several parts is written as one document.
    pub(crate) fn is_document(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes a note to standard error, only if `--verbose`.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.write_stderr(&self.err.dim(text));
        }
    }

    /// Writes why the command failed, and the hint if there is one.
    pub(crate) fn failure(&self, failure: &Failure) {
        // Both quote texts of others, which may neither begin a line nor bring styles.
        let chain = failure.chain();
        let error = self.err.bad("error:");
        self.write_stderr(&format!("{error} {}", one_line(&chain)));
        if let Some(excerpt) = &failure.excerpt {
            self.write_stderr(&safe(excerpt, Styles::None));
        }
        if let Some(hint) = &failure.hint {
            let label = self.err.name("hint:");
            self.write_stderr(&format!("{label} {}", safe(hint, Styles::None)));
        }
    }

    /// Returns true if a progress display would be visible.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    fn write_stderr(&self, text: &str) {
        let text = safe(text, self.err.styles());
        if !screen::print_above(Stream::Err, &text) {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }
}

/// Shows an answer to a key above the edited line; without such a line, nothing.
pub(crate) fn show_aside(text: &str) {
    screen::print_above(Stream::Out, &safe(text, Styles::None));
}

/// Writes a document, as it is, to standard output.
///
/// # Errors
/// Returns [`Failure::output_closed`] if the reader has closed the pipe, and another failure if the
/// write fails otherwise.
pub(crate) fn print_document(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(not_written)
}

/// Returns the failure of a write to standard output.
fn not_written(error: std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::output_closed(),
        _ => Failure::new(Exit::Failed, "standard output cannot be written").caused_by(error),
    }
}

fn json(written: serde_json::Result<String>) -> Result<String, Failure> {
    written.map_err(|error| {
        Failure::new(Exit::Failed, "the result cannot be written as JSON").caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_unless_an_option_decides() {
        assert!(Color::Auto.is_on(true, false));
        assert!(!Color::Auto.is_on(true, true));
        assert!(!Color::Auto.is_on(false, false));
        assert!(Color::Always.is_on(false, true));
        assert!(!Color::Never.is_on(true, false));
    }

    #[test]
    fn plain_paint_leaves_text_alone() {
        assert_eq!(Paint::PLAIN.bad("text"), "text");
        assert_ne!(Paint { on: true }.bad("text"), "text");
    }
}
