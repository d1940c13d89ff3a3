//! The screen as a person sees it, at 80, 120 and 20 columns.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::terminal::Terminal;
use metaia_tests::fixtures::emit;
use metaia_tests::server::{Server, Setup};
use serde_json::json;

use super::{PROMPT, cancel_and_end, start};

/// Replaces times and latencies, which differ from run to run, and the text beside a latency.
fn masked(rows: &[String]) -> String {
    let rows = rows.iter().map(|row| {
        let words = row.split(' ').map(|word| match word.as_bytes() {
            [.., b':', _, _, b'.', _, _, _] => "hh:mm:ss.mmm",
            [b't', b'e', b'x', b't', b'=', ..] => "text=x…",
            _ => word,
        });
        let row = words.collect::<Vec<_>>().join(" ");
        match row.strip_suffix(" ms").and_then(|row| row.rsplit_once(' ')) {
            Some((row, _)) => format!("{} … ms", row.trim_end()),
            None => row,
        }
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// Shows two events above a half-typed line.
async fn half_typed_line_with_events(server: &Server, terminal: &Terminal) -> Vec<String> {
    let line = format!("{PROMPT} /emit half");
    terminal.enter("/emit half").await;
    terminal.wait_for_last_row(&line).await;
    for n in [1, 2] {
        let data = json!({"n": n, "text": "x".repeat(100)});
        emit(server, &json!({"user": "c1"}), "shown", &data).await;
    }
    terminal.wait_for_count(" shown", 2).await;
    terminal.wait_for_last_row(&line).await
}

#[tokio::test]
async fn events_are_above_the_line_at_80_and_120_columns() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let terminal = start(&cli, 80).await;
    let rows = half_typed_line_with_events(&server, &terminal).await;
    insta::assert_snapshot!(masked(&rows), @r"
    connected; /help lists the commands
    hh:mm:ss.mmm customer:c1 · connected
    hh:mm:ss.mmm customer:c1 ✓ live in customer-room, user-c1
    hh:mm:ss.mmm customer:c1 shown                   n=1 text=x… … ms
    hh:mm:ss.mmm customer:c1 shown                   n=2 text=x… … ms
    customer:c1› /emit half
    ");
    cancel_and_end(terminal, PROMPT).await;
    let terminal = start(&cli, 120).await;
    let rows = half_typed_line_with_events(&server, &terminal).await;
    insta::assert_snapshot!(masked(&rows), @r"
    connected; /help lists the commands
    hh:mm:ss.mmm customer:c1 · connected
    hh:mm:ss.mmm customer:c1 ✓ live in customer-room, user-c1
    hh:mm:ss.mmm customer:c1 shown                             n=1 text=x… … ms
    hh:mm:ss.mmm customer:c1 shown                             n=2 text=x… … ms
    customer:c1› /emit half
    ");
    cancel_and_end(terminal, PROMPT).await;
}

#[tokio::test]
async fn a_narrow_terminal_has_a_short_prompt_and_wraps_the_line() {
    let server = Server::start().await;
    let terminal = Cli::for_server(&server)
        .start_on_terminal_of_width(20, &["connect", "--as", "customer:c1", "--color", "never"]);
    terminal.wait_for_last_row("c1›").await;
    terminal.enter("/emit a-long-word-and-another").await;
    terminal.wait_for_last_row("d-and-another").await;
    emit(&server, &json!({"user": "c1"}), "shown", &json!({"n": 1})).await;
    terminal.wait_for("shown").await;
    let rows = terminal
        .wait_for_rows("the line below the event", |rows| {
            rows.len() > 2 && rows[rows.len() - 2] == "c1› /emit a-long-wor"
        })
        .await;
    insta::assert_snapshot!(masked(&rows[rows.len() - 3..]), @r"
    c:… shown  n=1
    c1› /emit a-long-wor
    d-and-another
    ");
    cancel_and_end(terminal, "c1›").await;
}

#[tokio::test]
async fn the_prompt_names_the_roles_and_who_is_cut_off() {
    let server = Setup::new().with_fixed_port().start().await;
    let cli = Cli::for_server(&server);
    let args = [
        "connect",
        "--as",
        "customer:c1",
        "--as",
        "tailor:t1",
        "--color",
        "never",
    ];
    let terminal = cli.start_on_terminal_of_width(80, &args);
    terminal.wait_for_last_row("customer:c1› tailor:t1›").await;
    terminal.enter("/as tailor:t1\r").await;
    terminal.wait_for_last_row("tailor:t1›").await;
    terminal.enter("/cut\r").await;
    terminal.wait_for_last_row("tailor:t1✕").await;
    terminal.enter("/as all\r").await;
    terminal.wait_for_last_row("customer:c1› tailor:t1✕").await;
    terminal.enter("@tailor:t1 /back\r").await;
    terminal.wait_for_last_row("customer:c1› tailor:t1›").await;
    terminal.enter("/emit half").await;
    let setup = server.kill().await;
    terminal
        .wait_for_last_row("customer:c1✕ tailor:t1✕ /emit half")
        .await;
    let _server = setup.start().await;
    terminal
        .wait_for_last_row("customer:c1› tailor:t1› /emit half")
        .await;
    cancel_and_end(terminal, "customer:c1› tailor:t1›").await;
}

#[tokio::test]
async fn a_terminal_may_change_its_width_while_events_arrive() {
    let server = Server::start().await;
    let mut terminal = start(&Cli::for_server(&server), 120).await;
    terminal.enter("/emit half").await;
    terminal
        .wait_for_last_row(&format!("{PROMPT} /emit half"))
        .await;
    for (n, columns) in [80, 60, 120, 70].into_iter().enumerate() {
        terminal.resize(columns);
        let data = json!({"n": n, "text": "x".repeat(200)});
        emit(&server, &json!({"user": "c1"}), "shown", &data).await;
        terminal.wait_for_count(" shown", n + 1).await;
        terminal
            .wait_for_last_row(&format!("{PROMPT} /emit half"))
            .await;
    }
    terminal.enter("-typed").await;
    let rows = terminal
        .wait_for_last_row(&format!("{PROMPT} /emit half-typed"))
        .await;
    let shown = rows.iter().filter(|row| row.contains(" shown"));
    assert_eq!(shown.count(), 4, "{rows:#?}");
    cancel_and_end(terminal, PROMPT).await;
}
