//! Checks that the memory of clients goes back to the system after they have left, and that the
//! next clients take no more than the first.

use futures_util::{StreamExt as _, stream};
use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::kernel::{descriptors, resident_kib};
use metaia_tests::server::{Server, Setup};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The clients of one round. The memory of so many is a multiple of what the server takes once, for
/// instance for its threads.
const CLIENTS: usize = 2_500;
/// The clients before the first measurement, after which the server has set up what all share.
const FIRST: usize = 50;
/// The number of clients that connect at the same time.
const MAX_CONNECTING: usize = 50;
/// Files of a process beside the connections.
const OTHER_FILES: u64 = 500;

/// The part of the clients' memory that the server may keep, in percent: pages on which something
/// else lives, and what an allocator keeps for the next allocation. One that returns nothing keeps
/// 100.
const MAX_KEPT: u64 = 40;
/// The memory of the second round, in percent of that of the first: chance decides which pages are
/// used again. A server that uses nothing again takes 200.
const MAX_SECOND: u64 = 125;

/// Lets this process and its children open as many files as they may without the system's
/// administrator.
fn allow_many_files() {
    let (now, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let needed = CLIENTS as u64 + OTHER_FILES;
    assert!(
        most >= needed,
        "`ulimit -Hn` is {most}, and the test needs {needed}"
    );
    let raised = setrlimit(Resource::RLIMIT_NOFILE, now.max(needed), most);
    raised.unwrap();
}

/// A server, and its memory and files without clients.
struct Measured {
    server: Server,
    idle: u64,
    files: u64,
}

impl Measured {
    async fn start() -> Self {
        let setup = Setup::new().env("METAIA_LIMITS", "handshakes_per_s=100000");
        let server = setup.start().await;
        let files = descriptors(server.pid()) + 1;
        let mut measured = Self {
            server,
            idle: 0,
            files,
        };
        drop(measured.connect(FIRST).await);
        measured.await_all_left().await;
        measured.idle = resident_kib(measured.server.pid());
        measured
    }

    async fn connect(&self, clients: usize) -> Vec<Phone> {
        let connecting = stream::iter(0..clients).map(async |client| {
            Phone::ready_as(&self.server, "customer", &format!("c{client}")).await
        });
        connecting.buffer_unordered(MAX_CONNECTING).collect().await
    }

    async fn await_all_left(&self) {
        eventually("all connections to be closed", async || {
            (descriptors(self.server.pid()) <= self.files).then_some(())
        })
        .await;
    }

    /// Returns the memory that clients have taken and that the server still has, in KiB.
    fn taken(&self) -> u64 {
        resident_kib(self.server.pid()).saturating_sub(self.idle)
    }

    /// Returns the memory that a round of clients takes, in KiB, after they have left and the
    /// server has returned most of it.
    async fn round(&self) -> u64 {
        let clients = self.connect(CLIENTS).await;
        let taken = self.taken();
        drop(clients);
        self.await_all_left().await;
        let most = taken * MAX_KEPT / 100;
        let what = format!("less than {most} KiB to be kept of {taken}");
        eventually(&what, async || (self.taken() < most).then_some(())).await;
        taken
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_returns_after_thousands_of_clients_left_twice() {
    allow_many_files();
    let measured = Measured::start().await;
    let first = measured.round().await;
    let second = measured.round().await;
    assert!(
        second < first * MAX_SECOND / 100,
        "the second round takes {second} KiB, the first took {first}"
    );
}
