//! The flows of `metaia trigger`: payments that are good, tampered with and repeated, assignments,
//! and the whole way of an order, at a pace.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::razorpay::WEBHOOK_SECRET;
use metaia_tests::fixtures::{id_of, place_order, set_status};
use metaia_tests::server::process::ProcessOutput;
use metaia_tests::server::{Server, Setup};
use serde_json::Value;

use super::{objects, start};

/// Starts a server, and returns the tool with both of its provider's secrets.
async fn start_with_provider() -> (Server, Cli) {
    let (server, cli) = start().await;
    (server, cli.env("RAZORPAY_WEBHOOK_SECRET", WEBHOOK_SECRET))
}

async fn steps(cli: &Cli, args: &[&str]) -> Vec<Value> {
    let args = [&["trigger"], args, &["-o", "ndjson"]].concat();
    objects(&cli.run(&args).await.expect_code(0).stdout)
}

/// Returns the results of the deliveries.
fn results(steps: &[Value]) -> Vec<&str> {
    let results = steps.iter().map(|step| &step["data"]["result"]);
    results.filter_map(Value::as_str).collect()
}

#[track_caller]
fn check_usage(ended: &ProcessOutput, part: &str) {
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert_eq!(ended.stdout, "", "{ended:#?}");
    assert!(ended.stderr.contains(part), "{part}: {ended:#?}");
}

#[tokio::test]
async fn a_webhook_confirms_the_payment_of_a_new_order() {
    let (server, cli) = start_with_provider().await;
    let done = steps(&cli, &["payment.webhook", "--to", "user:u1"]).await;
    assert_eq!(results(&done), ["applied"]);
    let delivery = done.last().expect("a step");
    assert_eq!(delivery["as"], "provider");
    assert_eq!(delivery["path"], "/api/payments/webhook");
    let payments = server.admin().get("/api/payments").await.data(200);
    assert_eq!(payments["payments"][0]["status"], "completed");
    assert_eq!(payments["payments"][0]["customer"], "u1");
}

#[tokio::test]
async fn each_event_of_the_provider_moves_the_payment() {
    let (server, cli) = start_with_provider().await;
    let order = place_order(&server, "u1").await;
    let order = id_of(&order);
    for (event, status) in [
        ("payment.failed", "failed"),
        ("order.paid", "completed"),
        // The order is paid, so that no payment is opened: the paid one is found.
        ("refund.processed", "refunded"),
    ] {
        let args = ["payment.webhook", "--order", order, "--event", event];
        assert_eq!(results(&steps(&cli, &args).await), ["applied"], "{event}");
        let payments = server.admin().get("/api/payments").await.data(200);
        let payments = payments["payments"].as_array().expect("a list").clone();
        let statuses: Vec<&Value> = payments.iter().map(|one| &one["status"]).collect();
        assert!(
            statuses.contains(&&Value::from(status)),
            "{event}: {payments:?}"
        );
    }
}

#[tokio::test]
async fn the_same_delivery_twice_has_one_effect() {
    let (_server, cli) = start_with_provider().await;
    let twice = steps(&cli, &["payment.webhook", "--times", "2"]).await;
    assert_eq!(results(&twice), ["applied", "duplicate"]);
    for flow in ["payment.webhook", "payment_update"] {
        let script = format!(
            "$METAIA expect admin:a1 payment_update --times 1 -- \
             $METAIA trigger {flow} --times 3"
        );
        cli.shell(&script).await.expect_code(0);
    }
}

#[tokio::test]
async fn an_event_id_is_known_to_the_server_afterwards() {
    let (_server, cli) = start_with_provider().await;
    let args = ["payment.webhook", "--event-id", "evt_mine"];
    assert_eq!(results(&steps(&cli, &args).await), ["applied"]);
    // Another payment, and the same event.
    assert_eq!(results(&steps(&cli, &args).await), ["duplicate"]);
}

#[tokio::test]
async fn what_was_tampered_with_is_refused_as_it_must_be() {
    let (server, cli) = start_with_provider().await;
    for (flow, part, status) in [
        ("payment.webhook", "signature", "401"),
        ("payment.webhook", "amount", "401"),
        ("payment.webhook", "body", "401"),
        ("payment_update", "signature", "422"),
        ("payment_update", "payment", "422"),
    ] {
        let args = ["trigger", flow, "--tamper", part, "--times", "2"];
        let ended = cli.run(&args).await.expect_code(0);
        let said = format!("→ refused, as it must be: {status} invalid_signature");
        assert_eq!(ended.stdout.matches(&said).count(), 2, "{ended:#?}");
    }
    let payments = server.admin().get("/api/payments").await.data(200);
    for payment in payments["payments"].as_array().expect("a list") {
        assert_eq!(payment["status"], "created");
    }
    let args = ["payment.webhook", "--tamper", "body"];
    let steps = steps(&cli, &args).await;
    assert_eq!(
        steps.last().expect("a step")["refused"],
        "invalid_signature"
    );
}

