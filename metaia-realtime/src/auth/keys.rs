//! The keys of an authenticator, and the choice of the one that a token is checked with.

use super::{
    algorithm::{PublicAlgorithm, TokenAlgorithm},
    compact::CompactToken,
    flaw::TokenFlaw,
    hmac::HmacKey,
};
#[cfg(feature = "jwks")]
use super::{
    claims::{issuer, key_id},
    compact::TokenMembers,
    jwks::{FoundSet, KeySets, Lookup},
};

/// The secrets and the key sets of an authenticator.
#[derive(Default)]
pub(super) struct TokenKeys {
    pub(super) secrets: Vec<HmacKey>,
    /// The `iss` and `aud` of tokens that are signed with a secret: one of these, or any.
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
    #[cfg(feature = "jwks")]
    pub(super) sets: KeySets,
}

impl TokenKeys {
    /// Checks the signature of a token that names this algorithm.
    pub(super) fn verify(
        &self,
        token: &CompactToken<'_>,
        algorithm: TokenAlgorithm,
    ) -> Result<(), TokenFlaw> {
        match algorithm {
            TokenAlgorithm::Hs256 => self.verify_secret(token),
            TokenAlgorithm::Public(algorithm) => self.verify_public(token, algorithm),
        }
    }

    /// Returns whether a token with this algorithm may be accepted at all.
    pub(super) fn accepts(&self, algorithm: TokenAlgorithm) -> bool {
        match algorithm {
            TokenAlgorithm::Hs256 => !self.secrets.is_empty(),
            TokenAlgorithm::Public(_) => self.has_sets(),
        }
    }

    /// Returns the flaw of a token with an algorithm that is not accepted.
    pub(super) fn other_algorithm(&self, algorithm: String) -> TokenFlaw {
        let accepted = match (self.secrets.is_empty(), self.has_sets()) {
            (_, false) => return TokenFlaw::Algorithm(algorithm),
            (true, true) => "RS256, ES256 and EdDSA",
            (false, true) => "HS256, RS256, ES256 and EdDSA",
        };
        TokenFlaw::OtherAlgorithm {
            algorithm,
            accepted,
        }
    }

    fn verify_secret(&self, token: &CompactToken<'_>) -> Result<(), TokenFlaw> {
        let is_signed = |key: &HmacKey| token.is_signed_with(|m, s| key.signed(m, s));
        if self.secrets.iter().any(is_signed) {
            Ok(())
        } else {
            Err(TokenFlaw::Signature)
        }
    }
}

#[cfg(feature = "jwks")]
impl TokenKeys {
    fn has_sets(&self) -> bool {
        !self.sets.is_empty()
    }

    fn verify_public(
        &self,
        token: &CompactToken<'_>,
        algorithm: PublicAlgorithm,
    ) -> Result<(), TokenFlaw> {
        let issuer = issuer(&token.claims);
        let Some(set) = self.sets.of_issuer(issuer.as_deref()) else {
            return Err(TokenFlaw::Issuer(issuer));
        };
        let id = key_id(&token.header)?;
        match set.look_up(token, id.as_deref(), algorithm) {
            Lookup::Good => Ok(()),
            Lookup::Bad => Err(TokenFlaw::Signature),
            Lookup::OtherAlgorithm(key) => Err(TokenFlaw::KeyAlgorithm {
                algorithm: algorithm.name(),
                key: key.name(),
            }),
            Lookup::Unknown => Err(TokenFlaw::UnknownKey(id)),
            Lookup::Ambiguous => Err(TokenFlaw::NoKeyId),
            Lookup::Unavailable => Err(TokenFlaw::KeysUnavailable),
        }
    }

    /// Returns the key set of the issuer that a token names.
    pub(super) fn set_of(&self, claims: &TokenMembers) -> Option<FoundSet<'_>> {
        self.sets.of_issuer(issuer(claims).as_deref())
    }

    /// Returns the audiences of tokens with this algorithm and issuer. None means any.
    pub(super) fn audiences(&self, algorithm: TokenAlgorithm, issuer: Option<&str>) -> &[String] {
        match algorithm {
            TokenAlgorithm::Hs256 => &self.audiences,
            TokenAlgorithm::Public(_) => self.sets.audiences(issuer),
        }
    }
}

#[cfg(not(feature = "jwks"))]
#[allow(
    clippy::unused_self,
    reason = "the twins of these functions have key sets"
)]
impl TokenKeys {
    const fn has_sets(&self) -> bool {
        false
    }

    fn verify_public(
        &self,
        _token: &CompactToken<'_>,
        _algorithm: PublicAlgorithm,
    ) -> Result<(), TokenFlaw> {
        Err(TokenFlaw::Signature)
    }

    pub(super) fn audiences(&self, _algorithm: TokenAlgorithm, _issuer: Option<&str>) -> &[String] {
        &self.audiences
    }
}
