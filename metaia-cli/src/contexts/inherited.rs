//! The choice of a command for the programs that it runs, such as `expect … -- metaia emit …`.
//!
//! A program gets the address as `METAIA_URL`, for `curl` and the like, and the name of the context
//! as `METAIA_CONTEXT`. For a `metaia` among them, `METAIA_PARENT` says how both were chosen: with
//! `METAIA_URL` alone it would not use the context. It has no secret in it. A program that sets one
//! of the two variables to something else has made a choice of its own, which `METAIA_PARENT` does
//! not change.

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::choice::{Choice, ChosenBy};
use super::name::ContextName;

pub(crate) const URL_VARIABLE: &str = "METAIA_URL";
pub(crate) const CONTEXT_VARIABLE: &str = "METAIA_CONTEXT";
const PARENT_VARIABLE: &str = "METAIA_PARENT";

/// The choice of the command that has started this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inherited {
    context: String,
    /// True if `--context` named it.
    is_option: bool,
    url: String,
    /// True if `--url` named the address.
    is_url_option: bool,
    /// True if `--yes` is given.
    pub(crate) yes: bool,
}

impl Inherited {
    pub(crate) fn new(choice: &Choice, url: String, is_url_option: bool, yes: bool) -> Self {
        Self {
            context: choice.name.to_string(),
            is_option: choice.by == ChosenBy::Option,
            url,
            is_url_option,
            yes,
        }
    }

    /// Reads the choice, if the variables are still those that the parent has set. A variable that
    /// somebody else has set says nothing.
    pub(crate) fn read(find: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let inherited: Self = serde_json::from_str(&find(PARENT_VARIABLE)?).ok()?;
        let is_unchanged = find(URL_VARIABLE).as_ref() == Some(&inherited.url)
            && find(CONTEXT_VARIABLE).as_ref() == Some(&inherited.context);
        is_unchanged.then_some(inherited)
    }

    /// Returns the context of `--context` of the parent.
    pub(crate) fn option(&self) -> Option<ContextName> {
        let name = self.context.parse().ok();
        name.filter(|_| self.is_option)
    }

    /// Returns the address of `--url` of the parent, beside its context.
    pub(crate) fn url_option(&self) -> Option<String> {
        self.is_url_option.then(|| self.url.clone())
    }
}

/// The variables of a program that a command runs.
#[derive(Debug, Clone)]
pub(crate) struct ChildEnvironment {
    url: String,
    inherited: Option<Inherited>,
}

impl ChildEnvironment {
    /// Returns the variables for this address, and for the context in use.
    pub(crate) fn new(url: String, inherited: Option<Inherited>) -> Self {
        Self { url, inherited }
    }

    /// Sets the variables.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.env(URL_VARIABLE, &self.url);
        let Some(inherited) = &self.inherited else {
            command.env_remove(CONTEXT_VARIABLE);
            command.env_remove(PARENT_VARIABLE);
            return;
        };
        command.env(CONTEXT_VARIABLE, &inherited.context);
        // Its members are texts and truth values, which JSON can always write.
        if let Ok(text) = serde_json::to_string(inherited) {
            command.env(PARENT_VARIABLE, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inherited() -> Inherited {
        let choice = Choice {
            name: "staging".parse().unwrap(),
            by: ChosenBy::Option,
        };
        Inherited::new(&choice, "http://h".to_owned(), false, true)
    }

    fn read(url: &str, context: &str, parent: &str) -> Option<Inherited> {
        Inherited::read(|name| {
            Some(match name {
                URL_VARIABLE => url.to_owned(),
                CONTEXT_VARIABLE => context.to_owned(),
                _ => parent.to_owned(),
            })
        })
    }

    #[test]
    fn a_child_inherits_the_choice_unless_a_variable_says_otherwise() {
        let text = serde_json::to_string(&inherited()).unwrap();
        let same = read("http://h", "staging", &text).unwrap();
        assert_eq!(same, inherited());
        assert_eq!(same.option().unwrap().as_str(), "staging");
        assert_eq!(same.url_option(), None);
        assert_eq!(read("http://other", "staging", &text), None);
        assert_eq!(read("http://h", "local", &text), None);
        assert_eq!(read("http://h", "staging", "nonsense"), None);
    }
}
