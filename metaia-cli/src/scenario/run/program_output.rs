//! A program that runs to its end, and what it printed.
//!
//! At most [`MAX_KEPT`] bytes of each of its outputs are kept; the rest is read and dropped, so
//! that the program does not wait for a reader. A program that it leaves behind in the background
//! may keep the outputs open: they are read until [`AFTER_END`] after the end of the program.
//!
//! If the time is over, or the future is dropped, the program is killed, and those that it has
//! started get a SIGTERM.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::process_group::ProcessGroup;

/// The largest part of an output that is kept.
pub(super) const MAX_KEPT: usize = 1024 * 1024;

/// The time in which what was printed last is read.
const AFTER_END: Duration = Duration::from_millis(200);

/// The end of a program.
#[derive(Debug)]
pub(super) struct ProgramOutput {
    pub(super) status: ExitStatus,
    pub(super) stdout: Kept,
    pub(super) stderr: Kept,
}

/// The beginning of an output.
#[derive(Debug, Default)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    /// True if more was printed than is kept.
    pub(super) is_cut: bool,
}

/// Terminates the programs of a group when it is dropped, unless the first of them has ended.
struct Group(Option<ProcessGroup>);

/// Runs a program to its end. Returns `None` if it has not ended within the time.
///
/// # Errors
/// If it cannot be started or waited for.
pub(super) async fn run(
    mut command: Command,
    within: Duration,
) -> io::Result<Option<ProgramOutput>> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Those that it starts are in its group, too, and end with it.
        .process_group(0)
        .kill_on_drop(true);
    let child = command.spawn()?;
    let mut group = Group(ProcessGroup::of(&child));
    let Ok(ended) = timeout(within, wait(child)).await else {
        return Ok(None);
    };
    group.0 = None;
    ended.map(Some)
}

async fn wait(mut child: Child) -> io::Result<ProgramOutput> {
    let mut stdout = Kept::default();
    let mut stderr = Kept::default();
    let reading = futures_util::future::join(
        stdout.read(child.stdout.take()),
        stderr.read(child.stderr.take()),
    );
    let mut reading = Box::pin(reading);
    let status = tokio::select! {
        status = child.wait() => {
            // What keeps an output open for longer is another program.
            let _ = timeout(AFTER_END, reading.as_mut()).await;
            status?
        }
        _ = reading.as_mut() => child.wait().await?,
    };
    drop(reading);
    Ok(ProgramOutput {
        status,
        stdout,
        stderr,
    })
}

impl Kept {
    /// Reads to the end. What cannot be read was not printed.
    async fn read(&mut self, output: Option<impl AsyncRead + Unpin>) {
        let Some(mut output) = output else {
            return;
        };
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = output.read(&mut buffer).await {
            let room = MAX_KEPT - self.bytes.len();
            self.is_cut |= length > room;
            self.bytes.extend_from_slice(&buffer[..length.min(room)]);
        }
    }

    /// Returns the text, without the newlines at its end.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).trim_end().to_owned()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            group.signal(Signal::SIGTERM);
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::unistd::Pid;

    use super::*;

    async fn shell(script: &str, within: Duration) -> Option<ProgramOutput> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, within).await.unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_program_that_leaves_another_behind_has_ended() {
        let output = shell("sleep 30 & echo $!; echo b >&2; exit 3", LONG).await;
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(output.stderr.text(), "b");
        let left: i32 = output.stdout.text().parse().unwrap();
        let left = Pid::from_raw(left);
        nix::sys::signal::kill(left, Signal::SIGKILL).unwrap();
    }

    #[tokio::test]
    async fn an_output_without_end_is_not_kept() {
        let output = shell("head -c 3000000 /dev/zero | tr '\\0' a; echo b >&2", LONG).await;
        let output = output.unwrap();
        assert!(output.stdout.is_cut);
        assert_eq!(output.stdout.text().len(), MAX_KEPT);
        assert!(!output.stderr.is_cut);
    }

    #[tokio::test]
    async fn what_a_program_has_started_is_terminated_when_its_time_is_over() {
        let file = std::env::temp_dir().join(format!("metaia-program-{}", std::process::id()));
        let mut command = Command::new("sh");
        let script = "sleep 600 & echo $! > \"$FILE\"; wait";
        command.args(["-c", script]).env("FILE", &file);
        let output = run(command, Duration::from_secs(1)).await.unwrap();
        assert!(output.is_none());
        let left = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let ended = async {
            let mut looks = tokio::time::interval(Duration::from_millis(10));
            while is_running(left.trim()) {
                looks.tick().await;
            }
        };
        timeout(LONG, ended).await.unwrap();
    }

    /// A program that has ended may still be there for its parent to look at.
    fn is_running(id: &str) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat"));
        state.is_ok_and(|state| !state.contains(") Z "))
    }
}
