//! Tokens that are texts, and an authenticator for them.

use std::time::{SystemTime, UNIX_EPOCH};

use metaia_realtime::{
    Authenticator, Identity,
    auth::{AuthError, Credentials},
};

/// Accepts tokens that name the user, the role, the end in ms since the Unix epoch, and the id of
/// the token: see [`text_token`].
pub(crate) struct TextTokens;

impl Authenticator for TextTokens {
    async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
        let token = credentials.token.ok_or(AuthError::Unauthorized)?;
        let identity = read(&token).ok_or(AuthError::Unauthorized)?;
        if identity.expires_at.is_some_and(|end| end <= unix_ms()) {
            return Err(AuthError::Expired);
        }
        Ok(identity)
    }
}

fn read(token: &str) -> Option<Identity> {
    let mut words = token.split(' ');
    let user = words.next()?.parse().ok()?;
    let role = words.next()?.parse().ok()?;
    let mut identity = Identity::new(user, role);
    identity.expires_at = words.next()?.parse().ok();
    identity.token_id = words.next().map(str::to_owned);
    Some(identity)
}

/// Returns a token of this user and role (`c1 customer`), which ends in `life_ms`.
pub(crate) fn text_token(who: &str, life_ms: i64, id: &str) -> String {
    format!("{who} {} {id}", unix_ms() + life_ms)
}

#[allow(clippy::disallowed_methods, reason = "tokens end by wall time")]
fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() as i64
}
