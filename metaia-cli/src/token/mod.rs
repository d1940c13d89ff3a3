//! Tokens: minting valid and deliberately invalid ones, and inspecting them.

mod inspect;
mod mint;

pub(crate) use inspect::{TokenReport, inspect};
pub(crate) use mint::{Flaw, Minted, mint};
