//! Keys and signals: Ctrl-C while a command waits, Ctrl-Z, Ctrl-L, and pasted control characters.

use metaia_tests::clients::cli::Cli;
use metaia_tests::eventually::eventually;
use metaia_tests::server::Server;
use nix::sys::signal::Signal;

use super::{PROMPT, cancel_and_end, end, start};

#[tokio::test]
async fn ctrl_c_cancels_a_command_that_waits() {
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), 80).await;
    let commands = ["/wait 1h", "/await nosuch 1h", "/await order_update a=b 1h"];
    for (n, command) in commands.into_iter().enumerate() {
        terminal.enter(&format!("{command}\r")).await;
        // A line with text is cancelled first.
        terminal.enter("half").await;
        terminal.wait_for_last_row(&format!("{PROMPT} half")).await;
        terminal.enter("\x03").await;
        terminal.wait_for_last_row(PROMPT).await;
        terminal.enter("\x03").await;
        terminal.wait_for_count("cancelled", n + 1).await;
        terminal.enter(&format!("/after{n}\r")).await;
        terminal.wait_for(&format!("\"/after{n}\"")).await;
        terminal.wait_for_last_row(PROMPT).await;
    }
    end(terminal).await;
}

#[tokio::test]
async fn ctrl_c_brings_an_offline_role_back() {
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), 80).await;
    for command in ["offline", "cut"] {
        terminal.enter(&format!("/{command} 1h\r")).await;
        terminal.wait_for_last_row("customer:c1✕").await;
        terminal.enter("\x03").await;
        terminal.wait_for(&format!("{command}: ok")).await;
        terminal.wait_for_last_row(PROMPT).await;
    }
    end(terminal).await;
}

#[tokio::test]
async fn a_stopped_process_leaves_the_terminal_and_takes_it_again() {
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), 80).await;
    terminal.enter("/emit half").await;
    terminal
        .wait_for_last_row(&format!("{PROMPT} /emit half"))
        .await;
    terminal.enter("\x1a").await;
    eventually("the process to stop", async || {
        terminal.is_stopped().then_some(())
    })
    .await;
    assert!(terminal.is_original());
    terminal.signal(Signal::SIGCONT);
    terminal.enter("-typed").await;
    terminal
        .wait_for_last_row(&format!("{PROMPT} /emit half-typed"))
        .await;
    assert!(!terminal.is_original());
    cancel_and_end(terminal, PROMPT).await;
}

#[tokio::test]
async fn a_byte_that_is_not_utf8_drops_its_line_alone() {
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), 80).await;
    for (count, bytes) in [
        &b"\xff"[..],
        b"caf\xe9 /quit\r",
        b"\x1b[200~a\xe9\r/quit\x1b[201~",
    ]
    .into_iter()
    .enumerate()
    {
        terminal.enter_bytes(bytes).await;
        terminal.wait_for_count("is not UTF-8", count + 1).await;
        terminal.wait_for_last_row(PROMPT).await;
    }
    terminal.enter("/no-command\r").await;
    terminal.wait_for("\"/no-command\"").await;
    terminal.wait_for_last_row(PROMPT).await;
    end(terminal).await;
}

#[tokio::test]
async fn sigquit_restores_the_terminal() {
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), 80).await;
    terminal.signal(Signal::SIGQUIT);
    let finished = terminal.finish().await.expect_code(130);
    assert!(finished.is_restored, "{finished:?}");
}

#[tokio::test]
async fn ctrl_l_clears_the_screen_and_keeps_the_line() {
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), 80).await;
    terminal.enter("/emit half\x0c").await;
    let line = format!("{PROMPT} /emit half");
    terminal
        .wait_for_rows("only the line", |rows| rows == std::slice::from_ref(&line))
        .await;
    cancel_and_end(terminal, PROMPT).await;
}

#[tokio::test]
async fn pasted_control_characters_run_nothing() {
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), 80).await;
    // Each of them is Enter, Ctrl-C, Ctrl-D or a command of the terminal if it is typed.
    terminal
        .paste("/first\0 \x1b[2J\x03\x04\x1b]0;title\x07\r/second\x15\n/quit\x1a")
        .await;
    terminal
        .wait_for_rows("the pasted lines", |rows| {
            rows.last().is_some_and(|row| row.contains("/quit"))
        })
        .await;
    let before = terminal.shown();
    assert!(!before.contains("unknown command"), "{before:?}");
    assert!(
        !before.contains("\x1b]0") && !before.contains("\x1b[2J"),
        "{before:?}"
    );
    terminal.enter("\x03").await;
    terminal.wait_for_last_row(PROMPT).await;
    let shown = terminal.shown();
    assert!(!shown.contains("unknown command"), "{shown:?}");
    end(terminal).await;
}
