//! The README's program, compiled by `cargo test --doc`.
#![doc = include_str!("../README.md")]
