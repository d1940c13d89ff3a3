//! `metaia tail`: what it was not there to see is not "nothing".

use std::time::Duration;

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::stub::Stub;
use metaia_tests::fixtures::emit;
use metaia_tests::server::{Listening as _, Server};
use serde_json::{Value, json};

use super::{end_session, objects, start, start_live};

/// Returns the arguments of a tail of the customer `c1`.
fn with<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&["tail", "--as", "customer:c1"], options].concat()
}

#[tokio::test]
async fn a_tail_whose_server_dies_is_not_green() {
    let (server, cli) = start().await;
    let args = with(&["--for", "4s"]);
    let tail = start_live(&cli, &args).await;
    server.kill().await;
    let ended = tail.wait_with_output().await.expect_code(3);
    assert!(ended.stderr.contains(" of 4."), "{ended:#?}");
    assert!(!ended.stderr.contains("live 4."), "{ended:#?}");
}

#[tokio::test]
async fn a_tail_whose_server_dies_is_not_green_for_a_count_either() {
    let (server, cli) = start().await;
    let args = with(&["--for", "2s", "--count", "1"]);
    let tail = start_live(&cli, &args).await;
    server.kill().await;
    tail.wait_with_output().await.expect_code(3);
}

#[tokio::test]
async fn a_tail_whose_server_freezes_is_not_green() {
    let (server, cli) = start().await;
    let args = with(&["--for", "2s", "--timeout", "2s"]);
    let tail = start_live(&cli, &args).await;
    server.signal("STOP").await;
    let ended = tail.wait_with_output().await.expect_code(3);
    server.signal("CONT").await;
    assert!(ended.stderr.contains("does not answer"), "{ended:#?}");
    // Neither the frozen time nor that of the last question counts.
    assert!(ended.stderr.contains(" of 2.0 s"), "{ended:#?}");
    assert!(!ended.stderr.contains("live 2."), "{ended:#?}");
}

#[tokio::test]
async fn a_tail_that_the_server_ends_is_not_green() {
    let (server, cli) = start().await;
    let tail = start_live(&cli, &with(&["--for", "20s"])).await;
    end_session(&server, "c1").await;
    let ended = tail.wait_with_output().await.expect_code(3);
    assert!(
        ended.stderr.contains("the server ended it: kicked"),
        "{ended:#?}"
    );
}

#[tokio::test]
async fn a_session_that_was_cut_by_the_script_has_the_right_hint() {
    let (_server, cli) = start().await;
    let args = ["connect", "--as", "customer:c1"];
    let ended = cli.run_with_input(&args, b"/drop\n").await.expect_code(3);
    assert!(
        ended.stderr.contains("/drop cut the connection"),
        "{ended:#?}"
    );
}

#[tokio::test]
async fn a_live_tail_says_for_how_long_it_was_live() {
    let (_server, cli) = start().await;
    let args = with(&["--for", "1s"]);
    let ended = cli.run(&args).await.expect_code(0);
    assert!(ended.stderr.contains("gaps 0, live "), "{ended:#?}");
}

#[tokio::test]
async fn a_gap_is_not_green() {
    let (_server, cli) = start().await;
    let args = with(&["--for", "1s", "--since", "x"]);
    let ended = cli.run(&args).await.expect_code(6);
    assert!(ended.stderr.contains("GAP"), "{ended:#?}");
}

#[tokio::test]
async fn a_quiet_tail_says_why_it_failed() {
    let (_server, cli) = start().await;
    let args = ["tail", "-q", "--as", "customer:c1", "--for", "1s"];
    for (option, code, said) in [
        (["--since", "x"], 6, "error: events were missed"),
        (["--count", "2"], 7, "error: 0 of 2 events came in time"),
    ] {
        let ended = cli.run(&[&args[..], &option].concat()).await;
        assert_eq!(ended.code, Some(code), "{ended:#?}");
        assert!(ended.stderr.contains(said), "{ended:#?}");
    }
}

