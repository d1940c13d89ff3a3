//! What the tests stand on: raw sockets, a polling client, a policy to steer, the log lines of a
//! test.

pub(crate) mod captured_log;
#[cfg(target_os = "linux")]
pub(crate) mod descriptor;
pub(crate) mod policy;
pub(crate) mod poller;
pub(crate) mod raw_socket;
