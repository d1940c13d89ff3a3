//! The start with a million entries in the log, measured from the start of the process to the first
//! live client.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::server::{Server, Setup};
use serde_json::json;
use tokio::time::Instant;

use crate::machine::{Machine, ms};
use crate::report::{Goal, Report};
use crate::workers::run_all;

const ROUNDS: usize = 5;
const GOAL_MS: f64 = 1_000.0;
/// The number of emits before each kill, so that the start finds a write-ahead log.
const EMITS: usize = 2_000;
/// The variable with the path of a database of a million entries. `cargo xtask bench` sets it.
const STORE: &str = "METAIA_BENCH_STORE";
const DATABASE: &str = "metaia.db";

/// The durations of one kind of start, in all rounds.
#[derive(Default)]
struct Figures {
    ready: Vec<f64>,
    live: Vec<f64>,
}

pub(super) async fn run(machine: &mut Machine, report: &mut Report) {
    let mut setup = Setup::new()
        .env("METAIA_RETENTION_ENTRIES", "2000000")
        .env("RUST_LOG", "warn");
    copy_store(&setup.folder().join("data"));
    let mut cold = Figures::default();
    let mut warm = Figures::default();
    let mut killed = Figures::default();
    let mut wal = Vec::new();
    // The first start creates the server's own tables.
    setup = setup.start().await.stop().await;
    for _ in 0..ROUNDS {
        machine.calibrate();
        forget_pages(&data(&setup));
        setup = cold.start(setup).await.stop().await;
        let server = warm.start(setup).await;
        write(&server).await;
        setup = server.kill().await;
        wal.push(size(&data(&setup).with_extension("db-wal")));
        setup = killed.start(setup).await.stop().await;
    }
    cold.report(report, "1,000,000 entries, read from the disk");
    warm.report(report, "1,000,000 entries, after SIGTERM");
    killed.report(report, "1,000,000 entries, after kill -9");
    report.add(
        "its write-ahead log at that moment",
        "KiB",
        &wal,
        Goal::None,
    );
}

impl Figures {
    async fn start(&mut self, setup: Setup) -> Server {
        let begun = Instant::now();
        let server = setup.start().await;
        let ready = async || (server.anonymous().get("/readyz").await.status == 200).then_some(());
        eventually("the server to be ready", ready).await;
        self.ready.push(ms(begun.elapsed()));
        Phone::ready_as(&server, "customer", "first").await;
        self.live.push(ms(begun.elapsed()));
        server
    }

    fn report(&self, report: &mut Report, what: &str) {
        report.add(
            format!("start, {what}: ready"),
            "ms",
            &self.ready,
            Goal::AtMost(GOAL_MS),
        );
        report.add(
            format!("start, {what}: first client live"),
            "ms",
            &self.live,
            Goal::AtMost(GOAL_MS),
        );
    }
}

async fn write(server: &Server) {
    let admin = server.admin();
    let writers = run_all(32, |writer| {
        let admin = admin.clone();
        let body =
            json!({"to": {"user": format!("user-{writer}")}, "event": "bench:told", "data": {}});
        async move {
            for _ in 0..EMITS / 32 {
                admin.post("/api/realtime/emit", &body).await.ok(202);
            }
        }
    });
    writers.await;
}

fn data(setup: &Setup) -> PathBuf {
    setup.folder().join("data").join(DATABASE)
}

/// Copies the store, because the server writes to it, with the write-ahead files beside it.
fn copy_store(to: &Path) {
    let store = std::env::var_os(STORE)
        .unwrap_or_else(|| panic!("{STORE} is not set: run `cargo xtask bench log`"));
    fs::DirBuilder::new()
        .mode(0o700)
        .create(to)
        .expect("a data folder");
    for file in fs::read_dir(store)
        .expect("the store")
        .filter_map(Result::ok)
    {
        fs::copy(file.path(), to.join(file.file_name())).expect("enough disk space for a copy");
    }
}

/// Removes the file from the page cache, as far as the system follows the advice.
fn forget_pages(file: &Path) {
    let of = format!("if={}", file.display());
    let synced = Command::new("sync").arg(file).status();
    let told = Command::new("dd")
        .args([&of, "iflag=nocache", "count=0"])
        .stderr(Stdio::null())
        .status();
    assert!(
        synced.is_ok_and(|s| s.success()) && told.is_ok_and(|s| s.success()),
        "sync and dd are needed"
    );
}

fn size(file: &Path) -> f64 {
    fs::metadata(file).map_or(0.0, |file| file.len() as f64 / 1024.0)
}