#[tokio::test]
async fn a_server_that_takes_what_was_tampered_with_is_exit_code_6() {
    for (fault, flow, part) in [
        ("tampered_webhook_accepted", "payment.webhook", "signature"),
        ("tampered_webhook_accepted", "payment.webhook", "amount"),
        ("tampered_webhook_accepted", "payment.webhook", "body"),
        ("tampered_payment_accepted", "payment_update", "payment"),
    ] {
        let setup = Setup::new().env("METAIA_PLANTED_FAULT", fault);
        let server = setup.start().await;
        let cli = Cli::for_server(&server).env("RAZORPAY_WEBHOOK_SECRET", WEBHOOK_SECRET);
        let args = ["trigger", flow, "--tamper", part];
        let ended = cli.run(&args).await.expect_code(6);
        let said = "the server took it (200), although its signature is wrong";
        assert!(ended.stderr.contains(said), "{ended:#?}");
    }
}

/// A refusal for another reason proves nothing.
#[tokio::test]
async fn a_tampered_request_that_is_refused_for_another_reason_is_not_as_it_must_be() {
    let (server, cli) = start().await;
    let order = place_order(&server, "u1").await;
    let order = id_of(&order);
    set_status(&server, order, "cancelled").await;
    let args = ["trigger", "payment_update", "--order", order];
    let tampered = [&args[..], &["--tamper", "signature"]].concat();
    let ended = cli.run(&tampered).await.expect_code(1);
    assert!(ended.stderr.contains("order_closed"), "{ended:#?}");
    let unsigned = ["trigger", "payment.webhook", "--tamper", "body"];
    let cli = cli.secret("another");
    cli.run(&unsigned).await.expect_code(4);
}

#[tokio::test]
async fn an_order_is_assigned_and_cancelled() {
    let (server, cli) = start().await;
    let order = place_order(&server, "u1").await;
    let order = id_of(&order);
    let args = ["order.assign", "--order", order, "--tailor", "t9"];
    let assigned = steps(&cli, &args).await;
    let document = &assigned[0]["data"]["order"];
    assert_eq!(
        (&document["tailor"], &document["deliveryPartner"]),
        (&"t9".into(), &Value::Null)
    );
    let cancelled = steps(&cli, &["order.cancel", "--order", order]).await;
    assert_eq!(cancelled[0]["data"]["order"]["status"], "cancelled");
    let new = steps(&cli, &["order.assign", "--to", "user:u2"]).await;
    let document = &new[1]["data"]["order"];
    assert_eq!(
        (&document["customer"], &document["deliveryPartner"]),
        (&"u2".into(), &"cli-courier".into())
    );
    let new = steps(&cli, &["order.cancel", "--customer", "u3"]).await;
    assert_eq!(new[1]["as"], "customer:u3");
    assert_eq!(new[1]["data"]["order"]["status"], "cancelled");
    // It has been cancelled before.
    let again = ["trigger", "order.cancel", "--order", order];
    let again = cli.run(&again).await.expect_code(1);
    assert!(again.stderr.contains("illegal_transition"), "{again:#?}");
}

#[tokio::test]
async fn a_lifecycle_ends_at_a_status() {
    let (_server, cli) = start().await;
    for (status, count) in [("pending", 1), ("in_progress", 4), ("out_for_delivery", 8)] {
        let done = steps(&cli, &["order.lifecycle", "--until", status]).await;
        assert_eq!(done.len(), count, "{done:#?}");
        assert_eq!(done[count - 1]["data"]["order"]["status"], status);
    }
    let unknown = ["trigger", "order.lifecycle", "--until", "lost"];
    let unknown = cli.run(&unknown).await;
    check_usage(&unknown, "pending, confirmed, in_progress, ready");
}

/// The default user takes the part that no option names.
#[tokio::test]
async fn a_lifecycle_with_one_named_person_goes_to_its_end() {
    let (_server, cli) = start().await;
    for (option, user, tailor, courier) in [
        ("--tailor", "t1", "t1", "cli-courier"),
        ("--courier", "d1", "cli-tailor", "d1"),
    ] {
        let done = steps(&cli, &["order.lifecycle", option, user]).await;
        let order = &done.last().expect("a step")["data"]["order"];
        assert_eq!(order["status"], "delivered", "{order:#?}");
        assert_eq!(order["tailor"], tailor, "{order:#?}");
        assert_eq!(order["deliveryPartner"], courier, "{order:#?}");
    }
}

#[tokio::test]
async fn an_interrupted_lifecycle_says_where_the_order_stands() {
    let (server, cli) = start().await;
    let args = ["trigger", "order.lifecycle", "--pace", "1h"];
    let flow = cli.start(&args);
    let placed = |line: &String| line.contains("place the order");
    flow.stdout.first("the first step", placed).await;
    flow.signal("INT").await;
    let ended = flow.wait_with_output().await.expect_code(130);
    assert!(
        ended
            .stderr
            .contains("interrupted before `status confirmed`"),
        "{ended:#?}"
    );
    assert!(ended.stderr.contains(" is pending ("), "{ended:#?}");
    let orders = server.admin().get("/api/orders").await.data(200);
    assert_eq!(orders["orders"][0]["status"], "pending");
}

