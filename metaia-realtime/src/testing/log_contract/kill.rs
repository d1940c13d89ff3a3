//! `kill -9` of a process with an open log: no acknowledged entry is lost, and none is there in
//! part or twice.
//!
//! The test's own program is started again as the process to be killed. It runs the same test,
//! recognises its role by an environment variable, appends without end, and prints the batches that
//! it tries and the numbers that it receives.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdout},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use rand::RngExt as _;
use tokio::task::JoinSet;

use super::{KillableSubject, LogProbe, Verdict, crowd, ensure, survivors::Survivors};

use crate::{EventLog, log::Retention, testing::contract::on_runtime};

/// The variable with the address of the log, set in the process to be killed.
const PLACE: &str = "METAIA_LOG_CONTRACT_PLACE";
/// The variable with the number of its first batch.
const FIRST: &str = "METAIA_LOG_CONTRACT_FIRST";
/// The variable with the number of entries that it keeps.
const KEEP: &str = "METAIA_LOG_CONTRACT_KEEP";

/// Writers in that process: more than one, so that appends share commits.
const WRITERS: usize = 4;
/// Batches of a writer: far more than it appends before the process is killed.
const BATCHES: usize = 1_000_000;
/// The upper bound of the lines that a process prints before it is killed.
const MAX_LINES: usize = 120;
/// The lines after which a process is killed that was to end by itself.
const MAX_LINES_OF_SELF_END: usize = 5_000;
/// Entries that a process keeps if it is to be killed while it trims.
const KEPT_WHILE_TRIMMING: usize = 40;

/// Kills `kills` processes with an open log, one after the other, and checks the log after each.
///
/// Call this from a test whose name is `test` (`module_path!()` and the function's name): that test
/// is run again in the process to be killed. [`log_contract!`](crate::log_contract!) does that.
///
/// # Panics
/// Panics if an acknowledged entry is gone, or a batch is there in part or twice, or an entry is
/// there that was never appended.
pub fn killed<S: KillableSubject>(test: &str, kills: usize) {
    let ended = match env::var(PLACE) {
        Ok(address) => on_runtime(|| append_until_killed(S::at(&address))),
        Err(_) => on_runtime(|| kill_and_check::<S>(test, kills)),
    };
    if let Err(what) = ended {
        panic!("{what}");
    }
}

async fn kill_and_check<S: KillableSubject>(test: &str, kills: usize) -> Verdict {
    let subject = S::new();
    let mut survivors = Survivors::default();
    for kill in 0..kills {
        let end = subject.end(kill);
        let life = if end.is_some() {
            MAX_LINES_OF_SELF_END
        } else {
            rand::rng().random_range(1..MAX_LINES)
        };
        // Every third process trims, and so do those that may end by themselves.
        let keep = if end.is_some() || kill % 3 == 2 {
            KEPT_WHILE_TRIMMING
        } else {
            Retention::DISK.entries
        };
        let victim = start(
            test,
            &subject.address(),
            kill * BATCHES * WRITERS,
            keep,
            end,
        )?;
        let lines = kill_after(victim, life)?;
        let unknown = survivors.read_output(&lines)?;
        let log = LogProbe::new(subject.open(Retention::DISK).await);
        let checked = survivors.check(&log, unknown).await;
        checked.map_err(|what| format!("after {} kills: {what}", kill + 1))?;
        subject.close(log.into_log()).await;
    }
    ensure!(
        survivors.acknowledged() > 0,
        "no process lived until an append had returned"
    );
    Ok(())
}

fn start(
    test: &str,
    address: &str,
    first: usize,
    keep: usize,
    end: Option<(&str, String)>,
) -> Verdict<Child> {
    // The test harness names tests without the crate.
    let test = test.split_once("::").map_or(test, |(_, test)| test);
    let program =
        env::current_exe().map_err(|error| format!("this program has no path: {error}"))?;
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command
        .env(PLACE, address)
        .env(FIRST, first.to_string())
        .env(KEEP, keep.to_string())
        .envs(end);
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    started.map_err(|error| format!("{test} was not started again: {error}"))
}

/// Kills the process when it has printed `life` lines. Returns its lines, without an unfinished
/// one.
fn kill_after(mut victim: Child, life: usize) -> Verdict<Vec<String>> {
    let failed = |error: std::io::Error| format!("the process cannot be followed: {error}");
    let stdout = victim.stdout.take().ok_or("the process has no output")?;
    let mut output = BufReader::new(stdout);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        output.read_line(&mut line).map_err(failed)?;
        if !line.ends_with('\n') {
            break;
        }
        lines.push(line);
        if lines.len() == life {
            // A random delay, so that the kill hits any point of an append.
            for _ in 0..rand::rng().random_range(0..200) {
                std::thread::yield_now();
            }
            victim.kill().map_err(failed)?;
        }
    }
    let ended = victim.wait().map_err(failed)?;
    let last = &lines[lines.len().saturating_sub(9)..];
    ensure!(
        ended.code().is_none(),
        "the process was not killed, it ended: {ended}, {last:?}"
    );
    Ok(lines)
}

/// Runs in the process that is killed: several writers append and print.
async fn append_until_killed<S: KillableSubject>(subject: S) -> Verdict {
    let number = |name| {
        env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    };
    print_line("open")?;
    let retention = Retention::DISK.entries(number(KEEP));
    let log = LogProbe::new(subject.open(retention).await);
    let subject = Arc::new(subject);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let log = log.clone();
        let subject = Arc::clone(&subject);
        let first = number(FIRST) + writer * BATCHES;
        writers.spawn(async move {
            for i in first..first + BATCHES {
                append_and_print(&log, i).await?;
                if retention.entries == KEPT_WHILE_TRIMMING && i % 5 == 0 {
                    subject.trim(log.log()).await;
                }
            }
            Ok(())
        });
    }
    crowd::joined(writers).await.map(drop)
}

/// Appends a batch, and prints its ids before and its numbers afterwards.
async fn append_and_print<L: EventLog>(log: &LogProbe<L>, i: usize) -> Verdict {
    let batch = crowd::batch(i);
    let ids: Vec<_> = batch.iter().map(|new| new.id().to_string()).collect();
    print_line(&format!("try {i} {}", ids.join(" ")))?;
    let numbers = log.append(&batch).await?;
    let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
    print_line(&format!("answered {i} {}", numbers.join(" ")))
}

/// Prints a line for the killing process. If that process has ended, this one ends with an error.
fn print_line(line: &str) -> Verdict {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{line}").map_err(|error| format!("the killing process has ended: {error}"))
}
