//! Proxies before the server: TLS, pages, redirects, and what they do not pass on.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::middlebox::{Middlebox, WebSocketFault};
use metaia_tests::faults::misconfigured_nginx::{Door, MisconfiguredNginx};
use metaia_tests::faults::stub::Stub;
use metaia_tests::server::paths::package_path;
use metaia_tests::server::{Listening, Server};

use super::{EMIT, TAIL, check, check_both};

async fn proxied() -> (MisconfiguredNginx, Server) {
    let server = Server::start().await;
    (MisconfiguredNginx::before(&server).await, server)
}

#[tokio::test]
async fn a_proxy_that_passes_no_upgrade_on_is_told_from_a_dead_server() {
    let (nginx, _server) = proxied().await;
    let cli = Cli::for_url(&nginx.url(Door::WithoutUpgrade));
    let parts = [
        "polling works, the WebSocket does not",
        "proxy_set_header Upgrade",
    ];
    check(&cli.run(&TAIL).await, 3, &parts);
    let polling = [&TAIL[..], &["--transport", "polling"]].concat();
    check(&cli.run(&polling).await, 0, &["connected by polling"]);
}

#[tokio::test]
async fn every_way_to_lose_a_websocket_is_told_from_a_dead_server() {
    let server = Server::start().await;
    for fault in [
        WebSocketFault::Refused,
        WebSocketFault::Stripped,
        WebSocketFault::Reset,
    ] {
        let middlebox = Middlebox::before(&server, fault).await;
        let cli = Cli::for_url(&middlebox.url());
        let output = cli.run(&TAIL).await;
        check(&output, 3, &["polling works, the WebSocket does not"]);
    }
    let vain = Middlebox::before(&server, WebSocketFault::ClosedAfterAnswer).await;
    let output = Cli::for_url(&vain.url()).run(&TAIL).await;
    check(&output, 3, &["opened (101), and then cut", "frames"]);
}

#[tokio::test]
async fn the_matrix_says_what_the_proxy_lacks() {
    let (nginx, _server) = proxied().await;
    let cli = Cli::for_url(&nginx.url(Door::WithoutUpgrade));
    let parts = [
        "polling works, the WebSocket does not",
        "proxy_set_header Upgrade",
    ];
    check(&cli.run(&["matrix"]).await, 3, &parts);
}

#[tokio::test]
async fn an_upgrade_that_fails_is_told() {
    let (nginx, _server) = proxied().await;
    let args = [&TAIL[..], &["--transport", "upgrade"]].concat();
    let cli = Cli::for_url(&nginx.url(Door::WithoutUpgrade));
    let parts = [
        "connected by polling",
        "the upgrade to WebSocket failed",
        "  proxy_http_version 1.1;\n  proxy_set_header Upgrade $http_upgrade;",
    ];
    check(&cli.run(&args).await, 0, &parts);
}

#[tokio::test]
async fn tls_at_a_plain_port_names_the_right_address() {
    let server = Server::start().await;
    let cli = Cli::for_url(&server.url().replace("http:", "https:"));
    let right = format!("use {}", server.url());
    check_both(&cli, 3, &["speaks plain HTTP", &right]).await;
}

