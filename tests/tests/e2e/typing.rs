//! `metaia connect` at a terminal: what is typed and pasted, what is shown meanwhile, and the
//! terminal's settings afterwards.

use std::process::Stdio;
use std::time::{Duration, Instant};

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::terminal::Terminal;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::stub::Stub;
use metaia_tests::fixtures::{emit, id_of, place_order};
use metaia_tests::server::{Listening as _, Server};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

const CONNECT: [&str; 7] = [
    "connect",
    "--as",
    "customer:c1",
    "--color",
    "never",
    "--timeout",
    "2s",
];

/// The prompt of a role that is live.
const PROMPT: &str = "customer:c1› ";

/// Shown at the beginning of each line: the terminal is to mark what is pasted.
const BEGINNING: &str = "\x1b[?2004h";

/// A server that only listens.
async fn listener() -> Stub {
    let frames = [
        r#"40{"sid":"a"}"#.to_owned(),
        r#"42["rt:ready",{"rooms":["customer-room"],"recovered":false,"replayed":0}]"#.to_owned(),
    ];
    Stub::with_date("now", &frames).await
}

/// Returns the payloads of the events of this name, once there are so many.
async fn payloads(stub: &Stub, event: &str, count: usize) -> Vec<Value> {
    let of_event = |frames: &[String]| -> Vec<Value> {
        let packets = frames
            .iter()
            .filter_map(|frame| frame.find('[').map(|at| &frame[at..]));
        let events = packets.filter_map(|packet| serde_json::from_str::<Value>(packet).ok());
        events
            .filter(|packet| packet[0] == event)
            .map(|packet| packet[1].clone())
            .collect()
    };
    let what = format!("{event}, {count} times");
    let found = |frames: &[String]| Some(of_event(frames)).filter(|found| found.len() >= count);
    stub.received.wait_for(&what, found).await
}

/// Starts `connect` on a terminal, and waits for the prompt.
async fn start(cli: &Cli, args: &[&str]) -> Terminal {
    let terminal = cli.start_on_terminal(args);
    terminal.wait_for("/help lists the commands").await;
    terminal.wait_for(PROMPT).await;
    terminal
}

/// Returns JSON of 20 KB.
fn large() -> Value {
    let members = (0..500).map(|n| {
        (
            format!("member {n:03}"),
            json!({"it's": "a \"text\"", "n": n}),
        )
    });
    members.collect()
}

#[tokio::test]
async fn a_line_of_20_kb_arrives_whole() {
    let stub = listener().await;
    let terminal = start(&Cli::for_url(&stub.url()), &CONNECT).await;
    let large = large();
    assert!(large.to_string().len() > 20_000);
    // As a terminal that does not mark what is pasted, then as one that does.
    terminal.enter(&format!("/emit typed {large}\r")).await;
    assert_eq!(
        payloads(&stub, "typed", 1).await,
        *std::slice::from_ref(&large)
    );
    terminal.paste(&format!("/emit pasted {large}")).await;
    terminal.enter("\r").await;
    assert_eq!(
        payloads(&stub, "pasted", 1).await,
        *std::slice::from_ref(&large)
    );
    // Also while no line is read.
    terminal
        .enter(&format!(
            "/wait 1s\r/emit waiting {large}\r/emit waiting 2\r"
        ))
        .await;
    assert_eq!(payloads(&stub, "waiting", 2).await, [large, json!("2")]);
    terminal.enter("\x04").await;
    terminal.finish().await.expect_code(0);
}

#[tokio::test]
async fn several_lines_may_be_pasted() {
    let stub = listener().await;
    let terminal = start(&Cli::for_url(&stub.url()), &CONNECT).await;
    let large = large();
    terminal
        .paste(&format!(
            "/emit a {large:#}\n# a comment\r\n/emit b [1]\r/quit"
        ))
        .await;
    terminal.enter("\r").await;
    assert_eq!(payloads(&stub, "a", 1).await, [large]);
    assert_eq!(payloads(&stub, "b", 1).await, [json!([1])]);
    terminal.finish().await.expect_code(0);
}

