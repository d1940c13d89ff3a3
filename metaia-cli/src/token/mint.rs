//! Mints HS256 tokens.

use std::time::Duration;

use metaia_realtime::auth::sign_hs256;
use serde::Serialize;
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::exit::{Exit, Failure};

/// Seconds since the expiry of a deliberately expired token: more than any server's leeway.
const EXPIRED_FOR_S: i64 = 180;

/// A deliberate fault of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    Expired,
    BadSignature,
}

/// The secret that signs tokens, and the issuer and the audience that the server wants in them.
#[derive(Clone)]
pub(crate) struct TokenSigner {
    pub(crate) secret: String,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
}

impl From<&str> for TokenSigner {
    fn from(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            issuer: None,
            audience: None,
        }
    }
}

/// A minted token and its claims.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Minted {
    pub(crate) token: String,
    pub(crate) user_id: String,
    pub(crate) role: String,
    /// Unix seconds.
    pub(crate) expires_at: i64,
}

/// Mints a token that is valid for `ttl` from `now`, in Unix ms.
///
/// `iat` has the milliseconds, so that a token that is minted right after a revocation is not taken
/// for one that was issued in the second before it.
pub(crate) fn mint(
    actor: &Actor,
    signer: &TokenSigner,
    ttl: Duration,
    flaw: Flaw,
    now: i64,
) -> Result<Minted, Failure> {
    let ttl = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
    let earlier_s = match flaw {
        Flaw::Expired => ttl.saturating_add(EXPIRED_FOR_S),
        Flaw::None | Flaw::BadSignature => 0,
    };
    let issued_at = now.saturating_sub(earlier_s.saturating_mul(1_000));
    let expires_at = (issued_at / 1_000).saturating_add(ttl);
    let mut claims = json!({
        "userId": actor.user,
        "role": actor.role,
        "iat": seconds(issued_at),
        "exp": expires_at,
        "jti": uuid::Uuid::new_v4(),
    });
    for (name, value) in [("iss", &signer.issuer), ("aud", &signer.audience)] {
        if let Some(value) = value {
            claims[name] = json!(value);
        }
    }
    let secret = if flaw == Flaw::BadSignature {
        format!("not {}", signer.secret)
    } else {
        signer.secret.clone()
    };
    let token = sign_hs256(&claims, &secret).map_err(|error| {
        Failure::new(Exit::Failed, "the token cannot be signed").caused_by(error)
    })?;
    Ok(Minted {
        token,
        user_id: actor.user.to_string(),
        role: actor.role.to_string(),
        expires_at,
    })
}

/// Returns a time in seconds: whole, or with a fraction.
fn seconds(unix_ms: i64) -> Value {
    if unix_ms % 1_000 == 0 {
        json!(unix_ms / 1_000)
    } else {
        json!(unix_ms as f64 / 1_000.0)
    }
}
