//! The process of the attackers, as the benchmark sees it.

use metaia_tests::server::process::Process;
use metaia_tests::server::{Listening as _, Server};
use tokio::process::Command;

use super::kind::Attack;
use super::program::{BEGUN, NAME};

/// The priority of the attackers: what they cost is not to be measured.
const NICE: &str = "15";

/// A process that attacks. Dropping it ends it.
pub(super) struct Attackers(Process);

impl Attackers {
    /// Starts the process, and waits until the attack has begun.
    pub(super) async fn start(attack: Attack, server: &Server, details: &[String]) -> Self {
        let this = std::env::current_exe().expect("the path of this program");
        let mut command = Command::new("nice");
        command
            .args(["-n", NICE])
            .arg(this)
            .args([NAME, attack.name(), &server.port().to_string()])
            .args(details);
        let process = Process::start_named("the attackers", command);
        process.stdout.first(BEGUN, |line| line == BEGUN).await;
        Self(process)
    }

    pub(super) async fn stop(mut self) {
        self.0.kill().await;
    }
}
