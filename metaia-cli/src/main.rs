//! metaia-cli
fn main() {}