#[tokio::test]
async fn no_header_goes_in_clear_text_to_an_address_of_tls() {
    let stub = Stub::answering(&["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]).await;
    let cli = Cli::for_url(&stub.url().replace("http:", "https:"));
    for args in [
        &["sessions", "--header", "X-Secret: hush"][..],
        &["api", "GET", "/livez", "--header", "Cookie: hush"],
        &[&TAIL[..], &["--header", "X-Secret: hush"]].concat(),
        &[
            &TAIL[..],
            &["--transport", "polling", "--header", "Cookie: hush"],
        ]
        .concat(),
        &[
            &TAIL[..],
            &["--auth", "payload", "--header", "Authorization: Basic hush"],
        ]
        .concat(),
        &["doctor", "--header", "X-Secret: hush"],
    ] {
        let output = cli.run(args).await;
        check(&output, 3, &[]);
    }
    let heads = stub.heads.so_far();
    assert!(
        heads.iter().any(|head| head.starts_with("GET / ")),
        "{heads:?}"
    );
    assert!(!heads.iter().any(|head| head.contains("hush")), "{heads:?}");
}

#[tokio::test]
async fn plain_http_at_a_tls_port_names_the_right_address() {
    let (nginx, _server) = proxied().await;
    let cli = Cli::for_url(&nginx.url(Door::Tls).replace("https:", "http:"));
    let right = format!("use {}", nginx.url(Door::Tls));
    check_both(&cli, 3, &["expects TLS", &right]).await;
}

#[tokio::test]
async fn pages_of_a_proxy_are_one_line_with_their_meaning() {
    let (nginx, _server) = proxied().await;
    for (door, parts) in [
        (
            Door::Down,
            [
                "nginx answered 502 Bad Gateway",
                "cannot reach the server behind it",
            ],
        ),
        (
            Door::Unknown,
            [
                "nginx answered 404 Not Found",
                "no METAIA server at this address",
            ],
        ),
    ] {
        let cli = Cli::for_url(&nginx.url(door));
        for args in [&TAIL[..], &EMIT] {
            let output = cli.run(args).await;
            check(&output, 3, &parts);
            assert!(!output.output().contains('<'), "{output:#?}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_names_its_target() {
    let (nginx, _server) = proxied().await;
    let target = format!("--url {}", nginx.url(Door::Tls));
    let cli = Cli::for_url(&nginx.url(Door::Redirect));
    check_both(
        &cli,
        3,
        &["301 Moved Permanently", "it redirects to https://", &target],
    )
    .await;
}

#[tokio::test]
async fn a_proxy_that_takes_the_header_is_seen_with_the_token_in_the_header_alone() {
    let (nginx, _server) = proxied().await;
    let cli = Cli::for_url(&nginx.url(Door::WithoutAuthorization));
    for (place, code) in [("header", 4), ("payload", 0), ("both", 0)] {
        let args = [&TAIL[..], &["--auth", place]].concat();
        cli.run(&args).await.expect_code(code);
    }
    let by_header = [&TAIL[..], &["--auth", "header"]].concat();
    for args in [&by_header[..], &EMIT] {
        let output = cli.run(args).await;
        check(
            &output,
            4,
            &["drops the Authorization header", "--auth payload"],
        );
    }
}

#[tokio::test]
async fn a_proxy_with_credentials_of_its_own_gets_them_beside_the_token() {
    let (nginx, _server) = proxied().await;
    let cli = Cli::for_url(&nginx.url(Door::Guarded));
    let payload = ["--auth", "payload"];
    let header = ["--header", "Authorization: Basic dTpw"];
    check(
        &cli.run(&TAIL).await,
        4,
        &["credentials of its own", "--auth payload"],
    );
    check(
        &cli.run(&EMIT).await,
        4,
        &["credentials of its own", "METAIA_API_KEY"],
    );
    let replaced = cli.run(&[&TAIL[..], &header].concat()).await;
    check(&replaced, 2, &["--header Authorization", "--auth payload"]);
    let replaced = cli.run(&[&EMIT[..], &header].concat()).await;
    check(&replaced, 2, &["--header Authorization", "METAIA_API_KEY"]);
    let tail = [&TAIL[..], &payload, &header].concat();
    check(&cli.run(&tail).await, 0, &[]);
    let by_key = cli.env("METAIA_API_KEY", metaia_tests::server::API_KEY);
    let emit = [&EMIT[..], &header].concat();
    check(&by_key.run(&emit).await, 0, &[]);
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_by_its_file_or_not_checked() {
    let (nginx, _server) = proxied().await;
    let cli = Cli::for_url(&nginx.url(Door::Tls));
    check_both(&cli, 3, &["self-signed", "--cacert", "--insecure"]).await;
    let file = package_path("fixtures/tls/self-signed.pem");
    let file = file.to_str().expect("UTF-8");
    for trust in [&["--cacert", file][..], &["--insecure"]] {
        for args in [&TAIL[..], &EMIT] {
            let args = [args, trust].concat();
            cli.run(&args).await.expect_code(0);
        }
    }
    let other = [&TAIL[..], &["--cacert", "no-such.pem"]].concat();
    check(&cli.run(&other).await, 2, &["no-such.pem"]);
}

/// The certificate is for 127.0.0.1 and localhost.
#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted() {
    let (nginx, _server) = proxied().await;
    let cli = Cli::for_url(&format!("https://127.0.0.2:{}", nginx.port(Door::Tls)));
    let file = package_path("fixtures/tls/self-signed.pem");
    let args = [&TAIL[..], &["--cacert", file.to_str().expect("UTF-8")]].concat();
    let output = cli.run(&args).await;
    assert_eq!(output.code, Some(3), "{output:#?}");
}
