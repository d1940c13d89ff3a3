//! Protected contexts: nothing is written without `--yes`.

use std::net::TcpListener;

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::SECRET;
use metaia_tests::fixtures::{id_of, place_order};
use metaia_tests::server::{Listening, Server};

use super::{check_contains, cli, sessions, write_contexts};

fn production(url: &str) -> String {
    format!(
        "current = \"production\"\n[production]\nurl = \"{url}\"\n\
         jwt_secret = {{ env = \"SECRET\" }}\nprotected = true\n"
    )
}

const SCENARIO: &str = "\
scenario: an order is pending first
people: { buyer: customer }
steps:
  - place: { as: buyer }
  - expect: [{ as: buyer, event: order_update, match: { status: pending } }]
";

#[tokio::test]
async fn each_kind_of_write_is_refused_before_anything_is_sent() {
    let cli = cli();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a mode");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    write_contexts(&cli, &production(&url));
    cli.folder().write("qa/s.yaml", SCENARIO);
    let cli = cli.env("SECRET", SECRET);
    let session = "5d41402abc4b2a76b9719d911017c592";
    let writes: [(&str, &[&str]); 16] = [
        ("emit", &["emit", "everyone", "x"]),
        ("trigger", &["trigger", "order.lifecycle"]),
        (
            "trigger",
            &["trigger", "new_notification", "--to", "user:u1"],
        ),
        ("order place", &["order", "place", "--as", "customer:u1"]),
        ("order assign", &["order", "assign", "o1", "--tailor", "t1"]),
        (
            "order move",
            &["order", "move", "MT-261130-M636WW", "ready"],
        ),
        ("order cancel", &["order", "cancel", "o1"]),
        (
            "api post",
            &["api", "post", "/api/orders", "a=b", "--as", "customer:u1"],
        ),
        (
            "api put",
            &["api", "PUT", "/api/orders/o1/status", "--as", "admin:a1"],
        ),
        ("api delete", &["api", "delete", "/x", "--anonymous"]),
        (
            "api get with a body",
            &["api", "get", "/x", "a=b", "--anonymous"],
        ),
        (
            "a request with the header x-http-method-override",
            &["sessions", "--header", "X-HTTP-Method-Override: DELETE"],
        ),
        ("disconnect", &["disconnect", session]),
        ("revoke", &["revoke", "user:u1"]),
        ("test", &["test", "qa"]),
        ("matrix", &["matrix"]),
    ];
    for (action, args) in writes {
        let output = cli.run(args).await.expect_code(2);
        let place = format!("{url} (from the context production)");
        let action = format!("the context production is protected, and {action} writes");
        check_contains(&output, &[&place, &action, "nothing was sent", "--yes"]);
        assert_eq!(output.stderr.lines().count(), 2, "{output:#?}");
    }
    // Not even a connection was opened.
    let accepted = listener.accept();
    assert!(accepted.is_err(), "{accepted:?}");
}

#[tokio::test]
async fn reads_are_allowed_and_writes_with_yes() {
    let cli = cli();
    let server = Server::start().await;
    let _phone = Phone::ready_as(&server, "customer", "u1").await;
    let order = place_order(&server, "u1").await;
    let order = id_of(&order);
    write_contexts(&cli, &production(&server.url()));
    cli.folder().write("qa/s.yaml", SCENARIO);
    let cli = cli.env("SECRET", SECRET);
    assert_eq!(sessions(&cli, &[]).await, 1);
    let reads: [&[&str]; 7] = [
        &["order", "ls"],
        &["order", "show", order],
        &["api", "get", "/api/orders", "--as", "admin:a1"],
        &["join", order, "--as", "customer:u1"],
        &["tail", "--as", "customer:u1", "--for", "1ms"],
        &["test", "qa", "--list"],
        &["stats"],
    ];
    for args in reads {
        cli.run(args).await.expect_code(0);
    }
    let writes: [&[&str]; 4] = [
        &["emit", "everyone", "x"],
        &["order", "cancel", order],
        &["trigger", "new_notification", "--to", "user:u1"],
        &["test", "qa"],
    ];
    for args in writes {
        cli.run(args).await.expect_code(2);
        cli.run(&[args, &["--yes"]].concat()).await.expect_code(0);
    }
}

#[tokio::test]
async fn doctor_writes_no_event_without_yes() {
    let cli = cli();
    let server = Server::start().await;
    write_contexts(&cli, &production(&server.url()));
    let cli = cli.env("SECRET", SECRET);
    let delivery = async |args: &[&str]| {
        let output = cli.run(args).await.expect_code(0);
        let mut lines = output.stdout.lines();
        let line = lines.find(|line| line.contains("delivery"));
        line.unwrap_or_default().to_owned()
    };
    let without = delivery(&["doctor"]).await;
    assert!(!without.contains("own event back"), "{without}");
    let with = delivery(&["doctor", "--yes"]).await;
    assert!(with.contains("own event back"), "{with}");
}

#[tokio::test]
async fn yes_is_accepted_without_a_protected_context() {
    let cli = cli();
    let server = Server::start().await;
    let contexts = production(&server.url()).replace("protected = true", "");
    write_contexts(&cli, &contexts);
    let cli = cli.env("SECRET", SECRET);
    let output = cli.run(&["emit", "everyone", "x", "--yes", "-q"]).await;
    assert_eq!(output.expect_code(0).stderr, "");
}

#[tokio::test]
async fn connect_sends_joins_and_no_other_events() {
    let cli = cli();
    let server = Server::start().await;
    let order = place_order(&server, "u1").await;
    let order = id_of(&order);
    write_contexts(&cli, &production(&server.url()));
    let cli = cli.env("SECRET", SECRET);
    let connect = ["connect", "--as", "customer:u1"];
    let lines = format!("/join {order}\n/leave {order}\n/emit join_order_room {order}\n");
    let output = cli.run_with_input(&connect, lines.as_bytes()).await;
    output.expect_code(0);
    let typed = format!("/emit save {order}\n");
    let refused = cli.run_with_input(&connect, typed.as_bytes()).await;
    let refused = refused.expect_code(2);
    check_contains(&refused, &["is protected, and /emit save writes", "--yes"]);
    // With `--yes` it is sent; this server has no such event.
    let with_yes = [&connect[..], &["--yes"]].concat();
    let sent = cli.run_with_input(&with_yes, typed.as_bytes()).await;
    assert!(!sent.output().contains("protected"), "{sent:#?}");
}
