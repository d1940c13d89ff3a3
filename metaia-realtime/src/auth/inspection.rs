//! Judges tokens: for the server that accepts or refuses them, and for tools that explain why.

use super::{
    AuthError, Identity, LEEWAY_MS,
    claims::{role, time, token_id, user},
    compact::{CompactToken, TokenMembers},
    flaw::{TokenFlaw, TokenWarning},
    hmac::HmacKey,
};
use crate::{
    Role, UserId,
    planted_faults::{Fault, planted},
};

/// The only algorithm that is accepted.
const ALGORITHM: &str = "HS256";

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
    /// Signed with a known secret.
    Good,
    /// Not signed with a known secret.
    Bad,
    /// It was not checked: no secret was given, or the algorithm is not HS256.
    #[default]
    Unchecked,
}

/// Judges a token at a time, in ms since the Unix epoch. Without keys the signature is not checked.
pub(super) fn judge(token: &str, keys: Option<&[HmacKey]>, now_ms: i64) -> Inspection {
    let mut inspection = Inspection::default();
    match CompactToken::parse(token) {
        Ok(token) => {
            inspection.check_header(&token);
            inspection.check_signature(&token, keys);
            inspection.header = token.header;
            inspection.claims = token.claims;
            inspection.check_times(now_ms);
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
        if let Some(flaw) = self.flaws.first() {
            return Err(flaw.error());
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

    fn check_header(&mut self, token: &CompactToken<'_>) {
        for name in UNSUPPORTED {
            if token.header.get(name).is_some() {
                self.flaws.push(TokenFlaw::Header(name));
            }
        }
        if !is_hs256(token) {
            let algorithm = token.header.get("alg");
            let algorithm = algorithm.map_or("no algorithm", |value| value.get());
            let algorithm = algorithm.trim_matches('"').to_owned();
            self.flaws.push(TokenFlaw::Algorithm(algorithm));
        }
    }

    fn check_signature(&mut self, token: &CompactToken<'_>, keys: Option<&[HmacKey]>) {
        let Some(keys) = keys.filter(|_| is_hs256(token)) else {
            return;
        };
        if token.is_signed_with(keys) || planted(Fault::BadSignatureAccepted) {
            self.signature = SignatureCheck::Good;
        } else {
            self.signature = SignatureCheck::Bad;
            self.flaws.push(TokenFlaw::Signature);
        }
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
        let issued = time(&self.claims, "iat").ok().flatten();
        match issued {
            // No token was issued in the future: its clock or its unit is wrong. If it counted, a
            // revocation of its user would not be of this token.
            Some(issued) if is_later(&issued) => {
                self.warnings.push(TokenWarning::IssuedLater(issued));
            }
            issued => self.issued_at = issued,
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

fn is_hs256(token: &CompactToken<'_>) -> bool {
    let algorithm = token.header.get("alg");
    algorithm.is_some_and(|name| {
        serde_json::from_str(name.get()).is_ok_and(|name: String| name == ALGORITHM)
    })
}
