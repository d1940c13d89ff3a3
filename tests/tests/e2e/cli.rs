//! The `metaia` binary against a real server: its output and its exit codes.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::Token;
use metaia_tests::fixtures::{emit, id_of, place_order, place_order_at};
use metaia_tests::server::process::Process;
use metaia_tests::server::{Server, Setup};
use serde_json::{Value, json};

fn objects(lines: &str) -> Vec<Value> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not NDJSON: {line}")))
        .collect()
}

/// Starts `tail` and waits until it is connected to the server.
async fn tail(server: &Server, who: &str, args: &[&str]) -> Process {
    let all = [&["tail", "--as", who, "-o", "ndjson"], args].concat();
    let tail = Cli::for_server(server).start(&all);
    let (role, user) = who.split_once(':').expect("R:U");
    server
        .wait_for_output(&format!("User connected: {user} ({role})"))
        .await;
    tail
}

#[tokio::test]
async fn a_triggered_notification_is_stored_and_arrives() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "u1").await;
    Cli::for_server(&server)
        .run(&["trigger", "new_notification", "--to", "user:u1"])
        .await
        .expect_code(0);
    let arrived = phone.event("new_notification").await;
    let list = server
        .api("customer", "u1")
        .get("/api/notifications")
        .await
        .data(200);
    assert_eq!(list["notifications"][0]["_id"], arrived["_id"]);
}

#[tokio::test]
async fn tail_shows_the_lifecycle_that_trigger_plays() {
    let server = Server::start().await;
    let tail = tail(&server, "admin:a1", &[]).await;
    Cli::for_server(&server)
        .run(&["trigger", "order.lifecycle"])
        .await
        .expect_code(0);
    for status in [
        "pending",
        "confirmed",
        "in_progress",
        "ready",
        "out_for_delivery",
        "delivered",
    ] {
        tail.stdout
            .first(status, |line| {
                let event: Value = serde_json::from_str(line).expect("NDJSON");
                event["event"] == "order_update" && event["data"]["status"] == status
            })
            .await;
    }
    tail.signal("INT").await;
    tail.wait_with_output().await.expect_code(130);
}

#[tokio::test]
async fn tail_shows_why_the_server_ends_its_session() {
    let server = Server::start().await;
    let tail = tail(&server, "customer:c1", &[]).await;
    let admin = server.admin();
    let list = admin.get("/api/realtime/sessions?user=c1").await.data(200);
    let id = list["sessions"][0]["id"].as_str().expect("an id");
    let path = format!("/api/realtime/sessions/{id}");
    admin.send("DELETE", &path, None).await.ok(200);
    let output = tail.wait_with_output().await;
    let notice = "ended: kicked";
    assert!(output.stderr.contains(notice), "{}", output.stderr);
}

#[tokio::test]
async fn the_cli_needs_no_secret_beside_a_development_server() {
    let setup = Setup::new()
        .without("JWT_SECRET")
        .without("RAZORPAY_KEY_SECRET")
        .without("RAZORPAY_KEY_ID");
    let server = setup
        .without("RAZORPAY_WEBHOOK_SECRET")
        .without("METAIA_API_KEY")
        .start()
        .await;
    let cli = Cli::for_server(&server).data_folder(server.folder().join("data"));
    let tail = cli.start(&["tail", "--as", "admin:a1"]);
    server.wait_for_output("User connected: a1 (admin)").await;
    cli.run(&["trigger", "order.lifecycle"])
        .await
        .expect_code(0);
    tail.stdout
        .first("the last step", |line| {
            line.contains("order_update") && line.contains("delivered")
        })
        .await;
}

#[tokio::test]
async fn tail_counts_filters_and_ends() {
    let server = Server::start().await;
    let tail = tail(
        &server,
        "customer:c1",
        &["--event", "wanted", "--count", "2", "--for", "20s"],
    )
    .await;
    for event in ["wanted", "other", "wanted", "wanted"] {
        emit(&server, &json!({"user": "c1"}), event, &json!({"n": 1})).await;
    }
    let ended = tail.wait_with_output().await.expect_code(0);
    let lines = objects(&ended.stdout);
    assert_eq!(lines.len(), 2, "{ended:#?}");
    for line in &lines {
        assert_eq!(line["event"], "wanted");
        assert_eq!(line["as"], "customer:c1");
        assert_eq!(line["data"]["n"], 1);
        for member in ["ts", "id", "position", "latencyMs"] {
            assert!(!line[member].is_null(), "{member}: {line}");
        }
    }
}

