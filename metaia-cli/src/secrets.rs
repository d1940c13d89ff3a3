//! Secrets and settings: from the environment, the context in use, `.env` in the working folder, or
//! the server's data folder. [`places`] is their order.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::bounded_file::{ByteLimit, text_of_file};
use crate::contexts::{
    CONTEXT_VARIABLE, ChosenBy, Secret, ServerContext, URL_VARIABLE, ValuePlace, places,
};
use crate::exit::Failure;
use crate::terminal::one_line;

/// The beginnings of the names of settings.
const PREFIXES: [&str; 3] = ["METAIA_", "JWT_", "RAZORPAY_"];

/// The variable with the key of a backend.
pub(crate) const API_KEY_VARIABLE: &str = "METAIA_API_KEY";

const DOT_ENV_HINT: &str =
    "metaia reads .env of the folder that it runs in: run it in another one, or remove .env";

/// The data folder of a server that was started in the working folder.
const DATA_FOLDER: &str = "./metaia-data";

/// Settings of the environment, and of `.env` for names that the environment lacks, or of the
/// context in use.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    environment: HashMap<String, String>,
    dotenv: HashMap<String, String>,
    context: Option<(ServerContext, ChosenBy)>,
}

impl Settings {
    /// Reads the environment, and `.env` if it exists, as the server reads them.
    pub(crate) fn load() -> Result<Self, Failure> {
        let text = metaia_dotenv::read_text(Path::new(".env")).map_err(|error| {
            Failure::usage(".env cannot be read")
                .caused_by(error)
                .hint(DOT_ENV_HINT)
        })?;
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

    /// Returns the settings of a `.env` with these lines.
    #[cfg(test)]
    pub(crate) fn of_dot_env(entries: &[(&str, &str)]) -> Self {
        let lines = entries.iter();
        let lines = lines.map(|(name, value)| format!("{name}='{value}'\n"));
        Self::from_parts([], &lines.collect::<String>()).unwrap_or_default()
    }

    /// Takes the context in use.
    pub(crate) fn with_context(self, context: ServerContext, by: ChosenBy) -> Self {
        Self {
            context: Some((context, by)),
            ..self
        }
    }

    /// Leaves out a variable of the environment.
    pub(crate) fn without_variable(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Returns the context in use.
    pub(crate) fn context(&self) -> Option<&ServerContext> {
        self.context.as_ref().map(|(context, _)| context)
    }

    /// Returns the place that names the context in use.
    pub(crate) fn chosen_by(&self) -> Option<ChosenBy> {
        self.context.as_ref().map(|(_, by)| *by)
    }

    /// Returns a setting of the environment or of `.env`, unless the context in use comes before
    /// it. An empty one counts as unset: compose files pass a missing variable as an empty one.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        self.find_with_place(name).map(|(value, _)| value)
    }

    /// Returns a setting with its place.
    pub(crate) fn find_with_place(&self, name: &str) -> Option<(String, ValuePlace)> {
        let places = places(self.chosen_by());
        let found = places
            .iter()
            .find_map(|place| Some((self.value_in(*place, name)?, *place)))?;
        Some(found)
    }

    /// Returns the value that the environment or `.env` has, even if it is not used.
    pub(crate) fn value_in(&self, place: ValuePlace, name: &str) -> Option<String> {
        let value = match place {
            ValuePlace::Environment => self.environment.get(name),
            ValuePlace::DotEnv => self.dotenv.get(name),
            ValuePlace::Option | ValuePlace::Context | ValuePlace::Default => None,
        };
        value.filter(|value| !value.is_empty()).cloned()
    }

    /// Returns the payment provider's key secret.
    pub(crate) fn payment_secret(&self) -> Result<String, Failure> {
        let of_context = self.of_context("razorpay_key_secret");
        self.secret("RAZORPAY_KEY_SECRET", "razorpay-secret", of_context)
    }

    /// Returns the secret that the payment provider signs its webhooks with. With the built-in test
    /// provider, it is the key secret unless it is set.
    pub(crate) fn webhook_secret(&self) -> Result<String, Failure> {
        let of_context = self.of_context("razorpay_webhook_secret");
        match self.value("RAZORPAY_WEBHOOK_SECRET", of_context)? {
            Some(secret) => Ok(secret),
            None => self.payment_secret(),
        }
    }

    /// Returns the key of a backend.
    pub(crate) fn api_key(&self) -> Result<Option<String>, Failure> {
        self.value(API_KEY_VARIABLE, self.of_context("api_key"))
    }

    /// Returns the value of a variable; otherwise the secret of the context in use. Of both, the
    /// variable wins where it is used at all.
    fn value(&self, name: &str, secret: Option<&Secret>) -> Result<Option<String>, Failure> {
        match self.find(name) {
            Some(value) => Ok(Some(value)),
            None => secret.map(Secret::read).transpose(),
        }
    }

    /// Returns a secret of the context in use.
    pub(crate) fn of_context(&self, member: &str) -> Option<&Secret> {
        let secrets = self.context()?.secrets();
        let found = secrets.into_iter().find(|(name, _)| name == member);
        found.map(|(_, secret)| secret)
    }

    /// Returns the value of a variable; otherwise the secret of the context in use; otherwise that
    /// of a file in the data folder.
    pub(crate) fn secret(
        &self,
        name: &str,
        file: &str,
        secret: Option<&Secret>,
    ) -> Result<String, Failure> {
        if let Some(secret) = self.value(name, secret)? {
            return Ok(secret);
        }
        self.in_data_folder(file)
            .map_err(|path| match self.context() {
                Some(context) => missing_in_context(context, name, path.as_deref()),
                None => self.missing(name, &path.unwrap_or_default()),
            })
    }

    /// Reports a secret that is in no place. A context that is named and not in use may have it.
    fn missing(&self, name: &str, path: &Path) -> Failure {
        let failure = missing(name, path);
        let unused = self.find(CONTEXT_VARIABLE);
        match unused.filter(|_| self.find(URL_VARIABLE).is_some()) {
            Some(context) => failure.hint(format!(
                "METAIA_URL names the server, so the context {} of METAIA_CONTEXT is not in use: \
                 --context uses it, or set {name}",
                one_line(&context)
            )),
            None => failure,
        }
    }

    /// Returns the secret of a file in the data folder. Otherwise the error is the path of the
    /// file; `None` if the context in use names no data folder.
    pub(crate) fn in_data_folder(&self, file: &str) -> Result<String, Option<PathBuf>> {
        let path = self.data_folder().ok_or(None)?.join(file);
        read(&path).ok_or(Some(path))
    }

    /// Returns the data folder. The one in the working folder is that of a server of this machine,
    /// so it is none of a context.
    pub(crate) fn data_folder(&self) -> Option<PathBuf> {
        if let Some(path) = self.find("METAIA_DATA") {
            return Some(path.into());
        }
        match self.context() {
            Some(context) => context.data.clone(),
            None => Some(DATA_FOLDER.into()),
        }
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
    let text = text_of_file(path, ByteLimit::SECRET).ok()?;
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

/// Reports the members that the context in use would need.
fn missing_in_context(context: &ServerContext, name: &str, path: Option<&Path>) -> Failure {
    let member = match name {
        "JWT_SECRET" => "jwt_secret",
        _ => "razorpay_key_secret",
    };
    let context = &context.name;
    let text = match path {
        Some(path) => {
            let path = path.display();
            format!(
                "no secret found: the context {context} has no {member}, and {path} does not \
                 exist or is empty"
            )
        }
        None => format!("no secret found: the context {context} has no {member}"),
    };
    let hint = match member {
        "jwt_secret" => {
            "add it, as in jwt_secret = { env = \"STAGING_JWT_SECRET\" }, or tokens of the roles, \
             as in tokens = { admin = { file = \"admin.jwt\" } }"
        }
        _ => "add it, as in razorpay_key_secret = { env = \"STAGING_KEY_SECRET\" }",
    };
    Failure::usage(text).hint(hint).of_server()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn settings(entries: &[(&str, &str)]) -> Settings {
        Settings::of_dot_env(entries)
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
    fn a_missing_secret_says_that_the_address_puts_a_context_out_of_use() {
        let settings = settings(&[
            ("METAIA_DATA", "nowhere"),
            ("METAIA_URL", "http://h"),
            ("METAIA_CONTEXT", "staging"),
        ]);
        let hint = settings.payment_secret().unwrap_err().hint.unwrap();
        let hint = hint.replacen(": ", "\n", 1);
        insta::assert_snapshot!(hint, @r"
        METAIA_URL names the server, so the context staging of METAIA_CONTEXT is not in use
        --context uses it, or set RAZORPAY_KEY_SECRET
        ");
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
        let place = |name: &str| settings.find_with_place(name).unwrap().1;
        assert_eq!(place("METAIA_URL"), ValuePlace::Environment);
        assert_eq!(place("JWT_SECRET"), ValuePlace::DotEnv);
        assert_eq!(place("METAIA_TOKEN"), ValuePlace::DotEnv);
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
