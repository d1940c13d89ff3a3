//! The name of a context.

use std::fmt;
use std::str::FromStr;

/// The largest name.
const MAX_CHARS: usize = 64;

/// The key of `contexts.toml` that names the current context, and so is no context.
pub(super) const CURRENT: &str = "current";

/// A name of a context: a bare key of TOML, which needs no quotes in the file or in a shell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContextName(String);

impl ContextName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContextName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == CURRENT {
            return Err("`current` is the key that names the current context".to_owned());
        }
        let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if text.is_empty() || text.len() > MAX_CHARS || !text.chars().all(is_bare) {
            return Err(format!(
                "the name of a context is 1 to {MAX_CHARS} of A-Z a-z 0-9 _ -"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ContextName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_bare_key() {
        for text in ["local", "eu-west_1", "1", &"a".repeat(64)] {
            assert_eq!(text.parse::<ContextName>().unwrap().as_str(), text);
        }
        for text in [
            "",
            "a b",
            "a.b",
            "é",
            "\"a\"",
            "a\n",
            "current",
            &"a".repeat(65),
        ] {
            assert!(text.parse::<ContextName>().is_err(), "{text:?}");
        }
    }
}
