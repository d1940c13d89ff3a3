//! Servers that are not METAIA's, or not the one whose credentials are at hand.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::stub::Stub;
use metaia_tests::fixtures::token::token;
use metaia_tests::server::journal::Journal;
use metaia_tests::server::{Listening, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::examine;

/// A server's address where everything that is sent to it is recorded. Dropping it ends it.
struct Recorder {
    url: String,
    sent: Journal<Vec<u8>>,
    _task: JoinSet<()>,
}

impl Recorder {
    async fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sent = Journal::default();
        let mut task = JoinSet::new();
        task.spawn(record(listener, server.port(), sent.clone()));
        Self {
            url,
            sent,
            _task: task,
        }
    }
}

async fn record(listener: TcpListener, port: u16, sent: Journal<Vec<u8>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        connections.spawn(pass(client, server, sent.clone()));
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, sent: Journal<Vec<u8>>) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let requests = async {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
            sent.push(bytes[..count].to_vec());
            to_server.write_all(&bytes[..count]).await.ok();
        }
    };
    tokio::select! {
        () = requests => {}
        _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
    }
}

/// Returns the tokens in the requests' headers, each once.
fn tokens(sent: &str) -> Vec<&str> {
    let words = sent.split(|c: char| c.is_whitespace() || c == '"');
    let mut tokens: Vec<&str> = words.filter(|word| word.starts_with("eyJ")).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

#[tokio::test]
async fn a_server_whose_token_is_supplied_gets_no_other_credentials() {
    let server = Server::start().await;
    let recorder = Recorder::before(&server).await;
    let supplied = token("customer", "c1");
    for stranger in ["a-secret-of-another-server-at-hand", ""] {
        let cli = Cli::for_url(&recorder.url)
            .secret(stranger)
            .env("METAIA_API_KEY", "key-of-another-server");
        // The places in which a token may be supplied.
        let examined = examine(&cli, &["--token", &supplied]).await.good();
        examined.found(
            "doctor.delivery",
            "no own event: the token may not send one",
        );
        let cli = cli.env("METAIA_TOKEN", &supplied);
        let examined = examine(&cli, &[]).await.good();
        examined.found(
            "doctor.delivery",
            "no own event: the token may not send one",
        );
    }
    let sent: Vec<u8> = recorder.sent.so_far().concat();
    let sent = String::from_utf8_lossy(&sent);
    assert_eq!(tokens(&sent), [&supplied], "{sent}");
    assert!(!sent.contains("key-of-another-server"), "{sent}");
    assert!(!sent.contains("x-api-key"), "{sent}");
}

/// An answer is one when its end has come.
#[tokio::test]
async fn a_body_that_does_not_end_is_named_in_time() {
    for beginning in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"status\":\"alive\"}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    ] {
        let stub = Stub::stalling(beginning).await;
        let cli = Cli::for_url(&stub.url()).secret("a-secret-that-is-at-hand");
        let words = ["it answered 200", "body", "did not end within 2 s", "proxy"];
        examine(&cli, &[]).await.check(7, "doctor.server", &words);
    }
    let beginning = "HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nwait";
    let stub = Stub::stalling(beginning).await;
    let cli = Cli::for_url(&stub.url());
    let words = ["it answered 503", "did not end"];
    examine(&cli, &[]).await.check(7, "doctor.server", &words);
}
