//! The caller of a request, by `Authorization: Bearer` or by `X-Api-Key`.

use std::{sync::Arc, time::Duration};

use axum::extract::{FromRef, FromRequestParts};
use http::{HeaderValue, StatusCode, header, request::Parts};
use metaia_realtime::auth::AuthError;

use super::KeyAttempt;
use crate::{
    auth::{
        gate_refusal::GateRefusal,
        key_guard::KeyGuard,
        request_auth::{AuthRefusal, RequestAuth},
        wrong_keys::KeyKind,
    },
    http::{credentials::credentials, problem::ApiError},
    model::Caller,
};

impl<S> FromRequestParts<S> for Caller
where
    Arc<RequestAuth>: FromRef<S>,
    Arc<KeyGuard>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let auth = Arc::<RequestAuth>::from_ref(state);
        let authenticated = auth.authenticate(credentials(&parts.headers)).await;
        authenticated.map_err(|refused| match refused {
            AuthRefusal::WrongKey => {
                let attempt = KeyAttempt::of(parts, Arc::<KeyGuard>::from_ref(state));
                attempt.refuse(KeyKind::ApiKey, wrong_key())
            }
            AuthRefusal::Token(error) => unauthenticated(error).at_gate(GateRefusal::Caller(error)),
            AuthRefusal::Unavailable { retry_after } => {
                unavailable(retry_after).at_gate(GateRefusal::Caller(AuthError::Unavailable))
            }
            AuthRefusal::RateLimited { retry_after } => {
                rate_limited(retry_after).at_gate(GateRefusal::RateLimited)
            }
        })
    }
}

fn wrong_key() -> ApiError {
    challenge(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "The API key is not valid.",
        "Bearer",
    )
}

fn rate_limited(retry_after: Duration) -> ApiError {
    let detail = "Too many requests. Try again later.";
    let code = GateRefusal::RateLimited.code();
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, code, detail)
        .header(header::RETRY_AFTER, rounded_up(retry_after))
}

/// Returns the problem of a token that cannot be judged now. It has no cause for the log: anyone
/// can send tokens with a key that is not known, and what is wrong with this server is logged
/// elsewhere.
fn unavailable(retry_after: Option<Duration>) -> ApiError {
    let seconds = rounded_up(retry_after.unwrap_or_default());
    let detail = "Temporarily unavailable. Try again later.";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        .header(header::RETRY_AFTER, seconds)
}

/// Returns a time in seconds. A client that waits this long is not refused again.
fn rounded_up(time: Duration) -> HeaderValue {
    HeaderValue::from(time.as_secs() + 1)
}

fn unauthenticated(error: AuthError) -> ApiError {
    let (status, detail, scheme) = match error {
        AuthError::Forbidden => (
            StatusCode::FORBIDDEN,
            "The role in the token is unknown.",
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
        AuthError::Unavailable => return unavailable(None),
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
    use metaia_realtime::{JwtAuthenticator, Realtime};
    use std::num::NonZeroU32;

    #[derive(Clone)]
    struct TestState(Arc<RequestAuth>);

    impl FromRef<TestState> for Arc<RequestAuth> {
        fn from_ref(state: &TestState) -> Self {
            Self::clone(&state.0)
        }
    }

    impl FromRef<TestState> for Arc<KeyGuard> {
        fn from_ref(_: &TestState) -> Self {
            Self::default()
        }
    }

    async fn ask(headers: &[(&str, &str)], auth: &Arc<RequestAuth>) -> Result<Caller, ApiError> {
        let builder = http::Request::builder();
        let builder = headers
            .iter()
            .fold(builder, |b, (name, value)| b.header(*name, *value));
        let (mut parts, ()) = builder.body(()).unwrap().into_parts();
        let state = TestState(Arc::clone(auth));
        Caller::from_request_parts(&mut parts, &state).await
    }

    async fn request_auth() -> Arc<RequestAuth> {
        let authenticator = JwtAuthenticator::hs256("secret").unwrap();
        let realtime = Realtime::builder().authenticator(authenticator);
        Arc::new(RequestAuth::new(
            realtime.build().await.unwrap(),
            Some("key".into()),
            NonZeroU32::MIN,
        ))
    }

    fn token(role: &str, exp: i64) -> String {
        let claims = serde_json::json!({ "userId": "u1", "role": role, "exp": exp });
        let token = metaia_realtime::auth::sign_hs256(&claims, "secret").unwrap();
        format!("bearer {token}")
    }

    #[tokio::test]
    async fn a_token_or_the_key_names_the_caller() {
        let auth = request_auth().await;
        let user = ask(&[("authorization", &token("tailor", 4_000_000_000))], &auth)
            .await
            .unwrap();
        assert_eq!(user.scope(), "user:tailor:u1");
        assert_eq!(
            ask(&[("x-api-key", "key")], &auth).await.unwrap(),
            Caller::ApiKey
        );
    }

    #[tokio::test]
    async fn each_refusal_has_its_status_code_and_challenge() {
        let auth = request_auth().await;
        for (name, value, status, code) in [
            ("x-nothing", "", 401, "unauthorized"),
            ("authorization", "Bearer nonsense", 401, "unauthorized"),
            ("authorization", "Basic dTpw", 401, "unauthorized"),
            ("authorization", "Bearer ", 401, "unauthorized"),
            ("authorization", "Bearer", 401, "unauthorized"),
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
            let refusal = ask(&[(name, value)], &auth).await.unwrap_err();
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
    async fn a_refusal_over_the_rate_says_when_to_retry() {
        let auth = request_auth().await;
        let bearer = token("customer", 4_000_000_000);
        let headers = [("authorization", &*bearer)];
        for _ in 0..2 {
            ask(&headers, &auth).await.unwrap();
        }
        let refusal = ask(&headers, &auth).await.unwrap_err();
        assert_eq!(refusal.code(), "rate_limited");
        assert_eq!(refusal.into_response().headers()[header::RETRY_AFTER], "1");
    }
}
