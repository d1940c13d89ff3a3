//! Issuers and audiences.

use serde_json::{Value, json};

use super::{claims, fixed, verdict};
use crate::{
    JwtAuthenticator,
    auth::{
        AuthError, SignatureCheck, inspect_token,
        jwks::{DuplicateIssuer, testing::TestKey},
    },
};

const ONE: &str = "https://one.example/";
const TWO: &str = "https://two.example/";

fn with(members: &[(&str, Value)]) -> Value {
    let mut claims = claims();
    for (name, value) in members {
        claims[*name] = value.clone();
    }
    claims
}

#[tokio::test]
async fn the_issuer_decides_whose_keys_are_asked() {
    let [one, two] = [TestKey::rsa(), TestKey::other_rsa()];
    let authenticator = JwtAuthenticator::jwks(fixed(&[one.jwk("k")]).issuer(ONE))
        .or_jwks(fixed(&[two.jwk("k")]).issuer(TWO))
        .unwrap();
    for (key, issuer, expected) in [
        (&one, json!(ONE), "ok"),
        (&two, json!(TWO), "ok"),
        (&one, json!(TWO), "unauthorized"),
        (&two, json!(ONE), "unauthorized"),
        (&one, json!("https://three.example/"), "unauthorized"),
        (&one, json!("https://one.example"), "unauthorized"),
        (&one, Value::Null, "unauthorized"),
        (&one, json!([ONE]), "unauthorized"),
        (&one, json!(7), "unauthorized"),
    ] {
        let token = key.token("k", &with(&[("iss", issuer.clone())]));
        assert_eq!(verdict(&authenticator, &token).await, expected, "{issuer}");
    }
    assert_eq!(
        verdict(&authenticator, &one.token("k", &claims())).await,
        "unauthorized"
    );
}

#[tokio::test]
async fn a_source_without_an_issuer_never_speaks_for_one_that_is_named() {
    let [one, any] = [TestKey::rsa(), TestKey::other_rsa()];
    let authenticator = JwtAuthenticator::jwks(fixed(&[one.jwk("k")]).issuer(ONE))
        .or_jwks(fixed(&[any.jwk("k")]))
        .unwrap();
    let token = any.token("k", &with(&[("iss", json!(ONE))]));
    assert_eq!(verdict(&authenticator, &token).await, "unauthorized");
    for issuer in [json!(TWO), Value::Null] {
        let token = any.token("k", &with(&[("iss", issuer)]));
        assert_eq!(verdict(&authenticator, &token).await, "ok");
    }
}

#[tokio::test]
async fn each_issuer_has_one_source() {
    let source = || fixed(&[TestKey::ec().jwk("k")]);
    let again = JwtAuthenticator::jwks(source().issuer(ONE)).or_jwks(source().issuer(ONE));
    assert_eq!(again.unwrap_err(), DuplicateIssuer);
    let again = JwtAuthenticator::jwks(source()).or_jwks(source());
    assert_eq!(again.unwrap_err(), DuplicateIssuer);
}

/// The audiences of tokens, and whether they are for `metaia` or `web`.
fn audiences() -> Vec<(Value, bool)> {
    vec![
        (json!("metaia"), true),
        (json!(["other", "web"]), true),
        (json!(["metaia"]), true),
        (json!("other"), false),
        (json!("metaia "), false),
        (json!("METAIA"), false),
        (json!("metaia,web"), false),
        (json!([]), false),
        (json!(["other"]), false),
        (json!(["metaia", 7]), false),
        (json!([["metaia"]]), false),
        (json!({ "metaia": true }), false),
        (json!(7), false),
        (Value::Null, false),
    ]
}

#[tokio::test]
async fn a_token_must_be_for_one_of_the_audiences() {
    let key = TestKey::ec();
    let source = fixed(&[key.jwk("k")]).audience("metaia").audience("web");
    let authenticator = JwtAuthenticator::jwks(source);
    for (audience, is_ours) in audiences() {
        let token = key.token("k", &with(&[("aud", audience.clone())]));
        let expected = if is_ours { "ok" } else { "unauthorized" };
        assert_eq!(
            verdict(&authenticator, &token).await,
            expected,
            "{audience}"
        );
    }
    assert_eq!(
        verdict(&authenticator, &key.token("k", &claims())).await,
        "unauthorized"
    );
}

