//! The binary. Everything but the allocator is in the library.

use std::process::ExitCode;

// When many clients have left, their memory goes back to the operating system within some seconds.
// glibc's allocator would keep it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    metaia_server::run()
}
