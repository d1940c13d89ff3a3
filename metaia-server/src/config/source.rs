//! Where settings come from: flags, then the environment, then `.env` in the current folder.

use std::{collections::BTreeMap, env, fmt, fs, io, path::Path};

use super::Problem;

/// Where a value was found.
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

/// All values by name, from each source.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(super) flags: BTreeMap<String, String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) dot_env: BTreeMap<String, String>,
    pub(super) problems: Vec<Problem>,
}

impl Sources {
    /// What this process was started with.
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
                Err(_) if is_ours(&name) => {
                    sources.problems.push(Problem::new(name, "is not UTF-8"))
                }
                Err(_) => {}
            }
        }
        sources.read_dot_env(Path::new(".env"));
        sources
    }

    /// Flags and nothing else.
    #[cfg(test)]
    pub(crate) fn of_flags(flags: BTreeMap<String, String>) -> Self {
        Self {
            flags,
            ..Self::default()
        }
    }

    /// A variable that is set to nothing is not set: that is what compose files make of a missing
    /// one.
    pub(super) fn find(&self, name: &str) -> Option<(&str, Origin)> {
        let places = [
            (&self.flags, Origin::Flag),
            (&self.environment, Origin::Environment),
            (&self.dot_env, Origin::DotEnv),
        ];
        places.into_iter().find_map(|(values, origin)| {
            values
                .get(name)
                .filter(|value| !value.is_empty())
                .map(|value| (value.as_str(), origin))
        })
    }

    fn read_dot_env(&mut self, path: &Path) {
        match fs::read_to_string(path) {
            Ok(text) => self.parse_dot_env(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self
                .problems
                .push(Problem::new(".env", format!("cannot be read: {error}"))),
        }
    }

    /// The last of several lines for one name counts, as it did for the backend before this one.
    pub(super) fn parse_dot_env(&mut self, text: &str) {
        let text = text.trim_start_matches('\u{feff}');
        for line in dotenvy::from_read_iter(text.as_bytes()) {
            match line {
                Ok((name, value)) => {
                    self.dot_env.insert(name, value);
                }
                // The text of the error quotes the line, which may be a secret.
                Err(_) => {
                    let name = text
                        .lines()
                        .find(|line| !reads(line))
                        .and_then(name_of)
                        .unwrap_or("a line");
                    self.problems.push(Problem::new(
                        ".env",
                        format!("{name} cannot be read: quote its value"),
                    ));
                    return;
                }
            }
        }
    }
}

fn is_ours(name: &str) -> bool {
    let named = [
        "PORT",
        "NODE_ENV",
        "CORS_ORIGINS",
        "MONGODB_URI",
        "REDIS_URL",
        "RUST_LOG",
    ];
    named.contains(&name)
        || ["METAIA_", "JWT_", "JWKS_", "RAZORPAY_"]
            .iter()
            .any(|ours| name.starts_with(ours))
}

fn reads(line: &str) -> bool {
    dotenvy::from_read_iter(line.as_bytes()).all(|read| read.is_ok())
}

fn name_of(line: &str) -> Option<&str> {
    line.split_once('=').map(|(name, _)| name.trim())
}
