//! `metaia expect`: what came, what did not, and when nothing was proven.

use metaia_tests::clients::cli::Cli;
use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::{emit, id_of, place_order, place_order_at};
use metaia_tests::server::Setup;
use metaia_tests::server::process::ProcessOutput;
use serde_json::{Value, json};

use super::{objects, start};

/// A command that ends when the file `go` is there.
const UNTIL_TOLD: &str = "while [ ! -e go ]; do sleep 0.05; done";

/// Runs `expect` while a customer places an order.
async fn while_ordering(cli: &Cli, customer: &str, expect: &str) -> ProcessOutput {
    let script = format!(
        r#""$METAIA" expect {expect} -- "$METAIA" trigger order_update --to user:{customer}"#
    );
    cli.shell(&script).await
}

fn result(output: &ProcessOutput) -> Value {
    let lines = objects(&output.stdout);
    assert_eq!(lines.len(), 1, "{output:#?}");
    lines[0].clone()
}

#[tokio::test]
async fn an_event_that_came_while_the_command_ran_is_found() {
    let (_server, cli) = start().await;
    for expect in [
        "customer:u1 new_notification type=order",
        "customer:u1 order_update status=pending amount:=1610000",
        "customer:u1 order_update --where '.data.items | length == 2'",
        "customer:u1 '*' --times 2",
        "customer:u1 order_update --times 1..3",
        "customer:u1 admin:a1 order_update",
        "--as admin:a1 order_update version:=1",
    ] {
        let output = while_ordering(&cli, "u1", expect).await;
        let output = output.expect_code(0);
        assert!(output.stdout.contains("✓"), "{expect}: {output:#?}");
    }
}

#[tokio::test]
async fn an_event_that_did_not_come_is_told_with_what_came() {
    let (_server, cli) = start().await;
    let expect = "customer:u1 order_update status=ready --within 100ms -o ndjson";
    let output = while_ordering(&cli, "u1", expect).await.expect_code(6);
    let result = result(&output);
    assert_eq!(result["kind"], "missing");
    assert_eq!(result["ok"], false);
    let details = result["details"].to_string();
    assert!(details.contains("status: ready"), "{details}");
    assert!(details.contains("status: pending"), "{details}");
    let expect = "customer:u1 order_update --times 2 --within 100ms -o ndjson";
    let output = while_ordering(&cli, "u1", expect).await.expect_code(6);
    assert_eq!(objects(&output.stdout)[0]["kind"], "missing");
}

#[tokio::test]
async fn an_event_that_comes_after_the_command_is_waited_for() {
    let (server, cli) = start().await;
    let args = [
        "expect",
        "customer:u1",
        "late",
        "--within",
        "20s",
        "--",
        "true",
    ];
    let process = cli.start(&args);
    let is_watching = |line: &String| line.contains("watching as");
    process.stderr.first("to watch", is_watching).await;
    emit(&server, &json!({"user": "u1"}), "late", &json!({})).await;
    process.wait_with_output().await.expect_code(0);
}

#[tokio::test]
async fn an_absence_is_proven_for_each_watcher() {
    let (_server, cli) = start().await;
    let output = while_ordering(&cli, "u1", "customer:u2 tailor:t1 --never").await;
    let output = output.expect_code(0);
    let proven = "received nothing, proven by a fence";
    assert_eq!(output.stdout.matches(proven).count(), 2, "{output:#?}");
    assert!(
        output.stderr.contains("not covered: volatile"),
        "{output:#?}"
    );
    let output = while_ordering(&cli, "u1", "customer:u1 --never payment_update").await;
    output.expect_code(0);
}

#[tokio::test]
async fn an_absence_that_nothing_could_have_broken_proves_nothing() {
    let (_server, cli) = start().await;
    for expect in [
        &["customer:u2", "--never", "oder_update"][..],
        &["customer:u2", "oder_update", "--times", "0"],
        &["customer:u2", "--never", "order_update", "staus=ready"],
        &[
            "customer:u2",
            "--never",
            "order_update",
            "--where",
            ".data.staus == 1",
        ],
    ] {
        let args = [&["expect", "-o", "ndjson"], expect, &["--", "true"]].concat();
        let output = cli.run(&args).await.expect_code(6);
        assert_eq!(result(&output)["kind"], "vacuous", "{output:#?}");
    }
    let args = [
        "expect",
        "customer:u2",
        "--never",
        "--about",
        "nothing",
        "--",
        "true",
    ];
    let output = cli.run(&args).await.expect_code(2);
    assert!(output.stderr.contains("there is no order"), "{output:#?}");
}

