//! Tokens: made, deliberately bad ones among them, and taken apart.

mod inspect;
mod mint;

pub(crate) use inspect::{Inspection, Signature, inspect};
pub(crate) use mint::{Flaw, Minted, mint};
