//! Secrets and settings: from the environment, `.env` in the working folder, or the server's data
//! folder.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// Settings of the environment, and of `.env` for names that the environment lacks.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    dotenv: HashMap<String, String>,
}

impl Settings {
    /// Reads `.env` if it exists, as the server reads it.
    pub(crate) fn load() -> Result<Self, Failure> {
        let text = metaia_dotenv::read_text(Path::new(".env"))
            .map_err(|error| Failure::usage(".env cannot be read").caused_by(error))?;
        let variables = metaia_dotenv::parse(&text).into_iter();
        let dotenv = variables.map(|variable| (variable.name, variable.value));
        Ok(Self {
            dotenv: dotenv.collect(),
        })
    }

    /// Returns a setting; an empty one counts as unset.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        let value = std::env::var(name)
            .ok()
            .or_else(|| self.dotenv.get(name).cloned());
        value.filter(|value| !value.is_empty())
    }

    /// Returns the secret that tokens are signed with.
    pub(crate) fn jwt_secret(&self) -> Result<String, Failure> {
        self.secret("JWT_SECRET", "jwt-secret")
    }

    /// Returns every secret that the server accepts tokens with: the present one, and those of
    /// `JWT_SECRETS_OLD`. There are none if none is known here.
    pub(crate) fn accepted_jwt_secrets(&self) -> Vec<String> {
        let old = self.find("JWT_SECRETS_OLD").unwrap_or_default();
        let old = old.split(',').map(str::trim).map(str::to_owned);
        let present = self.jwt_secret().ok().into_iter();
        present
            .chain(old)
            .filter(|secret| !secret.is_empty())
            .collect()
    }

    /// Returns the payment provider's key secret.
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
    let secret = text.trim();
    if secret.is_empty() {
        return None;
    }
    Some(secret.to_owned())
}

fn missing(name: &str, path: &Path) -> Failure {
    let path = path.display();
    Failure::usage(format!(
        "no secret found: {name} is not set and {path} does not exist or is empty"
    ))
    .hint(format!(
        "set {name}, or run this command in the folder in which the server was started, \
         or set METAIA_DATA to the server's data folder"
    ))
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
    fn a_missing_secret_names_the_variable_and_the_file() {
        let settings = settings(&[("METAIA_DATA", "nowhere")]);
        let failure = settings.payment_secret().unwrap_err();
        let expected = "no secret found: RAZORPAY_KEY_SECRET is not set \
                        and nowhere/razorpay-secret does not exist or is empty";
        assert_eq!(failure.chain(), expected);
        assert!(failure.hint.unwrap().contains("METAIA_DATA"));
    }

    #[test]
    fn tokens_are_accepted_with_the_present_and_the_old_secrets() {
        let settings = settings(&[("JWT_SECRET", "new"), ("JWT_SECRETS_OLD", "a, b,,")]);
        assert_eq!(settings.accepted_jwt_secrets(), ["new", "a", "b"]);
    }

    #[test]
    fn an_empty_setting_counts_as_unset() {
        assert_eq!(
            settings(&[("METAIA_TEST_EMPTY", "")]).find("METAIA_TEST_EMPTY"),
            None
        );
    }
}
