//! Proxies that pass too little on, or to the wrong place.

use std::time::Duration;

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::middlebox::{Middlebox, WebSocketFault};
use metaia_tests::faults::misconfigured_nginx::{Door, MisconfiguredNginx};
use metaia_tests::server::{Listening, Server, Setup};

use super::examine;

async fn proxied() -> (MisconfiguredNginx, Server) {
    let server = Server::start().await;
    (MisconfiguredNginx::before(&server).await, server)
}

fn at(nginx: &MisconfiguredNginx, door: Door) -> Cli {
    Cli::for_url(&nginx.url(door))
}

#[tokio::test]
async fn a_proxy_that_passes_no_upgrade_on_gets_its_lines() {
    let (nginx, _server) = proxied().await;
    let cli = at(&nginx, Door::WithoutUpgrade);
    let words = [
        "polling works, the WebSocket does not",
        "proxy_set_header Upgrade $http_upgrade;",
    ];
    let examined = examine(&cli, &[])
        .await
        .check(3, "doctor.websocket", &words);
    examined.found("doctor.delivery", "own event back");
    examine(&cli, &["--transport", "polling"]).await.good();
}

#[tokio::test]
async fn a_proxy_that_takes_the_header_gets_its_line() {
    let (nginx, _server) = proxied().await;
    let cli = at(&nginx, Door::WithoutAuthorization);
    let words = [
        "drops the Authorization header",
        "proxy_set_header Authorization $http_authorization;",
    ];
    for options in [&[][..], &["--auth", "header"]] {
        examine(&cli, options)
            .await
            .check(4, "doctor.sign_in", &words);
    }
    examine(&cli, &["--auth", "payload"]).await.good();
}

#[tokio::test]
async fn a_redirect_names_its_target() {
    let (nginx, _server) = proxied().await;
    let target = format!("--url {}", nginx.url(Door::Tls));
    let examined = examine(&at(&nginx, Door::Redirect), &[]).await;
    examined.check(3, "doctor.server", &["redirects to https://", &target]);
}

#[tokio::test]
async fn a_proxy_without_a_server_behind_it_is_told() {
    let (nginx, _server) = proxied().await;
    let examined = examine(&at(&nginx, Door::Down), &[]).await;
    examined.check(
        3,
        "doctor.server",
        &["nginx answered 502", "metaia-server runs"],
    );
}

#[tokio::test]
async fn a_body_that_the_proxy_does_not_take_names_its_limit() {
    let (nginx, _server) = proxied().await;
    let address = format!("deliveryAddress={}", "x".repeat(2_000));
    let place = ["order", "place", "--as", "customer:c1", &address];
    let refused = at(&nginx, Door::SmallBodies).run(&place).await;
    let refused = refused.expect_code(3);
    for words in ["nginx answered 413", "client_max_body_size"] {
        assert!(refused.stderr.contains(words), "{refused:#?}");
    }
}

#[tokio::test]
async fn a_proxy_that_passes_rest_alone_gets_its_lines() {
    let (nginx, _server) = proxied().await;
    let examined = examine(&at(&nginx, Door::RestAlone), &[]).await;
    let words = ["/socket.io/ is not", "location /socket.io/ {"];
    let examined = examined.check(3, "doctor.polling", &words);
    examined
        .found("doctor.server", "/api/ is METAIA's")
        .found("doctor.sign_in", "not tried: ");
}

#[tokio::test]
async fn a_proxy_that_sends_a_session_to_several_nodes_gets_its_line() {
    let (one, other) = tokio::join!(Server::start(), Server::start());
    let nginx = MisconfiguredNginx::before_two(&one, &other).await;
    let cli = at(&nginx, Door::Alternating);
    let words = ["Session ID unknown", "hash $remote_addr consistent;"];
    examine(&cli, &[]).await.check(3, "doctor.polling", &words);
    // A WebSocket is one connection. The nodes have a log each, so that an event may be at the
    // other one.
    let key = cli.secret("");
    let token = metaia_tests::fixtures::token::token("customer", "c1");
    let options = ["--transport", "websocket", "--token", &token];
    examine(&key, &options).await.good();
}

#[tokio::test]
async fn a_proxy_that_cuts_silent_lines_is_found() {
    let (nginx, _server) = proxied().await;
    let cli = at(&nginx, Door::Impatient);
    let words = ["of silence", "proxy_read_timeout 75s;", "only every 25 s"];
    let examined = examine(&cli, &["--idle", "3s"]).await;
    examined.check(3, "doctor.idle", &words);
    examine(&cli, &[]).await.good();
}

