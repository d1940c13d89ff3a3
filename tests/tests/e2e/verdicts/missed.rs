//! `metaia tail --count`: events from before the run are shown, and satisfy no count.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::forwarder::Forwarder;
use metaia_tests::faults::stub::Stub;
use metaia_tests::fixtures::emit;
use metaia_tests::fixtures::token::{Token, in_seconds};
use metaia_tests::server::{Listening as _, Server};
use serde_json::json;

use super::{objects, start, start_live};

/// Returns a token of the customer `c1` by whose `jti` the server recognises the session.
fn recognised_token() -> String {
    let claims = json!({
        "userId": "c1",
        "role": "customer",
        "exp": in_seconds(3600),
        "jti": "t1",
    });
    Token::with_claims(&claims).sign()
}

#[tokio::test]
async fn a_missed_event_is_marked_and_a_live_one_is_not() {
    let (server, cli) = start().await;
    let jwt = recognised_token();
    miss(&server, &jwt, &["old"]).await;
    let args = [
        "tail", "--token", &jwt, "--count", "1", "--for", "20s", "-o", "ndjson",
    ];
    let tail = cli.start(&args);
    let said = "live; 1 missed event came first";
    tail.stderr.first(said, |line| line.contains(said)).await;
    emit(&server, &json!({"user": "c1"}), "new", &json!({})).await;
    let ended = tail.wait_with_output().await.expect_code(0);
    let events = objects(&ended.stdout);
    assert_eq!(events[0]["event"], "old");
    assert_eq!(events[0]["replayed"], true);
    assert_eq!(events[1]["event"], "new");
    assert_eq!(events[1].get("replayed"), None);
    assert!(ended.stderr.contains("events 2 (1 replayed)"), "{ended:#?}");
}

/// Ends a session of the token, and publishes these events, which it misses.
async fn miss(server: &Server, jwt: &str, events: &[&str]) {
    let args = ["tail", "--token", jwt, "--for", "0s"];
    Cli::for_server(server).run(&args).await.expect_code(0);
    for event in events {
        emit(server, &json!({"user": "c1"}), event, &json!({})).await;
    }
}

#[tokio::test]
async fn an_event_from_before_the_run_satisfies_no_count() {
    let server = Server::start().await;
    let jwt = recognised_token();
    miss(&server, &jwt, &["first", "second"]).await;
    let args = [
        "tail", "--token", &jwt, "--count", "1", "--for", "500ms", "-o", "ndjson",
    ];
    let ended = Cli::for_server(&server).run(&args).await.expect_code(7);
    let events = objects(&ended.stdout);
    let replayed: Vec<_> = events.iter().map(|event| &event["replayed"]).collect();
    assert_eq!(replayed, [true, true], "{ended:#?}");
    for part in [
        "live; 2 missed events came first",
        "0 of 1 events came in time",
        "events that an earlier session missed: 2",
        "--count-replayed",
    ] {
        assert!(ended.stderr.contains(part), "no {part:?}: {ended:#?}");
    }
}

#[tokio::test]
async fn a_count_of_two_is_not_reached_by_one_old_and_one_live_event() {
    let (server, cli) = start().await;
    let jwt = recognised_token();
    miss(&server, &jwt, &["old"]).await;
    let args = [
        "tail", "--token", &jwt, "--count", "2", "--for", "20s", "-o", "ndjson",
    ];
    let tail = start_live(&cli, &args).await;
    emit(&server, &json!({"user": "c1"}), "new", &json!({})).await;
    emit(&server, &json!({"user": "c1"}), "newer", &json!({})).await;
    let ended = tail.wait_with_output().await.expect_code(0);
    let events = objects(&ended.stdout);
    let names: Vec<_> = events.iter().map(|event| &event["event"]).collect();
    assert_eq!(names, ["old", "new", "newer"]);
}

#[tokio::test]
async fn an_event_from_before_the_run_counts_on_request() {
    let (server, cli) = start().await;
    let jwt = recognised_token();
    miss(&server, &jwt, &["first", "second"]).await;
    let args = ["tail", "--token", &jwt, "--count", "1", "--count-replayed"];
    let args = [&args[..], &["-o", "ndjson"]].concat();
    let ended = cli.run(&args).await.expect_code(0);
    let events = objects(&ended.stdout);
    assert_eq!(events.len(), 1, "{ended:#?}");
    assert_eq!(events[0]["replayed"], true);
    // It is judged when the reader can see that it is old.
    assert!(
        ended.stderr.contains("live; 2 missed events came first"),
        "{ended:#?}"
    );
    let without_count = ["tail", "--token", &jwt, "--count-replayed"];
    cli.run(&without_count).await.expect_code(2);
    let fresh = [&args[..], &["--fresh"]].concat();
    cli.run(&fresh).await.expect_code(2);
}

/// It happened while the run watched.
#[tokio::test]
async fn an_event_that_a_cut_of_the_run_itself_hid_counts() {
    let server = Server::start().await;
    let jwt = recognised_token();
    miss(&server, &jwt, &["old"]).await;
    let forwarder = Forwarder::to(&server).await;
    let cli = Cli::for_url(&forwarder.url());
    let args = [
        "tail", "--token", &jwt, "--count", "1", "--for", "30s", "-o", "ndjson",
    ];
    let tail = start_live(&cli, &args).await;
    forwarder.down();
    let is_lost = |line: &String| line.contains("line lost");
    tail.stderr.first("the end of the link", is_lost).await;
    emit(&server, &json!({"user": "c1"}), "missed", &json!({})).await;
    forwarder.up();
    let ended = tail.wait_with_output().await.expect_code(0);
    let events = objects(&ended.stdout);
    let seen: Vec<_> = events
        .iter()
        .map(|event| (&event["event"], &event["replayed"]))
        .collect();
    assert_eq!(
        seen,
        [
            (&json!("old"), &json!(true)),
            (&json!("missed"), &json!(true))
        ]
    );
}

#[tokio::test]
async fn a_fresh_tail_receives_nothing_old() {
    let (server, cli) = start().await;
    let jwt = recognised_token();
    miss(&server, &jwt, &["old"]).await;
    let args = ["tail", "--token", &jwt, "--for", "0s", "--fresh"];
    let ended = cli.run(&args).await.expect_code(0);
    assert_eq!(ended.stdout, "");
}

/// It was published between the start of the session and its becoming live.
#[tokio::test]
async fn an_event_before_a_session_is_live_counts_if_the_session_resumed_nothing() {
    let jwt = recognised_token();
    let args = [
        "tail",
        "--token",
        &jwt,
        "--count",
        "1",
        "--for",
        "0s",
        "--timeout",
        "3s",
    ];
    // A stub does not answer the last question.
    for (recovered, code) in [(false, 0), (true, 3)] {
        let ready = json!({"recovered": recovered, "replayed": 1, "_rt": {"at": "p.1"}});
        let frames = [
            r#"40{"sid":"s"}"#.to_owned(),
            r#"42["x",{"_rt":{"id":"e","at":"p.1","ts":1}}]"#.to_owned(),
            format!(r#"42["rt:ready",{ready}]"#),
        ];
        let stub = Stub::with_date("Tue, 14 Nov 2023 22:13:20 GMT", &frames).await;
        let ended = Cli::for_url(&stub.url()).run(&args).await;
        assert_eq!(ended.code, Some(code), "{recovered}: {ended:#?}");
    }
}
