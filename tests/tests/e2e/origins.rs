//! Browser origins: one list for REST, polling and the WebSocket handshake.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::{HANDSHAKE, Polling};
use metaia_tests::fixtures::token::token;
use metaia_tests::server::{Listening as _, Server, Setup};

const ALLOWED: &str = "https://app.metaia.example";

/// Origins that resemble an allowed one.
const FOREIGN: [&str; 9] = [
    "https://evil.example",
    "https://app.metaia.example.evil.example",
    "https://evil-app.metaia.example",
    "https://metaia.example",
    "http://app.metaia.example",
    "https://app.metaia.example:8443",
    "https://app.metaia.example.",
    "https://app.metaia.example/",
    "null",
];

async fn strict() -> Server {
    Setup::new()
        .env(
            "CORS_ORIGINS",
            &format!("{ALLOWED},https://admin.metaia.example"),
        )
        .start()
        .await
}

#[tokio::test]
async fn allowed_origins_are_served_everywhere() {
    let server = strict().await;
    for origin in [ALLOWED, "https://admin.metaia.example"] {
        let browser = server.admin().header("origin", origin);
        for path in ["/api/orders", HANDSHAKE] {
            let answer = browser.get(path).await;
            answer.ok(200);
            assert_eq!(
                answer.header("access-control-allow-origin"),
                origin,
                "{path}: {answer:#?}"
            );
            assert!(
                answer.header("vary").to_lowercase().contains("origin"),
                "{path}: {answer:#?}"
            );
        }
        Phone::open_with(&server, &[("origin", origin)])
            .await
            .expect("a handshake");
    }
}

#[tokio::test]
async fn foreign_origins_receive_no_permission_and_no_session() {
    let server = strict().await;
    for origin in FOREIGN {
        let browser = server.admin().header("origin", origin);
        let answer = browser.get("/api/orders").await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "",
            "REST for {origin}: {answer:#?}"
        );
        let polling = browser.get(HANDSHAKE).await;
        assert_eq!(polling.status, 403, "polling for {origin}: {polling:#?}");
        assert_eq!(
            polling.header("content-type"),
            "application/problem+json",
            "{polling:#?}"
        );
        let refusal = Phone::open_with(&server, &[("origin", origin)])
            .await
            .expect_err(origin);
        assert_eq!(refusal.status, 403, "{origin}");
        assert_eq!(
            refusal.content_type.as_deref(),
            Some("application/problem+json"),
            "{origin}"
        );
    }
}

#[tokio::test]
async fn listed_origins_may_be_written_in_several_ways() {
    let server = Setup::new()
        .env("CORS_ORIGINS", "https://App.metaia.example:443/")
        .start()
        .await;
    for origin in [
        ALLOWED,
        "https://app.metaia.example:443",
        "wss://APP.metaia.example",
    ] {
        check(&server, &[("origin", origin)], 200).await;
    }
}

