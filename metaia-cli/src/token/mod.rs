//! Tokens: minting valid and deliberately invalid ones, and inspecting them.

mod inspect;
mod mint;
mod pasted;
mod printable;
mod problem;
mod zone;
mod zone_rule;

pub(crate) use inspect::{TokenReport, inspect, inspect_with};
pub(crate) use mint::{Flaw, Minted, TokenSigner, mint};
pub(crate) use pasted::PastedToken;
pub(crate) use printable::{compact_json, printable};
pub(crate) use problem::Problem;
pub(crate) use zone::Zone;
