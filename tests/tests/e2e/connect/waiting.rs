//! Scripts with commands that wait: `/await`, `/cut`, `/offline`, `/back`, and `/as`.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::{emit, id_of, place_order};
use metaia_tests::server::Server;
use serde_json::{Value, json};

use crate::verdicts::{objects, start_live};

const CONNECT: [&str; 5] = ["connect", "--as", "customer:c1", "-o", "ndjson"];

/// Returns the results of commands among lines of output.
fn results(stdout: &str) -> Vec<Value> {
    let lines = objects(stdout).into_iter();
    lines.filter(|line| line.get("command").is_some()).collect()
}

#[tokio::test]
async fn an_event_is_awaited_with_a_part_of_its_payload() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let mut connect = start_live(&cli, &CONNECT).await;
    let to = json!({"user": "c1"});
    connect.write_line("/await note n:=2 20s").await;
    connect.write_line("/await note n:=3").await;
    for n in 1..=3 {
        emit(&server, &to, "note", &json!({"n": n, "x": true})).await;
    }
    connect.close_input();
    let ended = connect.wait_with_output().await.expect_code(0);
    let results = results(&ended.stdout);
    assert_eq!(results.len(), 2, "{ended:#?}");
    assert!(
        results
            .iter()
            .all(|result| result["command"] == "await note")
    );
}

/// The event comes before its command's answer.
#[tokio::test]
async fn an_event_of_the_line_before_counts_once() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let id = id_of(&order);
    let cli = Cli::for_server(&server);
    let args = ["connect", "--as", "admin:a1", "-o", "ndjson"];
    let mut connect = start_live(&cli, &args).await;
    emit(&server, &json!({"user": "a1"}), "early", &json!({})).await;
    connect
        .stdout
        .first("the event", |line| line.contains("early"))
        .await;
    for line in ["/await early", "/await early 300ms"] {
        connect.write_line(line).await;
    }
    connect.close_input();
    let ended = connect.wait_with_output().await.expect_code(7);
    let results = results(&ended.stdout);
    assert_eq!(results[0]["ok"], true, "{ended:#?}");
    assert_eq!(results[1]["ok"], false, "{ended:#?}");
    // Another command in between forgets it.
    let lines = format!("/join {id}\n/await order_update 300ms\n");
    let ended = cli.run_with_input(&args, lines.as_bytes()).await;
    let ended = ended.expect_code(7);
    assert!(ended.stderr.contains("line 2"), "{ended:#?}");
}

#[tokio::test]
async fn a_wait_that_is_too_late_says_so() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    for (line, said) in [
        ("/await order_update 200ms", "it did not come within 0.2 s"),
        ("/await oder_update 200ms", "did you mean order_update?"),
        ("/offline\n/await live 200ms", "/back connects again"),
    ] {
        let ended = cli.run_with_input(&CONNECT, line.as_bytes()).await;
        let code = if line.starts_with("/offline") { 3 } else { 7 };
        let ended = ended.expect_code(code);
        assert!(ended.stderr.contains(said), "{line}: {ended:#?}");
    }
    let server = server.kill().await.start().await;
    let cli = Cli::for_server(&server);
    let mut connect = start_live(&cli, &CONNECT).await;
    server.signal("STOP").await;
    connect.write_line("/cut 100ms").await;
    connect.write_line("/quit").await;
    connect.close_input();
    // The limit is that of --timeout.
    let ended = connect.wait_with_output().await.expect_code(7);
    assert!(
        ended.stderr.contains("not live within 10.0 s"),
        "{ended:#?}"
    );
    server.signal("CONT").await;
}

#[tokio::test]
async fn a_role_that_comes_back_receives_what_it_missed() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let cli = Cli::for_server(&server);
    let id = id_of(&order);
    for departure in ["/offline", "/cut"] {
        let args = [&CONNECT[..], &["--as", "tailor:t1", "--control"]].concat();
        let mut connect = start_live(&cli, &args).await;
        connect
            .write_line(&format!("@customer:c1 /join {id}"))
            .await;
        connect
            .write_line(&format!("@customer:c1 {departure}"))
            .await;
        connect
            .stdout
            .first("the end of the connection", |line| {
                line.contains("until /back")
            })
            .await;
        for n in 0..3 {
            emit(&server, &json!({"user": "c1"}), "missed", &json!({"n": n})).await;
        }
        let room = json!({"order": id});
        emit(&server, &room, "missed_in_room", &json!({})).await;
        for line in [
            "@customer:c1 /back 20s",
            "@customer:c1 /await missed n:=2",
            "/await live",
        ] {
            connect.write_line(line).await;
        }
        connect.close_input();
        let ended = connect.wait_with_output().await.expect_code(0);
        let lines = objects(&ended.stdout);
        let missed = lines
            .iter()
            .filter(|line| line["replayed"] == true && line.get("event").is_some());
        assert_eq!(missed.count(), 4, "{ended:#?}");
        let back = lines.iter().find(|line| line["command"] == "back").unwrap();
        assert_eq!(back["answer"], json!({"recovered": true, "replayed": 4}));
        let of_customer = |line: &&Value| line["as"] == "customer:c1" && line["k"] == "line";
        let changes: Vec<&str> = lines
            .iter()
            .filter(of_customer)
            .filter_map(|line| line["is"].as_str())
            .collect();
        let expected = ["connected", "live", "lost", "connected", "live"];
        assert_eq!(changes, expected, "{ended:#?}");
    }
}

#[tokio::test]
async fn a_time_brings_a_role_back() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    for line in [
        "/offline 100ms",
        "/cut 100ms",
        "/cut 0s",
        "/offline 1ms\n/cut 1ms",
    ] {
        let ended = cli.run_with_input(&CONNECT, line.as_bytes()).await;
        let ended = ended.expect_code(0);
        let answer = &results(&ended.stdout)[0]["answer"];
        assert_eq!(*answer, json!({"recovered": true, "replayed": 0}), "{line}");
    }
}

#[tokio::test]
async fn a_role_that_is_away_at_the_end_is_not_green() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    for (script, code) in [
        ("/offline", 3),
        ("/cut", 3),
        ("/offline\n/emit x", 3),
        ("/offline\n/offline", 2),
        ("/back", 2),
        ("/offline\n/back", 0),
        ("/drop\n/await live", 0),
        ("/await live a=1", 2),
        ("/await rt:ready", 2),
        ("/await x soon", 2),
        ("/await x @missing.json", 2),
        ("/as nobody:x", 2),
        ("@customer:c1 /as all", 2),
        ("/offline 1 2", 2),
        ("/offline soon", 2),
    ] {
        let ended = cli.run_with_input(&CONNECT, script.as_bytes()).await;
        assert_eq!(ended.code, Some(code), "{script}: {ended:#?}");
    }
}

#[tokio::test]
async fn the_next_lines_are_for_the_chosen_role() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let id = id_of(&order);
    let cli = Cli::for_server(&server);
    let args = [&CONNECT[..], &["--as", "customer:c2"]].concat();
    let script =
        format!("/as customer:c1\n/join {id}\n@customer:c2 /leave {id}\n/as all\n/leave {id}\n");
    let ended = cli
        .run_with_input(&args, script.as_bytes())
        .await
        .expect_code(0);
    let results = results(&ended.stdout);
    let roles: Vec<&str> = results
        .iter()
        .filter_map(|line| line["as"].as_str())
        .collect();
    let expected = ["customer:c1", "customer:c2", "customer:c1", "customer:c2"];
    assert_eq!(roles, expected, "{ended:#?}");
}
