//! Everything that is printed: data on standard output, talk on standard error.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use clap::ValueEnum;
use console::Style;
use serde::Serialize;

use crate::exit::Failure;

/// How data are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// Indented JSON, one document per report
    Json,
    /// One JSON object per line
    Ndjson,
}

/// When colour is used.
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

/// What a command found out, for people and for programs.
pub(crate) trait Report: Serialize {
    /// One or more lines without a newline at the end. Understandable without colour.
    fn text(&self, paint: Paint) -> String;
}

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { on: false };

    fn apply(self, style: Style, text: &str) -> String {
        style.force_styling(self.on).apply_to(text).to_string()
    }

    pub(crate) fn name(self, text: &str) -> String {
        self.apply(Style::new().cyan().bold(), text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.apply(Style::new().dim(), text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.apply(Style::new().green(), text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.apply(Style::new().red().bold(), text)
    }
}

/// The one way to both streams. A failed write to standard error is nobody's business; one to
/// standard output ends the command.
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

    /// Writes data.
    pub(crate) fn report(&self, report: &impl Report) -> Result<(), Failure> {
        let text = match self.format {
            Format::Text => report.text(self.out),
            Format::Json => json(serde_json::to_string_pretty(report))?,
            Format::Ndjson => json(serde_json::to_string(report))?,
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}")
            .and_then(|()| out.flush())
            .map_err(|error| match error.kind() {
                ErrorKind::BrokenPipe => Failure::nobody_reads(),
                _ => Failure::new(
                    crate::exit::Exit::Failed,
                    "standard output cannot be written",
                )
                .caused_by(error),
            })
    }

    /// Says something to the person in front of the terminal.
    pub(crate) fn talk(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Says something only with `-v`.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.say(&self.err.dim(text));
        }
    }

    /// Says why the command failed, and what to do about it.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.say(&format!("{} {}", self.err.bad("error:"), failure.chain()));
        if let Some(hint) = &failure.hint {
            self.say(&format!("{} {hint}", self.err.name("hint:")));
        }
    }

    /// Whether a progress display would be seen.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    #[allow(clippy::unused_self, reason = "only the printer writes")]
    fn say(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

fn json(written: serde_json::Result<String>) -> Result<String, Failure> {
    written.map_err(|error| {
        Failure::new(crate::exit::Exit::Failed, "the report is not JSON").caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_unless_somebody_says_otherwise() {
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
