//! Tokens: minting valid and deliberately invalid ones, and inspecting them.

mod inspect;
mod mint;
mod printable;

pub(crate) use inspect::{TokenReport, inspect};
pub(crate) use mint::{Flaw, Minted, mint};
pub(crate) use printable::{compact_json, printable};
