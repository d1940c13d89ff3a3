//! A running server of the comparison.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use metaia_tests::faults::kernel::resident_kib;
use metaia_tests::figures::CpuTime;
use metaia_tests::fixtures::token::SECRET;
use metaia_tests::server::process::Process;
use metaia_tests::server::temp_folder::TempFolder;

use super::contender::Contender;
use super::cores::Cores;
use crate::kernel::{Usage, cpu_time};

/// A server with a connection that says what it publishes.
#[derive(Debug)]
pub(super) struct PeerServer {
    process: Process,
    port: u16,
    control: TcpStream,
    versions: String,
    started: Instant,
    used: Usage,
    /// Removed when the process has ended.
    _folder: TempFolder,
}

impl PeerServer {
    /// Starts a server and waits until it listens.
    pub(super) async fn start(contender: &Contender, cores: Cores, ping: Duration) -> Self {
        let folder = TempFolder::new();
        let mut command = contender.command(cores);
        command
            .env("PING_SECONDS", ping.as_secs().to_string())
            .env("JWT_SECRET", SECRET)
            .env("METAIA_DATA", folder.path())
            .env("NODE_ENV", "production");
        let process = Process::start_named(contender.title, command);
        let Some(line) = process.stdout.find(listening).await else {
            let output = process.output_lines();
            panic!("{} does not listen: {output:#?}", contender.title);
        };
        let mut words = line.splitn(3, ' ');
        let mut port = || words.next().and_then(|port| port.parse().ok());
        let clients: Option<u16> = port();
        let control: Option<u16> = port();
        let address = ("127.0.0.1", control.expect("a port for control"));
        let control = TcpStream::connect(address).expect("the server listens");
        control.set_nodelay(true).expect("TCP_NODELAY");
        Self {
            port: clients.expect("a port for clients"),
            control,
            versions: words.next().unwrap_or_default().trim().to_owned(),
            started: Instant::now(),
            used: Usage::now(process.pid()),
            process,
            _folder: folder,
        }
    }

    /// Returns the port for clients.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the versions of what the server is made of.
    pub(super) fn versions(&self) -> &str {
        &self.versions
    }

    /// Makes the server publish so many events at once, each of them to all clients.
    pub(super) fn publish_to_everyone(&mut self, times: u64) {
        self.instruct(&format!("everyone {times}\n"));
    }

    /// Makes the server publish at once an event to each of so many users.
    pub(super) fn publish_to_users(&mut self, first: u64, count: u64) {
        self.instruct(&format!("users {first} {count}\n"));
    }

    fn instruct(&mut self, line: &str) {
        self.control
            .write_all(line.as_bytes())
            .expect("the server follows");
    }

    /// Returns the CPU time that the server has used so far.
    pub(super) fn cpu(&self) -> CpuTime {
        cpu_time(self.process.pid())
    }

    /// Returns the server's memory, in KiB.
    pub(super) fn resident_kib(&self) -> f64 {
        resident_kib(self.process.pid()) as f64
    }

    /// Kills the server and waits for its end. Returns the cores that other programs have used
    /// since it was started.
    pub(super) async fn stop(mut self) -> f64 {
        let used = Usage::now(self.process.pid()) - self.used;
        let cores = used.others / self.started.elapsed().as_secs_f64();
        self.process.kill().await;
        cores.max(0.0)
    }
}

/// Finds the line `listening PORT CONTROL VERSIONS`.
fn listening(lines: &[String]) -> Option<String> {
    let rest = lines
        .iter()
        .find_map(|line| line.strip_prefix("listening "));
    rest.map(str::to_owned)
}
