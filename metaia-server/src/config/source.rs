//! The sources of settings: flags, then the environment, then `.env` in the current folder.

use std::{collections::BTreeMap, env, fmt, fs, io, path::Path};

use super::problem::ConfigProblem;

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
    pub(super) dot_env: BTreeMap<String, String>,
    pub(super) problems: Vec<ConfigProblem>,
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
        sources.read_dot_env(Path::new(".env"));
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
            (&self.dot_env, Origin::DotEnv),
        ];
        for (values, origin) in sources {
            if let Some(value) = values.get(name).filter(|value| !value.is_empty()) {
                return Some((value, origin));
            }
        }
        None
    }

    fn read_dot_env(&mut self, path: &Path) {
        match fs::read_to_string(path) {
            Ok(text) => self.parse_dot_env(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.problems.push(ConfigProblem::new(
                ".env",
                format!("cannot be read: {error}"),
            )),
        }
    }

    /// Parses the text of a `.env` file. The last of several lines for one name counts, as it did
    /// for the old backend.
    pub(super) fn parse_dot_env(&mut self, text: &str) {
        let text = text.trim_start_matches('\u{feff}');
        for line in dotenvy::from_read_iter(text.as_bytes()) {
            match line {
                Ok((name, value)) => {
                    self.dot_env.insert(name, value);
                }
                // The text of the error quotes the line, which may hold a secret: name only the
                // variable.
                Err(_) => {
                    let name = first_unreadable_name(text).unwrap_or("a line");
                    let reason = format!("{name} cannot be read: quote its value");
                    self.problems.push(ConfigProblem::new(".env", reason));
                    return;
                }
            }
        }
    }
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

fn first_unreadable_name(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| !is_readable(line))?;
    let (name, _) = line.split_once('=')?;
    Some(name.trim())
}

fn is_readable(line: &str) -> bool {
    dotenvy::from_read_iter(line.as_bytes()).all(|read| read.is_ok())
}