#[tokio::test]
async fn an_absence_with_a_condition_is_proven_by_an_event_of_the_same_name() {
    let (_server, cli) = start().await;
    let never = "customer:u1 --never order_update status=ready";
    while_ordering(&cli, "u1", never).await.expect_code(0);
}

#[tokio::test]
async fn an_event_that_must_not_come_fails_for_whom_it_came() {
    let (_server, cli) = start().await;
    let expect = "customer:u2 customer:u1 --never order_update -o ndjson";
    let output = while_ordering(&cli, "u1", expect).await.expect_code(6);
    let results = objects(&output.stdout);
    let ok: Vec<&Value> = results.iter().map(|result| &result["ok"]).collect();
    assert_eq!(ok, [true, false], "{output:#?}");
    assert_eq!(results[1]["kind"], "never");
}

#[tokio::test]
async fn a_failure_counts_even_if_nobody_reads_it() {
    let (_server, cli) = start().await;
    let script = r#""$METAIA" expect customer:u1 customer:u2 --never -- \
        "$METAIA" trigger order_update --to user:u1 >&-; echo "code $?" >&2"#;
    let output = cli.shell(script).await;
    assert!(output.stderr.contains("code 6"), "{output:#?}");
}

#[tokio::test]
async fn a_command_that_fails_proves_nothing() {
    let (_server, cli) = start().await;
    let never = ["expect", "customer:u1", "--never", "--"];
    let output = cli.run(&[&never[..], &["false"]].concat()).await;
    let output = output.expect_code(1);
    assert!(output.stderr.contains("nothing was judged"), "{output:#?}");
    let output = cli.run(&[&never[..], &["/no/such/program"]].concat()).await;
    let output = output.expect_code(2);
    assert!(output.stderr.contains("cannot be run"), "{output:#?}");
}

#[tokio::test]
async fn a_gap_while_the_command_ran_proves_nothing() {
    let server = Setup::new().with_fixed_port().start().await;
    let cli = Cli::for_server(&server);
    let script = r#""$METAIA" expect customer:u1 --never --timeout 60s -- \
        sh -c 'touch begun; until [ -e go ]; do sleep 0.02; done'"#;
    let expecting = cli.shell(script);
    let restart = async {
        let begun = cli.folder().path().join("begun");
        let has_begun = async || begun.exists().then_some(());
        eventually("the command to begin", has_begun).await;
        // Another data folder has another log.
        let setup = server.kill().await.env("METAIA_DATA", "./another-folder");
        let server = setup.start().await;
        server
            .wait_for_output("User connected: u1 (customer)")
            .await;
        std::fs::write(cli.folder().path().join("go"), "").expect("a file");
        server
    };
    let (output, _server) = tokio::join!(expecting, restart);
    let output = output.expect_code(6);
    assert!(output.stdout.contains("nothing is proven"), "{output:#?}");
}

#[tokio::test]
async fn a_room_that_cannot_be_joined_cannot_be_watched() {
    let (server, cli) = start().await;
    let order = place_order(&server, "u1").await;
    let id = id_of(&order);
    let watched = [
        "expect",
        "customer:u2",
        "--never",
        "--order",
        id,
        "--",
        "true",
    ];
    let output = cli.run(&watched).await.expect_code(2);
    assert!(output.stderr.contains("cannot be watched"), "{output:#?}");
    let watched = [
        "expect",
        "customer:u1",
        "--never",
        "--order",
        id,
        "--",
        "true",
    ];
    cli.run(&watched).await.expect_code(0);
}

#[tokio::test]
async fn an_order_that_is_named_narrows_the_expectation() {
    let (server, cli) = start().await;
    let other = place_order_at(&server, "u1", "t1").await;
    let about = format!("customer:u1 --never --about {}", id_of(&other));
    while_ordering(&cli, "u1", &about).await.expect_code(0);
}

