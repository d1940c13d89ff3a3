//! Tokens that make a server confuse keys and algorithms: each algorithm, with each key, under each
//! name. Only what belongs together is accepted.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{claims, fixed, verdict};
use crate::{
    JwtAuthenticator,
    auth::jwks::testing::{TestKey, rsa_der},
};

const SECRET: &str = "a secret of at least 32 bytes, random";

const ALGORITHMS: [&str; 16] = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA",
    "none", "None", "", "hs256", "rs256", "Ed25519",
];

/// Each key with the id under which it is published; the secret has none.
fn keys() -> Vec<(&'static str, TestKey)> {
    vec![
        ("rsa", TestKey::rsa()),
        ("ec", TestKey::ec()),
        ("ed", TestKey::ed()),
        ("secret", TestKey::Secret(SECRET.into())),
    ]
}

fn published(keys: &[(&str, TestKey)]) -> Vec<Value> {
    let public = keys.iter().filter(|(id, _)| *id != "secret");
    public.map(|(id, key)| key.jwk(id)).collect()
}

#[tokio::test]
async fn a_token_is_accepted_only_with_its_own_key_and_algorithm() {
    let keys = keys();
    let authenticator = JwtAuthenticator::jwks(fixed(&published(&keys)));
    let authenticator = authenticator.or_hs256(SECRET).unwrap();
    let mut accepted = 0;
    for (signer, key) in &keys {
        for algorithm in ALGORITHMS {
            for named in [
                Some("rsa"),
                Some("ec"),
                Some("ed"),
                Some("secret"),
                Some(""),
                None,
            ] {
                let mut header = json!({ "alg": algorithm });
                if let Some(named) = named {
                    header["kid"] = json!(named);
                }
                let token = key.sign(&header, &claims());
                let is_own_key = match *signer {
                    // A shared secret has no id: `kid` says nothing about it.
                    "secret" => true,
                    own => named.is_none_or(|named| named == own),
                };
                let belongs = algorithm == key.algorithm() && is_own_key;
                let expected = if belongs { "ok" } else { "unauthorized" };
                let what = format!("signed with {signer}, header {header}");
                assert_eq!(verdict(&authenticator, &token).await, expected, "{what}");
                accepted += usize::from(belongs);
            }
        }
    }
    assert_eq!(accepted, 3 * 2 + 6);
}

/// The classic attack: the public key, which everybody knows, used as a shared secret.
#[tokio::test]
async fn a_public_key_is_no_secret() {
    let rsa = TestKey::rsa();
    let der = rsa_der(&rsa);
    let pem = format!(
        "-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let jwk = rsa.jwk("rsa");
    let n = jwk["n"].as_str().unwrap().to_owned();
    let forms = [
        der,
        pem.into_bytes(),
        jwk.to_string().into_bytes(),
        n.into_bytes(),
    ];
    let source = || fixed(&[rsa.jwk("rsa")]);
    let with_secret = JwtAuthenticator::jwks(source()).or_hs256(SECRET);
    for authenticator in [with_secret.unwrap(), JwtAuthenticator::jwks(source())] {
        for secret in &forms {
            let forged = TestKey::Secret(secret.clone());
            for header in [
                json!({ "alg": "HS256" }),
                json!({ "alg": "HS256", "kid": "rsa" }),
            ] {
                let token = forged.sign(&header, &claims());
                assert_eq!(verdict(&authenticator, &token).await, "unauthorized");
            }
        }
    }
}

#[tokio::test]
async fn a_secret_is_never_taken_from_a_key_set() {
    let secret = TestKey::Secret(b"published by mistake, long enough".to_vec());
    let rsa = TestKey::rsa();
    let authenticator = JwtAuthenticator::jwks(fixed(&[secret.jwk("s"), rsa.jwk("rsa")]));
    let token = secret.token("s", &claims());
    assert_eq!(verdict(&authenticator, &token).await, "unauthorized");
    let token = rsa.token("rsa", &claims());
    assert_eq!(verdict(&authenticator, &token).await, "ok");
}

#[tokio::test]
async fn without_a_secret_no_hs256_token_is_accepted() {
    let authenticator = JwtAuthenticator::jwks(fixed(&[TestKey::rsa().jwk("rsa")]));
    for secret in ["", SECRET] {
        let key = TestKey::Secret(format!("{secret} ").into_bytes());
        let token = key.token("rsa", &claims());
        assert_eq!(verdict(&authenticator, &token).await, "unauthorized");
    }
}

#[tokio::test]
async fn without_a_key_set_no_public_key_is_accepted() {
    let authenticator = JwtAuthenticator::hs256(SECRET).unwrap();
    for key in [TestKey::rsa(), TestKey::ec(), TestKey::ed()] {
        let token = key.token("rsa", &claims());
        assert_eq!(verdict(&authenticator, &token).await, "unauthorized");
    }
}

#[tokio::test]
async fn a_header_that_changes_the_meaning_is_refused() {
    for key in [TestKey::rsa(), TestKey::ec(), TestKey::ed()] {
        let authenticator = JwtAuthenticator::jwks(fixed(&[key.jwk("k")]));
        let with = |name: &str, value: Value| {
            let mut header = json!({ "alg": key.algorithm(), "kid": "k" });
            header[name] = value;
            key.sign(&header, &claims())
        };
        assert_eq!(
            verdict(&authenticator, &with("typ", json!("JWT"))).await,
            "ok"
        );
        for (name, value) in [
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("crit", Value::Null),
            ("zip", json!("DEF")),
            ("enc", json!("A128GCM")),
            ("b64", json!(false)),
            ("kid", json!(7)),
            ("kid", json!(["k"])),
            ("kid", Value::Null),
            ("kid", json!("../../../../dev/null")),
            ("kid", json!("k' OR '1'='1")),
        ] {
            let token = with(name, value.clone());
            let refused = verdict(&authenticator, &token).await;
            assert_eq!(refused, "unauthorized", "{name}: {value}");
        }
    }
}

/// A token is signed well with the key that it brings itself. That key belongs to no issuer.
#[tokio::test]
async fn a_key_in_the_header_is_not_used() {
    let ours = TestKey::rsa();
    let authenticator = JwtAuthenticator::jwks(fixed(&[ours.jwk("k")]));
    let theirs = TestKey::other_rsa();
    for header in [
        json!({ "alg": "RS256", "kid": "k", "jwk": theirs.jwk("k") }),
        json!({ "alg": "RS256", "jwk": theirs.jwk("k") }),
        json!({ "alg": "RS256", "kid": "theirs", "jwk": theirs.jwk("theirs") }),
        json!({ "alg": "RS256", "kid": "k", "x5c": [STANDARD.encode(rsa_der(&theirs))] }),
    ] {
        let token = theirs.sign(&header, &claims());
        assert_eq!(
            verdict(&authenticator, &token).await,
            "unauthorized",
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_changed_signature_is_refused() {
    for key in [TestKey::rsa(), TestKey::ec(), TestKey::ed()] {
        let authenticator = JwtAuthenticator::jwks(fixed(&[key.jwk("k")]));
        let good = key.token("k", &claims());
        assert_eq!(verdict(&authenticator, &good).await, "ok");
        let (message, signature) = good.rsplit_once('.').unwrap();
        let zeros = "A".repeat(signature.len());
        for signature in ["", "AA", &signature[..signature.len() - 4], &zeros] {
            let token = format!("{message}.{signature}");
            assert_eq!(verdict(&authenticator, &token).await, "unauthorized");
        }
    }
}
