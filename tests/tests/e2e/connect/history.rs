//! The lines of earlier runs.

use std::os::unix::fs::PermissionsExt as _;

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::terminal::Terminal;
use metaia_tests::server::Server;

use super::{PROMPT, cancel_and_end, end, start};

const FILE: &str = ".local/state/metaia/connect-history";

/// Carries out a line that is no command, and waits for its end.
async fn carry_out(terminal: &Terminal, line: &str) {
    terminal.enter(&format!("{line}\r")).await;
    let word = line.split_whitespace().next().unwrap();
    terminal
        .wait_for(&format!("unknown command {word:?}"))
        .await;
    terminal.wait_for_last_row(PROMPT).await;
}

#[tokio::test]
async fn lines_are_recalled_in_the_next_run() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let terminal = start(&cli, 80).await;
    carry_out(&terminal, "/first one").await;
    carry_out(&terminal, "/second two").await;
    end(terminal).await;
    let terminal = start(&cli, 80).await;
    terminal.enter("\x1b[A").await;
    terminal
        .wait_for_last_row(&format!("{PROMPT} /second two"))
        .await;
    terminal.enter("\x1b[A").await;
    terminal
        .wait_for_last_row(&format!("{PROMPT} /first one"))
        .await;
    terminal.enter("\x03").await;
    terminal.wait_for_last_row(PROMPT).await;
    terminal.enter("\x12cond").await;
    terminal
        .wait_for_last_row("(reverse-i-search)`cond': /second two")
        .await;
    terminal.enter("\x03").await;
    terminal.wait_for_last_row(PROMPT).await;
    end(terminal).await;
    let file = cli.folder().path().join(FILE);
    let mode = file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn two_runs_at_the_same_time_lose_no_line() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let one = start(&cli, 80).await;
    let other = start(&cli, 80).await;
    for n in 0..5 {
        carry_out(&one, &format!("/one{n}")).await;
        carry_out(&other, &format!("/other{n}")).await;
    }
    end(one).await;
    end(other).await;
    let text = std::fs::read_to_string(cli.folder().path().join(FILE)).unwrap();
    let expected: Vec<String> = (0..5)
        .flat_map(|n| [format!("/one{n}"), format!("/other{n}")])
        .collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn secrets_and_hidden_lines_are_not_kept() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let state = cli.folder().path().join("state");
    let cli = cli.env("XDG_STATE_HOME", state.to_str().unwrap());
    let terminal = start(&cli, 120).await;
    let token = metaia_tests::fixtures::token::token("customer", "c1");
    carry_out(&terminal, "/kept").await;
    carry_out(&terminal, &format!("/token {token}")).await;
    carry_out(&terminal, "/option --token x").await;
    carry_out(&terminal, " /hidden").await;
    end(terminal).await;
    let text = std::fs::read_to_string(state.join("metaia/connect-history")).unwrap();
    assert_eq!(text, "/kept\n");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_a_note() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server).env("XDG_STATE_HOME", "/dev/null");
    let terminal = start(&cli, 120).await;
    terminal
        .wait_for("the lines of this run are not kept")
        .await;
    carry_out(&terminal, "/fly").await;
    terminal.enter("\x1b[A").await;
    terminal.wait_for_last_row(&format!("{PROMPT} /fly")).await;
    cancel_and_end(terminal, PROMPT).await;
}