#[tokio::test]
async fn words_that_cannot_be_meant_are_usage_errors() {
    let (_server, cli) = start().await;
    for (args, part) in [
        (&["customre:u1", "order_update"][..], "a role is one of"),
        (&["customer:u1"], "no event is named"),
        (&["customer:u1", "--never"], "COMMAND"),
        (&["customer:u1", "a", "b"], "no part of a payload"),
        (
            &["customer:u1", "a", "--times", "3..1"],
            "did you mean 1..3",
        ),
        (
            &["customer:u1", "a", "--where", ".data.a = 1"],
            "did you mean `==`",
        ),
        (&["customer:u1", "a", "--where", ".data |"], "at its end"),
        (&["customer:u1", "a", "n:=x"], "is not JSON"),
        (&["order_update"], "--as"),
    ] {
        let args = [&["expect"], args].concat();
        let output = cli.run(&args).await.expect_code(2);
        assert!(output.stderr.contains(part), "{args:?}: {output:#?}");
    }
}

#[tokio::test]
async fn a_condition_that_is_no_boolean_is_not_judged() {
    let (_server, cli) = start().await;
    let expect = "customer:u1 order_update --where .data.staus --within 100ms";
    let output = while_ordering(&cli, "u1", expect).await.expect_code(2);
    assert!(output.stderr.contains("it gives null"), "{output:#?}");
}

#[tokio::test]
async fn no_server_and_no_token_have_their_codes() {
    let args = ["expect", "customer:u1", "--never", "--", "true"];
    let nobody = Cli::for_url("http://127.0.0.1:9");
    nobody.run(&args).await.expect_code(3);
    let (_server, cli) = start().await;
    let wrong = cli.secret("another secret that is long enough");
    wrong.run(&args).await.expect_code(4);
}

#[tokio::test]
async fn an_expectation_that_is_always_met_is_refused() {
    let (_server, cli) = start().await;
    for expect in [
        "customer:u2 note --times any",
        "customer:u2 --never 'two words'",
        "customer:u2 --never --about 655f3a7be4c7a4f5b2d1c908",
    ] {
        let output = while_ordering(&cli, "u1", expect).await.expect_code(2);
        assert!(!output.stdout.contains("✓"), "{expect}: {output:#?}");
    }
}

#[tokio::test]
async fn an_absence_proves_nothing_of_a_room_that_was_left_meanwhile() {
    let (server, cli) = start().await;
    let order = id_of(&place_order(&server, "u1").await).to_owned();
    let assign = |tailor: &str| {
        let path = format!("/api/orders/{order}/assign");
        let body = json!({"tailor": tailor});
        let admin = server.admin();
        async move { admin.send("PUT", &path, Some(&body)).await.ok(200) }
    };
    assign("t1").await;
    let mut args = vec!["expect", "tailor:t1", "--never", "note", "--order", &order];
    args.extend(["--", "sh", "-c", UNTIL_TOLD]);
    let process = cli.start(&args);
    let is_watching = |line: &String| line.contains("watching as");
    process.stderr.first("to watch", is_watching).await;
    assign("t2").await;
    emit(&server, &json!({"order": order}), "note", &json!({})).await;
    std::fs::write(cli.folder().path().join("go"), "").expect("a file");
    let output = process.wait_with_output().await.expect_code(6);
    assert!(output.stdout.contains("has left order-"), "{output:#?}");
}

#[tokio::test]
async fn an_event_without_a_fence_behind_it_is_no_proof() {
    let (server, cli) = start().await;
    let args = [
        "expect",
        "customer:u1",
        "note",
        "--",
        "sh",
        "-c",
        UNTIL_TOLD,
    ];
    let process = cli.start(&args);
    let is_watching = |line: &String| line.contains("watching as");
    process.stderr.first("to watch", is_watching).await;
    emit(&server, &json!({"user": "u1"}), "note", &json!({})).await;
    let _stopped = server.kill().await;
    std::fs::write(cli.folder().path().join("go"), "").expect("a file");
    let output = process.wait_with_output().await.expect_code(3);
    assert!(output.stderr.contains("no fence"), "{output:#?}");
}
