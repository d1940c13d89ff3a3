//! Reads the members of a table of TOML, and says what is wrong with them.

use std::ops::Range;

use toml_edit::{Item, TableLike};

use super::secret::SecretSource;
use crate::suggestion;

/// The forms of a secret.
pub(super) const FORMS: &str =
    "write { env = \"VARIABLE\" }, { file = \"~/PATH\" } or { cmd = \"COMMAND\" }";

/// A mistake in a file of TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TomlMistake {
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) bytes: Range<usize>,
    /// True if the bytes are those of a key, which may be shown.
    pub(super) is_key: bool,
}

impl TomlMistake {
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

/// A table, and its name in messages.
pub(super) struct TableReader<'a> {
    table: &'a dyn TableLike,
    /// The name with a point behind it; empty for the file itself.
    prefix: String,
    /// The bytes of its key or header.
    bytes: Range<usize>,
}

impl<'a> TableReader<'a> {
    pub(super) fn new(table: &'a dyn TableLike, name: &str) -> Self {
        let prefix = match name {
            "" => String::new(),
            name => format!("{name}."),
        };
        Self {
            table,
            prefix,
            bytes: 0..0,
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.table.iter().map(|(key, _)| key)
    }

    /// Refuses members other than these.
    pub(super) fn only(&self, known: &[&str], of: &str) -> Result<(), TomlMistake> {
        let Some(key) = self.keys().find(|key| !known.contains(key)) else {
            return Ok(());
        };
        let mistake = self.at_key(key, format!("`{key}` is no member of {of}"));
        Err(match suggestion::nearest(key, known.iter().copied()) {
            Some(nearest) => mistake.help(format!("did you mean `{nearest}`?")),
            None => mistake.help(format!("its members are {}", known.join(", "))),
        })
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, TomlMistake> {
        let Some(item) = self.table.get(key) else {
            return Ok(None);
        };
        match item.as_str() {
            Some("") => Err(self.at_value(key, format!("`{}{key}` is empty", self.prefix))),
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.of_other_kind(key, "a text in quotes", item)),
        }
    }

    pub(super) fn boolean(&self, key: &str) -> Result<bool, TomlMistake> {
        match self.table.get(key) {
            None => Ok(false),
            Some(item) => item
                .as_bool()
                .ok_or_else(|| self.of_other_kind(key, "true or false", item)),
        }
    }

    pub(super) fn table(&self, key: &str) -> Result<Option<TableReader<'a>>, TomlMistake> {
        let Some(item) = self.table.get(key) else {
            return Ok(None);
        };
        let Some(table) = item.as_table_like() else {
            return Err(self.of_other_kind(key, "a table", item));
        };
        let name = format!("{}{key}", self.prefix);
        Ok(Some(Self {
            bytes: self.at_key(key, "").bytes,
            ..Self::new(table, &name)
        }))
    }

    /// Reads a reference to a secret. The secret itself is refused.
    pub(super) fn secret(&self, key: &str) -> Result<Option<SecretSource>, TomlMistake> {
        let Some(item) = self.table.get(key) else {
            return Ok(None);
        };
        if item.is_str() {
            let text = format!(
                "`{}{key}` is a secret, which does not belong in a file",
                self.prefix
            );
            return Err(self.at_value(key, text).help(FORMS));
        }
        let Some(table) = item.as_table_like() else {
            let mistake = self.of_other_kind(key, "a reference to a secret", item);
            return Err(mistake.help(FORMS));
        };
        let reference = Self::new(table, &format!("{}{key}", self.prefix));
        reference.only(&["env", "file", "cmd"], "a reference to a secret")?;
        let mut forms = reference.keys();
        let (Some(form), None) = (forms.next(), forms.next()) else {
            let text = format!("`{}{key}` needs exactly one form", self.prefix);
            return Err(self.at_key(key, text).help(FORMS));
        };
        let source = reference.text(form)?.map(|text| match form {
            "env" => SecretSource::Variable(text),
            "file" => SecretSource::File(text.into()),
            _ => SecretSource::Command(text),
        });
        Ok(source)
    }

    pub(super) fn is_text(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(Item::is_str)
    }

    /// Returns a mistake at the table itself, without a text.
    pub(super) fn here(&self) -> TomlMistake {
        TomlMistake {
            message: String::new(),
            help: None,
            bytes: self.bytes.clone(),
            is_key: true,
        }
    }

    pub(super) fn at_key(&self, key: &str, message: impl Into<String>) -> TomlMistake {
        let bytes = self.table.key(key).and_then(toml_edit::Key::span);
        TomlMistake {
            message: message.into(),
            help: None,
            bytes: bytes.unwrap_or(0..0),
            is_key: true,
        }
    }

    pub(super) fn at_value(&self, key: &str, message: impl Into<String>) -> TomlMistake {
        let bytes = self.table.get(key).and_then(Item::span);
        let at_key = self.at_key(key, message);
        TomlMistake {
            is_key: bytes.is_none(),
            bytes: bytes.unwrap_or(at_key.bytes),
            ..at_key
        }
    }

    fn of_other_kind(&self, key: &str, expected: &str, item: &Item) -> TomlMistake {
        let kind = match item.type_name() {
            "string" => "a text",
            "integer" | "float" => "a number",
            "boolean" => "true or false",
            "datetime" => "a time",
            "array" | "array of tables" => "a list",
            _ => "a table",
        };
        let text = format!("`{}{key}` is {kind}: expected {expected}", self.prefix);
        self.at_value(key, text)
    }
}
