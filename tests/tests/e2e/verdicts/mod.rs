//! The `metaia` binary as a judge: a command is green only if it checked what it was asked to
//! check, and what it began is finished.

mod connect;
mod effects;
mod expect;
mod join;
mod missed;
mod orders;
mod scenario;
mod scenarios;
mod tail;
mod token;
mod trigger;
mod trigger_flows;

use metaia_tests::clients::cli::Cli;
use metaia_tests::server::process::Process;
use metaia_tests::server::{Listening as _, Server};
use serde_json::Value;

/// Starts a server, and returns it with the tool's configuration for it.
async fn start() -> (Server, Cli) {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    (server, cli)
}

/// Starts the command and waits until its session is live.
pub(crate) async fn start_live(cli: &Cli, args: &[&str]) -> Process {
    let process = cli.start(args);
    let is_live = |line: &String| line.contains(" ✓ live");
    process.stderr.first("a live session", is_live).await;
    process
}

/// Ends the only session of a user, as an admin.
pub(crate) async fn end_session(server: &Server, user: &str) {
    let admin = server.admin();
    let path = format!("/api/realtime/sessions?user={user}");
    let list = admin.get(&path).await.data(200);
    let id = list["sessions"][0]["id"].as_str().expect("an id");
    let path = format!("/api/realtime/sessions/{id}");
    admin.send("DELETE", &path, None).await.ok(200);
}

/// Returns a configuration without any secret, for commands that have only a token.
fn without_secret(server: &Server) -> Cli {
    Cli::for_url(&server.url()).secret("")
}

/// Parses NDJSON.
pub(crate) fn objects(lines: &str) -> Vec<Value> {
    let lines = lines.lines();
    let parsed = lines.map(serde_json::from_str);
    let parsed: Result<Vec<Value>, _> = parsed.collect();
    parsed.unwrap_or_else(|error| panic!("not NDJSON: {error}"))
}
