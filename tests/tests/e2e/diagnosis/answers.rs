//! Answers of servers: whole bodies, codes, refusals with a time to wait.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::stub::{Stub, problem};
use metaia_tests::fixtures::token::{Token, token};
use metaia_tests::fixtures::{id_of, place_order};
use metaia_tests::server::{Listening, Server, Setup};

use super::{EMIT, TAIL, check, check_both};

const BUSY: &str = concat!(
    r#"{"type":"about:blank","status":503,"code":"too_many_handshakes","#,
    r#""detail":"Too many clients are connecting."}"#
);

#[tokio::test]
async fn a_body_in_a_second_segment_is_shown() {
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: {}\r\n\
         Retry-After: 7\r\nContent-Type: application/problem+json\r\n\r\n",
        BUSY.len()
    );
    let (one, other) = BUSY.split_at(20);
    let stub = Stub::answering(&[&head, one, other]).await;
    let cli = Cli::for_url(&stub.url());
    let parts = [
        "HTTP 503 (too_many_handshakes): Too many clients are connecting.",
        "try again in 7 s (Retry-After)",
    ];
    check_both(&cli, 3, &parts).await;
}

#[tokio::test]
async fn an_answer_that_is_not_metaias_is_no_success() {
    let page = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nServer: shop/2\r\n\r\n<html>";
    let stub = Stub::answering(&[page]).await;
    let cli = Cli::for_url(&stub.url());
    check_both(&cli, 3, &["shop answered 200 OK: the answer is not"]).await;
}

#[tokio::test]
async fn another_json_api_is_no_metaia_server() {
    let body = r#"{"statusCode":404,"message":"Cannot GET /livez"}"#;
    let length = body.len();
    let answer = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\n{body}");
    let stub = Stub::answering(&[&answer]).await;
    let cli = Cli::for_url(&stub.url());
    let parts = ["no METAIA server", "check the address"];
    check_both(&cli, 3, &parts).await;
    for args in [&["sessions"][..], &["matrix"], &["doctor"]] {
        check(&cli.run(args).await, 3, &[]);
    }
}

#[tokio::test]
async fn an_answer_that_stalls_is_a_time_out() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
    let stub = Stub::stalling(head).await;
    let cli = Cli::for_url(&stub.url());
    for args in [&["sessions"][..], &["api", "GET", "/livez"], &EMIT] {
        let args = [args, &["--timeout", "300ms"]].concat();
        check(&cli.run(&args).await, 7, &["no answer within 0.3 s"]);
    }
}

#[tokio::test]
async fn what_is_not_http_is_no_connection() {
    let stub = Stub::answering(&["220 mail.example ESMTP\r\n\r\n"]).await;
    check_both(&Cli::for_url(&stub.url()), 3, &["not HTTP"]).await;
}

#[tokio::test]
async fn roles_wait_as_long_as_the_server_asks() {
    let server = Setup::new()
        .env("METAIA_LIMITS", "handshakes_per_s=2")
        .start()
        .await;
    let roles: Vec<String> = (0..4).map(|role| format!("customer:c{role}")).collect();
    let mut args = vec!["connect", "--timeout", "20s"];
    for role in &roles {
        args.extend(["--as", role]);
    }
    let output = Cli::for_server(&server).run(&args).await;
    check(&output, 0, &["(too_many_handshakes)", "trying again in"]);
}

#[tokio::test]
async fn requests_wait_as_long_as_the_server_asks() {
    let server = Setup::new()
        .env("METAIA_LIMITS", "rest_per_s=1")
        .start()
        .await;
    let args = ["trigger", "order.lifecycle", "--timeout", "20s"];
    let output = Cli::for_server(&server).run(&args).await;
    check(
        &output,
        0,
        &["HTTP 429 (rate_limited)", "trying again in", "Retry-After"],
    );
}

