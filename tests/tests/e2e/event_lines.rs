//! The lines of `metaia tail` and `metaia connect`: one for each event and each change of the
//! connection, as text and as data.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::{assign, emit, id_of, place_order, place_order_at, set_status};
use metaia_tests::server::Server;
use serde_json::{Value, json};

use crate::verdicts::end_session;

const WIDTH: u16 = 80;

const TAIL: [&str; 5] = ["tail", "--as", "customer:c1", "--color", "never"];

/// Returns the number of columns, for texts of which only these characters are wide.
fn columns(line: &str) -> usize {
    line.chars()
        .map(|c| if "日本語🧵".contains(c) { 2 } else { 1 })
        .sum()
}

/// Emits an event that does not fit into a line.
async fn emit_wide(server: &Server) {
    let data = json!({"note": "日本語 🧵 ".repeat(50)});
    emit(server, &json!({"user": "c1"}), "wide", &data).await;
}

fn line_of<'a>(text: &'a str, part: &str) -> &'a str {
    text.lines()
        .find(|line| line.contains(part))
        .unwrap_or_else(|| panic!("no {part} in {text}"))
}

#[tokio::test]
async fn at_a_terminal_each_event_is_one_line_that_says_what_changed() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let args = [&TAIL[..], &["--count", "7"]].concat();
    let terminal = cli.start_on_terminal_of_width(WIDTH, &args);
    terminal.wait_for("✓ live").await;
    let order = place_order(&server, "c1").await;
    set_status(&server, id_of(&order), "confirmed").await;
    assign(
        &server,
        id_of(&order),
        &json!({"tailor": "w3", "deliveryPartner": "w4"}),
    )
    .await;
    emit_wide(&server).await;
    set_status(&server, id_of(&order), "in_progress").await;
    let shown = terminal.finish().await.expect_code(0).shown;
    let is_event = |line: &&str| {
        let names = ["order_update", "new_notification", "wide"];
        names
            .iter()
            .any(|name| line.contains(&format!(" customer:c1 {name} ")))
    };
    let events: Vec<&str> = shown.lines().filter(is_event).collect();
    assert_eq!(events.len(), 7, "{shown}");
    for event in &events {
        assert_eq!(columns(event.trim_end()), usize::from(WIDTH), "{shown}");
    }
    let number = order["orderNumber"].as_str().expect("a number");
    let (_, number) = number.rsplit_once('-').expect("a date");
    for part in [
        "pending (new) ₹900.00 ",
        "pending → confirmed ",
        "tailor w3, courier w4 ",
        "confirmed → in_progress ",
    ] {
        let expected = format!(" customer:c1 order_update     {number} {part}");
        assert!(shown.contains(&expected), "{expected:?} in {shown}");
    }
}

#[tokio::test]
async fn a_pipe_has_the_whole_line() {
    let server = Server::start().await;
    let args = [&TAIL[..], &["--count", "1"]].concat();
    let tail = Cli::for_server(&server).start(&args);
    tail.stderr
        .first("live", |line| line.contains("✓ live"))
        .await;
    emit_wide(&server).await;
    let ended = tail.wait_with_output().await.expect_code(0);
    let note = "日本語 🧵 ".repeat(50);
    assert!(
        ended.stdout.contains(&format!(" note={note:?} ")),
        "{ended:#?}"
    );
}

#[tokio::test]
async fn with_full_an_event_shows_its_payload() {
    let server = Server::start().await;
    let args = [&TAIL[..], &["--full", "--event", "x", "--count", "1"]].concat();
    let tail = Cli::for_server(&server).start(&args);
    tail.stderr
        .first("live", |line| line.contains("✓ live"))
        .await;
    emit(
        &server,
        &json!({"user": "c1"}),
        "x",
        &json!({"list": [1, 2]}),
    )
    .await;
    let ended = tail.wait_with_output().await.expect_code(0);
    assert!(
        ended.stdout.ends_with(" ms  {\"list\":[1,2]}"),
        "{ended:#?}"
    );
}

#[tokio::test]
async fn an_event_that_is_not_printed_is_remembered() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let args = [&TAIL[..], &["--event", "new_notification", "--count", "1"]].concat();
    let tail = Cli::for_server(&server).start(&args);
    tail.stderr
        .first("live", |line| line.contains("✓ live"))
        .await;
    set_status(&server, id_of(&order), "confirmed").await;
    let ended = tail.wait_with_output().await.expect_code(0);
    let number = order["orderNumber"].as_str().expect("a number");
    let expected = format!(" new_notification {number} Order Status Updated: ");
    assert!(ended.stdout.contains(&expected), "{ended:#?}");
}

/// Cuts the connection, then loses access to the order, then the session.
#[tokio::test]
async fn each_change_of_the_connection_is_a_line_of_text_and_of_data() {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    let id = id_of(&order);
    let args = [
        "connect",
        "--as",
        "tailor:t1",
        "--order",
        id,
        "--control",
        "-o",
        "ndjson",
    ];
    let mut connect = Cli::for_server(&server).start(&args);
    let is_live = |line: &String| line.contains("✓ live");
    connect.stderr.first("live", is_live).await;
    set_status(&server, id, "confirmed").await;
    connect.write_line("/drop").await;
    connect
        .stderr
        .first("live again", |line| line.contains("✓ live; "))
        .await;
    assign(&server, id, &json!({"tailor": "t2"})).await;
    connect
        .stderr
        .first("left", |line| line.contains("⚠ left "))
        .await;
    end_session(&server, "t1").await;
    let ended = connect.wait_with_output().await.expect_code(3);
    let lines = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let lines: Vec<Value> = lines.collect();
    let changes: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["is"].as_str())
        .collect();
    assert_eq!(
        changes,
        [
            "connected",
            "live",
            "lost",
            "retry",
            "connected",
            "live",
            "left",
            "end",
            "lost",
            "gave_up",
        ],
        "{ended:#?}"
    );
    let text = &ended.stderr;
    let lost = line_of(text, "⚠ line lost (transport dropped), again in ");
    assert!(
        lost.ends_with(" s") && lost.contains(" tailor:t1 ⚠"),
        "{lost}"
    );
    let left = format!("⚠ left order-{id} (access_revoked)");
    for part in [
        &left,
        "✗ ended: kicked",
        "⚠ line lost (io server disconnect)",
        "✗ gave up: ",
    ] {
        line_of(text, part);
    }
}
