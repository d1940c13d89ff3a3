//! Decodes a token, and finds the reasons for which a server would refuse it.

use std::collections::HashSet;

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use metaia_realtime::{Role, UserId, auth::enable_hmac};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::span;

/// Tolerated difference between clocks, in seconds. The server uses the same value.
const LEEWAY_S: i64 = 5;

/// The result of checking the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Signature {
    Good,
    Bad,
    /// No secret is known, or the algorithm does not use a shared secret.
    Unchecked,
}

/// A reason for which a server would refuse the token.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    code: &'static str,
    pub(crate) message: String,
}

/// The decoded parts of a token, and its problems.
#[derive(Debug, Serialize)]
pub(crate) struct Inspection {
    pub(crate) header: Value,
    pub(crate) claims: Map<String, Value>,
    pub(crate) signature: Signature,
    pub(crate) problems: Vec<Problem>,
}

/// Decodes a token and checks it. `now` is in Unix seconds.
pub(crate) fn inspect(token: &str, secret: Option<&str>, now: i64) -> Inspection {
    let header = match decode_header(token) {
        Ok(header) => header,
        Err(error) => return malformed(&error),
    };
    let claims = match insecure_decode_claims::<Map<String, Value>>(token) {
        Ok(claims) => claims,
        Err(error) => return malformed(&error),
    };
    let signature = signature(token, header.alg, secret);
    let mut problems = Vec::new();
    problems.extend(signature_problem(signature, header.alg));
    problems.extend(time_problems(&claims, now));
    problems.extend(identity_problems(&claims));
    let header = serde_json::to_value(&header).unwrap_or_default();
    Inspection {
        header,
        claims,
        signature,
        problems,
    }
}

fn problem(code: &'static str, message: impl Into<String>) -> Problem {
    Problem {
        code,
        message: message.into(),
    }
}

fn malformed(error: &jsonwebtoken::errors::Error) -> Inspection {
    let problems = vec![problem("malformed", format!("not a JWT: {error}"))];
    Inspection {
        header: Value::Null,
        claims: Map::new(),
        signature: Signature::Unchecked,
        problems,
    }
}

fn is_shared_secret(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
    )
}

fn signature(token: &str, algorithm: Algorithm, secret: Option<&str>) -> Signature {
    let Some(secret) = secret.filter(|_| is_shared_secret(algorithm)) else {
        return Signature::Unchecked;
    };
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims = HashSet::new();
    // Times and claims are checked separately, so that every problem is reported.
    validation.validate_exp = false;
    validation.validate_aud = false;
    // An empty secret signs nothing.
    let Ok(key) = DecodingKey::from_secret(secret.as_bytes()) else {
        return Signature::Bad;
    };
    enable_hmac();
    match decode::<Map<String, Value>>(token, &key, &validation) {
        Ok(_) => Signature::Good,
        Err(_) => Signature::Bad,
    }
}

fn signature_problem(signature: Signature, algorithm: Algorithm) -> Option<Problem> {
    if is_shared_secret(algorithm) && algorithm != Algorithm::HS256 {
        return Some(problem(
            "algorithm",
            format!(
                "signed with {algorithm:?}; with a shared secret, the server accepts only HS256"
            ),
        ));
    }
    if signature != Signature::Bad {
        return None;
    }
    let message = "wrong signature: signed with another secret, or modified after signing";
    Some(problem("signature", message))
}

fn time_problems(claims: &Map<String, Value>, now: i64) -> Vec<Problem> {
    let at = |claim: &str| claims.get(claim).and_then(Value::as_i64);
    let ago = |then: i64| span::rough(now.abs_diff(then));
    let mut problems = Vec::new();
    match at("exp") {
        Some(exp) if exp.saturating_add(LEEWAY_S) <= now => {
            problems.push(problem("expired", format!("expired {} ago", ago(exp))));
        }
        Some(_) => {}
        None => problems.push(problem("exp", "no `exp`: a token must expire")),
    }
    if let Some(nbf) = at("nbf").filter(|nbf| nbf.saturating_sub(LEEWAY_S) > now) {
        problems.push(problem(
            "not_yet",
            format!("not valid until {} from now: check the clocks", ago(nbf)),
        ));
    }
    if let Some(iat) = at("iat").filter(|iat| iat.saturating_sub(LEEWAY_S) > now) {
        problems.push(problem(
            "clock",
            format!("issued {} in the future: check the clocks", ago(iat)),
        ));
    }
    problems
}