/// Returns the answer of a server with this status, time to wait and code.
fn refusal(status: &str, wait: &str, code: &str) -> String {
    let number = status[..3].parse().expect("a number");
    let body = problem(number, code, "Not now.");
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nRetry-After: {wait}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_request_waits_for_a_bounded_time_and_repeats_nothing_that_may_be_done() {
    for (status, wait, code, attempts) in [
        ("503 Service Unavailable", "2", "unavailable", 2),
        ("429 Too Many Requests", "2", "rate_limited", 2),
        ("503 Service Unavailable", "60", "unavailable", 1),
        ("503 Service Unavailable", "2", "outcome_unknown", 1),
        ("500 Internal Server Error", "2", "internal", 1),
    ] {
        let stub = Stub::answering(&[&refusal(status, wait, code)]).await;
        let args = [&EMIT[..], &["--timeout", "7s"]].concat();
        let output = Cli::for_url(&stub.url()).run(&args).await;
        let repeated = output.stderr.matches("trying again in 2.0 s").count();
        assert_eq!(repeated, attempts - 1, "{status} {code}: {output:#?}");
        assert_ne!(output.code, Some(0));
    }
}

#[tokio::test]
async fn a_refused_token_has_the_same_hint_everywhere() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let expired = Token::with_raw_claims(r#"{"userId":"a1","role":"admin","exp":1.7e9}"#).sign();
    for args in [&["tail", "--for", "1s"][..], &EMIT] {
        let args = [args, &["--token", &expired]].concat();
        check(
            &cli.run(&args).await,
            4,
            &["token_expired", "metaia token mint"],
        );
    }
    let stranger = Cli::for_server(&server).secret("a-secret-that-the-server-does-not-know");
    check_both(
        &stranger,
        4,
        &["unauthorized", "the server has another secret"],
    )
    .await;
    let customer = token("customer", "c1");
    let args = [&EMIT[..], &["--token", &customer]].concat();
    check(&cli.run(&args).await, 5, &["HTTP 403", "hint:"]);
}

#[tokio::test]
async fn a_wrong_origin_is_seen_and_names_the_setting() {
    let origin = "https://app.metaia.example";
    let server = Setup::new().env("CORS_ORIGINS", origin).start().await;
    let cli = Cli::for_server(&server);
    let with = |origin| [&TAIL[..], &["--origin", origin]].concat();
    cli.run(&with(origin)).await.expect_code(0);
    for transport in ["websocket", "polling"] {
        let args = [&with("https://b.example")[..], &["--transport", transport]].concat();
        let parts = [
            "origin_not_allowed",
            "add https://b.example to CORS_ORIGINS",
        ];
        check(&cli.run(&args).await, 5, &parts);
    }
}

#[tokio::test]
async fn a_header_of_ones_own_is_sent() {
    let server = Setup::new()
        .env("CORS_ORIGINS", "https://app.metaia.example")
        .start()
        .await;
    let args = [&TAIL[..], &["--header", "Origin: https://b.example"]].concat();
    Cli::for_server(&server).run(&args).await.expect_code(5);
}

#[tokio::test]
async fn a_silent_server_is_a_time_out_for_sockets_and_rest() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let cli = Cli::for_url(&url);
    for args in [&TAIL[..], &EMIT] {
        let args = [args, &["--timeout", "300ms"]].concat();
        check(
            &cli.run(&args).await,
            7,
            &["no answer within 0.3 s", "--timeout"],
        );
    }
}

#[tokio::test]
async fn tail_says_why_an_order_is_refused_and_nothing_else() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let args = ["tail", "--as", "customer:c2", "--order", id_of(&order)];
    let output = Cli::for_server(&server).run(&args).await;
    check(
        &output,
        5,
        &[
            "may not join",
            "forbidden",
            "not this user's, or there is no such order",
        ],
    );
    assert!(!output.stderr.contains("events 0"), "{output:#?}");
}

#[tokio::test]
async fn a_session_beyond_the_limit_is_told_why_it_ends() {
    let server = Setup::new()
        .env("METAIA_LIMITS", "per_user=1")
        .start()
        .await;
    let cli = Cli::for_server(&server);
    let first = cli.start(&["tail", "--as", "customer:c1"]);
    server
        .wait_for_output("User connected: c1 (customer)")
        .await;
    // The first one comes back, and may end this one before its time is over.
    let second = cli.start(&TAIL);
    let parts = "ended: too_many_sessions (this user has more sessions";
    first.stderr.first(parts, |line| line.contains(parts)).await;
    drop(second);
}

#[tokio::test]
async fn the_details_of_a_refused_connection_are_shown() {
    let data = r#"{"code":"plan_ended","detail":"Your plan has ended."}"#;
    let refusal = format!(r#"44{{"message":"unauthorized","data":{data}}}"#);
    let stub = Stub::with_date("Tue, 14 Nov 2023 22:13:20 GMT", &[refusal]).await;
    let output = Cli::for_url(&stub.url()).run(&TAIL).await;
    check(
        &output,
        4,
        &["unauthorized (plan_ended): Your plan has ended."],
    );
}
