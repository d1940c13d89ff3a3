//! The binary. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    metaia_server::run()
}