#[tokio::test]
async fn a_token_of_a_shared_secret_may_need_an_issuer_and_an_audience() {
    let key = TestKey::Secret(b"secret".to_vec());
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let authenticator = authenticator.issuer(ONE).issuer(TWO);
    let authenticator = authenticator.audience("metaia").audience("web");
    for (audience, is_ours) in audiences() {
        for (issuer, is_known) in [
            (json!(ONE), true),
            (json!(TWO), true),
            (json!("x"), false),
            (json!([ONE]), false),
            (Value::Null, false),
        ] {
            let claims = with(&[("aud", audience.clone()), ("iss", issuer.clone())]);
            let expected = if is_ours && is_known {
                "ok"
            } else {
                "unauthorized"
            };
            let given = verdict(&authenticator, &key.token("k", &claims)).await;
            assert_eq!(given, expected, "{claims}");
        }
    }
}

#[tokio::test]
async fn an_expired_token_of_a_key_set_says_so() {
    let key = TestKey::ec();
    let authenticator = JwtAuthenticator::jwks(fixed(&[key.jwk("k")]).audience("metaia"));
    let expired = key.token("k", &with(&[("exp", json!(1)), ("aud", json!("other"))]));
    // The answer is the same before its keys are known, and after.
    assert_eq!(authenticator.verify(&expired), Err(AuthError::Expired));
    authenticator.wait_for_keys().await.unwrap();
    assert_eq!(verdict(&authenticator, &expired).await, "token_expired");
}

#[tokio::test]
async fn an_inspection_explains_each_refusal() {
    let [rsa, ec] = [TestKey::rsa(), TestKey::ec()];
    let source = fixed(&[rsa.jwk("r"), ec.jwk("e"), TestKey::other_rsa().jwk("s")]);
    let source = source.issuer(ONE).audience("metaia");
    let authenticator = JwtAuthenticator::jwks(source);
    authenticator.wait_for_keys().await.unwrap();
    let good = with(&[("iss", json!(ONE)), ("aud", json!("metaia"))]);
    let explained = |token: &str| {
        let inspection = inspect_token(token, Some(&authenticator), 1_800_000_000_000);
        let flaws = inspection
            .flaws
            .iter()
            .map(|flaw| format!("{}: {flaw}", flaw.code()));
        (inspection.signature, flaws.collect::<Vec<_>>())
    };
    let check = |token: &str, signature, expected: &[&str]| {
        let (checked, flaws) = explained(token);
        assert_eq!(
            (checked, &flaws[..]),
            (signature, &expected.map_to_owned()[..])
        );
    };
    check(&rsa.token("r", &good), SignatureCheck::Good, &[]);
    check(
        &ec.token("r", &good),
        SignatureCheck::Unchecked,
        &["algorithm: signed with ES256, and the key of its `kid` is for RS256 only"],
    );
    check(
        &rsa.token("s", &good),
        SignatureCheck::Bad,
        &["signature: wrong signature: signed with another secret, or modified after signing"],
    );
    check(
        &rsa.token("x", &good),
        SignatureCheck::Unchecked,
        &["kid: its issuer has no key with the `kid` \"x\""],
    );
    check(
        &rsa.sign(&json!({ "alg": "RS256" }), &good),
        SignatureCheck::Unchecked,
        &["kid: its header has no `kid`, and its issuer has several keys for its algorithm"],
    );
    check(
        &rsa.token("r", &with(&[("iss", json!(TWO)), ("aud", json!("metaia"))])),
        SignatureCheck::Unchecked,
        &["iss: `iss` \"https://two.example/\": the server accepts no tokens of this issuer"],
    );
    check(
        &rsa.token("r", &with(&[("iss", json!(ONE)), ("aud", json!(["web"]))])),
        SignatureCheck::Good,
        &["aud: `aud` [\"web\"]: the token is not for this server"],
    );
    check(
        &TestKey::Secret(b"secret".to_vec()).token("r", &good),
        SignatureCheck::Unchecked,
        &["algorithm: signed with HS256; the server accepts only RS256, ES256 and EdDSA"],
    );
}

trait MapToOwned {
    fn map_to_owned(&self) -> Vec<String>;
}

impl MapToOwned for &[&str] {
    fn map_to_owned(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}
