//! Judges tokens: for the server that accepts or refuses them, and for tools that explain why.

use super::{
    AuthError, Identity, LEEWAY_MS,
    algorithm::TokenAlgorithm,
    claims::{is_for, issuer, role, time, token_id, user},
    compact::{CompactToken, TokenMembers},
    flaw::{TokenFlaw, TokenWarning},
    keys::TokenKeys,
};
use crate::{
    Role, UserId,
    planted_faults::{Fault, planted},
};

/// Members of the header that change what a token means. A reader that ignored them would take the
/// token for another one (RFC 7515, section 4.1.11; RFC 7516, section 4.1; RFC 7797).
const UNSUPPORTED: [&str; 4] = ["crit", "zip", "enc", "b64"];

/// The year 9999 in ms since the Unix epoch: an `exp` from there on is probably in milliseconds.
const YEAR_9999_MS: i64 = 253_370_764_800_000;

/// The claims of a token and its flaws: the result of
/// [`inspect_token`](super::inspect_token).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Inspection {
    /// The header.
    pub header: TokenMembers,
    /// The claims.
    pub claims: TokenMembers,
    /// The result of checking the signature.
    pub signature: SignatureCheck,
    /// The reasons for which the token is refused. The first one is the one that a client is told.
    pub flaws: Vec<TokenFlaw>,
    /// Properties that the issuer may not intend. They do not matter to a server.
    pub warnings: Vec<TokenWarning>,
    /// The user, if the token names one.
    pub user: Option<UserId>,
    /// The role, if the token names one.
    pub role: Option<Role>,
    expires_at: Option<i64>,
    token_id: Option<String>,
    issued_at: Option<i64>,
}

/// The result of checking the signature of a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignatureCheck {
    /// Signed with a known secret, or with the key that its header names.
    Good,
    /// Not signed with a known secret or with that key.
    Bad,
    /// It was not checked: no key was given, the key is not known, or it must not be used for the
    /// algorithm of the token.
    #[default]
    Unchecked,
}

/// Judges a token at a time, in ms since the Unix epoch. Without keys the signature is not checked.
pub(super) fn judge(token: &str, keys: Option<&TokenKeys>, now_ms: i64) -> Inspection {
    let mut inspection = Inspection::default();
    match CompactToken::parse(token) {
        Ok(token) => {
            inspection.check_header(&token);
            let algorithm = inspection.check_algorithm(&token, keys);
            if let (Some(keys), Some(algorithm)) = (keys, algorithm) {
                inspection.check_signature(&token, keys, algorithm);
            }
            inspection.header = token.header;
            inspection.claims = token.claims;
            inspection.check_times(now_ms);
            if let (Some(keys), Some(algorithm)) = (keys, algorithm) {
                inspection.check_recipient(keys, algorithm);
            }
            inspection.check_identity();
        }
        Err(reason) => inspection.flaws.push(TokenFlaw::Malformed(reason)),
    }
    inspection
}

impl Inspection {
    /// Returns the identity that the token proves.
    ///
    /// # Errors
    /// Returns the error of the first flaw, and [`AuthError::Unauthorized`] if the signature was
    /// not checked.
    pub fn verdict(&self) -> Result<Identity, AuthError> {
        if let Some(error) = self.refusal() {
            return Err(error);
        }
        match (&self.user, self.role, self.signature) {
            (Some(user), Some(role), SignatureCheck::Good) => Ok(Identity {
                user: user.clone(),
                role,
                expires_at: self.expires_at,
                token_id: self.token_id.clone(),
                issued_at: self.issued_at,
            }),
            _ => Err(AuthError::Unauthorized),
        }
    }

    /// Returns the error of the first flaw that does not depend on what is known at the moment: a
    /// client whose token is refused in any case should not try it again.
    fn refusal(&self) -> Option<AuthError> {
        let errors = || self.flaws.iter().map(TokenFlaw::error);
        let lasting = errors().find(|error| *error != AuthError::Unavailable);
        lasting.or_else(|| errors().next())
    }

    fn check_header(&mut self, token: &CompactToken<'_>) {
        for name in UNSUPPORTED {
            if token.header.get(name).is_some() {
                self.flaws.push(TokenFlaw::Header(name));
            }
        }
    }

