//! Nothing that others wrote acts on the terminal.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::stub::Stub;
use metaia_tests::fixtures::emit;
use metaia_tests::server::{Listening, Server};
use serde_json::{Value, json};

use super::{EMIT, TAIL};

/// Sets the title, a colour and the direction; C1, and a line separator.
const HOSTILE: &str = "\u{1b}]0;title\u{7}\u{1b}[31m\u{9b}2J\u{202e}\u{2066}\u{2028}\r";

#[track_caller]
fn check_harmless(text: &str) {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends = |c: char| matches!(c, '\u{2028}' | '\u{2029}');
    let acts = |c: char| (c.is_control() && c != '\n') || turns(c) || ends(c);
    assert!(!text.contains(acts), "{text:?}");
}

#[tokio::test]
async fn an_answer_does_not_act_on_the_terminal() {
    let code = format!("c{HOSTILE}");
    let body = json!({"type": "about:blank", "status": 500, "code": code, "detail": HOSTILE});
    let body = body.to_string();
    for body in [HOSTILE.to_owned(), body] {
        let head = format!(
            "HTTP/1.1 500 Oh\r\nContent-Length: {}\r\nServer: a\u{9b}b\r\n\r\n",
            body.len()
        );
        let stub = Stub::answering(&[&head, &body]).await;
        let cli = Cli::for_url(&stub.url());
        for args in [&TAIL[..], &EMIT] {
            check_harmless(&cli.run(args).await.output());
        }
    }
}

#[tokio::test]
async fn a_refusal_does_not_act_on_the_terminal() {
    let frame = format!("44{}", json!({"message": HOSTILE}));
    let stub = Stub::with_date("now", &[frame]).await;
    let output = Cli::for_url(&stub.url()).run(&TAIL).await.expect_code(4);
    check_harmless(&output.output());
}

#[tokio::test]
async fn an_event_does_not_act_on_the_terminal_and_keeps_its_value() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    for format in ["text", "json", "ndjson"] {
        let tail = cli.start(&["tail", "--as", "customer:c1", "--count", "1", "-o", format]);
        tail.stderr
            .first("live", |line| line.contains("live"))
            .await;
        emit(
            &server,
            &json!({"user": "c1"}),
            "note",
            &json!({"text": HOSTILE}),
        )
        .await;
        let output = tail.wait_with_output().await.expect_code(0);
        check_harmless(&output.output());
        if format != "text" {
            let event: Value = serde_json::from_str(&output.stdout).expect("JSON");
            assert_eq!(event["data"]["text"], HOSTILE);
        }
    }
}

#[tokio::test]
async fn the_styles_of_the_tool_stay() {
    let args = [&TAIL[..], &["--color", "always"]].concat();
    let output = Cli::for_url("http://127.0.0.1:9").run(&args).await;
    assert!(output.stderr.contains("\u{1b}[31m"), "{output:#?}");
}
