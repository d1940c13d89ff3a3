//! Silent lines, and what ends them.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::stub::Stub;
use metaia_tests::fixtures::token::{Token, in_seconds};
use metaia_tests::server::process::Process;
use metaia_tests::server::{Listening, Server};
use serde_json::{Value, json};

use super::examine;

/// Starts a doctor, and waits until it holds a silent line.
async fn holding(server: &Server, time: &str) -> Process {
    let doctor = Cli::for_server(server).start(&["doctor", "--idle", time, "-o", "json"]);
    let is_note = |line: &String| line.contains("holding a silent line");
    doctor.stderr.first("the note", is_note).await;
    doctor
}

/// Checks the exit code and the words about the line.
async fn check(doctor: Process, code: i32, words: &[&str]) {
    let output = doctor.wait_with_output().await.expect_code(code);
    let findings: Vec<Value> = serde_json::from_str(&output.stdout).expect("JSON");
    let idle = findings.last().expect("a finding");
    assert_eq!(
        (&idle["id"], &idle["ok"]),
        (&json!("doctor.idle"), &json!(false))
    );
    let said = idle.to_string();
    for word in words {
        assert!(said.contains(word), "no {word:?}: {said}");
    }
    assert!(!said.contains("proxy_read_timeout"), "{said}");
}

#[tokio::test]
async fn a_dead_line_is_not_taken_for_a_silent_one() {
    let server = Server::start().await;
    let doctor = holding(&server, "2s").await;
    server.signal("STOP").await;
    let words = ["is dead; connecting again failed", "no answer within 2 s"];
    check(doctor, 7, &words).await;
    server.signal("CONT").await;
}

#[tokio::test]
async fn a_session_that_an_admin_ends_is_no_silent_line() {
    let server = Server::start().await;
    let doctor = holding(&server, "60s").await;
    let kick = ["disconnect", "user:metaia-doctor"];
    Cli::for_server(&server).run(&kick).await.expect_code(0);
    check(doctor, 3, &["kicked", "an admin or a backend ended it"]).await;
}

#[tokio::test]
async fn a_server_that_shuts_down_is_no_silent_line() {
    let server = Server::start().await;
    let doctor = holding(&server, "60s").await;
    server.signal("TERM").await;
    check(doctor, 3, &["draining", "when the server is back"]).await;
}

#[tokio::test]
async fn a_server_that_is_killed_is_no_silent_line() {
    let server = Server::start().await;
    let doctor = holding(&server, "60s").await;
    server.kill().await;
    check(
        doctor,
        3,
        &["connecting again failed", "no program listens"],
    )
    .await;
}

#[tokio::test]
async fn a_token_that_ends_is_no_silent_line() {
    let server = Server::start().await;
    let claims = json!({"userId": "c1", "role": "customer", "exp": in_seconds(2)});
    let token = Token::with_claims(&claims).sign();
    let cli = Cli::for_server(&server);
    let options = ["doctor", "--token", &token, "--idle", "60s", "-o", "json"];
    let words = ["token_expired", "a token that lives longer"];
    check(cli.start(&options), 4, &words).await;
}

/// A session that ends before it is live.
#[tokio::test]
async fn a_session_that_ends_at_once_names_its_code() {
    let end = json!(["rt:end", {"code": "unavailable"}]);
    let frames = [
        r#"40{"sid":"a"}"#.to_owned(),
        format!("42{end}"),
        "41".to_owned(),
    ];
    let stub = Stub::with_date("Tue, 14 Nov 2023 22:13:20 GMT", &frames).await;
    let cli = Cli::for_url(&stub.url());
    let examined = examine(&cli, &["--transport", "websocket"]).await;
    let words = ["the server ended it: unavailable", "the server's log"];
    examined.check(3, "doctor.rooms", &words);
}

#[tokio::test]
async fn a_line_that_is_held_is_good() {
    let server = Server::start().await;
    let examined = examine(&Cli::for_server(&server), &["--idle", "1s"]).await;
    examined
        .good()
        .found("doctor.idle", "the line was held for 1.0 s");
}
