//! One context: its members, read and checked.

use std::path::{Path, PathBuf};

use metaia_realtime::Role;
use metaia_realtime::values::UnknownRole;
use reqwest::header::{HeaderName, HeaderValue};

use super::folder;
use super::name::ContextName;
use super::secret::Secret;
use super::table_reader::{TableReader, TomlMistake};
use crate::exit::Failure;

/// The members of a context.
pub(super) const MEMBERS: [&str; 13] = [
    "url",
    "data",
    "origin",
    "api_key",
    "jwt_secret",
    "razorpay_key_secret",
    "razorpay_webhook_secret",
    "token",
    "tokens",
    "cacert",
    "insecure",
    "headers",
    "protected",
];

/// Headers whose values are secrets.
const SECRET_HEADERS: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
];

/// Returns whether the value of a header is a secret.
pub(crate) fn is_secret_header(name: &HeaderName) -> bool {
    SECRET_HEADERS.contains(&name.as_str())
}

/// The help for a context whose address has one of [`secret_part`].
pub(crate) const ADDRESS_ALONE: &str = "leave it out: an address is shown in lists and errors";

/// Returns the part of an address that may be a secret. An address is shown, so that of a context
/// has no such part. Also what is no valid address may have one.
pub(crate) fn secret_part(url: &str) -> Option<&'static str> {
    let parts = [
        ('@', "a user or a password"),
        ('?', "a query"),
        ('#', "a fragment"),
    ];
    let part = parts.into_iter().find(|(mark, _)| url.contains(*mark))?;
    Some(part.1)
}

/// A server, and the credentials for it.
#[derive(Debug, Clone)]
pub(crate) struct ServerContext {
    pub(crate) name: ContextName,
    pub(crate) url: String,
    /// The data folder of a development server on this machine, which has its secrets.
    pub(crate) data: Option<PathBuf>,
    pub(crate) origin: Option<String>,
    pub(crate) api_key: Option<Secret>,
    pub(crate) jwt_secret: Option<Secret>,
    pub(crate) payment_secret: Option<Secret>,
    pub(crate) webhook_secret: Option<Secret>,
    /// The token of commands without `--as`.
    pub(crate) token: Option<Secret>,
    /// The tokens of roles.
    pub(crate) tokens: Vec<(Role, Secret)>,
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) insecure: bool,
    pub(crate) headers: Vec<(HeaderName, HeaderText)>,
    /// True if nothing is written without `--yes`.
    pub(crate) protected: bool,
}

/// The value of a header.
#[derive(Debug, Clone)]
pub(crate) enum HeaderText {
    Plain(HeaderValue),
    Secret(Secret),
}

impl HeaderText {
    /// Returns the value.
    ///
    /// # Errors
    /// A usage failure if it is a secret that cannot be read.
    pub(crate) fn read(&self) -> Result<HeaderValue, Failure> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Secret(secret) => {
                let mut value = HeaderValue::try_from(secret.read()?)
                    .map_err(|_| Failure::usage("a header of the context has no valid value"))?;
                value.set_sensitive(true);
                Ok(value)
            }
        }
    }
}

impl ServerContext {
    /// Reads the members of a context in this file.
    pub(super) fn read(
        name: ContextName,
        table: &TableReader<'_>,
        file: &Path,
    ) -> Result<Self, TomlMistake> {
        table.only(&MEMBERS, "a context")?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let path = |key: &str| {
            let written = table.text(key)?;
            Ok(written.map(|written| folder::resolve(&written, folder)))
        };
        let secret = |key: &str| {
            let source = table.secret(key)?;
            Ok(source.map(|source| Secret::new(&name, key, source, file)))
        };
        let insecure = table.boolean("insecure")?;
        let cacert = path("cacert")?;
        if insecure && cacert.is_some() {
            let text = "`insecure` checks no certificate, so `cacert` has no meaning";
            return Err(table.at_key("insecure", text).help("leave out one of them"));
        }
        Ok(Self {
            url: url(table, &name)?,
            data: path("data")?,
            origin: table.text("origin")?,
            api_key: secret("api_key")?,
            jwt_secret: secret("jwt_secret")?,
            payment_secret: secret("razorpay_key_secret")?,
            webhook_secret: secret("razorpay_webhook_secret")?,
            token: secret("token")?,
            tokens: tokens(table, &name, file)?,
            cacert,
            insecure,
            headers: headers(table, &name, file)?,
            protected: table.boolean("protected")?,
            name,
        })
    }

