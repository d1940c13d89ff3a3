//! `metaia context`, `--context` and `--yes`: servers and their credentials under names.

mod changes;
mod check;
mod children;
mod mistakes;
mod places;
mod protected;
mod roles;
mod secrets;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::token::SECRET;
use metaia_tests::server::process::ProcessOutput;
use metaia_tests::server::{Listening, Server};
use serde_json::Value;

/// A `metaia` without an address and without secrets, in a repository of its own.
fn cli() -> Cli {
    let cli = Cli::for_contexts();
    std::fs::create_dir(cli.folder().join(".git")).expect("a folder");
    cli
}

fn contexts_path(cli: &Cli) -> PathBuf {
    cli.folder().join(".config/metaia/contexts.toml")
}

fn write_contexts(cli: &Cli, text: &str) {
    let path = cli.folder().write(".config/metaia/contexts.toml", text);
    let folder = path.parent().expect("a folder");
    std::fs::set_permissions(folder, Permissions::from_mode(0o700)).expect("a mode");
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).expect("a mode");
}

/// Returns a context that mints tokens with the tests' secret, which is in a file.
fn minting(cli: &Cli, name: &str, server: &Server) -> String {
    cli.folder().write(".config/metaia/secret", SECRET);
    let url = server.url();
    format!("[{name}]\nurl = \"{url}\"\njwt_secret = {{ file = \"secret\" }}\n")
}

/// Returns the number of sessions at the server that `metaia` asks with these options.
async fn sessions(cli: &Cli, options: &[&str]) -> usize {
    let args = [&["sessions", "-o", "ndjson"], options].concat();
    let listed = cli.run(&args).await.expect_code(0);
    listed.stdout.lines().count()
}

/// Returns a setting of `context show`.
async fn shown(cli: &Cli, name: &str, options: &[&str]) -> Value {
    let args = [&["context", "show", "-o", "json"], options].concat();
    let output = cli.run(&args).await.expect_code(0);
    let all: Value = serde_json::from_str(&output.stdout).expect("JSON");
    let settings = all["settings"].as_array().expect("settings");
    let found = settings.iter().find(|setting| setting["setting"] == name);
    found.cloned().unwrap_or(Value::Null)
}

#[track_caller]
fn check_contains(output: &ProcessOutput, parts: &[&str]) {
    let text = output.output();
    for part in parts {
        assert!(text.contains(part), "{part}: {output:#?}");
    }
}
