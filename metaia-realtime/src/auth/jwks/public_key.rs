//! A public key with the one algorithm that it is used for, and its signatures, verified by ring.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind,
    crypto::JwtVerifier,
    errors::{Error, ErrorKind, new_error},
    signature::{self, Verifier},
};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::weak_key::{check_ed25519, check_p256, check_rsa};
use crate::auth::algorithm::PublicAlgorithm;

/// The lengths of an RSA modulus, in bits. A shorter one can be factored; RFC 7518, section 3.3,
/// asks for 2,048.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// The length of a point of P-256 that is not compressed, in bytes.
const P256_BYTES: usize = 65;
/// The length of an Ed25519 key, in bytes.
const ED25519_BYTES: usize = 32;

/// A public key with the one algorithm that it is used for.
pub(in crate::auth) struct PublicKey {
    algorithm: PublicAlgorithm,
    material: Material,
}

enum Material {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// A point of a curve.
    Point(UnparsedPublicKey<Vec<u8>>),
}

impl PublicKey {
    /// Returns a key for the verifications of `jsonwebtoken`.
    pub(in crate::auth) fn for_verifying(
        algorithm: Algorithm,
        key: &DecodingKey,
    ) -> Result<Self, Error> {
        let algorithm = match algorithm {
            Algorithm::RS256 => PublicAlgorithm::Rs256,
            Algorithm::ES256 => PublicAlgorithm::Es256,
            Algorithm::EdDSA => PublicAlgorithm::EdDsa,
            _ => return Err(new_error(ErrorKind::UnsupportedAlgorithm)),
        };
        Self::new(algorithm, key).map_err(|_| new_error(ErrorKind::InvalidKeyFormat))
    }

    /// Returns a key for an algorithm. The error says why it cannot be used.
    pub(super) fn new(algorithm: PublicAlgorithm, key: &DecodingKey) -> Result<Self, &'static str> {
        let family = match algorithm {
            PublicAlgorithm::Rs256 => AlgorithmFamily::Rsa,
            PublicAlgorithm::Es256 => AlgorithmFamily::Ec,
            PublicAlgorithm::EdDsa => AlgorithmFamily::Ed,
        };
        if key.family() != family {
            return Err("it is of another type than its algorithm");
        }
        let material = match (algorithm, key.kind()) {
            (PublicAlgorithm::Rs256, DecodingKeyKind::RsaModulusExponent { n, e }) => rsa(n, e)?,
            (PublicAlgorithm::Es256, DecodingKeyKind::SecretOrDer(point)) => p256(point)?,
            (PublicAlgorithm::EdDsa, DecodingKeyKind::SecretOrDer(point)) => ed25519(point)?,
            _ => return Err("its form is not supported"),
        };
        Ok(Self {
            algorithm,
            material,
        })
    }

    pub(super) const fn algorithm(&self) -> PublicAlgorithm {
        self.algorithm
    }
}

fn rsa(n: &[u8], e: &[u8]) -> Result<Material, &'static str> {
    let n = without_leading_zeros(n);
    let bits = match n.first() {
        Some(first) => n.len() * 8 - first.leading_zeros() as usize,
        None => 0,
    };
    if bits < *RSA_BITS.start() {
        return Err("it is an RSA key of fewer than 2,048 bits");
    }
    if bits > *RSA_BITS.end() {
        return Err("it is an RSA key of more than 8,192 bits");
    }
    let e = without_leading_zeros(e);
    check_rsa(n, e)?;
    Ok(Material::Rsa(RsaPublicKeyComponents {
        n: n.to_vec(),
        e: e.to_vec(),
    }))
}

fn p256(point: &[u8]) -> Result<Material, &'static str> {
    if point.len() != P256_BYTES {
        return Err("its coordinates have not 32 bytes each");
    }
    check_p256(point)?;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.to_vec());
    Ok(Material::Point(key))
}

fn ed25519(point: &[u8]) -> Result<Material, &'static str> {
    if point.len() != ED25519_BYTES {
        return Err("it has not 32 bytes");
    }
    check_ed25519(point)?;
    Ok(Material::Point(UnparsedPublicKey::new(
        &ED25519,
        point.to_vec(),
    )))
}

/// Returns a number without the zeros that some programs write before it: ring accepts none.
fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

impl Verifier<Vec<u8>> for PublicKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match &self.material {
            Material::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            Material::Point(key) => key.verify(message, signature),
        };
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for PublicKey {
    fn algorithm(&self) -> Algorithm {
        match self.algorithm {
            PublicAlgorithm::Rs256 => Algorithm::RS256,
            PublicAlgorithm::Es256 => Algorithm::ES256,
            PublicAlgorithm::EdDsa => Algorithm::EdDSA,
        }
    }
}
