//! Browser origins: one list for REST, polling and the WebSocket handshake.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::HANDSHAKE;
use metaia_tests::server::{Server, Setup};

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
