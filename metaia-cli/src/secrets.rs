//! Secrets and settings: from the environment, `.env` in the working folder, or the server's data
//! folder.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// The beginnings of the names of settings.
const PREFIXES: [&str; 3] = ["METAIA_", "JWT_", "RAZORPAY_"];

/// Settings of the environment, and of `.env` for names that the environment lacks.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    environment: HashMap<String, String>,
    dotenv: HashMap<String, String>,
}

impl Settings {
    /// Reads the environment, and `.env` if it exists, as the server reads them.
    pub(crate) fn load() -> Result<Self, Failure> {
        let text = metaia_dotenv::read_text(Path::new(".env"))
            .map_err(|error| Failure::usage(".env cannot be read").caused_by(error))?;
        Self::from_parts(std::env::vars_os(), &text)
    }

    fn from_parts(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        dotenv: &str,
    ) -> Result<Self, Failure> {
        let mut settings = Self::default();
        for variable in metaia_dotenv::parse(dotenv) {
            settings.dotenv.insert(variable.name, variable.value);
        }
        for (name, value) in environment {
            // Other names are those of other programs.
            if let Some(name) = name.to_str().filter(|name| is_setting(name)) {
                let value = value.into_string().map_err(|_| not_utf8(name))?;
                settings.environment.insert(name.to_owned(), value);
            }
        }
        Ok(settings)
    }

    /// Returns a setting. An empty one counts as unset: compose files pass a missing variable as an
    /// empty one.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        let sources = [&self.environment, &self.dotenv];
        let mut values = sources.into_iter().filter_map(|source| source.get(name));
        values.find(|value| !value.is_empty()).cloned()
    }

    /// Returns whether the environment has a value for this setting, which wins over `.env`.
    pub(crate) fn is_in_environment(&self, name: &str) -> bool {
        let value = self.environment.get(name);
        value.is_some_and(|value| !value.is_empty())
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

    /// Returns the secrets to compare a signature with. If the server's present one is not known,
    /// there are none: with the old ones alone, a good token would look like a forged one.
    pub(crate) fn jwt_secrets_to_compare(&self) -> Vec<String> {
        match self.jwt_secret() {
            Ok(_) => self.accepted_jwt_secrets(),
            Err(_) => Vec::new(),
        }
    }

    /// Returns the place of these secrets.
    pub(crate) fn jwt_secrets_from(&self) -> String {
        let present = match self.find("JWT_SECRET") {
            Some(_) => "JWT_SECRET",
            None => "the secret of the server's data folder",
        };
        match self.find("JWT_SECRETS_OLD") {
            Some(_) => format!("{present} and JWT_SECRETS_OLD"),
            None => present.to_owned(),
        }
    }

    /// Returns the payment provider's key secret.
    pub(crate) fn payment_secret(&self) -> Result<String, Failure> {
        self.secret("RAZORPAY_KEY_SECRET", "razorpay-secret")
    }

    /// Returns the secret that the payment provider signs its webhooks with. With the built-in test
    /// provider, it is the key secret unless it is set.
    pub(crate) fn webhook_secret(&self) -> Result<String, Failure> {
        match self.find("RAZORPAY_WEBHOOK_SECRET") {
            Some(secret) => Ok(secret),
            None => self.payment_secret(),
        }
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

fn is_setting(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Reports a variable without its value, which may be a secret.
fn not_utf8(name: &str) -> Failure {
    Failure::usage(format!("the variable {name} is not UTF-8"))
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
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn settings(entries: &[(&str, &str)]) -> Settings {
        let lines = entries.iter();
        let lines = lines.map(|(name, value)| format!("{name}='{value}'\n"));
        Settings::from_parts([], &lines.collect::<String>()).unwrap()
    }

    fn variables(variables: &[(&str, &[u8])]) -> Vec<(OsString, OsString)> {
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| {
            let value = OsString::from_vec(value.to_vec());
            (OsString::from(*name), value)
        });
        variables.collect()
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
        assert_eq!(settings(&[("METAIA_URL", "")]).find("METAIA_URL"), None);
    }

    #[test]
    fn the_environment_wins_over_dotenv_unless_it_is_empty() {
        let environment = variables(&[("JWT_SECRET", b""), ("METAIA_URL", b"from-environment")]);
        let text = "JWT_SECRET=from-dotenv\nMETAIA_URL=from-dotenv\nMETAIA_TOKEN=from-dotenv";
        let settings = Settings::from_parts(environment, text).unwrap();
        assert_eq!(settings.jwt_secret().unwrap(), "from-dotenv");
        assert_eq!(settings.find("METAIA_URL").unwrap(), "from-environment");
        assert_eq!(settings.find("METAIA_TOKEN").unwrap(), "from-dotenv");
        assert!(settings.is_in_environment("METAIA_URL"));
        assert!(!settings.is_in_environment("JWT_SECRET"));
        assert!(!settings.is_in_environment("METAIA_TOKEN"));
    }

    #[test]
    fn a_setting_that_is_not_utf8_is_reported() {
        let environment = variables(&[("JWT_SECRET", b"hush\xff")]);
        let failure = Settings::from_parts(environment, "JWT_SECRET=other").unwrap_err();
        assert_eq!(failure.chain(), "the variable JWT_SECRET is not UTF-8");
        let of_others = variables(&[("LS_COLORS", b"\xff"), ("JWT_SECRET", b"x")]);
        assert!(Settings::from_parts(of_others, "").is_ok());
    }
}
