//! Three clients that must not affect the others.

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::forwarder::Forwarder;
use metaia_tests::server::{Listening as _, Server};
use tokio::task::JoinHandle;

use crate::kernel::longest_send_queue;

/// The speed of the slow client in bytes a second, which is less than what the others receive.
const BYTES_PER_SECOND: u64 = 8 * 1024;

/// A frozen client, which reads nothing, a slow one, and one whose forwarder forwards nothing any
/// more.
#[derive(Debug)]
pub(super) struct Broken {
    frozen: Phone,
    slow: (Forwarder, JoinHandle<()>),
    half_open: (Forwarder, Phone),
}

impl Broken {
    /// Connects the clients and waits until data for the frozen one is queued in the server's
    /// kernel.
    pub(super) async fn start(server: &Server) -> Self {
        let frozen = Phone::ready_as(server, "customer", "frozen").await;
        let slow = Forwarder::to(server).await;
        slow.slow_down(BYTES_PER_SECOND);
        let phone = Phone::ready_as(&slow, "customer", "slow").await;
        let half_open = Forwarder::to(server).await;
        let silent = Phone::ready_as(&half_open, "customer", "half-open").await;
        half_open.freeze();
        let stands = async || (longest_send_queue(server.port()) > 0.0).then_some(());
        eventually("the frozen connection to fill", stands).await;
        Self {
            frozen,
            slow: (slow, tokio::spawn(read(phone))),
            half_open: (half_open, silent),
        }
    }

    /// Ends the clients.
    pub(super) async fn leave(self) {
        let (forwarder, reading) = self.slow;
        forwarder.down();
        reading.await.expect("the slow reader does not panic");
        self.frozen.drop_connection();
        self.half_open.0.down();
        self.half_open.1.drop_connection();
    }
}

async fn read(mut phone: Phone) {
    while phone.next_or_end().await.is_some() {}
}
