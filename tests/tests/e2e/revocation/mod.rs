//! Revoked tokens: refused by REST and by sockets, and their sessions end, on every node and across
//! restarts.

mod cluster;
mod official;
mod sockets;
mod tool;

use metaia_tests::fixtures::token::{Token, in_seconds};
use metaia_tests::server::rest::{Api, ApiResponse};
use serde_json::{Value, json};

/// The time at which the tokens of these tests were issued, in seconds: an hour ago.
fn issued() -> i64 {
    in_seconds(-3600)
}

/// Returns a token of a user that was issued an hour ago, with this id.
pub(crate) fn token_with(role: &str, user: &str, jti: &str) -> String {
    token_issued(role, user, jti, &json!(issued()))
}

fn token_issued(role: &str, user: &str, jti: &str, iat: &Value) -> String {
    let exp = in_seconds(3600);
    let claims = json!({"userId": user, "role": role, "exp": exp, "iat": iat, "jti": jti});
    Token::with_claims(&claims).sign()
}

pub(crate) async fn revoke(admin: &Api, body: &Value) -> Value {
    let answer = admin.post("/api/realtime/revoke", body).await;
    answer.data(200)["revocation"].clone()
}

pub(crate) async fn orders_by(anonymous: &Api, token: &str) -> ApiResponse {
    anonymous.bearer(token).get("/api/orders").await
}
