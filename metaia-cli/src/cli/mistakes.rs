//! Mistakes on the command line, as they are told: without secrets, and with a cure for the one
//! that an unset variable makes.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};

/// Options whose values may be secrets, also if they are written in a wrong way.
const WITH_SECRETS: [&str; 5] = [
    "--token <",
    "--header <",
    "--token-from <",
    "--jwt-secret-from <",
    "--api-key-from <",
];

/// Returns the error as it may be shown.
pub(super) fn told(mut error: clap::Error) -> clap::Error {
    let Some(value) = text(&error, ContextKind::InvalidValue) else {
        return error;
    };
    if value.trim().is_empty() {
        let tip = StyledStr::from("if the value comes from a variable, check that it is set");
        let tips = ContextValue::StyledStrs(vec![tip]);
        error.insert(ContextKind::Suggested, tips);
        return error;
    }
    let option = text(&error, ContextKind::InvalidArg).unwrap_or_default();
    if WITH_SECRETS.iter().any(|name| option.starts_with(name)) {
        let hidden = ContextValue::String("…".to_owned());
        error.insert(ContextKind::InvalidValue, hidden);
    }
    error
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::root;
    use super::*;

    fn said(args: &[&str]) -> String {
        let args = ["metaia"].iter().chain(args);
        let error = root().try_get_matches_from(args).unwrap_err();
        told(error).to_string()
    }

    #[test]
    fn an_empty_value_gets_the_advice_to_check_the_variable() {
        for args in [
            &["sessions", "--token", ""][..],
            &["sessions", "--token", " "],
            &["sessions", "--token-file", ""],
            &["sessions", "--url", ""],
            &["tail", "--as", ""],
            &["tail", "--as", "customer:"],
            &["tail", "--order", ""],
            &["sessions", "--timeout", ""],
            &["sessions", "--context", ""],
            &["sessions", "--output", ""],
            &["emit", "", "x"],
            &["trigger", "new_notification", "--to", ""],
            &["trigger", "new_notification", "--to", "user:"],
            &["refusals", "--user", ""],
        ] {
            let said = said(args);
            assert!(said.contains("variable"), "{args:?}: {said}");
        }
    }

    #[test]
    fn no_secret_is_repeated() {
        for args in [
            &["context", "add", "a", "--token-from", "hunter2"][..],
            &["context", "add", "a", "--token-from", "hunter2=x"],
            &["context", "add", "a", "--jwt-secret-from", "hunter2"],
            &["context", "add", "a", "--api-key-from=hunter2"],
            &["sessions", "--header", "Cookie=hunter2"],
        ] {
            let said = said(args);
            assert!(!said.contains("hunter2"), "{args:?}: {said}");
            assert!(said.contains("invalid value '…'"), "{args:?}: {said}");
        }
    }
}
