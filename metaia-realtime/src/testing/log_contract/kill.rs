//! `kill -9` over an open log: nothing that was acknowledged is lost, and nothing is there in part
//! or twice.
//!
//! The test's own program is started again as the process to be killed. It runs the same test, sees
//! by an environment variable that it is that process, appends without end, and prints what it
//! tries and what it was answered.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdout},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use rand::RngExt as _;
use tokio::task::JoinSet;

use super::{Probe, Shared, Verdict, crowd, ensure, survivors::Survivors};

use crate::{EventLog, log::Retention, testing::contract::on_runtime};

/// Where the process to be killed finds the log.
const PLACE: &str = "METAIA_LOG_CONTRACT_PLACE";
/// The number of its first batch.
const FIRST: &str = "METAIA_LOG_CONTRACT_FIRST";
/// How many entries it keeps.
const KEEP: &str = "METAIA_LOG_CONTRACT_KEEP";

/// Appenders of that process, so that commits are shared.
const WRITERS: usize = 4;
/// Far more than a process appends before it is killed.
const BATCHES: usize = 1_000_000;
/// Lines that it may print before it is killed.
const LINES: usize = 120;
/// The same for one that is to end by itself.
const LONGEST: usize = 5_000;
/// What it keeps where it is killed while it trims.
const FEW: usize = 40;

/// Kills a process over an open log that often, and checks after each time what is left.
///
/// To be called by a test, which is named by `test` (`module_path!()` and the function's name): it
/// is run again in the process to be killed. [`log_contract!`](crate::log_contract!) does that.
///
/// # Panics
/// Where something that was acknowledged is gone, or something is there in part, twice, or was
/// never appended.
pub fn killed<S: Shared>(test: &str, kills: usize) {
    let ended = match env::var(PLACE) {
        Ok(address) => on_runtime(|| append_for_ever(S::at(&address))),
        Err(_) => on_runtime(|| kill_and_check::<S>(test, kills)),
    };
    if let Err(what) = ended {
        panic!("{what}");
    }
}

async fn kill_and_check<S: Shared>(test: &str, kills: usize) -> Verdict {
    let subject = S::new();
    let mut survivors = Survivors::default();
    for kill in 0..kills {
        let end = subject.end(kill);
        let life = if end.is_some() {
            LONGEST
        } else {
            rand::rng().random_range(1..LINES)
        };
        // Every third process trims, and those that may end while they do.
        let keep = if end.is_some() || kill % 3 == 2 {
            FEW
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
        let unknown = survivors.hear(&last_words(victim, life)?)?;
        let log = Probe::new(subject.open(Retention::DISK).await);
        let checked = survivors.check(&log, unknown).await;
        checked.map_err(|what| format!("after {} kills: {what}", kill + 1))?;
        subject.close(log.into_log()).await;
    }
    ensure!(
        survivors.acknowledged() > 0,
        "no process lived until an append was answered"
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
    // The harness names tests without the crate.
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

/// Kills the process when it has printed so many lines, and answers the whole lines that there are.
fn last_words(mut victim: Child, life: usize) -> Verdict<Vec<String>> {
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
            (0..rand::rng().random_range(0..200)).for_each(|_| std::thread::yield_now());
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

/// The process that is killed.
async fn append_for_ever<S: Shared>(subject: S) -> Verdict {
    let number = |name| {
        env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    };
    say("open")?;
    let retention = Retention::DISK.entries(number(KEEP));
    let log = Probe::new(subject.open(retention).await);
    let subject = Arc::new(subject);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (log, subject) = (log.clone(), Arc::clone(&subject));
        let first = number(FIRST) + writer * BATCHES;
        writers.spawn(async move {
            for i in first..first + BATCHES {
                append_aloud(&log, i).await?;
                if retention.entries == FEW && i % 5 == 0 {
                    subject.trim(log.log()).await;
                }
            }
            Ok(())
        });
    }
    crowd::joined(writers).await.map(drop)
}

async fn append_aloud<L: EventLog>(log: &Probe<L>, i: usize) -> Verdict {
    let batch = crowd::batch(i);
    let ids: Vec<_> = batch.iter().map(|new| new.id().to_string()).collect();
    say(&format!("try {i} {}", ids.join(" ")))?;
    let numbers: Vec<_> = log
        .append(&batch)
        .await?
        .iter()
        .map(u64::to_string)
        .collect();
    say(&format!("answered {i} {}", numbers.join(" ")))
}

/// A line for the process that kills. Where nobody listens any more, this one ends.
fn say(line: &str) -> Verdict {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{line}").map_err(|error| format!("nobody listens: {error}"))
}
