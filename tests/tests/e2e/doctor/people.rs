//! Origins, clocks, tokens, names of events.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::stub::Stub;
use metaia_tests::fixtures::token::{SECRET, Token, in_seconds};
use metaia_tests::server::{Listening, Server, Setup};
use serde_json::json;
use tokio::process::Command;

use super::examine;

#[tokio::test]
async fn a_wrong_origin_names_the_setting() {
    let origin = "https://app.metaia.example";
    let server = Setup::new().env("CORS_ORIGINS", origin).start().await;
    let cli = Cli::for_server(&server);
    let other = "https://b.example";
    let words = [
        "by the METAIA server",
        "add https://b.example to CORS_ORIGINS",
    ];
    for transport in ["polling", "websocket"] {
        let options = ["--origin", other, "--transport", transport];
        let examined = examine(&cli, &options).await;
        // The rest of the way is checked without it.
        let examined = examined.check(5, "doctor.origin", &words);
        examined.found("doctor.delivery", "own event back");
    }
}

/// Returns a token of `c1` with this end, in seconds from now.
fn ends_in(seconds: i64, secret: &str) -> String {
    let claims = json!({"userId": "c1", "role": "customer", "exp": in_seconds(seconds)});
    Token::with_claims(&claims).secret(secret).sign()
}

#[tokio::test]
async fn an_expired_token_is_named() {
    let server = Server::start().await;
    let token = ends_in(-180, SECRET);
    let examined = examine(&Cli::for_server(&server), &["--token", &token]).await;
    let words = ["ended 3 min ago", "token_expired", "metaia token mint"];
    let examined = examined.check(4, "doctor.token", &words);
    examined.found("doctor.sign_in", "not tried: the token is refused");
}

#[tokio::test]
async fn another_secret_is_named() {
    let server = Server::start().await;
    let stranger = Cli::for_server(&server).secret("a-secret-that-the-server-does-not-know");
    let words = [
        "good with this folder's secret, refused by the server: it has another one",
        "set JWT_SECRET",
    ];
    let examined = examine(&stranger, &["customer:c1"]).await;
    examined.check(4, "doctor.token", &words);
    let foreign = ends_in(3_600, "another secret");
    let examined = examine(&Cli::for_server(&server), &["--token", &foreign]).await;
    let words = [
        "wrong signature",
        "the token is from --token",
        "metaia token inspect",
    ];
    examined.check(4, "doctor.token", &words);
}

#[tokio::test]
async fn an_unknown_role_is_one_of_permission() {
    let server = Server::start().await;
    let claims = json!({"userId": "c1", "role": "chef", "exp": in_seconds(3_600)});
    let token = Token::with_claims(&claims).sign();
    let examined = examine(&Cli::for_server(&server), &["--token", &token]).await;
    examined.check(5, "doctor.token", &["chef", "role"]);
}

/// Returns the header `Date` of this time, in seconds from now.
async fn date_in(seconds: i64) -> String {
    let mut command = Command::new("date");
    let at = format!("@{}", in_seconds(seconds));
    command.env("LC_ALL", "C");
    command.args(["-u", "-d", &at, "+%a, %d %b %Y %H:%M:%S GMT"]);
    let output = command.output().await.expect("date");
    let text = String::from_utf8(output.stdout).expect("ASCII");
    text.trim().to_owned()
}

#[tokio::test]
async fn a_wrong_clock_is_named_before_the_token_that_it_spoils() {
    let refusal = r#"44{"message":"token_expired"}"#.to_owned();
    let stub = Stub::with_date(&date_in(600).await, &[refusal]).await;
    let cli = Cli::for_url(&stub.url());
    // Good by this machine's clock, and at an end by the server's.
    let token = ends_in(300, SECRET);
    let options = ["--token", &token, "--transport", "websocket"];
    let examined = examine(&cli, &options).await;
    let words = ["10 min behind the server's", "set this machine's clock"];
    let examined = examined.check(4, "doctor.clock", &words);
    examined.found("doctor.token", "ended 5 min ago by the server's clock");
}

#[tokio::test]
async fn a_wrong_clock_that_stops_nobody_is_a_warning() {
    let ready = json!(["rt:ready", {"userId": "c1", "role": "customer", "rooms": ["user-c1"]}]);
    let frames = [r#"40{"sid":"a"}"#.to_owned(), format!("42{ready}")];
    let stub = Stub::with_date(&date_in(-600).await, &frames).await;
    let cli = Cli::for_url(&stub.url());
    let examined = examine(&cli, &["customer:c1", "--transport", "websocket"]).await;
    let clock = examined.finding("doctor.clock").clone();
    assert_eq!(clock["ok"], true, "{examined:#?}");
    assert!(
        clock["fix"]
            .as_str()
            .is_some_and(|fix| fix.contains("clock"))
    );
    examined.found("doctor.clock", "10 min ahead of the server's");
}

#[tokio::test]
async fn a_misspelt_event_gets_a_suggestion() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let words = [
        "did you mean new_notification?",
        "listen for new_notification",
    ];
    let examined = examine(&cli, &["--event", "newNotification"]).await;
    examined.check(6, "doctor.event", &words);
    // A backend may emit it.
    let examined = examine(&cli, &["--event", "stock_low"]).await.good();
    assert!(examined.finding("doctor.event")["fix"].is_string());
    let output = cli.run(&["doctor", "--event", "order update"]).await;
    assert_eq!(output.code, Some(2), "{output:#?}");
}

#[tokio::test]
async fn what_is_no_origin_and_what_is_no_token_is_said_to_be_none() {
    let origin = "https://app.metaia.example";
    let server = Setup::new().env("CORS_ORIGINS", origin).start().await;
    let cli = Cli::for_server(&server);
    let examined = examine(&cli, &["--origin", "good.example"]).await;
    let words = ["this is no origin", "https://app.example"];
    examined.check(5, "doctor.origin", &words);
    let examined = examine(&cli, &["--token", "garbage"]).await;
    let words = ["not a JWT", "paste the whole token"];
    examined.check(4, "doctor.token", &words);
}

#[tokio::test]
async fn a_line_that_is_held_for_no_time_is_wrong_usage() {
    let nowhere = Cli::for_url("http://127.0.0.1:9");
    for args in [["doctor", "--idle", "0"], ["matrix", "--within", "0s"]] {
        let ended = nowhere.run(&args).await.expect_code(2);
        assert!(ended.stderr.contains("in no time"), "{ended:#?}");
    }
}
