//! A reference to a secret, as it is written on the command line: `env:NAME`, `file:PATH` or
//! `cmd:COMMAND`.

use std::path::{Path, absolute};
use std::str::FromStr;

use metaia_realtime::Role;
use metaia_realtime::values::UnknownRole;
use toml_edit::{InlineTable, Value};

const EXPECTED: &str =
    "write env:VARIABLE, file:PATH or cmd:COMMAND: the secret itself belongs in no file";

const UNKNOWN_ROLE: &str =
    "no role stands before the =: write customer, admin, tailor or delivery there, or a reference";

/// A reference to a secret. What is none may be a secret, and is not quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WrittenSecret {
    Variable(String),
    File(String),
    Command(String),
}

impl FromStr for WrittenSecret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (form, rest) = text.split_once(':').ok_or(EXPECTED)?;
        if rest.trim().is_empty() {
            return Err(EXPECTED.to_owned());
        }
        match form {
            "env" => Ok(Self::Variable(rest.to_owned())),
            "file" => Ok(Self::File(rest.to_owned())),
            "cmd" => Ok(Self::Command(rest.to_owned())),
            _ => Err(EXPECTED.to_owned()),
        }
    }
}

impl WrittenSecret {
    /// Returns the reference as `contexts.toml` has it.
    pub(super) fn value(&self) -> Value {
        let (key, text) = match self {
            Self::Variable(name) => ("env", name.clone()),
            Self::File(path) => ("file", from_working_folder(path)),
            Self::Command(command) => ("cmd", command.clone()),
        };
        let mut table = InlineTable::new();
        table.insert(key, text.into());
        table.into()
    }
}

/// Returns a path that means the same in a file of another folder.
pub(super) fn from_working_folder(path: &str) -> String {
    if path == "~" || path.starts_with("~/") {
        return path.to_owned();
    }
    // A working folder that is gone has no absolute path.
    let absolute = absolute(Path::new(path)).unwrap_or_else(|_| path.into());
    absolute.to_string_lossy().into_owned()
}

/// A token of a role, or of commands without `--as`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrittenToken {
    pub(super) role: Option<Role>,
    pub(super) secret: WrittenSecret,
}

impl FromStr for WrittenToken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, secret) = match text.split_once('=') {
            Some((role, secret)) if !role.contains(':') => {
                // It may be the beginning of a secret, and is not quoted.
                let role = role.parse().map_err(|_: UnknownRole| UNKNOWN_ROLE)?;
                (Some(role), secret)
            }
            _ => (None, text),
        };
        Ok(Self {
            role,
            secret: secret.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_one_of_three_forms() {
        let variable = WrittenSecret::Variable("KEY".to_owned());
        assert_eq!("env:KEY".parse(), Ok(variable.clone()));
        assert_eq!(
            "cmd:op read a:b".parse(),
            Ok(WrittenSecret::Command("op read a:b".to_owned()))
        );
        assert_eq!(variable.value().to_string(), "{ env = \"KEY\" }");
        for text in ["", "hunter2", "env:", "op:x", "env: "] {
            let error = text.parse::<WrittenSecret>().unwrap_err();
            assert_eq!(error, EXPECTED, "{text}");
        }
    }

    #[test]
    fn a_token_may_be_that_of_a_role() {
        let token: WrittenToken = "admin=cmd:op read a=b".parse().unwrap();
        assert_eq!(token.role, Some(Role::Admin));
        let token: WrittenToken = "cmd:op read a=b".parse().unwrap();
        assert_eq!(token.role, None);
        assert!("boss=env:X".parse::<WrittenToken>().is_err());
        assert!("admin=eyJhbGciOi".parse::<WrittenToken>().is_err());
    }
}
