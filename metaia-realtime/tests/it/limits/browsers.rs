//! The headers that browsers ask for, and those that keep answers out of caches.

use metaia_realtime::testing::TestServer;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;

use super::server_with;
use crate::support::raw_socket::{HttpResponse, http, open_polling};

const LISTED: &str = "Origin: https://app.example\r\n";
const FOREIGN: &str = "Origin: https://evil.example\r\n";

async fn strict() -> TestServer {
    TestServer::start(|builder| builder.allowed_origins(["https://app.example"])).await
}

/// Asks before a poll with these headers, as a browser does.
async fn preflight(server: &TestServer, origin: &str, asked: &str) -> HttpResponse {
    let headers = format!(
        "{origin}Access-Control-Request-Method: GET\r\n\
         Access-Control-Request-Headers: {asked}\r\n"
    );
    let request = "OPTIONS /socket.io/?EIO=4&transport=polling";
    http(server, request, &headers, "").await
}

#[tokio::test]
async fn a_preflight_allows_the_headers_that_are_asked_for() {
    let any = server_with(|_| {}).await;
    let strict = strict().await;
    for asked in ["authorization", "x-app-version,authorization,x-b"] {
        for (server, has_credentials) in [(&any, false), (&strict, true)] {
            let answer = preflight(server, LISTED, asked).await;
            assert_eq!(answer.status, 200);
            let allowed = format!("access-control-allow-headers: {asked}\r\n");
            assert!(answer.head.contains(&allowed), "{}", answer.head);
            assert!(
                answer.head.contains("access-control-max-age: 600"),
                "{}",
                answer.head
            );
            let credentials = answer
                .head
                .contains("access-control-allow-credentials: true");
            assert_eq!(credentials, has_credentials, "{}", answer.head);
        }
    }
}

#[tokio::test]
async fn a_foreign_origin_is_granted_nothing() {
    let server = strict().await;
    let answers = [
        preflight(&server, FOREIGN, "authorization").await,
        preflight(&server, "Origin: null\r\n", "authorization").await,
        open_polling(&server, FOREIGN).await,
    ];
    for answer in answers {
        assert!(
            !answer.head.contains("access-control-allow"),
            "{}",
            answer.head
        );
        assert!(
            !answer.head.contains("access-control-expose"),
            "{}",
            answer.head
        );
    }
}

#[tokio::test]
async fn a_page_may_read_what_it_needs() {
    let server = strict().await;
    let answer = open_polling(&server, LISTED).await;
    let exposed = answer
        .head
        .lines()
        .find(|line| line.starts_with("access-control-expose"));
    for name in [
        "x-request-id",
        "x-realtime-position",
        "retry-after",
        "ratelimit",
    ] {
        assert!(
            exposed.is_some_and(|names| names.contains(name)),
            "{}",
            answer.head
        );
    }
}

#[track_caller]
fn check_not_kept(answer: &HttpResponse) {
    assert!(
        answer.head.contains("cache-control: no-store"),
        "{}",
        answer.head
    );
    assert!(
        answer.head.contains("x-content-type-options: nosniff"),
        "{}",
        answer.head
    );
}

#[tokio::test]
async fn nothing_keeps_an_answer_or_reads_it_as_another_type() {
    let server = strict().await;
    let opened = open_polling(&server, LISTED).await;
    let sid = opened.body.split('"').nth(3).unwrap().to_owned();
    let session = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    let posted = http(
        &server,
        &format!("POST {session}"),
        "",
        "40{\"token\":\"x\"}",
    )
    .await;
    let polled = http(&server, &format!("GET {session}"), "", "").await;
    let unknown = http(&server, &format!("GET {session}x"), "", "").await;
    let refused = open_polling(&server, FOREIGN).await;
    assert_eq!((posted.status, polled.status), (200, 200));
    assert_eq!((unknown.status, refused.status), (400, 403));
    for answer in [opened, posted, polled, unknown, refused] {
        check_not_kept(&answer);
    }

    let full = server_with(|limits| limits.connections = 1).await;
    let _first = TcpStream::connect(full.address()).await.unwrap();
    let refused = open_polling(&full, "").await;
    assert_eq!(refused.status, 503);
    check_not_kept(&refused);

    let address = server.address();
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let (_socket, response) = client_async(url, stream).await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
}
