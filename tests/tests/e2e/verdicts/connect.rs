//! `metaia connect` from a script: what is wrong ends it, and decides the exit code.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::{NO_ORDER, emit, id_of, place_order};
use metaia_tests::server::{Server, Setup};
use serde_json::json;

use super::{end_session, objects, start_live};

const CONNECT: [&str; 5] = ["connect", "--as", "customer:c1", "-o", "ndjson"];

/// Lines that end a script, and the exit code.
fn failing() -> Vec<(Vec<u8>, i32)> {
    let line = |text: &str, code| (text.as_bytes().to_vec(), code);
    vec![
        line("/foo", 2),
        line("hello", 2),
        line("/join", 2),
        line("/join a.b", 2),
        line("/wait abc", 2),
        line("@nobody:x /drop", 2),
        line("@nobody:x /wait 1s", 2),
        line("@customer:c1", 2),
        line("/emit x @missing.json", 2),
        line("/emit x a='b", 2),
        line(r#"/emit x {"a":}"#, 2),
        (b"/emit x \xff".to_vec(), 2),
        (b"\xc3(".to_vec(), 2),
        line(&format!("/join {NO_ORDER}"), 5),
        line(&format!("@customer:c1 /join {NO_ORDER}"), 5),
        line(&format!("/emit join_order_room {NO_ORDER}"), 5),
        line("/emit nosuch", 1),
        line("/leave nosuch", 2),
        line("/leave order-nosuch", 2),
        line("/leave customer-room", 2),
        line("/leave MT-261129-M636WW", 2),
        line("/leave order-", 2),
    ]
}

#[tokio::test]
async fn the_first_failing_line_ends_a_script() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let after = format!("\n/join {}\n", id_of(&order));
    let joined = format!("join {}", id_of(&order));
    let cli = Cli::for_server(&server);
    for (line, code) in failing() {
        let shown = String::from_utf8_lossy(&line).into_owned();
        let input = [&b"# first\n"[..], &line, after.as_bytes()].concat();
        let ended = cli.run_with_input(&CONNECT, &input).await;
        assert_eq!(ended.code, Some(code), "{shown}: {ended:#?}");
        assert!(ended.stderr.contains("line 2"), "{shown}: {ended:#?}");
        assert!(!ended.stdout.contains(&joined), "{shown}: {ended:#?}");
        let args = [&CONNECT[..], &["-k"]].concat();
        let ended = cli.run_with_input(&args, &input).await;
        assert_eq!(ended.code, Some(code), "-k, {shown}: {ended:#?}");
        assert!(ended.stdout.contains(&joined), "-k, {shown}: {ended:#?}");
    }
}

#[tokio::test]
async fn a_script_without_failures_is_green() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let id = id_of(&order);
    let number = order["orderNumber"].as_str().unwrap();
    let long = " ".repeat(10_000);
    let cli = Cli::for_server(&server);
    for line in [
        String::new(),
        "# a comment 'with an open quote".to_owned(),
        format!("/join {id}"),
        format!("/join {id}   # c1's order"),
        "/wait 10ms # a moment".to_owned(),
        format!("/join{long}{id}"),
        format!("/join order-{id}"),
        format!("/join {number}"),
        format!("/leave \"{id}\""),
        format!("@customer:c1 /emit join_order_room '{id}'"),
        "/quit".to_owned(),
    ] {
        let ended = cli.run_with_input(&CONNECT, line.as_bytes()).await;
        assert_eq!(ended.code, Some(0), "{line}: {ended:#?}");
        assert!(
            !ended.stdout.contains(r#""ok":false"#),
            "{line}: {ended:#?}"
        );
    }
}