#[tokio::test]
async fn ctrl_c_cancels_a_line_and_ends_the_command_at_an_empty_one() {
    let stub = listener().await;
    let terminal = start(&Cli::for_url(&stub.url()), &CONNECT).await;
    terminal.enter("/emit cancelled").await;
    terminal.wait_for("/emit cancelled").await;
    terminal.enter("\x03").await;
    // The next line begins.
    terminal.wait_for_count(BEGINNING, 2).await;
    terminal
        .enter("/emit carried\x7f\x7f\x7f\x7f\x7f\x7f\x7fx\r")
        .await;
    payloads(&stub, "x", 1).await;
    // The server does not answer, which is no hindrance.
    let pressed = Instant::now();
    terminal.enter("\x03").await;
    terminal.finish().await.expect_code(130);
    // The promise is one second; a busy machine takes longer to end processes.
    assert!(
        pressed.elapsed() < Duration::from_secs(3),
        "{:?}",
        pressed.elapsed()
    );
    let frames = stub.received.so_far().concat();
    assert!(!frames.contains("cancelled"), "{frames}");
}

#[tokio::test]
async fn an_event_is_shown_above_a_line_that_is_half_typed() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let terminal = start(&Cli::for_server(&server), &CONNECT).await;
    terminal.wait_for("✓ live in ").await;
    terminal.enter("/jo").await;
    terminal.wait_for("/jo").await;
    for n in 0..20 {
        emit(&server, &json!({"user": "c1"}), "shown", &json!({"n": n})).await;
    }
    terminal.wait_for(" n=19 ").await;
    terminal.enter(&format!("in {}\r", id_of(&order))).await;
    terminal
        .wait_for(&format!("join {}: ok", id_of(&order)))
        .await;
    terminal.enter("\x04").await;
    let finished = terminal.finish().await.expect_code(0);
    assert!(
        finished.shown.contains("events 20, gaps 0"),
        "{}",
        finished.shown
    );
    let shown = finished.shown;
    // Each is on a line of its own, in order, and the half line is below the last one.
    let mut rest = shown.as_str();
    for n in 0..20 {
        let (before, after) = rest
            .split_once(&format!(" n={n} "))
            .expect("the next event");
        let line = before.rsplit(['\n', '\r']).next().unwrap();
        assert!(!line.contains("/jo"), "{shown:?}");
        rest = after;
    }
    let (_latency, below) = rest.split_once("\r\n").expect("the end of the line");
    assert!(below.starts_with(&format!("{PROMPT}/jo")), "{shown:?}");
}

#[tokio::test]
async fn the_settings_of_the_terminal_are_restored() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    // Each of the texts is typed when the line before it has ended, as Ctrl-C drops what was typed
    // ahead.
    for (texts, code) in [
        (&["\x04"][..], 0),
        (&["/quit\r"], 0),
        (&["\x03"], 130),
        (&["half\x03", "\x03"], 130),
        (&["half\x03", "\x04"], 0),
        (&["/wait 20s\r", "half\x03", "\x03", "\x03"], 130),
    ] {
        let terminal = cli.start_on_terminal(&CONNECT);
        for (lines, text) in texts.iter().enumerate() {
            terminal.wait_for_count(BEGINNING, lines + 1).await;
            terminal.enter(text).await;
        }
        let finished = terminal.finish().await.expect_code(code);
        assert!(finished.is_restored, "{texts:?}");
        let count = |mode: &str| finished.shown.matches(mode).count();
        assert!(count(BEGINNING) <= count("\x1b[?2004l"), "{finished:?}");
        assert!(
            !finished.shown.ends_with("› \r\x1b[13C\x1b[?2026l"),
            "{finished:?}"
        );
    }
}

#[tokio::test]
async fn the_settings_are_restored_when_the_session_ends() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let terminal = cli.start_on_terminal(&CONNECT);
    terminal.wait_for("✓ live in ").await;
    terminal.wait_for(PROMPT).await;
    assert!(!terminal.is_original());
    terminal.enter("/emit half").await;
    terminal.wait_for("/emit half").await;
    super::verdicts::end_session(&server, "c1").await;
    let finished = terminal.finish().await.expect_code(3);
    assert!(finished.is_restored);
    assert!(
        finished.shown.contains("events 0, gaps 0"),
        "{}",
        finished.shown
    );
    // A failure after that is written as usual.
    assert!(finished.shown.contains("error: "), "{}", finished.shown);
}

#[tokio::test]
async fn a_signal_from_outside_ends_the_command_also_in_a_line() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let terminal = cli.start_on_terminal(&CONNECT);
        terminal.wait_for(PROMPT).await;
        // The search of the history keeps the editor from showing anything.
        terminal.enter("/fly\r/emit half\x12fl").await;
        terminal.wait_for("(reverse-i-search)`fl'").await;
        terminal.signal(signal);
        let finished = terminal.finish().await.expect_code(130);
        assert!(finished.is_restored, "{signal}");
    }
}

