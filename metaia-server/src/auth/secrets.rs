//! Secrets in memory. They are compared and used as keys, and never printed.

use std::{fmt, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The shortest secret that signs tokens, in production: as long as its HMAC.
pub(crate) const MIN_JWT_SECRET_BYTES: usize = 32;

/// The shortest secret of any other kind, in production.
pub(crate) const MIN_SECRET_BYTES: usize = 16;

/// A secret. `Debug` shows only that there is one; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Returns the bytes of the secret, for a key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns the text of the secret, for a file or another system.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether `given` is this secret. The time that this takes does not depend on how much
    /// of `given` is right.
    #[must_use]
    pub fn is(&self, given: &[u8]) -> bool {
        let expected = digest(self.as_bytes(), self.as_bytes())
            .finalize()
            .into_bytes();
        digest(self.as_bytes(), given)
            .verify_slice(&expected)
            .is_ok()
    }
}

impl<T: Into<Arc<str>>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Returns the HMAC-SHA256 of `text` with `key`, to be compared or finalized.
pub(crate) fn digest(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut digest = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any key");
    digest.update(text);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_compared_and_not_shown() {
        let secret = Secret::from("s3cret");
        assert!(secret.is(b"s3cret"));
        assert!(
            !secret.is(b"s3cres")
                && !secret.is(b"s3cre")
                && !secret.is(b"")
                && !secret.is(b"s3crett")
        );
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
