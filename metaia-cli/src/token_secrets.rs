//! The secrets that tokens are signed with: the present one, which mints them, and the old ones,
//! which the server accepts all the same.

use crate::exit::Failure;
use crate::secrets::Settings;
use crate::token::TokenSigner;

impl Settings {
    /// Returns the secret that tokens are signed with.
    pub(crate) fn jwt_secret(&self) -> Result<String, Failure> {
        self.secret("JWT_SECRET", "jwt-secret", self.of_context("jwt_secret"))
    }

    /// Returns what mints tokens that the server accepts.
    pub(crate) fn token_signer(&self) -> Result<TokenSigner, Failure> {
        let first = |name: &str| {
            let list = self.find(name)?;
            let first = list.split(',').map(str::trim).find(|one| !one.is_empty());
            first.map(str::to_owned)
        };
        Ok(TokenSigner {
            secret: self.jwt_secret()?,
            issuer: first("JWT_ISSUER"),
            audience: first("JWT_AUDIENCE"),
        })
    }

    /// Returns whether a secret to sign tokens with is set. It is not read from a context.
    pub(crate) fn has_jwt_secret(&self) -> bool {
        self.find("JWT_SECRET").is_some()
            || self.of_context("jwt_secret").is_some()
            || self.in_data_folder("jwt-secret").is_ok()
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
    ///
    /// # Errors
    /// A usage failure if the context names one that cannot be read.
    pub(crate) fn jwt_secrets_to_compare(&self) -> Result<Vec<String>, Failure> {
        if !self.has_jwt_secret() {
            return Ok(Vec::new());
        }
        // One that is known, and cannot be read, is a mistake of the context.
        self.jwt_secret()?;
        Ok(self.accepted_jwt_secrets())
    }

    /// Returns the place of these secrets.
    pub(crate) fn jwt_secrets_from(&self) -> String {
        let of_context = self
            .context()
            .filter(|context| context.jwt_secret.is_some());
        let present = match (self.find("JWT_SECRET"), of_context) {
            (Some(_), _) => "JWT_SECRET".to_owned(),
            (None, Some(context)) => format!("jwt_secret of the context {}", context.name),
            (None, None) => "the secret of the server's data folder".to_owned(),
        };
        match self.find("JWT_SECRETS_OLD") {
            Some(_) => format!("{present} and JWT_SECRETS_OLD"),
            None => present,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_accepted_with_the_present_and_the_old_secrets() {
        let settings =
            Settings::of_dot_env(&[("JWT_SECRET", "new"), ("JWT_SECRETS_OLD", "a, b,,")]);
        assert_eq!(settings.accepted_jwt_secrets(), ["new", "a", "b"]);
    }

    #[test]
    fn tokens_are_minted_for_the_first_issuer_and_audience_of_the_server() {
        let recipient = |variables: &[(&str, &str)]| {
            let signer = Settings::of_dot_env(variables).token_signer().unwrap();
            (signer.issuer, signer.audience)
        };
        assert_eq!(recipient(&[("JWT_SECRET", "s")]), (None, None));
        let both = [
            ("JWT_SECRET", "s"),
            ("JWT_ISSUER", " login, other"),
            ("JWT_AUDIENCE", ",metaia"),
        ];
        let expected = ["login", "metaia"].map(|name| Some(name.to_owned()));
        assert_eq!(recipient(&both), expected.into());
    }
}