    /// Returns the algorithm that the token names, if it may be checked with it.
    fn check_algorithm(
        &mut self,
        token: &CompactToken<'_>,
        keys: Option<&TokenKeys>,
    ) -> Option<TokenAlgorithm> {
        let algorithm = TokenAlgorithm::of(token);
        let is_accepted = |algorithm: &TokenAlgorithm| match keys {
            Some(keys) => keys.accepts(*algorithm),
            None => true,
        };
        let accepted = algorithm.filter(is_accepted);
        if accepted.is_none() {
            let named = token.header.get("alg");
            let named = named.map_or("no algorithm", |value| value.get());
            let named = named.trim_matches('"').to_owned();
            self.flaws.push(match keys {
                Some(keys) => keys.other_algorithm(named),
                None => TokenFlaw::Algorithm(named),
            });
        }
        accepted
    }

    fn check_signature(
        &mut self,
        token: &CompactToken<'_>,
        keys: &TokenKeys,
        algorithm: TokenAlgorithm,
    ) {
        match keys.verify(token, algorithm) {
            Ok(()) => self.signature = SignatureCheck::Good,
            Err(TokenFlaw::Signature) if planted(Fault::BadSignatureAccepted) => {
                self.signature = SignatureCheck::Good;
            }
            Err(TokenFlaw::Signature) => {
                self.signature = SignatureCheck::Bad;
                self.flaws.push(TokenFlaw::Signature);
            }
            Err(flaw) => self.flaws.push(flaw),
        }
    }

    /// Checks `iss` and `aud`. The issuer of a token that a key set has signed is that of the set.
    fn check_recipient(&mut self, keys: &TokenKeys, algorithm: TokenAlgorithm) {
        let issuer = issuer(&self.claims);
        let audiences = keys.audiences(algorithm, issuer.as_deref());
        if !audiences.is_empty() && !is_for(&self.claims, audiences) {
            let named = self.claims.get("aud").map(|value| value.get().to_owned());
            self.flaws.push(TokenFlaw::Audience(named));
        }
        let is_listed = issuer
            .as_ref()
            .is_some_and(|issuer| keys.issuers.contains(issuer));
        let must_be_listed = algorithm == TokenAlgorithm::Hs256 && !keys.issuers.is_empty();
        if must_be_listed && !is_listed {
            self.flaws.push(TokenFlaw::Issuer(issuer));
        }
    }

    /// Returns whether nothing is wrong with the token but that its key is not known.
    #[cfg(feature = "jwks")]
    pub(super) fn lacks_key_alone(&self) -> bool {
        matches!(
            self.flaws[..],
            [TokenFlaw::UnknownKey(_) | TokenFlaw::KeysUnavailable]
        )
    }

    /// Checks the expiry first: an expired token says so, whatever else is wrong with its claims.
    fn check_times(&mut self, now: i64) {
        let expiry = time(&self.claims, "exp").and_then(|exp| exp.ok_or(TokenFlaw::NoExpiry));
        self.expires_at = self.noting(expiry);
        if planted(Fault::ExpiredTokenAccepted) {
            self.expires_at = None;
        }
        if let Some(exp) = self.expires_at {
            if exp.saturating_add(LEEWAY_MS) <= now {
                self.flaws.push(TokenFlaw::Expired(exp));
            }
            if exp >= YEAR_9999_MS {
                self.warnings.push(TokenWarning::FarExpiry(exp));
            }
        }
        let is_later = |at: &i64| at.saturating_sub(LEEWAY_MS) > now;
        let begin = time(&self.claims, "nbf");
        let begin = self.noting(begin).flatten();
        if let Some(begin) = begin.filter(is_later) {
            self.flaws.push(TokenFlaw::NotYet(begin));
        }
        self.issued_at = time(&self.claims, "iat").ok().flatten();
        match self.issued_at {
            // A revocation of its user until now is not of this token. If it could be used before
            // its time, it would seem to be revoked and live again when the time has come.
            Some(issued) if is_later(&issued) => self.flaws.push(TokenFlaw::IssuedLater(issued)),
            Some(_) => {}
            None => self.warnings.push(TokenWarning::NoIssueTime),
        }
    }

    fn check_identity(&mut self) {
        let user = user(&self.claims);
        self.user = self.noting(user);
        let token_id = token_id(&self.claims);
        self.token_id = self.noting(token_id).flatten();
        let role = role(&self.claims);
        self.role = self.noting(role);
    }

    /// Returns a value, or notes the flaw in its place.
    fn noting<T>(&mut self, read: Result<T, TokenFlaw>) -> Option<T> {
        read.map_err(|flaw| self.flaws.push(flaw)).ok()
    }
}
