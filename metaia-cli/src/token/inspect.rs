//! Explains a token: its claims, and the reasons for which a server refuses it.

use metaia_realtime::JwtAuthenticator;
use metaia_realtime::auth::{AuthError, SignatureCheck, TokenMembers, inspect_token};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::pasted::PastedToken;
use super::printable::compact_json;
use super::problem::{Problem, left_out};
use super::zone::Zone;

/// The algorithms of public keys that a server may accept.
const PUBLIC: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// The decoded parts of a token, and its problems.
#[derive(Debug, Serialize)]
pub(crate) struct TokenReport {
    #[serde(serialize_with = "compact_members")]
    pub(crate) header: TokenMembers,
    #[serde(serialize_with = "compact_members")]
    pub(crate) claims: TokenMembers,
    #[serde(rename = "signature", serialize_with = "check_name")]
    pub(crate) check: SignatureCheck,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
    /// The code with which a server with these secrets refuses the token; `None` if it accepts it.
    #[serde(skip)]
    pub(crate) refusal: Option<AuthError>,
    /// The time of the inspection, in Unix milliseconds.
    #[serde(skip)]
    pub(crate) now: i64,
    /// The zone in which times are shown beside UTC.
    #[serde(skip)]
    pub(crate) zone: Option<Zone>,
    /// The source of the secrets with which the signature was checked.
    #[serde(skip)]
    pub(crate) secrets_from: Option<String>,
}

/// Judges a token with the secrets that are known here. `now` is in Unix milliseconds. They cannot
/// check a token that is signed with a key of its issuer.
pub(crate) fn inspect(pasted: &PastedToken<'_>, secrets: &[String], now: i64) -> TokenReport {
    let unchecked = inspect_with(pasted, None, now);
    match authenticator(secrets) {
        Some(authenticator) if unchecked.public_algorithm().is_none() => {
            inspect_with(pasted, Some(&authenticator), now)
        }
        _ => unchecked,
    }
}

/// Judges a token by the function that the server uses.
pub(crate) fn inspect_with(
    pasted: &PastedToken<'_>,
    authenticator: Option<&JwtAuthenticator>,
    now: i64,
) -> TokenReport {
    let token = pasted.token;
    let inspection = inspect_token(token, authenticator, now);
    let length = Problem::of_length(token);
    let refusal = match &length {
        // The server does not read it.
        Some(_) => Some(AuthError::Unauthorized),
        None => inspection.verdict().err(),
    };
    let problems = inspection
        .flaws
        .iter()
        .map(|flaw| Problem::of_flaw(flaw, now))
        .chain(length);
    let warnings = inspection.warnings.iter().map(Problem::of_warning);
    TokenReport {
        problems: problems.collect(),
        warnings: left_out(pasted).chain(warnings).collect(),
        check: inspection.signature,
        header: inspection.header,
        claims: inspection.claims,
        refusal,
        now,
        zone: None,
        secrets_from: None,
    }
}

impl TokenReport {
    /// Returns whether the text has the form of a token at all.
    pub(crate) fn is_jwt(&self) -> bool {
        !self
            .problems
            .iter()
            .any(|problem| problem.code == "malformed")
    }

    /// Returns the algorithm of the token if its signature is checked with a public key.
    pub(crate) fn public_algorithm(&self) -> Option<&'static str> {
        let named: String = serde_json::from_str(self.header.get("alg")?.get()).ok()?;
        PUBLIC.into_iter().find(|algorithm| *algorithm == named)
    }

    pub(crate) fn is_accepted(&self) -> bool {
        self.refusal.is_none()
    }
}

/// Returns the authenticator of a server with these secrets.
fn authenticator(secrets: &[String]) -> Option<JwtAuthenticator> {
    let (first, others) = secrets.split_first()?;
    let first = JwtAuthenticator::hs256(first);
    others
        .iter()
        .fold(first, |all, secret| all?.or_hs256(secret))
        .ok()
}