#[tokio::test]
async fn a_pace_lies_between_two_steps() {
    let (_server, cli) = start().await;
    let began = std::time::Instant::now();
    let args = ["order.lifecycle", "--until", "confirmed", "--pace", "400ms"];
    assert_eq!(steps(&cli, &args).await.len(), 2);
    let took = began.elapsed().as_millis();
    assert!((400..10_000).contains(&took), "{took} ms");
}

#[tokio::test]
async fn any_member_of_what_a_flow_creates_may_be_set() {
    let (_server, cli) = start_with_provider().await;
    let args = [
        "order_update",
        "--set",
        "currency=USD",
        "--set",
        "tailor=t7",
    ];
    let placed = steps(&cli, &args).await;
    let order = &placed[0]["data"]["order"];
    assert_eq!(
        (&order["currency"], &order["tailor"]),
        (&"USD".into(), &"t7".into())
    );
    let args = ["new_notification", "--set", "type=payment"];
    let notified = steps(&cli, &args).await;
    assert_eq!(notified[0]["data"]["notification"]["type"], "payment");
    for flow in [
        "order_update",
        "new_notification",
        "tailor_status_update",
        "order.lifecycle",
    ] {
        let unknown = ["trigger", flow, "--set", "colour=red"];
        let ended = cli.run(&unknown).await.expect_code(1);
        assert!(ended.stderr.contains("HTTP 422"), "{ended:#?}");
        assert!(ended.stderr.contains("/colour"), "{ended:#?}");
    }
}

#[tokio::test]
async fn a_flow_is_repeated() {
    let (_server, cli) = start().await;
    for (flow, event) in [
        ("new_notification", "new_notification"),
        ("tailor_status_update", "tailor_status_update"),
        ("order_update", "order_update"),
    ] {
        let who = if flow == "new_notification" {
            "customer:cli-customer"
        } else {
            "admin:a1"
        };
        let script =
            format!("$METAIA expect {who} {event} --times 3 -- $METAIA trigger {flow} --times 3");
        cli.shell(&script).await.expect_code(0);
    }
}

#[tokio::test]
async fn a_filter_prints_a_part_of_each_step() {
    let (_server, cli) = start().await;
    let args = [
        "trigger",
        "order_update",
        "--times",
        "2",
        "--jq",
        ".data.order.status",
    ];
    let ended = cli.run(&args).await.expect_code(0);
    assert_eq!(ended.stdout, "pending\npending", "{ended:#?}");
    let wrong = ["trigger", "order_update", "--jq", ".data["];
    check_usage(&cli.run(&wrong).await, "--jq");
    // A filter that fails does not leave an order half way.
    let failing = ["trigger", "order.lifecycle", "--jq", ".step | tonumber"];
    let failing = cli.run(&failing).await.expect_code(1);
    assert!(failing.stderr.contains("--jq: "), "{failing:#?}");
    let statuses = ["order", "ls", "--status", "delivered"];
    let delivered = cli.run(&statuses).await.expect_code(0);
    assert_eq!(delivered.stdout.lines().count(), 1, "{delivered:#?}");
}

#[tokio::test]
async fn an_option_that_a_flow_does_not_use_is_wrong_usage() {
    let nowhere = Cli::for_url("http://127.0.0.1:9");
    for (args, part) in [
        (
            &["order.lifecycle", "--times", "2"][..],
            "--times does not apply to order.lifecycle",
        ),
        (
            &["order_update", "--until", "ready"],
            "--until does not apply",
        ),
        (
            &["order_update", "--tamper", "body"],
            "--tamper does not apply",
        ),
        (
            &["payment_update", "--tamper", "amount"],
            "--tamper amount does not apply to payment_update",
        ),
        (
            &["payment.webhook", "--tamper", "payment"],
            "use signature, amount or body",
        ),
        (&["payment.webhook", "--times", "0"], "1..=1000"),
        (
            &["payment.webhook", "--order", "o1", "--set", "a=b"],
            "--set does not apply",
        ),
        (
            &["order.cancel", "--order", "o1", "--tailor", "t1"],
            "--tailor does not apply",
        ),
        (&["order.lifecycle", "--pace", "soon"], "expected a number"),
        (&["order_update", "--set", "word"], "write k=v"),
    ] {
        let args = [&["trigger"], args].concat();
        check_usage(&nowhere.run(&args).await, part);
    }
}

#[tokio::test]
async fn a_misspelt_event_of_the_provider_is_asked_about() {
    let (_server, cli) = start_with_provider().await;
    let args = ["trigger", "payment.webhook", "--event", "payment.capturd"];
    let ended = cli.run(&args).await.expect_code(0);
    assert!(
        ended.stderr.contains("do you mean payment.captured?"),
        "{ended:#?}"
    );
    assert!(ended.stdout.contains("→ ignored"), "{ended:#?}");
}
