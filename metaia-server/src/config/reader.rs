//! Reads settings one by one, and notes each with its origin, and everything that is wrong with
//! them.

use super::source::{Origin, Sources};
use crate::auth::secrets::Secret;

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) name: String,
    pub(crate) what: String,
}

impl Problem {
    pub(super) fn new(name: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            what: what.into(),
        }
    }
}

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
    pub(super) problems: Vec<Problem>,
    /// Set, well-formed, and without effect in this version.
    pub(super) unused: Vec<&'static str>,
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

    /// A setting with a default, which also stands in where the given text cannot be read, so that
    /// the rest of the reading goes on.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, String>,
        fallback: T,
    ) -> T {
        let (text, origin) = self
            .sources
            .find(name)
            .unwrap_or((default, Origin::Default));
        let text = text.to_owned();
        self.note(name, text.clone(), origin);
        parse(text.trim()).unwrap_or_else(|what| {
            self.problem(name, format!("{}: {what}", quoted(&text)));
            fallback
        })
    }

    /// A setting that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.sources.find(name).is_some() {
            return self.read(name, "", |text| parse(text).map(Some), None);
        }
        self.note(name, "-".to_owned(), Origin::Default);
        None
    }

    /// A setting that may be absent, and whose text is not shown, for a part of it may be secret.
    pub(super) fn unshown<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.secret(name)?;
        parse(text.expose().trim())
            .map_err(|what| self.problem(name, what))
            .ok()
    }

    /// A secret that may be absent. It is taken as it is, blanks included.
    pub(super) fn secret(&mut self, name: &'static str) -> Option<Secret> {
        let found = self
            .sources
            .find(name)
            .map(|(text, origin)| (Secret::from(text), origin));
        let (shown, origin) = match &found {
            Some((secret, origin)) => (
                format!("******** ({} bytes)", secret.as_bytes().len()),
                *origin,
            ),
            None => ("-".to_owned(), Origin::Default),
        };
        self.note(name, shown, origin);
        found.map(|(secret, _)| secret)
    }

    /// Secrets, separated by commas.
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

    /// A variable that another version uses: well-formed it is ignored, with a warning.
    pub(super) fn unused<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) {
        let Some((text, _)) = self.sources.find(name) else {
            return;
        };
        match parse(text.trim()) {
            Ok(_) => self.unused.push(name),
            Err(what) => self.problem(name, what),
        }
    }

    /// Notes what a setting became where that is not the text that was given.
    pub(super) fn show(&mut self, name: &str, shown: impl Into<String>) {
        if let Some(setting) = self
            .settings
            .iter_mut()
            .find(|setting| setting.name == name)
        {
            setting.shown = shown.into();
        }
    }

    pub(super) fn problem(&mut self, name: &str, what: impl Into<String>) {
        self.problems.push(Problem::new(name, what));
    }

    fn note(&mut self, name: &'static str, shown: String, origin: Origin) {
        self.settings.push(Setting {
            name,
            shown,
            origin,
        });
    }
}

/// Enough of a bad value to recognise it, on one line.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    format!("{short:?}")
}