#[tokio::test]
async fn tail_resumes_from_a_position() {
    let server = Server::start().await;
    let at = emit(&server, &json!({"user": "c1"}), "seen", &json!({})).await["at"].clone();
    emit(&server, &json!({"user": "c1"}), "missed", &json!({})).await;
    let args = [
        "tail",
        "--as",
        "customer:c1",
        "-o",
        "ndjson",
        "--since",
        at.as_str().unwrap(),
        "--count",
        "1",
        "--for",
        "20s",
    ];
    let ended = Cli::for_server(&server).run(&args).await.expect_code(0);
    assert_eq!(objects(&ended.stdout)[0]["event"], "missed");
}

#[tokio::test]
async fn tail_without_a_count_ends_with_0_after_its_time() {
    let server = Server::start().await;
    Cli::for_server(&server)
        .run(&["tail", "--as", "customer:c1", "--for", "1s"])
        .await
        .expect_code(0);
}

#[tokio::test]
async fn tail_times_out_without_enough_events() {
    let server = Server::start().await;
    let args = ["tail", "--as", "customer:c1", "--count", "1", "--for", "1s"];
    Cli::for_server(&server).run(&args).await.expect_code(7);
}

#[tokio::test]
async fn join_checks_whether_access_is_allowed_or_denied() {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    let cli = Cli::for_server(&server);
    for (who, expect, code) in [
        ("customer:c1", "allow", 0),
        ("tailor:t1", "allow", 0),
        ("customer:c2", "deny", 0),
        ("customer:c2", "allow", 6),
        ("customer:c1", "deny", 6),
    ] {
        cli.run(&["join", id_of(&order), "--as", who, "--expect", expect])
            .await
            .expect_code(code);
    }
    cli.run(&["join", id_of(&order), "--as", "customer:c2"])
        .await
        .expect_code(5);
}

#[tokio::test]
async fn emit_builds_its_payload_from_items() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "tailor", "t1").await;
    let ended = Cli::for_server(&server)
        .run(&[
            "emit",
            "user:t1",
            "stock_low",
            "sku=thread",
            "left:=3",
            "tags:=[\"red\"]",
        ])
        .await;
    ended.expect_code(0);
    let mut event = phone.event("stock_low").await;
    event.as_object_mut().unwrap().remove("_rt");
    assert_eq!(event, json!({"sku": "thread", "left": 3, "tags": ["red"]}));
}

#[tokio::test]
async fn each_trigger_arrives() {
    let server = Server::start().await;
    let mut admin = Phone::ready_as(&server, "admin", "a1").await;
    for event in ["order_update", "payment_update", "tailor_status_update"] {
        Cli::for_server(&server)
            .run(&["trigger", event])
            .await
            .expect_code(0);
        admin.event(event).await;
    }
}

#[tokio::test]
async fn a_minted_token_is_accepted() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let minted = cli
        .run(&["token", "mint", "tailor:t1"])
        .await
        .expect_code(0);
    let token = minted.stdout.trim();
    server
        .anonymous()
        .bearer(token)
        .get("/api/orders")
        .await
        .ok(200);
    let inspected = cli.run(&["token", "inspect", token]).await.expect_code(0);
    assert!(
        inspected.output().contains("t1") && inspected.output().contains("tailor"),
        "{inspected:#?}"
    );
}

#[tokio::test]
async fn bad_tokens_are_refused_and_inspect_names_the_reason() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    for (flag, why) in [("--expired", "expired"), ("--bad-signature", "signature")] {
        let minted = cli
            .run(&["token", "mint", "--role", "tailor", "--user", "t1", flag])
            .await
            .expect_code(0);
        let token = minted.stdout.trim();
        server
            .anonymous()
            .bearer(token)
            .get("/api/orders")
            .await
            .refused(401);
        let inspected = cli.run(&["token", "inspect", token]).await;
        assert_eq!(inspected.code, Some(4), "{inspected:#?}");
        assert!(inspected.output().contains(why), "{inspected:#?}");
        let refused = cli.run(&["tail", "--token", token, "--for", "5s"]).await;
        assert_eq!(refused.code, Some(4), "{refused:#?}");
    }
}

