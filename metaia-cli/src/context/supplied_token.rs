//! The token that the user of the tool supplies.

use std::fmt;
use std::path::Path;

use super::options::GlobalArgs;
use crate::bounded_file::{ByteLimit, text_of_file_or_pipe};
use crate::contexts::ValuePlace;
use crate::diagnosis::SuppliedBy;
use crate::exit::Failure;
use crate::identity::Identity;
use crate::printer::Printer;
use crate::secrets::Settings;
use crate::token::PastedToken;

/// The variable with a token.
pub(super) const TOKEN_VARIABLE: &str = "METAIA_TOKEN";

/// The token of `--token`, `--token-file` or `METAIA_TOKEN`. All three mean the same, but an
/// explicit `--as` replaces the token of the environment.
pub(super) struct SuppliedToken {
    text: String,
    by: SuppliedBy,
}

/// Shows no token.
impl fmt::Debug for SuppliedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuppliedToken")
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

impl SuppliedToken {
    pub(super) fn find(global: &GlobalArgs, settings: &Settings) -> Result<Option<Self>, Failure> {
        let found = |text: String, by| {
            Ok(Some(Self {
                text: text.trim().to_owned(),
                by,
            }))
        };
        if let Some(path) = &global.token_file {
            return found(read_token(path)?, SuppliedBy::File);
        }
        if let Some(token) = &global.token {
            return found(token.clone(), SuppliedBy::Option);
        }
        match settings.find_with_place(TOKEN_VARIABLE) {
            Some((token, ValuePlace::DotEnv)) => found(token, SuppliedBy::DotEnv),
            Some((token, _)) => found(token, SuppliedBy::Environment),
            None => Ok(None),
        }
    }

    /// Returns true if an option supplied it, and not the environment.
    pub(super) fn is_explicit(&self) -> bool {
        matches!(self.by, SuppliedBy::Option | SuppliedBy::File)
    }

    pub(super) fn owner(&self) -> Identity {
        Identity::from_token(&self.text, self.by)
    }

    /// Leaves out what people paste before a token, such as `Bearer`, and says so.
    pub(super) fn alone(self, printer: Printer) -> Self {
        let pasted = PastedToken::read(&self.text);
        if !pasted.left_out.is_empty() {
            let words = pasted.left_out.join(" ");
            printer.note(&format!("{words} is left out: it is no part of the token"));
        }
        Self {
            text: pasted.token.to_owned(),
            ..self
        }
    }
}

fn read_token(path: &str) -> Result<String, Failure> {
    let text = text_of_file_or_pipe(Path::new(path), ByteLimit::SECRET).map_err(|fault| {
        Failure::usage(format!("the token file {path} cannot be read"))
            .caused_by(fault)
            .hint("it needs the token and nothing else: `metaia token mint … > FILE` writes one")
    })?;
    Ok(text.trim().to_owned())
}
