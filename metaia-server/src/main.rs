//! metaia-server
fn main() {}
