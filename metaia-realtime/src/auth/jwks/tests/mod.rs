//! Key sets, and the tokens that they accept.

mod confusion;
mod documents;
mod host;
mod hosts;
mod issuers;
mod refresh;

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    JwksError, JwksSource,
    document::KeyTable,
    loader::{KeyLoader, LoadedKeys},
};
use crate::{
    Identity, JwtAuthenticator,
    auth::{AuthError, Authenticator as _, Credentials},
};

/// Good claims of the user `u1`.
fn claims() -> Value {
    json!({ "sub": "u1", "role": "admin", "exp": 4_000_000_000_u32 })
}

/// A loader that returns the same document each time.
struct Fixed(String);

impl KeyLoader for Fixed {
    fn load(&self) -> futures_util::future::BoxFuture<'_, Result<LoadedKeys, JwksError>> {
        Box::pin(async {
            Ok(LoadedKeys {
                table: Some(KeyTable::parse(self.0.as_bytes())?),
                max_age: None,
            })
        })
    }

    fn place(&self) -> &str {
        "a test"
    }
}

/// Returns a source with these keys. Each token with an unknown key has them loaded, so that none
/// waits for news.
fn fixed(keys: &[Value]) -> JwksSource {
    JwksSource::at(Fixed(super::testing::document(keys))).ask_every(Duration::ZERO)
}

async fn authenticate(
    authenticator: &JwtAuthenticator,
    token: &str,
) -> Result<Identity, AuthError> {
    let credentials = Credentials::bearer(Some(token));
    authenticator.authenticate(credentials).await
}

/// Returns the code of a refusal, or `ok`.
async fn verdict(authenticator: &JwtAuthenticator, token: &str) -> &'static str {
    match authenticate(authenticator, token).await {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}
