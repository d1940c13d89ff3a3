//! `metaia connect`: commands that wait, completion, the history, and what a person sees.

mod completion;
mod history;
mod keys;
mod screen;
mod waiting;

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::terminal::Terminal;

/// The prompt of a role that is live.
const PROMPT: &str = "customer:c1›";

/// `connect` as one customer.
const CONNECT: [&str; 7] = [
    "connect",
    "--as",
    "customer:c1",
    "--color",
    "never",
    "--timeout",
    "20s",
];

/// Starts `connect` as one customer, and waits for the prompt of a live role.
async fn start(cli: &Cli, columns: u16) -> Terminal {
    let terminal = cli.start_on_terminal_of_width(columns, &CONNECT);
    terminal.wait_for_last_row(PROMPT).await;
    terminal
}

/// Cancels a half-typed line, and ends `connect`. Ctrl-C drops what was typed ahead, so that Ctrl-D
/// waits for the next line.
async fn cancel_and_end(terminal: Terminal, prompt: &str) {
    terminal.enter("\x03").await;
    terminal.wait_for_last_row(prompt).await;
    end(terminal).await;
}

/// Ends `connect` at an empty line.
async fn end(terminal: Terminal) {
    terminal.enter("\x04").await;
    let finished = terminal.finish().await.expect_code(0);
    assert!(finished.is_restored, "{finished:?}");
}
