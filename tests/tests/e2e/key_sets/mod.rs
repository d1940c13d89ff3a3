//! Tokens of issuers that publish their keys (JWKS): RS256, ES256 and EdDSA.

mod bad_hosts;
mod flood;
mod official;
mod rotation;
mod settings;
mod tokens;
mod tool;

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::key_host::KeyHost;
use metaia_tests::server::{Listening, Server, Setup};
use serde_json::json;

/// Returns a setup whose server loads the keys of this host every second.
fn setup(host: &KeyHost) -> Setup {
    setup_at(&host.url())
}

fn setup_at(places: &str) -> Setup {
    Setup::new()
        .env("JWKS_URL", places)
        .env("METAIA_JWKS_REFRESH_MS", "1000")
}

/// Connects with this token. The error is the message of the `connect_error`, or `closed`.
async fn connect(server: &impl Listening, token: &str) -> Result<(), String> {
    let mut phone = Phone::open(server).await;
    phone.connect(&json!({"token": token})).await
}

/// Returns the status of a REST request with this token.
async fn rest(server: &Server, token: &str) -> u16 {
    let api = server.anonymous().bearer(token);
    api.get("/api/orders").await.status
}

/// Waits until REST answers a token with this status.
async fn rest_answers(server: &Server, token: &str, status: u16) {
    let what = format!("the status {status}");
    let asked = async || (rest(server, token).await == status).then_some(());
    eventually(&what, asked).await;
}