fn identity_problems(claims: &Map<String, Value>) -> Vec<Problem> {
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
    let mut problems = Vec::new();
    match text("userId").or_else(|| text("sub")) {
        None => problems.push(problem("user", "no `userId` and no `sub`")),
        Some(user) => {
            if let Err(error) = user.parse::<UserId>() {
                problems.push(problem("user", format!("`userId` {user:?}: {error}")));
            }
        }
    }
    match text("role") {
        None => problems.push(problem("role", "no `role`")),
        Some(role) => {
            if let Err(error) = role.parse::<Role>() {
                problems.push(problem(
                    "role",
                    format!("role {role:?} is unknown: {error}"),
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jsonwebtoken::{EncodingKey, Header, encode};
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{Flaw, mint};
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn minted(flaw: Flaw) -> String {
        mint(
            &"tailor:t1".parse().unwrap(),
            "secret",
            Duration::from_secs(60),
            flaw,
            NOW,
        )
        .unwrap()
        .token
    }

    fn signed(claims: &Value, algorithm: Algorithm) -> String {
        enable_hmac();
        let key = EncodingKey::from_secret(b"secret").unwrap();
        encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    #[track_caller]
    fn check(token: &str, expected: &[&str]) {
        let inspection = inspect(token, Some("secret"), NOW);
        let messages: Vec<_> = inspection
            .problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect();
        assert_eq!(messages, expected);
    }

    #[test]
    fn a_minted_token_has_no_problems() {
        check(&minted(Flaw::None), &[]);
        let inspection = inspect(&minted(Flaw::None), Some("secret"), NOW);
        assert_eq!(
            (&inspection.claims["userId"], &inspection.claims["role"]),
            (&json!("t1"), &json!("tailor"))
        );
        assert_eq!(inspection.signature, Signature::Good);
    }

    #[test]
    fn deliberate_flaws_are_found() {
        check(&minted(Flaw::Expired), &["expired 3 min ago"]);
        check(
            &minted(Flaw::BadSignature),
            &["wrong signature: signed with another secret, or modified after signing"],
        );
    }

    #[test]
    fn a_signature_is_not_checked_without_a_secret() {
        let inspection = inspect(&minted(Flaw::BadSignature), None, NOW);
        assert_eq!(
            (inspection.signature, inspection.problems.len()),
            (Signature::Unchecked, 0)
        );
    }

    #[test]
    fn every_relevant_claim_is_checked() {
        check(
            &signed(&json!({}), Algorithm::HS256),
            &[
                "no `exp`: a token must expire",
                "no `userId` and no `sub`",
                "no `role`",
            ],
        );
        let later = json!({
            "sub": "u1",
            "role": "chef",
            "exp": NOW + 9_000,
            "nbf": NOW + 600,
            "iat": NOW + 60,
        });
        check(
            &signed(&later, Algorithm::HS256),
            &[
                "not valid until 10 min from now: check the clocks",
                "issued 60 s in the future: check the clocks",
                "role \"chef\" is unknown: a role is one of customer, admin, tailor, delivery",
            ],
        );
    }

    #[test]
    fn another_algorithm_is_a_problem() {
        let claims = json!({"sub": "u1", "role": "admin", "exp": NOW + 60});
        check(
            &signed(&claims, Algorithm::HS512),
            &["signed with HS512; with a shared secret, the server accepts only HS256"],
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text in any::<String>(),
            parts in "[A-Za-z0-9_-]{0,20}(\\.[A-Za-z0-9_-]{0,20}){2}",
        ) {
            prop_assert!(!inspect(&text, Some("secret"), NOW).problems.is_empty());
            let _ = inspect(&parts, Some("secret"), NOW);
        }
    }
}
