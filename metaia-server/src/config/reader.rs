//! Reads settings one by one. Notes each with its origin, and every problem.

use super::{
    problem::ConfigProblem,
    source::{Origin, Sources},
};
use crate::auth::secrets::Secret;

/// The number of characters of a bad value that an error repeats.
const MAX_QUOTED_CHARS: usize = 60;

/// A setting as it is shown: never the text of a secret.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) shown: String,
    pub(crate) origin: Origin,
}

#[derive(Debug, Default)]
pub(super) struct Reader {
    sources: Sources,
    pub(super) settings: Vec<Setting>,
    pub(super) problems: Vec<ConfigProblem>,
}

impl Reader {
    pub(super) fn new(mut sources: Sources) -> Self {
        let problems = std::mem::take(&mut sources.problems);
        Self {
            sources,
            problems,
            ..Self::default()
        }
    }

    /// Reads a setting that has a default.
    ///
    /// If the given text cannot be parsed, notes a problem and returns the default, so that the
    /// remaining settings are checked, too.
    ///
    /// # Panics
    /// If the default cannot be parsed, which the tests rule out.
    #[allow(
        clippy::expect_used,
        reason = "defaults are constants, and a test parses each of them"
    )]
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let given = if self.is_set(name) {
            self.given(name, &parse)
        } else {
            self.note(name, default.to_owned(), Origin::Default);
            None
        };
        given.unwrap_or_else(|| parse(default).expect("a valid default"))
    }

    /// Reads a setting that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.is_set(name) {
            return self.given(name, parse);
        }
        self.note(name, "-".to_owned(), Origin::Default);
        None
    }

    /// Reads a setting that may be absent, and whose text is not shown because a part of it may be
    /// secret.
    pub(super) fn masked<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.secret(name)?;
        match parse(text.expose().trim()) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.problem(name, reason);
                None
            }
        }
    }

    /// Reads a secret that may be absent. It is taken as it is, blanks included.
    pub(super) fn secret(&mut self, name: &'static str) -> Option<Secret> {
        let Some((text, origin)) = self.sources.find(name) else {
            self.note(name, "-".to_owned(), Origin::Default);
            return None;
        };
        let secret = Secret::from(text);
        let shown = format!("******** ({} bytes)", secret.as_bytes().len());
        self.note(name, shown, origin);
        Some(secret)
    }

    /// Reads secrets that are separated by commas.
    pub(super) fn secrets(&mut self, name: &'static str) -> Vec<Secret> {
        let Some(all) = self.secret(name) else {
            return Vec::new();
        };
        all.expose()
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(Secret::from)
            .collect()
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.sources.find(name).is_some()
    }

    /// Replaces the text that is shown for a setting.
    pub(super) fn show(&mut self, name: &str, shown: impl Into<String>) {
        let setting = self
            .settings
            .iter_mut()
            .find(|setting| setting.name == name);
        if let Some(setting) = setting {
            setting.shown = shown.into();
        }
    }

    pub(super) fn problem(&mut self, name: &str, reason: impl Into<String>) {
        self.problems.push(ConfigProblem::new(name, reason));
    }

    /// Reads and notes a setting that is set. If its text cannot be parsed, notes a problem and
    /// returns `None`.
    fn given<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (text, origin) = self.sources.find(name)?;
        let text = text.to_owned();
        self.note(name, text.clone(), origin);
        match parse(text.trim()) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.problem(name, format!("{}: {reason}", quoted(&text)));
                None
            }
        }
    }

    fn note(&mut self, name: &'static str, shown: String, origin: Origin) {
        self.settings.push(Setting {
            name,
            shown,
            origin,
        });
    }
}

/// Quotes the beginning of a bad value, on one line.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(MAX_QUOTED_CHARS).collect();
    format!("{short:?}")
}
