//! A complete server.
fn main() {}
