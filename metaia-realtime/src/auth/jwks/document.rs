//! The document of a key set (RFC 7517, section 5).
//!
//! A key that cannot be used is left out, and the others stay: issuers publish keys for encryption
//! and for newer algorithms beside those that sign tokens. Of two keys with one id neither is used,
//! because the document does not say which of them the issuer means; to refuse the whole document
//! would refuse the tokens of its other keys, too.

use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::public_key::PublicKey;
use crate::auth::{algorithm::PublicAlgorithm, compact::TokenMembers};

/// The largest number of keys of a document.
const MAX_KEYS: usize = 100;

/// Members that only private keys and secrets have. One who reads the document can sign with them.
const PRIVATE: [&str; 2] = ["d", "k"];

/// A document that is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DocumentFault {
    /// The parser's own text is left out: it repeats what the host sent, at any length.
    #[error("it is not a JSON Web Key Set, from line {line}, column {column}")]
    NotKeySet { line: usize, column: usize },
    #[error("it has {0} keys, more than {MAX_KEYS}")]
    TooManyKeys(usize),
    #[error("it has no key that can be used{0}")]
    NoUsableKey(Reasons),
}

impl From<serde_json::Error> for DocumentFault {
    fn from(error: serde_json::Error) -> Self {
        Self::NotKeySet {
            line: error.line(),
            column: error.column(),
        }
    }
}

/// The reasons for which keys were left out, the first three of them.
#[derive(Debug)]
pub(super) struct Reasons(Vec<LeftOut>);

/// A key that was left out.
#[derive(Debug, Clone)]
pub(super) struct LeftOut {
    number: usize,
    reason: &'static str,
}

/// The keys of a document that can be used.
#[derive(Default)]
pub(super) struct KeyTable {
    keys: Vec<TableKey>,
    left_out: Vec<LeftOut>,
}

struct TableKey {
    id: Option<String>,
    key: PublicKey,
}

/// The result of a search for a key.
pub(super) enum Found<'a> {
    Key(&'a PublicKey),
    /// The key is for this algorithm.
    OtherAlgorithm(PublicAlgorithm),
    Unknown,
    /// The token names no key, and more than one fits.
    Ambiguous,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl KeyTable {
    /// Reads a document.
    pub(super) fn parse(text: &[u8]) -> Result<Self, DocumentFault> {
        let document: Document<'_> = serde_json::from_slice(text)?;
        if document.keys.len() > MAX_KEYS {
            return Err(DocumentFault::TooManyKeys(document.keys.len()));
        }
        let mut table = Self::default();
        for (index, key) in document.keys.iter().enumerate() {
            match TableKey::read(key) {
                Ok(key) => table.keys.push(key),
                Err(reason) => table.leave_out(index + 1, reason),
            }
        }
        table.remove_doubled();
        if table.keys.is_empty() {
            return Err(DocumentFault::NoUsableKey(Reasons(table.left_out)));
        }
        Ok(table)
    }

    /// Returns the key that a token with this header is signed with, if it is a good one.
    pub(super) fn find(&self, id: Option<&str>, algorithm: PublicAlgorithm) -> Found<'_> {
        match id {
            Some(id) => self.with_id(id, algorithm),
            None => self.only_one(algorithm),
        }
    }

    fn with_id(&self, id: &str, algorithm: PublicAlgorithm) -> Found<'_> {
        let found = self.keys.iter().find(|key| key.id.as_deref() == Some(id));
        match found {
            Some(TableKey { key, .. }) if key.algorithm() == algorithm => Found::Key(key),
            Some(TableKey { key, .. }) => Found::OtherAlgorithm(key.algorithm()),
            None => Found::Unknown,
        }
    }

    fn only_one(&self, algorithm: PublicAlgorithm) -> Found<'_> {
        let fits = |key: &&TableKey| key.key.algorithm() == algorithm;
        let mut fitting = self.keys.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Found::Key(&only.key),
            (None, _) => Found::Unknown,
            (Some(_), Some(_)) => Found::Ambiguous,
        }
    }

    /// Returns the ids of the keys, of those that have one.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.id.as_deref())
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.ids().any(|one| one == id)
    }

    /// Returns the number of keys.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Describes the keys that were left out: an empty text, or one that begins with a colon.
    pub(super) fn left_out(&self) -> String {
        Reasons(self.left_out.clone()).to_string()
    }

    fn leave_out(&mut self, number: usize, reason: &'static str) {
        self.left_out.push(LeftOut { number, reason });
    }

    /// Removes every key whose id another one has, too.
    fn remove_doubled(&mut self) {
        let ids = self.keys.iter().map(|key| key.id.clone());
        let ids: Vec<_> = ids.collect();
        let is_doubled = |id: &Option<String>| {
            id.is_some() && ids.iter().filter(|other| *other == id).count() > 1
        };
        let before = self.keys.len();
        self.keys.retain(|key| !is_doubled(&key.id));
        for _ in self.keys.len()..before {
            self.leave_out(0, "another key has the same `kid`");
        }
    }
}

impl TableKey {
    /// Reads a key. The error says why it is left out.
    fn read(text: &RawValue) -> Result<Self, &'static str> {
        // Refuses members that are there twice.
        let members: TokenMembers =
            serde_json::from_str(text.get()).map_err(|_| "it is not a JSON object")?;
        let jwk: Jwk = serde_json::from_str(text.get()).map_err(|_| "a member has a wrong type")?;
        let is_secret = matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_));
        if is_secret || PRIVATE.iter().any(|name| members.get(name).is_some()) {
            return Err("it is a secret or a private key, which must not be published");
        }
        check_purpose(&jwk)?;
        let algorithm = algorithm(&jwk)?;
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| "a member is not base64url")?;
        Ok(Self {
            key: PublicKey::new(algorithm, &key)?,
            id: jwk.common.key_id,
        })
    }
}

/// Checks that a key is for signatures (RFC 7517, sections 4.2 and 4.3).
fn check_purpose(jwk: &Jwk) -> Result<(), &'static str> {
    let usage = jwk.common.public_key_use.as_ref();
    if usage.is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return Err("its `use` is not `sig`");
    }
    let operations = jwk.common.key_operations.as_ref();
    if operations.is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
        return Err("its `key_ops` have no `verify`");
    }
    Ok(())
}

/// Returns the one algorithm of a key: its `alg`, otherwise that of its type.
fn algorithm(jwk: &Jwk) -> Result<PublicAlgorithm, &'static str> {
    let of_type = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => PublicAlgorithm::Rs256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            PublicAlgorithm::Es256
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            PublicAlgorithm::EdDsa
        }
        _ => return Err("its type or curve is not supported"),
    };
    match (jwk.common.key_algorithm, of_type) {
        (None, _)
        | (Some(KeyAlgorithm::RS256), PublicAlgorithm::Rs256)
        | (Some(KeyAlgorithm::ES256), PublicAlgorithm::Es256)
        | (Some(KeyAlgorithm::EdDSA), PublicAlgorithm::EdDsa) => Ok(of_type),
        _ => Err("its `alg` is not RS256, ES256 or EdDSA, or not of its type"),
    }
}

impl std::fmt::Display for Reasons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, left_out) in self.0.iter().take(3).enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            match left_out.number {
                0 => write!(f, "{}", left_out.reason)?,
                number => write!(f, "key {number}: {}", left_out.reason)?,
            }
        }
        match self.0.len().saturating_sub(3) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
