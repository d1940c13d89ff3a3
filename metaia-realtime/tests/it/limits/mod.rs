//! Limits are in force, and hostile clients cost nobody else anything.

mod handshakes;
mod hostile;
mod limits;
mod stuck_writer;
#[cfg(target_os = "linux")]
mod write_stall;