/// Serializes members without the line ends that may be between the tokens of their values.
fn compact_members<S: Serializer>(
    members: &TokenMembers,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for (name, value) in members.iter() {
        let value = RawValue::from_string(compact_json(value.get()));
        map.serialize_entry(name, &value.map_err(S::Error::custom)?)?;
    }
    map.end()
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn check_name<S: Serializer>(check: &SignatureCheck, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match check {
        SignatureCheck::Good => "good",
        SignatureCheck::Bad => "bad",
        SignatureCheck::Unchecked => "unchecked",
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metaia_realtime::auth::enable_hmac;

    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::{Flaw, mint};
    use super::*;

    const NOW_S: i64 = 1_700_000_000;
    const NOW_MS: i64 = NOW_S * 1_000;

    fn minted(flaw: Flaw) -> String {
        let ttl = Duration::from_secs(60);
        let actor = "tailor:t1".parse().unwrap();
        mint(&actor, &"secret".into(), ttl, flaw, NOW_S * 1_000)
            .unwrap()
            .token
    }

    fn signed(claims: &Value, algorithm: Algorithm) -> String {
        enable_hmac();
        let key = EncodingKey::from_secret(b"secret").unwrap();
        encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    fn report(token: &str) -> TokenReport {
        inspected(token, &["secret".to_owned()])
    }

    fn inspected(text: &str, secrets: &[String]) -> TokenReport {
        inspect(&PastedToken::read(text), secrets, NOW_MS)
    }

    fn messages(problems: &[Problem]) -> Vec<&str> {
        let messages = problems.iter().map(|problem| &*problem.message);
        messages.collect()
    }

    #[track_caller]
    fn check(token: &str, expected: &[&str]) {
        let report = report(token);
        assert_eq!(messages(&report.problems), expected);
        assert_eq!(report.is_accepted(), expected.is_empty());
    }

    #[test]
    fn a_minted_token_has_no_problems() {
        let token = minted(Flaw::None);
        check(&token, &[]);
        assert_eq!(report(&token).claims.get("userId").unwrap().get(), "\"t1\"");
        assert_eq!(report(&token).check, SignatureCheck::Good);
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
    fn a_token_of_an_old_secret_is_good() {
        let secrets = ["new".to_owned(), "secret".to_owned()];
        assert!(inspected(&minted(Flaw::None), &secrets).is_accepted());
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
            "sub": {},
            "role": "chef",
            "exp": NOW_S + 9_000,
            "nbf": NOW_S + 600,
        });
        check(
            &signed(&later, Algorithm::HS256),
            &[
                "not valid until 10 min from now: check the clocks",
                "`sub` {}: not text or a whole number",
                "role \"chef\" is unknown: a role is one of customer, admin, tailor, delivery",
            ],
        );
    }

    #[test]
    fn what_a_server_accepts_is_only_warned_about() {
        let claims = json!({
            "sub": 7,
            "role": "tailor",
            "exp": 1.9e12,
        });
        let token = signed(&claims, Algorithm::HS256);
        check(&token, &[]);
        assert_eq!(
            messages(&report(&token).warnings),
            [
                "expires in the year 9999 or later: `exp` must be in seconds, \
                 not in milliseconds",
                "no `iat` in seconds: it counts as issued at 0, so that any revocation of its \
                 user by time is of this token, too",
            ]
        );
    }

    #[test]
    fn a_token_from_the_future_is_refused() {
        let issued = |iat: i64| {
            let claims = json!({"sub": "u1", "role": "admin", "exp": NOW_S + 9_000, "iat": iat});
            signed(&claims, Algorithm::HS256)
        };
        check(&issued(NOW_S + 5), &[]);
        assert!(report(&issued(NOW_S + 5)).warnings.is_empty());
        check(
            &issued(NOW_S + 60),
            &["issued 60 s in the future: check the clocks"],
        );
    }

    #[test]
    fn another_algorithm_is_a_problem() {
        let claims = json!({"sub": "u1", "role": "admin", "exp": NOW_S + 60});
        check(
            &signed(&claims, Algorithm::HS512),
            &["signed with HS512; with a shared secret, the server accepts only HS256"],
        );
    }

    #[test]
    fn a_secret_does_not_check_a_token_of_a_public_key() {
        // {"alg":"RS256","kid":"k"}
        let claims = signed(
            &json!({"sub": "u1", "role": "admin", "exp": NOW_S + 60}),
            Algorithm::HS256,
        );
        let (_, rest) = claims.split_once('.').unwrap();
        let token = format!("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.{rest}");
        let report = report(&token);
        assert_eq!(report.public_algorithm(), Some("RS256"));
        assert_eq!(report.check, SignatureCheck::Unchecked);
        assert!(report.problems.is_empty() && !report.is_accepted());
    }

    #[test]
    fn an_unsigned_token_is_called_so() {
        // {"alg":"none"} and {"sub":"u1","role":"admin","exp":1700000060}
        let header = "eyJhbGciOiJub25lIn0";
        let claims = "eyJzdWIiOiJ1MSIsInJvbGUiOiJhZG1pbiIsImV4cCI6MTcwMDAwMDA2MH0";
        for signature in ["", "c2ln"] {
            check(
                &format!("{header}.{claims}.{signature}"),
                &["unsigned, since `alg` is none; \
                   with a shared secret, the server accepts only HS256"],
            );
        }
    }

    #[test]
    fn times_in_milliseconds_are_called_so() {
        let claims = json!({
            "sub": "u1",
            "role": "tailor",
            "exp": NOW_MS,
            "iat": NOW_MS,
            "nbf": NOW_MS,
        });
        let report = report(&signed(&claims, Algorithm::HS256));
        let seconds = |claim| {
            format!(
                "`{claim}` is in the year 9999 or later: it must be in seconds, not in milliseconds"
            )
        };
        let problems = [seconds("nbf"), seconds("iat")];
        assert_eq!(messages(&report.problems), problems);
    }

    #[test]
    fn what_was_pasted_with_a_token_is_named() {
        let report = report(&format!("Authorization: Bearer {}", minted(Flaw::None)));
        assert!(report.is_accepted());
        assert_eq!(
            messages(&report.warnings),
            [
                "`Authorization:` is not part of the token: it was left out",
                "`Bearer` is not part of the token: it was left out",
            ]
        );
    }

    #[test]
    fn a_token_that_no_server_reads_is_too_long() {
        let claims =
            json!({"sub": "u1", "role": "admin", "exp": NOW_S + 60, "x": "x".repeat(5_000)});
        let report = report(&signed(&claims, Algorithm::HS256));
        assert_eq!(report.problems[0].code, "length");
        assert!(!report.is_accepted());
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text in any::<String>(),
            parts in "[A-Za-z0-9_-]{0,20}(\\.[A-Za-z0-9_-]{0,20}){2}",
        ) {
            prop_assert!(!report(&text).problems.is_empty());
            prop_assert!(!report(&parts).is_accepted());
        }
    }
}
