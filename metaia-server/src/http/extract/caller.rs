//! Who asks: by `Authorization: Bearer`, or by `X-Api-Key`.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use metaia_realtime::auth::AuthError;

use crate::{
    auth::request_auth::{Gate, Refused, Shown},
    http::problem::ApiError,
    model::Caller,
};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

impl<S> FromRequestParts<S> for Caller
where
    Arc<Gate>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Arc::<Gate>::from_ref(state)
            .admit(shown(&parts.headers))
            .map_err(refusal)
    }
}

/// A key wins: who sends one means to be a backend.
fn shown(headers: &HeaderMap) -> Shown<'_> {
    if let Some(key) = headers.get(API_KEY) {
        return Shown::Key(key.as_bytes());
    }
    bearer(headers).map_or(Shown::Nothing, Shown::Token)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refusal(refused: Refused) -> ApiError {
    match refused {
        Refused::Auth(error) => unauthenticated(error),
        Refused::WrongKey => challenge(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The API key is not right.",
            "Bearer",
        ),
        Refused::TooOften { retry_after } => {
            let seconds = HeaderValue::from(retry_after.as_secs() + 1);
            let detail = "Too many requests: wait before the next one.";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
                .header(header::RETRY_AFTER, seconds)
        }
    }
}

fn unauthenticated(error: AuthError) -> ApiError {
    let (status, detail, scheme) = match error {
        AuthError::Forbidden => (
            StatusCode::FORBIDDEN,
            "The token's role is unknown here.",
            r#"Bearer error="insufficient_scope""#,
        ),
        AuthError::Expired => (
            StatusCode::UNAUTHORIZED,
            "The token has expired.",
            r#"Bearer error="invalid_token", error_description="expired""#,
        ),
        AuthError::Revoked => (
            StatusCode::UNAUTHORIZED,
            "The token was revoked.",
            r#"Bearer error="invalid_token""#,
        ),
        AuthError::Unavailable => return ApiError::unavailable(error),
        _ => (
            StatusCode::UNAUTHORIZED,
            "The token is missing or not valid.",
            "Bearer",
        ),
    };
    challenge(status, error.code(), detail, scheme)
}

fn challenge(
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    scheme: &'static str,
) -> ApiError {
    let scheme = HeaderValue::from_static(scheme);
    ApiError::new(status, code, detail).header(header::WWW_AUTHENTICATE, scheme)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;
    use metaia_realtime::JwtAuthenticator;
    use std::num::NonZeroU32;

    async fn ask(headers: &[(&str, &str)], gate: &Arc<Gate>) -> Result<Caller, ApiError> {
        let builder = http::Request::builder();
        let builder = headers
            .iter()
            .fold(builder, |b, (name, value)| b.header(*name, *value));
        let (mut parts, ()) = builder.body(()).unwrap().into_parts();
        Caller::from_request_parts(&mut parts, gate).await
    }

    fn gate() -> Arc<Gate> {
        let authenticator = JwtAuthenticator::hs256("secret").unwrap();
        Arc::new(Gate::new(
            authenticator,
            Some("key".into()),
            NonZeroU32::MIN,
        ))
    }

    fn token(role: &str, exp: i64) -> String {
        let claims = serde_json::json!({ "userId": "u1", "role": role, "exp": exp });
        let key = jsonwebtoken::EncodingKey::from_secret(b"secret");
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
        format!("bearer {token}")
    }

    #[tokio::test]
    async fn a_token_or_the_key_says_who() {
        let gate = gate();
        let user = ask(&[("authorization", &token("tailor", 4_000_000_000))], &gate)
            .await
            .unwrap();
        assert_eq!(user.scope(), "user:tailor:u1");
        assert_eq!(
            ask(&[("x-api-key", "key")], &gate).await.unwrap(),
            Caller::ApiKey
        );
    }

    #[tokio::test]
    async fn each_refusal_has_its_status_code_and_challenge() {
        let gate = gate();
        for (name, value, status, code) in [
            ("x-nothing", "", 401, "unauthorized"),
            ("authorization", "Bearer nonsense", 401, "unauthorized"),
            ("authorization", "Basic dTpw", 401, "unauthorized"),
            (
                "authorization",
                &format!("Bearer {}", "a".repeat(5_000)),
                401,
                "unauthorized",
            ),
            ("authorization", &token("customer", 1), 401, "token_expired"),
            (
                "authorization",
                &token("king", 4_000_000_000),
                403,
                "forbidden",
            ),
            ("x-api-key", "kex", 401, "unauthorized"),
        ] {
            let refusal = ask(&[(name, value)], &gate).await.unwrap_err();
            assert_eq!(
                (refusal.status().as_u16(), refusal.code()),
                (status, code),
                "{name}: {value}"
            );
            assert!(
                refusal
                    .into_response()
                    .headers()
                    .contains_key(header::WWW_AUTHENTICATE)
            );
        }
    }

    #[tokio::test]
    async fn too_many_requests_are_told_when_to_come_back() {
        let gate = gate();
        let bearer = token("customer", 4_000_000_000);
        let headers = [("authorization", &*bearer)];
        for _ in 0..2 {
            ask(&headers, &gate).await.unwrap();
        }
        let refusal = ask(&headers, &gate).await.unwrap_err();
        assert_eq!(refusal.code(), "rate_limited");
        assert_eq!(refusal.into_response().headers()[header::RETRY_AFTER], "1");
    }
}