/// However long it takes to become live.
#[tokio::test]
async fn the_time_of_a_tail_begins_when_it_is_live() {
    let (_server, cli) = start().await;
    for time in ["0s", "1ms"] {
        let args = with(&["--for", time]);
        let ended = cli.run(&args).await.expect_code(0);
        let (_, times) = ended.stderr.split_once(", live ").expect("a summary");
        let (live, rest) = times.split_once(" of ").expect("two times");
        assert!(rest.starts_with(&format!("{live} s")), "{ended:#?}");
    }
}

#[tokio::test]
async fn a_tail_that_never_becomes_live_ends_with_3() {
    // It opens the session, and never says that it is live.
    let connected = [r#"40{"sid":"s"}"#.to_owned()];
    let stub = Stub::with_date("Tue, 14 Nov 2023 22:13:20 GMT", &connected).await;
    let cli = Cli::for_url(&stub.url());
    let args = with(&["--for", "0s", "--timeout", "2s"]);
    let ended = cli.run(&args).await.expect_code(3);
    assert!(ended.stderr.contains("did not become live"), "{ended:#?}");
    assert!(ended.stderr.contains("live 0.0 of "), "{ended:#?}");
}

#[tokio::test]
async fn control_lines_show_the_connection_among_the_events() {
    let (server, cli) = start().await;
    let args = with(&["--for", "3s", "-o", "ndjson", "--control"]);
    let tail = start_live(&cli, &args).await;
    emit(&server, &json!({"user": "c1"}), "x", &json!({})).await;
    tail.stdout
        .first("x", |line| line.contains(r#""event":"x""#))
        .await;
    server.kill().await;
    let ended = tail.wait_with_output().await.expect_code(3);
    let lines = objects(&ended.stdout);
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line["is"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(
        kinds[..5],
        ["connected", "live", "-", "lost", "retry"],
        "{ended:#?}"
    );
    for line in &lines {
        assert_eq!(line.get("k").is_some(), line.get("is").is_some(), "{line}");
        assert!(line["ts"].is_i64() && line["as"] == "customer:c1", "{line}");
    }
    assert_eq!(lines[0]["transport"], "websocket");
    assert_eq!(lines[1]["rooms"], json!(["customer-room", "user-c1"]));
}

#[tokio::test]
async fn notices_carry_their_time_and_colours_only_on_request() {
    let server = Server::start().await;
    let args = with(&["--for", "1s"]);
    let has_time = |line: &str| {
        let time = line.split_whitespace().next().unwrap_or_default();
        time.len() == "11:12:09.002".len() && time.starts_with(|c: char| c.is_ascii_digit())
    };
    for (option, variable, is_coloured) in [
        ("auto", "", false),
        ("always", "", true),
        ("always", "1", true),
        ("never", "", false),
    ] {
        let cli = Cli::for_server(&server).env("NO_COLOR", variable);
        let args = [&args[..], &["--color", option]].concat();
        let ended = cli.run(&args).await.expect_code(0);
        let notice = ended.stderr.lines().find(|line| line.contains("live in"));
        let notice = notice.expect("a notice");
        assert_eq!(notice.contains('\x1b'), is_coloured, "{option}: {notice:?}");
        assert!(is_coloured || has_time(notice), "{notice:?}");
    }
}

#[tokio::test]
async fn a_misspelt_event_gets_a_suggestion() {
    let (_server, cli) = start().await;
    let args = with(&["--for", "500ms", "--event", "oder_update"]);
    let ended = cli.run(&args).await.expect_code(0);
    assert!(
        ended.stderr.contains("did you mean order_update?"),
        "{ended:#?}"
    );
    let nowhere = Cli::for_url("http://127.0.0.1:9");
    let strict = [&args[..], &["--strict"]].concat();
    let ended = nowhere.run(&strict).await.expect_code(2);
    assert!(
        ended.stderr.contains("did you mean order_update?"),
        "{ended:#?}"
    );
    let known = with(&["--event", "order_update", "--strict"]);
    nowhere.run(&known).await.expect_code(3);
}

/// Also with `-q`, which shows no warning.
#[tokio::test]
async fn an_event_that_cannot_exist_is_wrong_usage() {
    let nowhere = Cli::for_url("http://127.0.0.1:9");
    for name in [
        "",
        " ",
        "order_update ",
        "order_update,new_notification",
        "größe",
        "connect",
        "rt:ready",
    ] {
        let args = with(&["-q", "--event", name]);
        let ended = nowhere.run(&args).await;
        assert_eq!(ended.code, Some(2), "{name:?}: {ended:#?}");
    }
}

#[tokio::test]
async fn a_refused_order_says_so() {
    let (_server, cli) = start().await;
    let args = with(&["--order", "nosuch", "--for", "20s"]);
    let ended = cli.run(&args).await.expect_code(5);
    let at = |text: &str| {
        ended
            .stderr
            .find(text)
            .unwrap_or_else(|| panic!("{ended:#?}"))
    };
    assert!(at("may not join order-nosuch") < at("or there is no such order"));
}

/// Ends soon: a tail that has what it waits for does not wait for anything else.
#[tokio::test]
async fn a_closed_output_ends_a_tail() {
    let server = Server::start().await;
    let script = "{ \"$METAIA\" tail --as customer:c1; echo exit $? >&2; } | head -1";
    let cli = Cli::for_server(&server);
    let ending = cli.shell(script);
    tokio::pin!(ending);
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    let ended = loop {
        tokio::select! {
            ended = &mut ending => break ended,
            _ = pace.tick() => {
                emit(&server, &json!({"user": "c1"}), "x", &json!({})).await;
            }
        }
    };
    assert!(ended.stderr.contains("exit 0"), "{ended:#?}");
}

#[tokio::test]
async fn a_command_runs_when_the_session_is_live_and_all_its_events_are_shown() {
    let (_server, cli) = start().await;
    let script = r#""$METAIA" tail admin:a1 -o ndjson -- "$METAIA" trigger order.lifecycle"#;
    for _ in 0..5 {
        let output = cli.shell(script).await.expect_code(0);
        let statuses = objects(&output.stdout);
        let is_update = |line: &&Value| line["event"] == "order_update";
        let last = statuses.iter().rfind(is_update).expect("an update");
        assert_eq!(last["data"]["status"], "delivered", "{output:#?}");
    }
}

#[tokio::test]
async fn a_command_that_fails_makes_tail_fail() {
    let (_server, cli) = start().await;
    let output = cli.run(&["tail", "admin:a1", "--", "false"]).await;
    let output = output.expect_code(1);
    assert!(output.stderr.contains("exit code 1"), "{output:#?}");
    let missing = ["tail", "admin:a1", "--", "/no/such/program"];
    cli.run(&missing).await.expect_code(2);
    let few = ["tail", "admin:a1", "--count", "1", "--", "true"];
    cli.run(&few).await.expect_code(7);
}

#[tokio::test]
async fn a_condition_selects_events_and_has_to_be_a_boolean() {
    let (_server, cli) = start().await;
    let script = |condition: &str| {
        format!(
            r#""$METAIA" tail admin:a1 -o ndjson --where '{condition}' -- \
            "$METAIA" trigger order.lifecycle"#
        )
    };
    let ready = script(r#".data.status == "ready""#);
    let output = cli.shell(&ready).await.expect_code(0);
    assert_eq!(objects(&output.stdout).len(), 1, "{output:#?}");
    let output = cli.shell(&script(".data.staus")).await.expect_code(2);
    assert!(output.stderr.contains("it gives null"), "{output:#?}");
    // The command was not ended in the middle.
    assert!(output.stderr.contains("status delivered"), "{output:#?}");
    let output = cli.shell(&script(".data.status =")).await.expect_code(2);
    assert!(output.stderr.contains("--where"), "{output:#?}");
}