/// As text, none of these would be an order.
#[tokio::test]
async fn an_event_takes_a_json_object() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let id = id_of(&order);
    let cli = Cli::for_server(&server);
    for payload in [
        format!(r#""{id}" # c"#),
        format!(r#""\u{:04x}{}""#, u32::from(id.as_bytes()[0]), &id[1..]),
        format!(r#"{{"orderId":"{id}"}}"#),
        format!(r#"{{ "orderId" : "{id}", "note": "it's" }}"#),
        format!(r#"orderId="{id}""#),
        format!(r#"orderId:="{id}""#),
    ] {
        let line = format!("/emit join_order_room {payload}");
        let ended = cli.run_with_input(&CONNECT, line.as_bytes()).await;
        assert_eq!(ended.code, Some(0), "{line}: {ended:#?}");
        let answer = &objects(&ended.stdout)[0]["answer"];
        assert_eq!(answer["room"], format!("order-{id}"), "{line}");
    }
}

#[tokio::test]
async fn a_leave_says_if_the_session_was_not_in_the_room() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let id = id_of(&order);
    let cli = Cli::for_server(&server);
    let never_joined = format!("was not in order-{id}");
    for (before, answer) in [
        (String::new(), never_joined.as_str()),
        (format!("/join {id}"), "left"),
        (format!("/emit join_order_room {id}"), "left"),
        (
            format!("/join {id}\n/emit leave_order_room {id}"),
            &never_joined,
        ),
        (format!("/join {id}\n/leave {id}"), &never_joined),
        (format!("/join {id}\n/drop\n/wait 2s"), "left"),
    ] {
        let lines = format!("{before}\n/leave {id}\n");
        let ended = cli.run_with_input(&CONNECT, lines.as_bytes()).await;
        let ended = ended.expect_code(0);
        assert_eq!(
            objects(&ended.stdout).pop().unwrap()["answer"],
            answer,
            "{lines}"
        );
    }
    let args = [&CONNECT[..], &["--order", id]].concat();
    let lines = format!("/leave {id}\n");
    let ended = cli.run_with_input(&args, lines.as_bytes()).await;
    assert_eq!(objects(&ended.stdout)[0]["answer"], "left", "{ended:#?}");
}

#[tokio::test]
async fn a_refused_event_is_not_ok() {
    let server = Server::start().await;
    let line = format!("/emit join_order_room {NO_ORDER}\n");
    let cli = Cli::for_server(&server);
    let ended = cli
        .run_with_input(&CONNECT, line.as_bytes())
        .await
        .expect_code(5);
    let result = &objects(&ended.stdout)[0];
    assert_eq!(result["ok"], false);
    assert_eq!(result["answer"], "refused: forbidden");
    assert_eq!(result["refusal"]["code"], "forbidden");
}

#[tokio::test]
async fn a_refused_order_of_the_command_line_ends_a_script() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let args = [&CONNECT[..], &["--order", NO_ORDER]].concat();
    cli.run_with_input(&args, b"/wait 20s\n")
        .await
        .expect_code(5);
    cli.run_with_input(&args, b"").await.expect_code(5);
}

#[tokio::test]
async fn a_role_that_is_not_connected_at_the_end_is_not_green() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let args = ["connect", "customer:c1", "customer:c2"];
    let mut connect = start_live(&cli, &args).await;
    connect.write_line("/wait 2s").await;
    connect.close_input();
    end_session(&server, "c2").await;
    let ended = connect.wait_with_output().await.expect_code(3);
    assert!(ended.stderr.contains("customer:c2"), "{ended:#?}");
}

#[tokio::test]
async fn a_server_that_dies_or_freezes_is_not_green() {
    for signal in ["KILL", "STOP"] {
        let server = Server::start().await;
        let cli = Cli::for_server(&server);
        let args = ["connect", "--as", "customer:c1", "--timeout", "2s"];
        let mut connect = start_live(&cli, &args).await;
        connect.write_line("/wait 2s").await;
        connect.close_input();
        server.signal(signal).await;
        connect.wait_with_output().await.expect_code(3);
    }
}

#[tokio::test]
async fn a_dropped_connection_that_came_back_is_green() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let args = [&CONNECT[..], &["--control"]].concat();
    let input = b"/drop\n/wait 5s\n";
    let ended = cli.run_with_input(&args, input).await.expect_code(0);
    let lines = objects(&ended.stdout);
    let kinds: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["is"].as_str())
        .collect();
    let expected = ["connected", "live", "lost", "retry", "connected", "live"];
    assert_eq!(kinds, expected, "{ended:#?}");
    cli.run_with_input(&CONNECT, b"/drop\n")
        .await
        .expect_code(3);
}

#[tokio::test]
async fn an_interrupt_ends_a_command_that_waits_for_its_answer() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let args = ["connect", "--as", "customer:c1", "--as", "customer:c2"];
    let mut connect = start_live(&cli, &args).await;
    connect.write_line("/wait 1s").await;
    server.signal("STOP").await;
    connect.write_line("/emit x").await;
    connect.write_line("/emit x").await;
    connect.signal("INT").await;
    connect.wait_with_output().await.expect_code(130);
    server.signal("CONT").await;
}

#[tokio::test]
async fn a_gap_is_not_green() {
    let server = Setup::new().with_fixed_port().start().await;
    let cli = Cli::for_server(&server);
    let mut connect = start_live(&cli, &["connect", "--as", "customer:c1"]).await;
    emit(&server, &json!({"user": "c1"}), "x", &json!({})).await;
    connect
        .stdout
        .first("x", |line| line.contains(" x  "))
        .await;
    let setup = server.kill().await;
    std::fs::remove_dir_all(setup.folder().join("data")).unwrap();
    let _server = setup.start().await;
    let is_live_again = |lines: &[String]| {
        let live = lines.iter().filter(|line| line.contains(" ✓ live"));
        (live.count() == 2).then_some(())
    };
    connect.stderr.wait_for("live again", is_live_again).await;
    connect.close_input();
    let ended = connect.wait_with_output().await.expect_code(6);
    assert!(ended.stderr.contains("GAP"), "{ended:#?}");
}

/// A server closes the connection of a client that sends more than it takes.
#[tokio::test]
async fn an_event_that_is_too_large_says_so() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let large = json!({"text": "x".repeat(90_000)}).to_string();
    cli.folder().write("large.json", large);
    for transport in ["websocket", "polling"] {
        let args = ["connect", "--as", "customer:c1", "--transport", transport];
        let script = b"/emit x @large.json\n";
        let ended = cli.run_with_input(&args, script).await.expect_code(1);
        let said = "the event has 90020 bytes, and the server takes 65536";
        let output = format!("{}{}", ended.stdout, ended.stderr);
        assert!(output.contains(said), "{transport}: {ended:#?}");
    }
    let args = ["emit", "user:u1", "x", "@large.json"];
    let ended = cli.run(&args).await.expect_code(1);
    assert!(ended.stderr.contains("the body has 900"), "{ended:#?}");
}
