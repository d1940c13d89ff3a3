//! A command that prints a secret, such as `op read op://qa/metaia/key`.
//!
//! The shell runs it. It has [`LIMIT`] to end, and 64 KiB to print; otherwise it is killed. On a
//! terminal it may ask for a password there. Without one, as in CI, its standard error is dropped,
//! since a log must not keep what it says, and it is the first of a process group, which is killed
//! as a whole.

use std::io::{self, IsTerminal as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::secret_fault::{MAX_BYTES, SecretFault};
use crate::process_group::ProcessGroup;
use crate::terminal::one_line;

/// The time that a command has.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// The end of a command.
enum CommandOutput {
    Ended(ExitStatus, Vec<u8>),
    TooMuch,
    TooLate,
}

/// Runs the command, and returns the text that it prints. Blocks until it has ended.
pub(super) fn run(command: &str, limit: Duration) -> Result<String, SecretFault> {
    let shown = one_line(command);
    let fault = |reason: &str| {
        let hint = "run the command by hand: it must print the secret alone, and end with code 0";
        SecretFault::new(format!("the command `{shown}` {reason}"), hint)
    };
    match output(command, limit).map_err(|error| fault(&format!("cannot be run: {error}")))? {
        CommandOutput::Ended(status, bytes) if status.success() => {
            String::from_utf8(bytes).map_err(|_| fault("prints what is not UTF-8"))
        }
        CommandOutput::Ended(status, _) if is_interrupted(status) => {
            Err(fault("was interrupted").interrupted())
        }
        CommandOutput::Ended(status, _) => Err(fault(&match status.code() {
            Some(code) => format!("ended with exit code {code}"),
            None => "was ended by a signal".to_owned(),
        })),
        CommandOutput::TooMuch => Err(fault("prints more than 64 KiB")),
        CommandOutput::TooLate => {
            let seconds = limit.as_secs_f64();
            Err(fault(&format!(
                "was killed: it had not ended after {seconds} s"
            )))
        }
    }
}

/// Returns true if Ctrl-C ended the shell, or the program that it ran: then the shell ends with
/// 128 and the number of the signal.
fn is_interrupted(status: ExitStatus) -> bool {
    let number = Signal::SIGINT as i32;
    status.signal() == Some(number) || status.code() == Some(128 + number)
}

/// Runs the command in a runtime of its own: a secret is needed in functions that do not wait.
fn output(command: &str, limit: Duration) -> io::Result<CommandOutput> {
    thread::scope(|scope| {
        let running = scope.spawn(|| {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(bounded(command, limit))
        });
        let ended = running.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("its thread has panicked")))
    })
}

async fn bounded(command: &str, limit: Duration) -> io::Result<CommandOutput> {
    let on_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell.stdout(Stdio::piped()).kill_on_drop(true);
    if !on_terminal {
        // Standard input may be the commands of `connect`.
        shell.stdin(Stdio::null()).stderr(Stdio::null());
        shell.process_group(0);
    }
    let mut child = shell.spawn()?;
    let group = ProcessGroup::of(&child).filter(|_| !on_terminal);
    let ended = timeout(limit, read(&mut child)).await;
    if !matches!(ended, Ok(Ok(CommandOutput::Ended(..)))) {
        if let Some(group) = group {
            group.signal(Signal::SIGKILL);
        }
        child.kill().await?;
    }
    ended.unwrap_or(Ok(CommandOutput::TooLate))
}

async fn read(child: &mut Child) -> io::Result<CommandOutput> {
    let mut bytes = Vec::new();
    if let Some(printed) = child.stdout.take() {
        let mut printed = printed.take(MAX_BYTES + 1);
        printed.read_to_end(&mut bytes).await?;
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Ok(CommandOutput::TooMuch);
    }
    let status = child.wait().await?;
    Ok(CommandOutput::Ended(status, bytes))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::exit::Exit;

    #[track_caller]
    fn check(command: &str, reason: &str) {
        let fault = run(command, Duration::from_secs(5)).unwrap_err();
        assert_eq!(fault.reason, format!("the command `{command}` {reason}"));
    }

    #[test]
    fn a_command_prints_a_secret() {
        assert_eq!(run("printf 'a%s' b", LIMIT).unwrap(), "ab");
    }

    #[test]
    fn a_command_that_fails_is_named_and_its_output_is_not() {
        check("echo hunter2; false", "ended with exit code 1");
        check("kill -9 $$", "was ended by a signal");
        check("no-such-program-x", "ended with exit code 127");
        check("printf '\\377'", "prints what is not UTF-8");
    }

    #[test]
    fn a_command_that_ctrl_c_ends_is_interrupted() {
        // The tests may run where SIGINT is ignored, so that none can be sent to the shell.
        let fault = run("exit 130", LIMIT).unwrap_err();
        assert_eq!(fault.exit, Exit::Interrupted, "{fault:?}");
        let ended_by = |signal: Signal| ExitStatus::from_raw(signal as i32);
        assert!(is_interrupted(ended_by(Signal::SIGINT)));
        assert!(!is_interrupted(ended_by(Signal::SIGTERM)));
    }

    #[test]
    fn a_command_that_prints_without_end_is_killed() {
        check("cat /dev/zero", "prints more than 64 KiB");
    }

    #[test]
    fn a_command_that_hangs_is_killed_with_what_it_has_started() {
        let began = Instant::now();
        for command in ["sleep 60; true", "exec >&-; sleep 60"] {
            let fault = run(command, Duration::from_millis(300)).unwrap_err();
            assert!(
                fault.reason.ends_with("it had not ended after 0.3 s"),
                "{fault:?}"
            );
        }
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