#[tokio::test]
async fn every_way_to_lose_a_websocket_is_a_problem_of_it() {
    let server = Server::start().await;
    for fault in [
        WebSocketFault::Refused,
        WebSocketFault::Stripped,
        WebSocketFault::Reset,
    ] {
        let middlebox = Middlebox::before(&server, fault).await;
        let examined = examine(&Cli::for_url(&middlebox.url()), &[]).await;
        let words = ["polling works, the WebSocket does not", "nginx"];
        examined.check(3, "doctor.websocket", &words);
    }
    let vain = Middlebox::before(&server, WebSocketFault::ClosedAfterAnswer).await;
    let examined = examine(&Cli::for_url(&vain.url()), &[]).await;
    let examined = examined.check(
        3,
        "doctor.websocket",
        &["opened (101), and then cut", "frames"],
    );
    let fix = examined.finding("doctor.websocket")["fix"].to_string();
    assert!(!fix.contains("Upgrade"), "{fix}");
    let deaf = Middlebox::before(&server, WebSocketFault::ServersFramesLost).await;
    let examined = examine(&Cli::for_url(&deaf.url()), &[]).await;
    examined.check(7, "doctor.websocket", &["no answer within", "frames"]);
    let mute = Middlebox::before(&server, WebSocketFault::ClientsFramesLost).await;
    let examined = examine(&Cli::for_url(&mute.url()), &[]).await;
    examined.check(7, "doctor.sign_in", &["no answer within", "frames"]);
}

#[tokio::test]
async fn an_answer_that_no_page_can_read_stops_a_browser() {
    let (nginx, _server) = proxied().await;
    let cli = at(&nginx, Door::HiddenFromPages);
    let origin = ["--origin", "https://shop.example"];
    let words = ["a browser does not let the page read it", "let that of the"];
    for transport in [
        &[][..],
        &["--transport", "polling"],
        &["--transport", "upgrade"],
    ] {
        let examined = examine(&cli, &[&origin[..], transport].concat()).await;
        examined.check(3, "doctor.origin", &words);
    }
    let websocket = [&origin[..], &["--transport", "websocket"]].concat();
    examine(&cli, &websocket).await.good();
}

#[tokio::test]
async fn a_proxy_that_changes_bodies_opens_no_polling_session() {
    let (nginx, _server) = proxied().await;
    let cli = at(&nginx, Door::Rewriting);
    let words = ["missing field `sid`", "sub_filter"];
    let examined = examine(&cli, &["--transport", "polling"]).await;
    let examined = examined.check(3, "doctor.polling", &words);
    examined.found("doctor.sign_in", "not tried: polling failed");
    examine(&cli, &["--transport", "websocket"]).await.good();
}

#[tokio::test]
async fn a_limit_of_a_proxy_is_named() {
    let (nginx, _server) = proxied().await;
    let examined = examine(&at(&nginx, Door::Limited), &[]).await.good();
    let server = examined.finding("doctor.server").clone();
    let cause = server["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("nginx answered 429"), "{server}");
    assert!(cause.contains("its limit on the rate"), "{server}");
    examined.found("doctor.server", "/livez 429");
}

#[tokio::test]
async fn a_proxy_that_drops_the_query_gets_its_line() {
    let (nginx, _server) = proxied().await;
    let examined = examine(&at(&nginx, Door::WithoutQuery), &[]).await;
    let words = ["Transport unknown", "proxy_pass http://127.0.0.1:5000;"];
    examined.check(3, "doctor.polling", &words);
}

#[tokio::test]
async fn a_proxy_that_wants_a_certificate_of_the_client_is_named() {
    let (nginx, _server) = proxied().await;
    let cli = at(&nginx, Door::ClientCertificate);
    let examined = examine(&cli, &["--insecure"]).await;
    let words = ["wants a certificate of the client", "ssl_verify_client"];
    examined.check(3, "doctor.server", &words);
    let output = cli
        .run(&["tail", "--as", "customer:c1", "--insecure"])
        .await;
    let output = output.expect_code(3);
    assert!(output.stderr.contains(words[0]), "{output:#?}");
}

#[tokio::test]
async fn an_own_event_that_a_proxy_refuses_is_a_warning() {
    let (nginx, _server) = proxied().await;
    let examined = examine(&at(&nginx, Door::WithoutEmit), &[]).await.good();
    let delivery = examined.finding("doctor.delivery").clone();
    let cause = delivery["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("nginx answered 403"), "{delivery}");
    examined.found("doctor.delivery", "the own event was not taken");
}

#[tokio::test]
async fn two_servers_with_different_secrets_are_told_from_a_dropped_header() {
    let other = Setup::new().env("JWT_SECRET", "another-secret-of-the-other-node");
    let (one, other) = tokio::join!(Server::start(), other.start());
    let nginx = MisconfiguredNginx::before_two(&one, &other).await;
    let cli = at(&nginx, Door::Alternating);
    let examined = examine(&cli, &["--transport", "websocket"]).await;
    let words = ["several servers are behind this address", "same JWT_SECRET"];
    examined.check(4, "doctor.sign_in", &words);
}

#[tokio::test]
async fn a_slow_line_is_said_to_be_slow() {
    let server = Server::start().await;
    let delay = Duration::from_millis(700);
    let slow = Middlebox::before(&server, WebSocketFault::Late(delay)).await;
    let cli = Cli::for_url(&slow.url());
    let examined = examine(&cli, &[]).await;
    let problems = examined.findings.iter().filter(|one| one["ok"] == false);
    let problems: Vec<String> = problems.map(|one| one["fix"].to_string()).collect();
    assert!(!problems.is_empty(), "{examined:#?}");
    for fix in &problems {
        assert!(fix.contains("--timeout 60s"), "{examined:#?}");
    }
    assert_eq!(examined.output.code, Some(7), "{examined:#?}");
    let patient = examine(&cli, &["--timeout", "100s"]).await;
    assert_eq!(patient.output.code, Some(0), "{patient:#?}");
}
