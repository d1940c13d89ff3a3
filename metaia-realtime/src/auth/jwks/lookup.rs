//! The result of looking for the key of a token.

use crate::auth::algorithm::PublicAlgorithm;

/// The result of looking for the key of a token, and of checking the signature with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::auth) enum Lookup {
    Good,
    Bad,
    /// The key is for this algorithm.
    OtherAlgorithm(PublicAlgorithm),
    /// The issuer has no such key.
    Unknown,
    /// The token names no key, and more than one fits.
    Ambiguous,
    /// The keys are not known, or not well enough to say that there is no such key.
    Unavailable,
}
