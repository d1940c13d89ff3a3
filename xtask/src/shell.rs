//! Running other programs: each is shown before it runs, and its failure is named.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// A command that runs in the workspace's root.
pub(crate) fn cmd(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(crate::paths::root());
    command
}

/// The cargo that runs us, without what it told us about ourselves: build scripts that look at it
/// would run again, and all that depends on them would be compiled again.
pub(crate) fn cargo() -> Command {
    let mut command = cmd(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let names = std::env::vars_os().map(|(name, _)| name);
    names
        .filter(|name| is_about_us(&name.to_string_lossy()))
        .for_each(|name| {
            command.env_remove(name);
        });
    command
}

fn is_about_us(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

/// Runs the command to its end, with its output on our terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let line = shown(command);
    eprintln!("$ {line}");
    let status = command
        .status()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{line}` failed ({status})"))
    }
}

/// Returns true if the program can be started and says so with exit code 0.
pub(crate) fn answers(program: impl AsRef<OsStr>, arg: &str) -> bool {
    let status = Command::new(program)
        .arg(arg)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// The first line of the program's standard output.
pub(crate) fn first_line(command: &mut Command) -> Result<String, String> {
    let output = output(command)?;
    let line = output.lines().next().unwrap_or_default();
    Ok(line.trim().to_owned())
}

/// The program's standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let line = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{line}` failed ({})", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads a text file, naming it when that fails.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