/// Checks the status of both handshakes with these headers.
async fn check(server: &Server, headers: &[(&'static str, &str)], expected: u16) {
    let start = server.anonymous();
    let client = headers
        .iter()
        .fold(start, |client, (name, value)| client.header(name, value));
    let polling = client.get(HANDSHAKE).await;
    assert_eq!(
        polling.status, expected,
        "polling, {headers:?}: {polling:#?}"
    );
    let websocket = Phone::open_with(server, headers).await;
    let status = websocket.map_or_else(|refusal| refusal.status, |_| 200);
    assert_eq!(status, expected, "WebSocket, {headers:?}");
}

/// Python's WebSocket, Swift and React Native send it.
#[tokio::test]
async fn the_servers_own_origin_is_served() {
    let server = strict().await;
    let own = server.url();
    check(&server, &[("origin", &own)], 200).await;
    check(&server, &[("origin", &own.replace("http", "ws"))], 200).await;
    for foreign in [
        own.replace("http", "https"),
        own.replace("127.0.0.1", "localhost"),
        "http://127.0.0.1".to_owned(),
        format!("{own}/"),
        "null".to_owned(),
    ] {
        check(&server, &[("origin", &foreign)], 403).await;
    }
    let host = ("host", "API.metaia.example");
    for origin in ["http://api.metaia.example", "ws://api.metaia.example:80"] {
        check(&server, &[host, ("origin", origin)], 200).await;
    }
    check(
        &server,
        &[host, ("origin", "https://api.metaia.example")],
        403,
    )
    .await;
}

#[tokio::test]
async fn only_a_trusted_proxy_says_how_the_server_was_addressed() {
    let origin = ("origin", "https://api.metaia.example");
    let host = ("host", "node-1:5000");
    let outer = ("x-forwarded-host", "api.metaia.example");
    let https = ("x-forwarded-proto", "https");
    let from_proxy = [origin, host, outer, https];
    let behind = |proxies: &'static str| Setup::new().env("METAIA_TRUSTED_PROXIES", proxies);
    let listed = |setup: Setup| setup.env("CORS_ORIGINS", ALLOWED).start();

    let server = listed(behind("10.0.0.0/8,127.0.0.0/8")).await;
    check(&server, &from_proxy, 200).await;
    check(
        &server,
        &[origin, ("host", "api.metaia.example"), https],
        200,
    )
    .await;
    check(&server, &[origin, host, outer], 403).await;
    check(&server, &[origin, host, https], 403).await;
    check(
        &server,
        &[("origin", "https://evil.example"), host, outer, https],
        403,
    )
    .await;

    let server = listed(behind("10.0.0.0/8, ::1")).await;
    check(&server, &from_proxy, 403).await;
    check(&strict().await, &from_proxy, 403).await;
}

/// A page of another origin could make a browser send the server's cookies. There are none: this is
/// why the server's own origin may pass.
#[tokio::test]
async fn no_answer_depends_on_cookies() {
    let server = strict().await;
    let token = token("admin", "a1");
    let cookies = format!(
        "token={token}; jwt={token}; access_token={token}; Authorization=Bearer {token}; io=x"
    );
    for client in [server.anonymous(), server.admin()] {
        let client = client.header("x-request-id", "r1");
        for path in [
            "/api/orders",
            "/api/notifications",
            "/api/nothing",
            "/openapi.json",
        ] {
            let without = client.get(path).await;
            let with = client.header("cookie", &cookies).get(path).await;
            assert_eq!(
                (with.status, &with.text),
                (without.status, &without.text),
                "{path}"
            );
            assert_eq!(with.header("set-cookie"), "", "{path}");
        }
    }
    let polling = Polling::open(&server.anonymous().header("cookie", &cookies)).await;
    polling.send("40").await.ok(200);
    let mut refused = polling.receive().await;
    if refused.text == "2" {
        // The ping came first.
        refused = polling.receive().await;
    }
    assert!(
        refused.text.contains("44{\"message\":\"unauthorized\""),
        "{refused:#?}"
    );
    assert_eq!(refused.header("set-cookie"), "");
    let handshake = server.anonymous().get(HANDSHAKE).await;
    assert_eq!(handshake.header("set-cookie"), "");
}

#[tokio::test]
async fn clients_without_an_origin_are_served() {
    let server = strict().await;
    server.admin().get("/api/orders").await.ok(200);
    server.anonymous().get(HANDSHAKE).await.ok(200);
    Phone::open_with(&server, &[]).await.expect("a handshake");
}

#[tokio::test]
async fn a_preflight_names_methods_and_headers() {
    let server = strict().await;
    for path in ["/api/orders", "/socket.io/?EIO=4&transport=polling"] {
        let browser = server
            .anonymous()
            .header("origin", ALLOWED)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            );
        let answer = browser.send("OPTIONS", path, None).await;
        answer.ok(200);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            ALLOWED,
            "{path}: {answer:#?}"
        );
        assert!(
            answer
                .header("access-control-allow-methods")
                .contains("POST"),
            "{path}: {answer:#?}"
        );
        let headers = answer.header("access-control-allow-headers").to_lowercase();
        assert!(headers.contains("authorization"), "{path}: {answer:#?}");
    }
}

#[tokio::test]
async fn development_serves_any_origin() {
    let server = Server::start().await;
    let browser = server.admin().header("origin", "http://localhost:3000");
    for path in ["/api/orders", HANDSHAKE] {
        let answer = browser.get(path).await;
        answer.ok(200);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    Phone::open_with(&server, &[("origin", "http://localhost:3000")])
        .await
        .expect("a handshake");
}
