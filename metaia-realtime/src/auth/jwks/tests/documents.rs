//! Documents of key sets, good and bad.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{claims, fixed, verdict};
use crate::{
    JwtAuthenticator,
    auth::jwks::{
        document::KeyTable,
        testing::{TestKey, document},
    },
};

/// Returns the fault of a document, or the number of its keys and why others were left out.
fn read(text: &str) -> String {
    match KeyTable::parse(text.as_bytes()) {
        Ok(table) => format!("{} of them{}", table.len(), table.left_out()),
        Err(fault) => fault.to_string(),
    }
}

/// Returns the fault of a document whose only key is this one, with a changed member.
fn with(mut key: Value, name: &str, value: Value) -> String {
    key[name] = value;
    read(&document(&[key]))
}

#[test]
fn a_key_that_is_not_for_signatures_is_left_out() {
    let rsa = || TestKey::rsa().jwk("k");
    let none = "it has no key that can be used: key 1: ";
    for (name, value, reason) in [
        ("use", json!("enc"), "its `use` is not `sig`"),
        ("use", json!("SIG"), "its `use` is not `sig`"),
        ("key_ops", json!(["sign"]), "its `key_ops` have no `verify`"),
        ("key_ops", json!([]), "its `key_ops` have no `verify`"),
        ("kty", json!("EC"), "its type or curve is not supported"),
        ("kid", json!(7), "a member has a wrong type"),
        ("n", json!("!"), "a member is not base64url"),
    ] {
        assert_eq!(
            with(rsa(), name, value),
            format!("{none}{reason}"),
            "{name}"
        );
    }
    let other = "its `alg` is not RS256, ES256 or EdDSA, or not of its type";
    for algorithm in [
        "RS512", "PS256", "RSA-OAEP", "ES256", "HS256", "none", "rs256",
    ] {
        let reason = with(rsa(), "alg", json!(algorithm));
        assert_eq!(reason, format!("{none}{other}"), "{algorithm}");
    }
    for (name, value) in [
        ("use", json!("sig")),
        ("alg", json!("RS256")),
        ("key_ops", json!(["verify", "sign"])),
        ("x5t", json!("abc")),
        ("unknown", json!({ "a": 1 })),
    ] {
        assert_eq!(with(rsa(), name, value), "1 of them", "{name}");
    }
}

#[test]
fn a_published_secret_is_left_out() {
    let reason = "it has no key that can be used: key 1: it is a secret or a private key, which \
                  must not be published";
    assert_eq!(with(TestKey::rsa().jwk("k"), "d", json!("AQ")), reason);
    assert_eq!(with(TestKey::ed().jwk("k"), "d", json!("AQ")), reason);
    let secret = TestKey::Secret(b"secret".to_vec());
    assert_eq!(read(&document(&[secret.jwk("k")])), reason);
}

#[test]
fn a_key_of_a_wrong_size_or_curve_is_left_out() {
    let none = "it has no key that can be used: key 1: ";
    for (key, name, value, reason) in [
        (
            TestKey::rsa(),
            "n",
            json!(""),
            "it is an RSA key of fewer than 2,048 bits",
        ),
        (
            TestKey::rsa(),
            "n",
            json!("_".repeat(1_400)),
            "it is an RSA key of more than 8,192 bits",
        ),
        (
            TestKey::ec(),
            "x",
            json!("AQ"),
            "its coordinates have not 32 bytes each",
        ),
        (
            TestKey::ec(),
            "crv",
            json!("P-384"),
            "its type or curve is not supported",
        ),
        (
            TestKey::ec(),
            "crv",
            json!("secp256k1"),
            "its type or curve is not supported",
        ),
        (TestKey::ed(), "x", json!("AQ"), "it has not 32 bytes"),
        (
            TestKey::ed(),
            "crv",
            json!("X25519"),
            "its type or curve is not supported",
        ),
    ] {
        assert_eq!(with(key.jwk("k"), name, value), format!("{none}{reason}"));
    }
}

/// Returns the bytes as the base64url of a JWK.
fn encoded(bytes: impl AsRef<[u8]>) -> Value {
    json!(URL_SAFE_NO_PAD.encode(bytes))
}

#[test]
fn a_key_that_nobody_or_everybody_can_sign_for_is_left_out() {
    let none = "it has no key that can be used: key 1: ";
    let exponent = "its RSA exponent is not an odd number from 3 to 2^33 - 1";
    let curve = "its point is not on the curve P-256";
    let order = "its point is of low order, so that everybody can sign for it";
    let even = [[0xff; 255].as_slice(), &[0xfe]].concat();
    for (key, name, value, reason) in [
        (TestKey::rsa(), "e", encoded([1]), exponent),
        (TestKey::rsa(), "e", encoded([0, 0, 1]), exponent),
        (TestKey::rsa(), "e", encoded([]), exponent),
        (TestKey::rsa(), "e", encoded([1, 0, 0]), exponent),
        (TestKey::rsa(), "e", encoded([0xff; 5]), exponent),
        (TestKey::rsa(), "e", encoded([0xff; 256]), exponent),
        (
            TestKey::rsa(),
            "n",
            encoded(even),
            "its RSA modulus is even",
        ),
        (TestKey::ec(), "x", encoded([0; 32]), curve),
        (TestKey::ec(), "y", encoded([1; 32]), curve),
        (TestKey::ec(), "x", encoded([0xff; 32]), curve),
        (TestKey::ed(), "x", encoded([0; 32]), order),
    ] {
        let read = with(key.jwk("k"), name, value.clone());
        assert_eq!(read, format!("{none}{reason}"), "{name}: {value}");
    }
    let mut swapped = TestKey::ec().jwk("k");
    let [x, y] = ["x", "y"].map(|name| swapped[name].clone());
    swapped["x"] = y;
    swapped["y"] = x;
    assert_eq!(read(&document(&[swapped])), format!("{none}{curve}"));
    for good in [[3].as_slice(), &[1, 0, 1], &[0, 1, 0, 1]] {
        assert_eq!(
            with(TestKey::rsa().jwk("k"), "e", encoded(good)),
            "1 of them"
        );
    }
}