/// The command judges each token as the server does.
#[tokio::test]
async fn inspect_and_the_server_agree() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    for claims in [
        r#"{"userId":7,"role":"tailor","exp":4e9}"#,
        r#"{"userId":7.5,"role":"tailor","exp":4e9}"#,
        r#"{"sub":"t1","role":"tailor","exp":4000000000.5,"iat":1.7e9}"#,
        r#"{"userId":"t1","role":"tailor","exp":4e9,"iat":3.9e9}"#,
        r#"{"userId":"t1","sub":[],"role":"tailor","exp":4000000000000}"#,
        r#"{"userId":"t1","role":"tailor","exp":1.7e9}"#,
        r#"{"userId":"t1","role":"tailor","exp":4e9,"nbf":3.9e9}"#,
        r#"{"userId":"t1","role":"tailor","exp":4e9,"jti":false}"#,
        r#"{"userId":"t1","role":"chef","exp":4e9}"#,
    ] {
        let token = Token::with_raw_claims(claims).sign();
        let answer = server.anonymous().bearer(&token).get("/api/orders").await;
        let expected = match answer.status {
            200 => 0,
            403 => 5,
            _ => 4,
        };
        let inspected = cli.run(&["token", "inspect", &token]).await;
        assert_eq!(inspected.code, Some(expected), "{claims}: {inspected:#?}");
    }
}

#[tokio::test]
async fn no_server_is_exit_code_3() {
    let nowhere = Cli::for_url("http://127.0.0.1:9");
    for args in [
        &["tail", "--as", "customer:c1", "--for", "5s"][..],
        &["join", "x", "--as", "customer:c1"],
        &["emit", "user:u1", "x"],
        &["trigger", "new_notification", "--to", "user:u1"],
    ] {
        nowhere.run(args).await.expect_code(3);
    }
}

#[tokio::test]
async fn another_secret_is_exit_code_4() {
    let server = Server::start().await;
    let stranger = Cli::for_server(&server).secret("a-secret-that-the-server-does-not-know");
    for args in [
        &["tail", "--as", "customer:c1", "--for", "5s"][..],
        &["emit", "user:u1", "x"],
        &["trigger", "new_notification", "--to", "user:u1"],
    ] {
        stranger.run(args).await.expect_code(4);
    }
}

#[tokio::test]
async fn a_forbidden_role_is_exit_code_5() {
    let server = Server::start().await;
    let token = metaia_tests::fixtures::token::token("customer", "c1");
    Cli::for_server(&server)
        .run(&["emit", "user:u1", "x", "--token", &token])
        .await
        .expect_code(5);
}

#[tokio::test]
async fn wrong_usage_is_exit_code_2() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    for args in [
        &[][..],
        &["dance"],
        &["tail", "--as", "nobody"],
        &["tail", "--as", "superuser:u1"],
        &["emit", "planet:earth", "x"],
        &["emit", "user:u1", "x", "no-equals-sign"],
        &["trigger", "earthquake"],
        &["token", "mint", "--role", "superuser", "--user", "u1"],
    ] {
        let ended = cli.run(args).await;
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:#?}");
    }
}

#[tokio::test]
async fn help_and_version_are_exit_code_0() {
    let cli = Cli::for_url("http://127.0.0.1:9");
    for args in [
        &["--help"][..],
        &["--version"],
        &["tail", "--help"],
        &["token", "mint", "--help"],
    ] {
        let ended = cli.run(args).await.expect_code(0);
        assert!(!ended.stdout.is_empty(), "{args:?}");
    }
}

#[tokio::test]
async fn connect_runs_the_commands_of_its_input() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut connect = Cli::for_server(&server).start(&[
        "connect",
        "--as",
        "customer:c1",
        "--as",
        "admin:a1",
        "-o",
        "ndjson",
    ]);
    server
        .wait_for_output("User connected: c1 (customer)")
        .await;
    server.wait_for_output("User connected: a1 (admin)").await;
    connect
        .write_line(&format!("/join {}", id_of(&order)))
        .await;
    emit(&server, &json!("everyone"), "hello", &json!({})).await;
    for who in ["customer:c1", "admin:a1"] {
        connect
            .stdout
            .first(who, |line| line.contains(who) && line.contains("hello"))
            .await;
    }
    connect.signal("INT").await;
    connect.wait_with_output().await.expect_code(130);
}
