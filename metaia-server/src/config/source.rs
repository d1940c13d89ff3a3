//! The sources of settings: flags, then the environment, then `.env` in the current folder.

use std::{collections::BTreeMap, env, fmt, path::Path};

use nix::unistd::Uid;

use super::{
    dot_env::{DotEnv, Reread},
    problem::ConfigProblem,
};
use crate::auth::untrusted::Untrusted;

/// The source of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Environment,
    DotEnv,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::DotEnv => ".env",
            Self::Default => "default",
        })
    }
}

/// The values of each source, by name.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(super) flags: BTreeMap<String, String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) dot_env: DotEnv,
    pub(super) problems: Vec<ConfigProblem>,
    /// The reason why the settings of `.env` cannot be trusted, if there is one.
    pub(super) untrusted_dot_env: Option<Untrusted>,
}

impl Sources {
    /// Reads the sources of this process.
    pub(crate) fn of_process(flags: BTreeMap<String, String>) -> Self {
        let mut sources = Self {
            flags,
            ..Self::default()
        };
        for (name, value) in env::vars_os() {
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => {
                    sources.environment.insert(name, value);
                }
                Err(_) if is_setting(&name) => {
                    sources
                        .problems
                        .push(ConfigProblem::new(name, "is not UTF-8"));
                }
                // A variable of another program.
                Err(_) => {}
            }
        }
        let dot_env = Path::new(".env");
        sources.untrusted_dot_env = untrusted(dot_env);
        match metaia_dotenv::read_text(dot_env) {
            Ok(text) => sources.parse_dot_env(&text),
            Err(error) => sources.problems.push(ConfigProblem::new(
                ".env",
                format!("cannot be read: {error}"),
            )),
        }
        sources
    }

    /// Returns sources that consist of flags alone.
    #[cfg(test)]
    pub(crate) fn from_flags(flags: BTreeMap<String, String>) -> Self {
        Self {
            flags,
            ..Self::default()
        }
    }

    /// Returns the value of a setting, from the first source that has one.
    ///
    /// An empty value counts as not set: compose files pass a missing variable as an empty one.
    pub(super) fn find(&self, name: &str) -> Option<(&str, Origin)> {
        let sources = [
            (&self.flags, Origin::Flag),
            (&self.environment, Origin::Environment),
            (self.dot_env.values(), Origin::DotEnv),
        ];
        for (values, origin) in sources {
            if let Some(value) = values.get(name).filter(|value| !value.is_empty()) {
                return Some((value, origin));
            }
        }
        None
    }

    /// Reads the text of a `.env` file.
    pub(super) fn parse_dot_env(&mut self, text: &str) {
        self.dot_env = DotEnv::parse(text);
    }

    /// Returns a notice for each setting that `.env` sets to another value than in the version
    /// before.
    pub(super) fn notices(&self) -> Vec<String> {
        let is_overridden = |name: &str| {
            let origin = self.find(name).map(|(_, origin)| origin);
            matches!(origin, Some(Origin::Flag | Origin::Environment))
        };
        let reread = self.dot_env.reread().iter();
        let reread = reread.filter(|one| is_setting(&one.name) && !is_overridden(&one.name));
        reread.map(Reread::notice).collect()
    }
}

/// Returns why the content of a file cannot be trusted. A missing file has none.
fn untrusted(file: &Path) -> Option<Untrusted> {
    Untrusted::of(file, Uid::effective().as_raw())
}

/// Returns the problem of a file that a setting names, if its content cannot be trusted.
pub(super) fn untrusted_file(setting: &str, file: &Path) -> Option<ConfigProblem> {
    let reason = format!("{file:?}: {}", untrusted(file)?);
    Some(ConfigProblem::new(setting, reason))
}

fn is_setting(name: &str) -> bool {
    let names = [
        "PORT",
        "NODE_ENV",
        "CORS_ORIGINS",
        "MONGODB_URI",
        "REDIS_URL",
        "RUST_LOG",
    ];
    let prefixes = ["METAIA_", "JWT_", "JWKS_", "RAZORPAY_"];
    names.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}
