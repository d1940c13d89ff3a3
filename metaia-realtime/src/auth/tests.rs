//! Tokens in every form, judged by the one function that the server and the tools share.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::signature::Signer as _;
use proptest::prelude::*;

use super::{hmac::HmacKey, *};

const SECRET: &str = "test-secret";

/// The time at which tokens are judged: 1,800,000,000 s after the Unix epoch.
const NOW_MS: i64 = 1_800_000_000_000;

/// Signs a header and claims as they are written.
fn signed(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let message = format!("{header}.{claims}");
    let key = HmacKey::hs256(SECRET.as_bytes()).unwrap();
    let signature = key.try_sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Judges a token with these claims, written without their braces.
fn judge(claims: &str) -> Inspection {
    let token = signed(r#"{"alg":"HS256","typ":"JWT"}"#, &format!("{{{claims}}}"));
    let authenticator = JwtAuthenticator::hs256(SECRET).unwrap();
    inspect_token(&token, Some(&authenticator), NOW_MS)
}

/// Judges a token that is good but for these claims, which are written without their braces.
fn judge_times(claims: &str) -> Result<Identity, &'static str> {
    let inspection = judge(&format!(r#""userId":"u1","role":"tailor",{claims}"#));
    inspection.verdict().map_err(AuthError::code)
}

#[track_caller]
fn check_expiry(exp: &str, expected: Result<i64, &str>) {
    let identity = judge_times(&format!(r#""exp":{exp}"#));
    let expires_at = identity.map(|identity| identity.expires_at.unwrap());
    assert_eq!(expires_at, expected, "{exp}");
}

#[test]
fn an_expiry_is_a_number_in_any_form() {
    check_expiry("1.9e9", Ok(1_900_000_000_000));
    check_expiry("1900000000.5", Ok(1_900_000_000_500));
    check_expiry("19E+8", Ok(1_900_000_000_000));
    check_expiry("1900000000000e-3", Ok(1_900_000_000_000));
    check_expiry("253402300800", Ok(253_402_300_800_000));
    check_expiry("1e400", Ok(i64::MAX));
    for expired in [
        "1.7e9",
        "1700000000.25",
        "0",
        "0.0",
        "-1",
        "-1.5",
        "1e-9",
        "-1e400",
    ] {
        check_expiry(expired, Err("token_expired"));
    }
    for other in ["null", "true", "\"1900000000\"", "[1900000000]", "{}"] {
        check_expiry(other, Err("unauthorized"));
    }
}

#[test]
fn clocks_may_differ_by_five_seconds_to_the_millisecond() {
    check_expiry("1799999995.001", Ok(1_799_999_995_001));
    check_expiry("1799999995.0", Err("token_expired"));
    let begins = |nbf: &str| judge_times(&format!(r#""exp":1.9e9,"nbf":{nbf}"#)).map(|_| ());
    assert_eq!(begins("1800000005"), Ok(()));
    assert_eq!(begins("1.8e9"), Ok(()));
    assert_eq!(begins("1800000005.001"), Err("unauthorized"));
    assert_eq!(begins("1e400"), Err("unauthorized"));
    assert_eq!(begins("\"1\""), Err("unauthorized"));
}

#[test]
fn a_beginning_of_null_is_none() {
    let null = judge_times(r#""exp":1.9e9,"nbf":null"#);
    let absent = judge_times(r#""exp":1.9e9"#);
    assert!(null.is_ok());
    assert_eq!(null, absent);
    assert!(judge_times(r#""exp":1.9e9,"iat":null"#).is_ok());
    for other in ["\"null\"", "false", "[]", "{}", "\"\""] {
        let judged = judge_times(&format!(r#""exp":1.9e9,"nbf":{other}"#));
        assert_eq!(judged, Err("unauthorized"), "{other}");
    }
    for no_expiry in ["\"exp\":null,\"nbf\":null", "\"nbf\":null"] {
        assert_eq!(judge_times(no_expiry), Err("unauthorized"), "{no_expiry}");
    }
}

#[track_caller]
fn check_issue(iat: &str, expected: Result<Option<i64>, &str>) {
    let claims = format!(r#""userId":"u1","role":"admin","exp":2e9,"iat":{iat}"#);
    let inspection = judge(&claims);
    let flaw = inspection.flaws.first().map(TokenFlaw::code);
    let issued = inspection.verdict().map(|identity| identity.issued_at);
    assert_eq!(issued.map_err(|_| flaw.unwrap()), expected, "{iat}");
}

#[test]
fn a_token_from_the_future_is_refused() {
    for (iat, issued) in [
        ("1800000004", 1_800_000_004_000),
        ("1800000005", 1_800_000_005_000),
        ("1800000005.0009", 1_800_000_005_000),
        ("1.8e9", NOW_MS),
        ("0", 0),
        ("-1", -1_000),
        ("-1.5", -1_500),
        ("-1e400", i64::MIN),
    ] {
        check_issue(iat, Ok(Some(issued)));
    }
    for later in [
        "1800000005.001",
        "1800000006",
        "1800000006.5",
        "1900000000",
        "1.9e9",
        "1800000000000",
        "1e300",
        "1e400",
    ] {
        check_issue(later, Err("issued_later"));
    }
}

#[test]
fn a_token_from_the_future_is_refused_as_one_that_is_not_valid_yet() {
    let of = |claims: &str| judge_times(&format!(r#""exp":2e9,{claims}"#)).unwrap_err();
    assert_eq!(of(r#""iat":1.9e9"#), of(r#""nbf":1.9e9"#));
    let both = judge(r#""sub":"u1","role":"admin","exp":1.7e9,"iat":1.9e9,"nbf":1.9e9"#);
    let codes: Vec<&str> = both.flaws.iter().map(TokenFlaw::code).collect();
    assert_eq!(codes, ["expired", "not_yet", "issued_later"]);
}

#[test]
fn a_token_without_a_time_of_issue_has_a_warning() {
    for iat in ["null", "\"1800000000\"", "true", "{}", "[1]"] {
        check_issue(iat, Ok(None));
    }
    let warnings = |claims: &str| {
        let inspection = judge(&format!(r#""sub":"u1","role":"admin","exp":1.9e9{claims}"#));
        let warnings = inspection.warnings.iter();
        warnings.map(|warning| warning.code()).collect::<Vec<_>>()
    };
    assert_eq!(warnings(""), ["no_iat"]);
    assert_eq!(warnings(r#","iat":"yesterday""#), ["no_iat"]);
    assert!(warnings(r#","iat":0"#).is_empty());
}

#[test]
fn an_expiry_in_milliseconds_is_accepted_with_a_warning() {
    let inspection = judge(r#""sub":"u1","role":"admin","exp":1900000000000"#);
    assert!(inspection.verdict().is_ok());
    assert_eq!(inspection.warnings[0].code(), "far_expiry");
}

#[track_caller]
fn check_user(ids: &str, expected: Result<&str, &str>) {
    let inspection = judge(&format!(r#"{ids},"role":"customer","exp":1.9e9"#));
    let verdict = inspection.verdict().map_err(AuthError::code);
    let user = verdict.as_ref().map(|identity| identity.user.as_str());
    assert_eq!(user.map_err(|code| *code), expected, "{ids}");
}

#[test]
fn a_user_may_be_a_whole_number() {
    check_user(r#""userId":42"#, Ok("42"));
    check_user(r#""userId":42.0"#, Ok("42"));
    check_user(r#""userId":4.2E1"#, Ok("42"));
    check_user(r#""userId":0"#, Ok("0"));
    check_user(r#""userId":9007199254740991"#, Ok("9007199254740991"));
    check_user(r#""sub":7"#, Ok("7"));
    check_user(r#""userId":null,"sub":7"#, Ok("7"));
    check_user(r#""userId":"c1","sub":{}"#, Ok("c1"));
    check_user(r#""userId":1,"sub":-1"#, Ok("1"));
    for other in [
        "9007199254740992",
        "1e17",
        "-1",
        "1.5",
        "1e400",
        "true",
        "[1]",
        "{}",
        "\"\"",
    ] {
        let refused = Err("unauthorized");
        check_user(&format!(r#""userId":{other}"#), refused);
        check_user(&format!(r#""userId":{other},"sub":"c1""#), refused);
        check_user(&format!(r#""sub":{other}"#), refused);
    }
}

#[track_caller]
fn check_token_id(jti: &str, expected: Result<Option<&str>, &str>) {
    let identity = judge_times(&format!(r#""exp":1.9e9,"jti":{jti}"#));
    let token_id = identity.as_ref().map(|who| who.token_id.as_deref());
    assert_eq!(token_id.map_err(|code| *code), expected, "{jti}");
}

#[test]
fn a_token_id_may_be_a_whole_number() {
    check_token_id("\"t1\"", Ok(Some("t1")));
    check_token_id("12", Ok(Some("12")));
    check_token_id("1.2e1", Ok(Some("12")));
    check_token_id("null", Ok(None));
    for other in ["-1", "0.5", "9007199254740992", "false", "{}", "[]"] {
        check_token_id(other, Err("unauthorized"));
    }
}

#[test]
fn a_header_that_changes_the_meaning_is_refused() {
    let authenticator = JwtAuthenticator::hs256(SECRET).unwrap();
    let claims = r#"{"userId":"u1","role":"admin","exp":1.9e9}"#;
    let judge = |header: &str| {
        let token = signed(header, claims);
        inspect_token(&token, Some(&authenticator), NOW_MS).verdict()
    };
    assert!(judge(r#"{"alg":"HS256","kid":"k1","cty":"JWT"}"#).is_ok());
    for member in [
        r#""crit":["exp"]"#,
        r#""crit":["b64"],"b64":true"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""zip":"DEF""#,
        r#""zip":null"#,
        r#""enc":"A128GCM""#,
        r#""b64":false"#,
        r#""alg":"HS256""#,
    ] {
        let header = format!(r#"{{"alg":"HS256",{member}}}"#);
        assert_eq!(judge(&header), Err(AuthError::Unauthorized), "{header}");
    }
    for header in [
        "{}",
        r#"{"alg":null}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"hs256"}"#,
    ] {
        assert_eq!(judge(header), Err(AuthError::Unauthorized), "{header}");
    }
}

#[test]
fn an_expired_token_says_so_whatever_else_is_wrong_with_its_claims() {
    for claims in [
        r#""exp":1"#,
        r#""exp":1.5,"userId":[],"role":"admin""#,
        r#""exp":1e9,"userId":"u1","role":"root""#,
        r#""exp":1.0,"userId":"u1","role":"admin","jti":{},"nbf":9e9"#,
        r#""exp":1,"nbf":"x""#,
        r#""exp":-1e400,"userId":"u1","role":"admin","nbf":[],"iat":{}"#,
    ] {
        assert_eq!(judge(claims).verdict(), Err(AuthError::Expired), "{claims}");
    }
    let forged = signed(r#"{"alg":"HS256"}"#, r#"{"exp":1}"#);
    let other = JwtAuthenticator::hs256("another").unwrap();
    let inspection = inspect_token(&forged, Some(&other), NOW_MS);
    assert_eq!(inspection.verdict(), Err(AuthError::Unauthorized));
}

#[test]
fn a_token_whose_signature_was_not_checked_proves_nothing() {
    let claims = r#"{"userId":"u1","role":"admin","exp":1.9e9}"#;
    let token = signed(r#"{"alg":"HS256"}"#, claims);
    let inspection = inspect_token(&token, None, NOW_MS);
    assert_eq!(inspection.signature, SignatureCheck::Unchecked);
    assert!(inspection.flaws.is_empty());
    assert_eq!(inspection.verdict(), Err(AuthError::Unauthorized));
}

#[tokio::test]
async fn a_shared_authenticator_decides_like_the_one_that_is_shared() {
    let authenticator = Arc::new(JwtAuthenticator::hs256("a secret").unwrap());
    let shared: Box<dyn DynAuthenticator> = Box::new(Arc::clone(&authenticator));
    let nonsense = shared.authenticate(Credentials::bearer(Some("nonsense")));
    assert_eq!(nonsense.await, authenticator.verify("nonsense"));
    let missing = shared.authenticate(Credentials::bearer(None));
    assert_eq!(missing.await, Err(AuthError::Unauthorized));
}

/// Writes a whole number in one of the forms of JSON.
fn in_form(number: i64, form: usize) -> String {
    match form {
        0 => number.to_string(),
        1 => format!("{number}.0"),
        2 => format!("{number}.000e0"),
        3 => format!("{number}E+0"),
        4 if number != 0 => format!("{number}000e-3"),
        _ => {
            let digits = number.unsigned_abs().to_string();
            let sign = if number < 0 { "-" } else { "" };
            let (first, rest) = digits.split_at(1);
            format!("{sign}{first}.{rest}0e{}", rest.len())
        }
    }
}

proptest! {
    #[test]
    fn the_form_of_a_time_does_not_matter(
        exp in -10_000_000_000_i64..10_000_000_000, form in 0..6_usize,
    ) {
        let expected = if exp * 1_000 + LEEWAY_MS > NOW_MS {
            Ok(exp * 1_000)
        } else {
            Err("token_expired")
        };
        let exp = in_form(exp, form);
        let identity = judge_times(&format!(r#""exp":{exp}"#));
        prop_assert_eq!(identity.map(|who| who.expires_at.unwrap()), expected, "{}", exp);
    }

    #[test]
    fn the_form_of_an_id_does_not_matter(id in 0..=(1_i64 << 53) - 1, form in 0..6_usize) {
        let claims = format!(r#""userId":{},"role":"tailor","exp":1.9e9"#, in_form(id, form));
        let user = judge(&claims).verdict().unwrap().user;
        prop_assert_eq!(user.as_str(), id.to_string());
    }

    #[test]
    fn no_token_panics(text in "\\PC{0,40}", claims in "\\PC{0,40}") {
        let authenticator = JwtAuthenticator::hs256(SECRET).unwrap();
        for token in [signed(r#"{"alg":"HS256"}"#, &claims), text] {
            let inspection = inspect_token(&token, Some(&authenticator), NOW_MS);
            prop_assert!(inspection.verdict().is_err());
        }
    }
}
