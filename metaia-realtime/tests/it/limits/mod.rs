//! Limits hold, and hostile clients do not affect other clients.

mod authentication;
mod browsers;
mod connections;
mod endless;
mod handshakes;
mod hostile;
mod inbound;
mod keep_alive;
mod refusals;
mod sessions;
mod stuck_writer;
#[cfg(target_os = "linux")]
mod write_stall;

use metaia_realtime::{Limits, testing::TestServer};

use crate::support::{limits, policy::Policy};

/// Starts a server with changed limits, and a policy that allows every join.
async fn server_with(change: impl FnOnce(&mut Limits)) -> TestServer {
    TestServer::start(|builder| builder.order_access(Policy::new()).limits(limits(change))).await
}
