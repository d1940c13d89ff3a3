//! The signatures of tokens: HMAC with SHA-2 for `jsonwebtoken` (RFC 7518, section 3.2).
//!
//! `jsonwebtoken` takes its algorithms from a provider of the process. Its own providers bring RSA
//! and elliptic curves, some thirty crates that a shared secret does not need. The public keys of
//! the feature `jwks` are verified by ring, which TLS brings already.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind, new_error},
    signature::{self, Signer, Verifier},
};
use serde::Serialize;
use sha2::{Sha256, Sha384, Sha512};

static HMAC: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(HmacKey::for_signing(*algorithm, key)?)),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Returns the verifier of an algorithm: with the feature `jwks` also that of a public key.
fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    #[cfg(feature = "jwks")]
    if algorithm.family() != AlgorithmFamily::Hmac {
        return Ok(Box::new(super::jwks::PublicKey::for_verifying(
            algorithm, key,
        )?));
    }
    Ok(Box::new(HmacKey::for_verifying(algorithm, key)?))
}

/// Enables HS256, HS384 and HS512 in `jsonwebtoken` for this process, unless it has a provider of
/// algorithms already. With the feature `jwks` it also verifies RS256, ES256 and EdDSA, with keys
/// from their components.
///
/// [`sign_hs256`] calls it. A program that uses `jsonwebtoken` itself calls it before, or has that
/// crate's feature `rust_crypto` or `aws_lc_rs`, or installs a provider of its own first.
pub fn enable_hmac() {
    if CryptoProvider::try_get_default().is_none() {
        // Another thread may have installed a provider meanwhile: that one stays.
        let _ = HMAC.install_default();
    }
}

/// Signs claims with HS256, and returns the token: for a login route and for tests.
///
/// [`JwtAuthenticator`](super::JwtAuthenticator) wants the claims `userId` (or `sub`), `role` and
/// `exp` (seconds since the Unix epoch).
///
/// # Errors
/// Returns [`SignError`] if the secret is empty, or if the claims cannot be written as JSON.
///
/// ```
/// use metaia_realtime::{JwtAuthenticator, auth::sign_hs256};
///
/// let exp = 4_000_000_000_u32;
/// let claims = serde_json::json!({ "userId": "c1", "role": "customer", "exp": exp });
/// let token = sign_hs256(&claims, "my secret")?;
/// let identity = JwtAuthenticator::hs256("my secret")?.verify(&token)?;
/// assert_eq!(identity.user.as_str(), "c1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign_hs256(claims: &impl Serialize, secret: impl AsRef<[u8]>) -> Result<String, SignError> {
    enable_hmac();
    let key = EncodingKey::from_secret(secret.as_ref()).map_err(SignError)?;
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).map_err(SignError)
}

/// Error of [`sign_hs256`]: the token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("the token cannot be signed")]
pub struct SignError(#[source] Error);

/// A secret with the algorithm that it is used for.
pub(super) struct HmacKey {
    algorithm: Algorithm,
    secret: Vec<u8>,
}

impl HmacKey {
    /// Returns a key for HS256; `None` for an empty secret, with which anyone could sign.
    pub(super) fn hs256(secret: &[u8]) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        Some(Self {
            algorithm: Algorithm::HS256,
            secret: secret.to_vec(),
        })
    }

    /// Returns true if this is the signature of the message. Compares in constant time.
    pub(super) fn signed(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        self.verify(message, signature).is_ok()
    }

    fn for_signing(algorithm: Algorithm, key: &EncodingKey) -> Result<Self, Error> {
        Self::new(algorithm, key.family(), key.as_bytes())
    }

    fn for_verifying(algorithm: Algorithm, key: &DecodingKey) -> Result<Self, Error> {
        Self::new(algorithm, key.family(), key.try_get_as_bytes()?)
    }

    fn new(algorithm: Algorithm, family: AlgorithmFamily, secret: &[u8]) -> Result<Self, Error> {
        // A public key of another family must never be used as a secret.
        if family != AlgorithmFamily::Hmac {
            return Err(new_error(ErrorKind::InvalidKeyFormat));
        }
        if algorithm.family() != AlgorithmFamily::Hmac {
            return Err(new_error(ErrorKind::UnsupportedAlgorithm));
        }
        Ok(Self {
            algorithm,
            secret: secret.to_vec(),
        })
    }

    fn digest<M: Mac + KeyInit>(&self, message: &[u8]) -> Result<M, signature::Error> {
        let mut mac =
            <M as KeyInit>::new_from_slice(&self.secret).map_err(signature::Error::from_source)?;
        mac.update(message);
        Ok(mac)
    }
}

impl Signer<Vec<u8>> for HmacKey {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        fn finish<M: Mac>(mac: M) -> Vec<u8> {
            mac.finalize().into_bytes().to_vec()
        }
        match self.algorithm {
            Algorithm::HS256 => self.digest::<Hmac<Sha256>>(message).map(finish),
            Algorithm::HS384 => self.digest::<Hmac<Sha384>>(message).map(finish),
            Algorithm::HS512 => self.digest::<Hmac<Sha512>>(message).map(finish),
            _ => Err(signature::Error::new()),
        }
    }
}

impl Verifier<Vec<u8>> for HmacKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        // `verify_slice` compares in constant time.
        fn check<M: Mac>(mac: M, signature: &[u8]) -> Result<(), signature::Error> {
            mac.verify_slice(signature)
                .map_err(signature::Error::from_source)
        }
        match self.algorithm {
            Algorithm::HS256 => check(self.digest::<Hmac<Sha256>>(message)?, signature),
            Algorithm::HS384 => check(self.digest::<Hmac<Sha384>>(message)?, signature),
            Algorithm::HS512 => check(self.digest::<Hmac<Sha512>>(message)?, signature),
            _ => Err(signature::Error::new()),
        }
    }
}

impl JwtSigner for HmacKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl JwtVerifier for HmacKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2: the first bytes of each signature.
    #[test]
    fn the_signatures_are_those_of_the_specifications() {
        let message = b"what do ya want for nothing?";
        for (algorithm, begins_with) in [
            (Algorithm::HS256, [0x5b, 0xdc, 0xc1, 0x46]),
            (Algorithm::HS384, [0xaf, 0x45, 0xd2, 0xe3]),
            (Algorithm::HS512, [0x16, 0x4b, 0x7a, 0x7b]),
        ] {
            let key = HmacKey::new(algorithm, AlgorithmFamily::Hmac, b"Jefe").unwrap();
            let signature = key.try_sign(message).unwrap();
            assert_eq!(signature[..4], begins_with, "{algorithm:?}");
            assert!(key.verify(message, &signature).is_ok());
            assert!(key.verify(b"another", &signature).is_err());
            assert!(key.verify(message, &signature[1..].to_vec()).is_err());
            assert!(key.verify(message, &Vec::new()).is_err());
        }
    }

    #[test]
    fn keys_and_algorithms_of_other_families_are_refused() {
        let secret = b"secret";
        for family in [
            AlgorithmFamily::Rsa,
            AlgorithmFamily::Ec,
            AlgorithmFamily::Ed,
        ] {
            assert!(HmacKey::new(Algorithm::HS256, family, secret).is_err());
        }
        for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
            assert!(HmacKey::new(algorithm, AlgorithmFamily::Hmac, secret).is_err());
        }
    }

    #[test]
    fn an_empty_secret_does_not_sign() {
        assert!(sign_hs256(&serde_json::json!({}), "").is_err());
    }
}
