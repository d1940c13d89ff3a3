//! A child process: its output in journals, its signals, and its end. Dropping it kills it.

use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::eventually::within;
use crate::server::journal::Journal;

/// A running child.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    /// Its standard output, line by line.
    pub stdout: Journal<String>,
    /// Its standard error, line by line.
    pub stderr: Journal<String>,
}

/// The exit code and the whole output of a child.
#[derive(Debug)]
pub struct ProcessOutput {
    /// The exit code. Absent if a signal ended the child.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl ProcessOutput {
    /// Checks the exit code and returns the value unchanged.
    #[track_caller]
    #[allow(clippy::return_self_not_must_use, reason = "the check alone is of use")]
    pub fn expect_code(self, expected: i32) -> Self {
        assert_eq!(self.code, Some(expected), "{self:#?}");
        self
    }

    /// Returns both outputs as one text.
    #[must_use]
    pub fn output(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

impl Process {
    /// Starts the command with its pipes connected. The process has the name of the command's
    /// program.
    #[must_use]
    pub fn start(command: Command) -> Self {
        let name = command
            .as_std()
            .get_program()
            .to_string_lossy()
            .into_owned();
        Self::start_named(&name, command)
    }

    /// Starts the command under this name, because the program may be a wrapper such as `setpriv`.
    #[must_use]
    pub fn start_named(name: &str, mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} did not start: {error}"));
        let stdout = lines_of(child.stdout.take().expect("piped"));
        let stderr = lines_of(child.stderr.take().expect("piped"));
        let stdin = child.stdin.take();
        Self {
            name: name.to_owned(),
            child,
            stdin,
            stdout,
            stderr,
        }
    }

    /// Runs the command to its end.
    pub async fn run(command: Command) -> ProcessOutput {
        let mut process = Self::start(command);
        process.stdin = None;
        process.wait_with_output().await
    }

    /// Runs the command to its end with this standard input.
    pub async fn run_with_input(command: Command, input: &[u8]) -> ProcessOutput {
        let mut process = Self::start(command);
        if let Some(mut stdin) = process.stdin.take() {
            // A command may end before it has read all of its input.
            let _ = stdin.write_all(input).await;
        }
        process.wait_with_output().await
    }

    /// Ends the standard input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Returns all lines so far: standard output, then standard error.
    #[must_use]
    pub fn output_lines(&self) -> Vec<String> {
        [self.stdout.so_far(), self.stderr.so_far()].concat()
    }

    /// Writes a line to the standard input.
    pub async fn write_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        stdin
            .write_all(format!("{line}\n").as_bytes())
            .await
            .expect("the child reads its input");
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child
            .id()
            .unwrap_or_else(|| panic!("{} has ended already", self.name))
    }

    /// Sends a signal, such as `TERM` or `INT`.
    pub async fn signal(&self, signal: &str) {
        let pid = self.pid();
        let sent = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(pid.to_string())
            .status()
            .await;
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -{signal} {pid} ({})",
            self.name
        );
    }

    /// Kills the process with SIGKILL, as a power cut would, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("kill");
    }

    /// Waits until the process ends.
    pub async fn wait(&mut self) -> ExitStatus {
        within(&format!("{} to end", self.name), self.child.wait())
            .await
            .expect("wait")
    }

    /// Waits until the process ends and returns its whole output.
    pub async fn wait_with_output(mut self) -> ProcessOutput {
        let code = self.wait().await.code();
        ProcessOutput {
            code,
            stdout: self.stdout.wait_for_end().await.join("\n"),
            stderr: self.stderr.wait_for_end().await.join("\n"),
        }
    }
}

fn lines_of(pipe: impl AsyncRead + Unpin + Send + 'static) -> Journal<String> {
    let journal = Journal::default();
    let writer = journal.clone();
    tokio::spawn(async move {
        let mut lines = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            writer.push(line);
        }
        writer.close();
    });
    journal
}
