//! Where secrets and settings come from: the environment, `.env` here, the server's data folder.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// The environment, with `.env` of the working folder behind it.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    dotenv: HashMap<String, String>,
}

impl Settings {
    /// Reads `.env` where there is one.
    pub(crate) fn load() -> Result<Self, Failure> {
        match dotenvy::from_path_iter(".env").and_then(Iterator::collect) {
            Ok(dotenv) => Ok(Self { dotenv }),
            Err(error) if error.not_found() => Ok(Self::default()),
            // The error would show the line, and with it what is perhaps a secret.
            Err(dotenvy::Error::LineParse(..)) => {
                Err(Failure::usage(".env has a line that is not NAME=VALUE"))
            }
            Err(error) => Err(Failure::usage(".env cannot be read").caused_by(error)),
        }
    }

    /// A setting; an empty one counts as none.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        let value = std::env::var(name)
            .ok()
            .or_else(|| self.dotenv.get(name).cloned());
        value.filter(|value| !value.is_empty())
    }

    /// The secret that tokens are signed with.
    pub(crate) fn jwt_secret(&self) -> Result<String, Failure> {
        self.secret("JWT_SECRET", "jwt-secret")
    }

    /// The key secret of the payment provider.
    pub(crate) fn payment_secret(&self) -> Result<String, Failure> {
        self.secret("RAZORPAY_KEY_SECRET", "razorpay-secret")
    }

    fn secret(&self, name: &str, file: &str) -> Result<String, Failure> {
        if let Some(secret) = self.find(name) {
            return Ok(secret);
        }
        let path = self.data_folder().join(file);
        read(&path).ok_or_else(|| missing(name, &path))
    }

    fn data_folder(&self) -> PathBuf {
        self.find("METAIA_DATA")
            .unwrap_or_else(|| "./metaia-data".to_owned())
            .into()
    }
}

fn read(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|secret| !secret.is_empty())
}

fn missing(name: &str, path: &Path) -> Failure {
    Failure::usage(format!("there is no secret: {name} is not set and {} is not there", path.display())).hint(
        format!(
            "set {name}, or run this where the server was started, or set METAIA_DATA to its data folder"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(entries: &[(&str, &str)]) -> Settings {
        Settings {
            dotenv: entries
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_secret_in_a_file_is_trimmed() {
        let folder = std::env::temp_dir().join(format!("metaia-secrets-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("razorpay-secret"), "from-the-file\n").unwrap();
        let settings = settings(&[("METAIA_DATA", folder.to_str().unwrap())]);
        assert_eq!(settings.payment_secret().unwrap(), "from-the-file");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_missing_secret_says_where_it_was_looked_for() {
        let settings = settings(&[("METAIA_DATA", "nowhere")]);
        let failure = settings.payment_secret().unwrap_err();
        insta::assert_snapshot!(failure.chain(), @"there is no secret: RAZORPAY_KEY_SECRET is not set and nowhere/razorpay-secret is not there");
        assert!(failure.hint.unwrap().contains("METAIA_DATA"));
    }

    #[test]
    fn an_empty_setting_is_none() {
        assert_eq!(
            settings(&[("METAIA_TEST_EMPTY", "")]).find("METAIA_TEST_EMPTY"),
            None
        );
    }
}
