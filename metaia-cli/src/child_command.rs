//! A command that runs while somebody watches: `metaia expect … -- COMMAND`.

use std::os::fd::AsFd as _;
use std::process::{ExitStatus, Stdio};

use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::contexts::ChildEnvironment;
use crate::exit::{Exit, Failure};

/// The way in which a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandEnd {
    Done,
    /// SIGINT came; the command was killed.
    Interrupted,
}

/// Runs a command to its end, with the variables that a `metaia` in it needs to act at the same
/// server. Its output goes to standard error: standard output is for the result.
///
/// # Errors
/// A failure if it cannot be run, or ends with another code than 0.
pub(crate) async fn run(
    words: &[String],
    environment: &ChildEnvironment,
    interrupted: &CancellationToken,
) -> Result<CommandEnd, Failure> {
    let Some((program, args)) = words.split_first() else {
        return Ok(CommandEnd::Done);
    };
    let cannot_run =
        |error: std::io::Error| Failure::usage(format!("{program} cannot be run")).caused_by(error);
    let errors = std::io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .map_err(cannot_run)?;
    let mut command = Command::new(program);
    environment.apply(&mut command);
    let mut child = command
        .args(args)
        .stdout(Stdio::from(errors))
        .kill_on_drop(true)
        .spawn()
        .map_err(cannot_run)?;
    tokio::select! {
        ended = child.wait() => judge(program, ended.map_err(cannot_run)?),
        () = interrupted.cancelled() => Ok(CommandEnd::Interrupted),
    }
}

fn judge(program: &str, status: ExitStatus) -> Result<CommandEnd, Failure> {
    if status.success() {
        return Ok(CommandEnd::Done);
    }
    let text = match status.code() {
        Some(code) => format!("{program} ended with exit code {code}"),
        None => format!("{program} was ended by a signal"),
    };
    Err(Failure::new(Exit::Failed, text))
}
