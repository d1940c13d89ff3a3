//! Keys for tests: they sign tokens, and are published as JWKs.

use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use jsonwebtoken::signature::Signer as _;
use ring::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256,
    },
};
use serde_json::{Value, json};

use crate::auth::hmac::HmacKey;

/// Made for tests with `openssl genpkey`; ring does not make RSA keys.
const RSA: &str = include_str!("testdata/rsa-2048.pem");
const OTHER_RSA: &str = include_str!("testdata/rsa-2048-other.pem");

/// A key that signs tokens.
pub(crate) enum TestKey {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Secret(Vec<u8>),
}

impl TestKey {
    pub(crate) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(&der(RSA)).unwrap())
    }

    pub(crate) fn other_rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(&der(OTHER_RSA)).unwrap())
    }

    pub(crate) fn ec() -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        Self::Ec(pair.unwrap())
    }

    pub(crate) fn ed() -> Self {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap())
    }

    /// Returns the algorithm of the key.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
            Self::Secret(_) => "HS256",
        }
    }

    /// Returns the public key as a JWK.
    pub(crate) fn jwk(&self, id: &str) -> Value {
        let base64url = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match self {
            Self::Rsa(pair) => {
                let (n, e) = rsa_parts(pair);
                json!({ "kty": "RSA", "n": base64url(&n), "e": base64url(&e) })
            }
            Self::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) })
            }
            Self::Ed(pair) => {
                let x = base64url(pair.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }
            Self::Secret(secret) => json!({ "kty": "oct", "k": base64url(secret) }),
        };
        jwk["kid"] = json!(id);
        jwk
    }

    /// Signs a token whose header is written like this.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = self.signature(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signs a token for a user, in the way that issuers do.
    pub(crate) fn token(&self, id: &str, claims: &Value) -> String {
        self.sign(&json!({ "alg": self.algorithm(), "kid": id }), claims)
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Secret(secret) => HmacKey::hs256(secret).unwrap().try_sign(message).unwrap(),
        }
    }
}

/// Returns the modulus and the exponent.
fn rsa_parts(pair: &RsaKeyPair) -> (Vec<u8>, Vec<u8>) {
    let parts = ring::signature::RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
    (parts.n, parts.e)
}

/// Returns the public key of an RSA key in DER (PKCS #1), as libraries take it.
pub(crate) fn rsa_der(key: &TestKey) -> Vec<u8> {
    match key {
        TestKey::Rsa(pair) => pair.public_key().as_ref().to_vec(),
        _ => panic!("not an RSA key"),
    }
}

/// Returns the bytes of a PEM file.
fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

/// Returns a document with these keys.
pub(crate) fn document(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}