#[tokio::test]
async fn events_keep_their_order_while_lines_are_entered() {
    const EVENTS: usize = 300;
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), &CONNECT).await;
    terminal.wait_for("✓ live in ").await;
    let sending = async {
        for n in 0..EVENTS {
            emit(&server, &json!({"user": "c1"}), "shown", &json!({"n": n})).await;
        }
    };
    let typing = async {
        for n in 0..EVENTS {
            terminal.enter(&format!("/fly{n}\r")).await;
        }
    };
    tokio::join!(sending, typing);
    terminal.wait_for(&format!(" n={} ", EVENTS - 1)).await;
    // If too many lines wait, Enter does not end a line.
    let last = format!("unknown command \"/fly{}\"", EVENTS - 1);
    eventually("the last line", async || {
        terminal.enter("\r").await;
        terminal.shown().contains(&last).then_some(())
    })
    .await;
    terminal.enter("\x04").await;
    let shown = terminal.finish().await.expect_code(0).shown;
    let numbers = shown.split(" n=").skip(1);
    let numbers: Vec<usize> = numbers
        .map(|rest| rest.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(numbers, (0..EVENTS).collect::<Vec<_>>());
    for n in 0..EVENTS {
        assert!(
            shown.contains(&format!("unknown command \"/fly{n}\"")),
            "{n}"
        );
    }
}

#[tokio::test]
async fn a_line_may_be_repeated() {
    let stub = listener().await;
    let terminal = start(&Cli::for_url(&stub.url()), &CONNECT).await;
    terminal.enter("/emit again\r").await;
    payloads(&stub, "again", 1).await;
    terminal.enter("\x1b[A\r").await;
    payloads(&stub, "again", 2).await;
    terminal.enter("\x04").await;
    terminal.finish().await.expect_code(0);
}

#[tokio::test]
async fn a_usage_error_leaves_the_terminal_alone() {
    let server = Server::start().await;
    let terminal = Cli::for_server(&server).start_on_terminal(&["connect", "--color", "never"]);
    let finished = terminal.finish().await.expect_code(2);
    assert!(finished.is_restored);
    assert!(!finished.shown.contains('\x1b'), "{:?}", finished.shown);
}

#[tokio::test]
async fn characters_that_act_are_not_shown_in_the_edited_line() {
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), &CONNECT).await;
    terminal.paste("/fly \u{9b}2J\u{202e}\x07seen").await;
    terminal.wait_for("seen").await;
    terminal.enter("\r").await;
    terminal.wait_for("unknown command").await;
    terminal.enter("\x04").await;
    let finished = terminal.finish().await.expect_code(0);
    let shown = finished.shown;
    assert!(!shown.contains(['\u{9b}', '\u{202e}', '\x07']), "{shown:?}");
}

#[tokio::test]
async fn without_a_terminal_for_the_output_lines_are_read_as_before() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let cli = Cli::for_server(&server);
    let args = [&CONNECT[..], &["-o", "ndjson"]].concat();
    let mut terminal = cli.start_on_terminal_with(&args, |command| {
        command.stdout(Stdio::piped());
    });
    terminal.wait_for("✓ live in ").await;
    assert!(terminal.is_original());
    terminal
        .enter(&format!("/emit x {}\n", "y".repeat(5_000)))
        .await;
    terminal
        .wait_for("is too long: the terminal passes on at most 4094 bytes")
        .await;
    terminal
        .enter(&format!("/join {}\n\x04", id_of(&order)))
        .await;
    let mut stdout = terminal.child().stdout.take().unwrap();
    terminal.finish().await.expect_code(0);
    let mut output = String::new();
    stdout.read_to_string(&mut output).await.unwrap();
    let result: Value = serde_json::from_str(output.trim()).unwrap();
    assert_eq!(result["ok"], true);
}

#[tokio::test]
async fn a_terminal_that_cannot_edit_passes_its_lines_on() {
    let server = Server::start().await;
    let terminal = Cli::for_server(&server).start_on_terminal_with(&CONNECT, |command| {
        command.env("TERM", "dumb");
    });
    terminal.wait_for("✓ live in ").await;
    assert!(terminal.is_original());
    terminal.enter("/fly\n").await;
    terminal.wait_for("unknown command").await;
    terminal.enter("\x04").await;
    let shown = terminal.finish().await.expect_code(0).shown;
    assert!(!shown.contains('\x1b'), "{shown:?}");
}