#[tokio::test]
async fn beside_a_weak_key_the_others_stay_in_use() {
    let rsa = TestKey::rsa();
    let mut weak = rsa.jwk("weak");
    weak["e"] = encoded([1]);
    let authenticator = JwtAuthenticator::jwks(fixed(&[weak, rsa.jwk("good")]));
    for (id, expected) in [("weak", "unauthorized"), ("good", "ok")] {
        let token = rsa.token(id, &claims());
        assert_eq!(verdict(&authenticator, &token).await, expected, "{id}");
    }
}

/// A key and a token that it has signed well, made with `openssl`.
#[tokio::test]
async fn a_token_of_a_short_rsa_key_is_refused() {
    for weak in [
        include_str!("../testdata/weak-512.json"),
        include_str!("../testdata/weak-1024.json"),
    ] {
        let weak: Value = serde_json::from_str(weak).unwrap();
        let key = json!({ "kty": "RSA", "kid": "weak", "n": weak["n"], "e": "AQAB" });
        let authenticator = JwtAuthenticator::jwks(fixed(&[key, TestKey::rsa().jwk("k")]));
        let token = weak["token"].as_str().unwrap();
        assert_eq!(verdict(&authenticator, token).await, "unauthorized");
        let token = TestKey::rsa().token("k", &claims());
        assert_eq!(verdict(&authenticator, &token).await, "ok");
    }
}

#[tokio::test]
async fn zeros_before_a_modulus_change_nothing() {
    let rsa = TestKey::rsa();
    let mut key = rsa.jwk("k");
    let n = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    key["n"] = json!(URL_SAFE_NO_PAD.encode([vec![0], n].concat()));
    let authenticator = JwtAuthenticator::jwks(fixed(&[key]));
    assert_eq!(
        verdict(&authenticator, &rsa.token("k", &claims())).await,
        "ok"
    );
}

#[test]
fn of_two_keys_with_one_id_neither_is_used() {
    let [a, b] = [TestKey::rsa(), TestKey::other_rsa()];
    let doubled = [a.jwk("same"), b.jwk("same")];
    let reason = "another key has the same `kid`";
    assert_eq!(
        read(&document(&doubled)),
        format!("it has no key that can be used: {reason}; {reason}")
    );
    let with_third = [&doubled[..], &[TestKey::ec().jwk("third")]].concat();
    assert_eq!(
        read(&document(&with_third)),
        format!("1 of them: {reason}; {reason}")
    );
    // A key for encryption is none of ours, whatever its id is.
    let mut encryption = b.jwk("same");
    encryption["use"] = json!("enc");
    let beside = read(&document(&[a.jwk("same"), encryption]));
    assert_eq!(beside, "1 of them: key 2: its `use` is not `sig`");
}

#[test]
fn what_is_no_key_set_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        "{\"keys\":{}}",
        "{\"keys\":[",
        "{\"keys\":[]} x",
        "\u{1}",
    ] {
        assert!(
            read(text).starts_with("it is not a JSON Web Key Set"),
            "{text}"
        );
    }
    assert_eq!(read(r#"{"keys":[]}"#), "it has no key that can be used");
    let unusable = read(r#"{"keys":[1,"a",null,{},{"kty":"RSA","kty":"RSA"}]}"#);
    assert_eq!(
        unusable,
        "it has no key that can be used: key 1: it is not a JSON object; \
         key 2: it is not a JSON object; key 3: it is not a JSON object; and 2 more"
    );
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let deep = read(&format!(r#"{{"keys":[{{"kty":"RSA","x":{deep}}}]}}"#));
    assert_eq!(
        deep,
        "it has no key that can be used: key 1: a member has a wrong type"
    );
}

#[test]
fn a_document_has_at_most_100_keys() {
    let key = TestKey::ed();
    let keys = |count: usize| {
        let keys = (0..count).map(|n| key.jwk(&n.to_string()));
        document(&keys.collect::<Vec<_>>())
    };
    assert_eq!(read(&keys(100)), "100 of them");
    assert_eq!(read(&keys(101)), "it has 101 keys, more than 100");
}

#[tokio::test]
async fn a_token_without_a_key_id_needs_the_only_key_that_fits() {
    let [rsa, ec] = [TestKey::rsa(), TestKey::ec()];
    let other = TestKey::other_rsa();
    let without_id = |key: &TestKey| key.sign(&json!({ "alg": key.algorithm() }), &claims());
    let mixed = JwtAuthenticator::jwks(fixed(&[rsa.jwk("a"), ec.jwk("b")]));
    assert_eq!(verdict(&mixed, &without_id(&rsa)).await, "ok");
    assert_eq!(verdict(&mixed, &without_id(&ec)).await, "ok");
    let two = JwtAuthenticator::jwks(fixed(&[rsa.jwk("a"), other.jwk("b"), ec.jwk("c")]));
    assert_eq!(verdict(&two, &without_id(&rsa)).await, "unauthorized");
    assert_eq!(verdict(&two, &without_id(&ec)).await, "ok");
    assert_eq!(verdict(&two, &rsa.token("a", &claims())).await, "ok");
}