    /// Returns the token of a role.
    pub(crate) fn token_of(&self, role: Role) -> Option<&Secret> {
        let mut tokens = self.tokens.iter();
        let found = tokens.find(|(of, _)| *of == role);
        found.map(|(_, token)| token)
    }

    /// Returns all secrets, each with the name of its member.
    pub(crate) fn secrets(&self) -> Vec<(String, &Secret)> {
        let single = [
            ("api_key", &self.api_key),
            ("jwt_secret", &self.jwt_secret),
            ("razorpay_key_secret", &self.payment_secret),
            ("razorpay_webhook_secret", &self.webhook_secret),
            ("token", &self.token),
        ];
        let single = single
            .into_iter()
            .filter_map(|(name, secret)| Some((name.to_owned(), secret.as_ref()?)));
        let tokens = self.tokens.iter();
        let tokens = tokens.map(|(role, secret)| (format!("tokens.{role}"), secret));
        let headers = self.headers.iter().filter_map(|(name, text)| match text {
            HeaderText::Secret(secret) => Some((format!("headers.{name}"), secret)),
            HeaderText::Plain(_) => None,
        });
        single.chain(tokens).chain(headers).collect()
    }
}

fn url(table: &TableReader<'_>, name: &ContextName) -> Result<String, TomlMistake> {
    let written = table.text("url")?;
    if let Some(part) = written.as_deref().and_then(secret_part) {
        let text = format!("`url` of the context {name} has {part}, which may be a secret");
        return Err(table.at_value("url", text).help(ADDRESS_ALONE));
    }
    written.ok_or_else(|| TomlMistake {
        message: format!("the context {name} has no `url`"),
        help: Some("add url = \"https://…\": its secrets are for this address alone".to_owned()),
        ..table.here()
    })
}

fn tokens(
    table: &TableReader<'_>,
    context: &ContextName,
    file: &Path,
) -> Result<Vec<(Role, Secret)>, TomlMistake> {
    let Some(of_roles) = table.table("tokens")? else {
        return Ok(Vec::new());
    };
    let mut tokens: Vec<(Role, Secret)> = Vec::new();
    for key in of_roles.keys() {
        let role: Role = key
            .parse()
            .map_err(|error: UnknownRole| of_roles.at_key(key, format!("`tokens`: {error}")))?;
        if tokens.iter().any(|(known, _)| *known == role) {
            return Err(of_roles.at_key(key, format!("`tokens` has two tokens of the role {role}")));
        }
        if let Some(source) = of_roles.secret(key)? {
            let secret = Secret::new(context, format!("tokens.{role}"), source, file);
            tokens.push((role, secret));
        }
    }
    Ok(tokens)
}

fn headers(
    table: &TableReader<'_>,
    context: &ContextName,
    file: &Path,
) -> Result<Vec<(HeaderName, HeaderText)>, TomlMistake> {
    let Some(values) = table.table("headers")? else {
        return Ok(Vec::new());
    };
    let mut headers = Vec::new();
    for key in values.keys() {
        let name = HeaderName::try_from(key)
            .map_err(|_| values.at_key(key, format!("`{key}` is no name of a header")))?;
        let is_plain = values.is_text(key) && !is_secret_header(&name);
        if is_plain {
            let text = values.text(key)?.unwrap_or_default();
            let value = HeaderValue::try_from(text).map_err(|_| {
                values.at_value(key, format!("`headers.{key}` is no value of a header"))
            })?;
            headers.push((name, HeaderText::Plain(value)));
        } else if let Some(source) = values.secret(key)? {
            let secret = Secret::new(context, format!("headers.{key}"), source, file);
            headers.push((name, HeaderText::Secret(secret)));
        }
    }
    Ok(headers)
}
