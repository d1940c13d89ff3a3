//! Servers without a fault, and what a visit leaves behind.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::example::Example;
use metaia_tests::fixtures::token::{SECRET, Token, in_seconds, token};
use metaia_tests::server::{API_KEY, Listening, Server, Setup};
use serde_json::{Value, json};

use super::examine;

const IDS: [&str; 13] = [
    "doctor.name",
    "doctor.port",
    "doctor.server",
    "doctor.polling",
    "doctor.websocket",
    "doctor.origin",
    "doctor.clock",
    "doctor.token",
    "doctor.sign_in",
    "doctor.rooms",
    "doctor.delivery",
    "doctor.event",
    "doctor.idle",
];

/// Returns a configuration without the server's secret.
fn phone(server: &Server) -> Cli {
    Cli::for_server(server).secret("")
}

#[tokio::test]
async fn a_good_server_has_no_problem() {
    let server = Server::start().await;
    let examined = examine(&Cli::for_server(&server), &[]).await.good();
    let ids: Vec<&str> = examined
        .findings
        .iter()
        .filter_map(|finding| finding["id"].as_str())
        .collect();
    assert_eq!(ids, IDS);
    assert!(examined.finding("doctor.port")["ms"].is_u64());
    examined
        .found("doctor.server", "/livez 200, /readyz 200, version ")
        .found("doctor.polling", "upgrades offered: websocket")
        .found("doctor.websocket", "a polling session upgrades to it")
        .found("doctor.rooms", "customer-room, user-metaia-doctor")
        .found("doctor.delivery", "own event back in ")
        .found("doctor.origin", "not asked for: --origin")
        .found("doctor.idle", "not asked for: --idle");
}

#[tokio::test]
async fn every_option_is_good_at_a_good_server() {
    let origin = "https://app.metaia.example";
    let server = Setup::new().env("CORS_ORIGINS", origin).start().await;
    let cli = Cli::for_server(&server);
    let options = ["--origin", origin, "--event", "order_update"];
    let examined = examine(&cli, &[&["admin:a1"][..], &options].concat()).await;
    examined
        .good()
        .found("doctor.server", "1 node")
        .found("doctor.origin", "is accepted")
        .found("doctor.event", "order_update is an event of the server")
        .found("doctor.rooms", "admin-room");
    for transport in ["websocket", "polling"] {
        let options = [
            "--as",
            "tailor:t1",
            "--transport",
            transport,
            "--idle",
            "1s",
        ];
        let examined = examine(&cli, &options).await.good();
        examined.found("doctor.idle", "the line was held for ");
    }
    for place in ["header", "payload", "both"] {
        examine(&cli, &["--auth", place]).await.good();
    }
}

#[tokio::test]
async fn a_token_without_the_right_to_emit_proves_delivery_by_a_fence() {
    let server = Server::start().await;
    let token = token("customer", "c1");
    let examined = examine(&phone(&server), &["--token", &token]).await.good();
    examined
        .found("doctor.token", "signature not checked")
        .found("doctor.token", "the server accepts it")
        .found("doctor.delivery", "fence (rt:sync) in ")
        .found(
            "doctor.delivery",
            "no own event: the token may not send one",
        );
    let with_secret = Cli::for_server(&server);
    let examined = examine(&with_secret, &["--token", &token]).await.good();
    examined.found("doctor.delivery", "own event back in ");
    let with_key = phone(&server).env("METAIA_API_KEY", API_KEY);
    let admin = metaia_tests::fixtures::token::token("admin", "a1");
    let examined = examine(&with_key, &["--token", &admin]).await.good();
    examined.found("doctor.delivery", "own event back in ");
}

#[tokio::test]
async fn without_a_token_and_a_secret_the_way_alone_is_checked() {
    let server = Server::start().await;
    let examined = examine(&phone(&server), &[]).await.good();
    for id in [
        "doctor.token",
        "doctor.sign_in",
        "doctor.rooms",
        "doctor.delivery",
    ] {
        let finding = examined.finding(id);
        assert_eq!(finding["ok"], Value::Null, "{finding}");
        assert_eq!(finding["found"], "not asked for: give --as or --token");
    }
    let asked = phone(&server).run(&["doctor", "--as", "customer:c1"]).await;
    assert_eq!(asked.code, Some(2), "{asked:#?}");
    assert!(asked.stderr.contains("no secret found"), "{asked:#?}");
}

#[tokio::test]
async fn a_server_that_embeds_the_library_is_good_without_rest() {
    let example = Example::start("embed").await;
    let cli = Cli::for_url(&example.url()).secret(SECRET);
    let examined = examine(&cli, &["customer:c1"]).await.good();
    examined
        .found("doctor.server", "no REST interface of metaia-server")
        .found(
            "doctor.delivery",
            "no own event: the server has no REST interface",
        );
}

#[tokio::test]
async fn a_phone_loses_nothing_by_a_visit_with_its_token() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let claims = json!({
        "userId": "c1",
        "role": "customer",
        "exp": in_seconds(3_600),
        "jti": "of-the-phone",
    });
    let token = Token::with_claims(&claims).sign();
    let tail = ["tail", "--token", &token];
    cli.run(&[&tail[..], &["--for", "200ms"]].concat())
        .await
        .expect_code(0);
    cli.run(&["emit", "user:c1", "missed"]).await.expect_code(0);
    examine(&cli, &["--token", &token]).await.good();
    let rest = ["--count", "1", "--count-replayed", "--for", "5s"];
    let output = cli.run(&[&tail[..], &rest].concat()).await.expect_code(0);
    assert!(output.stdout.contains("missed"), "{output:#?}");
    assert!(!output.stdout.contains("metaia.doctor"), "{output:#?}");
}

/// One session at a time: the ways to sign in do not push each other out.
#[tokio::test]
async fn a_user_with_a_single_session_can_be_checked() {
    let server = Setup::new()
        .env("METAIA_LIMITS", "per_user=1")
        .start()
        .await;
    examine(&Cli::for_server(&server), &["customer:c1"])
        .await
        .good();
}

#[tokio::test]
async fn each_check_is_explained() {
    let cli = Cli::for_url("http://127.0.0.1:9");
    for id in IDS {
        let output = cli.run(&["explain", id]).await.expect_code(0);
        assert!(output.stdout.contains("a check of metaia doctor"), "{id}");
    }
}
