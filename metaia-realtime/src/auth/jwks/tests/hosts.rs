//! Hosts over HTTP and files, good and bad.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::{claims, verdict};
use crate::{
    JwtAuthenticator,
    auth::jwks::{
        JwksError, JwksSource,
        testing::{TestKey, document},
    },
};

/// A listener that answers each connection in its own way.
struct Listener {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

type Answer = dyn Fn(TcpStream) -> BoxFuture<'static, ()> + Send + Sync;

impl Listener {
    async fn start(answer: Box<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let task = TaskTracker::new().spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, SeqCst);
                if read_head(&mut stream).await.is_ok() {
                    answer(stream).await;
                }
            }
        });
        Self {
            address,
            asked,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Starts a listener that writes this response.
    async fn writing(response: impl Into<Vec<u8>>) -> Self {
        let response = response.into();
        Self::start(Box::new(move |mut stream| {
            let response = response.clone();
            Box::pin(async move {
                let _ = stream.write_all(&response).await;
                let _ = stream.shutdown().await;
            })
        }))
        .await
    }

    fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    async fn error(&self) -> String {
        let source = JwksSource::url(&self.url()).unwrap();
        let error = JwtAuthenticator::jwks(source).wait_for_keys().await;
        error.unwrap_err().1.to_string()
    }
}

/// Reads up to the end of a head.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(())
}

fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

#[tokio::test]
async fn keys_are_fetched_from_a_host() {
    let key = TestKey::rsa();
    let listener = Listener::writing(response("200 OK", "", &document(&[key.jwk("k")]))).await;
    let authenticator = JwtAuthenticator::jwks(JwksSource::url(&listener.url()).unwrap());
    assert_eq!(
        verdict(&authenticator, &key.token("k", &claims())).await,
        "ok"
    );
    assert_eq!(listener.asked(), 1);
}

#[tokio::test]
async fn a_bad_answer_is_an_error_that_says_why() {
    for (answer, expected) in [
        (
            response("404 Not Found", "", ""),
            "the host answered with the status 404",
        ),
        (
            response("500 Oops", "", ""),
            "the host answered with the status 500",
        ),
        (
            response("204 No Content", "", ""),
            "the host answered with the status 204",
        ),
        (
            response("200 OK", "", "<html>"),
            "the document is not used: it is not a JSON Web Key",
        ),
        (
            response("200 OK", "", "{\"keys\":[]}"),
            "the document is not used: it has no key",
        ),
        ("nonsense\r\n\r\n".to_owned(), "the host cannot be reached"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"keys\"".to_owned(),
            "the host cannot be reached",
        ),
    ] {
        let error = Listener::writing(answer.clone()).await.error().await;
        assert!(error.starts_with(expected), "{answer}: {error}");
    }
}

#[tokio::test]
async fn a_long_document_is_not_read_to_its_end() {
    let body = " ".repeat(10 * 1024 * 1024);
    let listener = Listener::writing(response("200 OK", "", &body)).await;
    assert_eq!(listener.error().await, "the document has more than 1 MiB");
}

#[tokio::test]
async fn an_endless_document_is_not_read_to_its_end() {
    let listener = Listener::start(Box::new(|mut stream| {
        Box::pin(async move {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            let chunk = format!("1000\r\n{}\r\n", " ".repeat(4_096));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        })
    }))
    .await;
    assert_eq!(listener.error().await, "the document has more than 1 MiB");
}

/// Every byte comes in time, and the whole never does.
#[tokio::test]
async fn a_dripping_host_has_5_s_for_the_whole_answer() {
    let listener = Listener::start(Box::new(|mut stream| {
        Box::pin(async move {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            let mut drips = tokio::time::interval(Duration::from_millis(200));
            while stream.write_all(b"1\r\n \r\n").await.is_ok() {
                drips.tick().await;
            }
        })
    }))
    .await;
    assert_eq!(listener.error().await, "no whole answer within 5 s");
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_host_only() {
    let key = TestKey::ec();
    let keys = response("200 OK", "", &document(&[key.jwk("k")]));
    let elsewhere = Listener::writing(keys.clone()).await;
    let to = format!("location: {}\r\n", elsewhere.url());
    let listener = Listener::writing(response("302 Found", &to, "")).await;
    assert_eq!(
        listener.error().await,
        "the host answered with the status 302"
    );
    assert_eq!(elsewhere.asked(), 0);

    let first = AtomicUsize::new(0);
    let listener = Listener::start(Box::new(move |mut stream| {
        let answer = match first.fetch_add(1, SeqCst) {
            0 => response("302 Found", "location: /other\r\nconnection: close\r\n", ""),
            _ => keys.clone(),
        };
        Box::pin(async move {
            let _ = stream.write_all(answer.as_bytes()).await;
        })
    }))
    .await;
    let authenticator = JwtAuthenticator::jwks(JwksSource::url(&listener.url()).unwrap());
    assert_eq!(
        verdict(&authenticator, &key.token("k", &claims())).await,
        "ok"
    );
}

/// The header of a token names a listener that would answer with the attacker's key.
#[tokio::test]
async fn the_addresses_in_a_header_are_never_asked() {
    let [ours, theirs] = [TestKey::rsa(), TestKey::other_rsa()];
    let trap = Listener::writing(response("200 OK", "", &document(&[theirs.jwk("k")]))).await;
    let host = Listener::writing(response("200 OK", "", &document(&[ours.jwk("k")]))).await;
    let source = JwksSource::url(&host.url())
        .unwrap()
        .ask_every(Duration::ZERO);
    let authenticator = JwtAuthenticator::jwks(source);
    for member in ["jku", "x5u", "iss", "kid"] {
        for id in ["k", "unknown"] {
            let mut header = json!({ "alg": "RS256", "kid": id });
            header[member] = json!(trap.url());
            let mut claims = claims();
            claims["iss"] = json!(trap.url());
            let token = theirs.sign(&header, &claims);
            assert_eq!(
                verdict(&authenticator, &token).await,
                "unauthorized",
                "{member}"
            );
        }
    }
    assert_eq!(trap.asked(), 0);
    assert!(host.asked() > 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_again_when_it_has_changed() {
    let folder = std::env::temp_dir().join(format!("metaia-jwks-{}", uuid::Uuid::new_v4()));
    fs::create_dir(&folder).unwrap();
    let path = folder.join("keys.json");
    let [old, new] = [TestKey::rsa(), TestKey::ed()];
    fs::write(&path, document(&[old.jwk("old")])).unwrap();
    let authenticator = JwtAuthenticator::jwks(JwksSource::file(&path).unwrap());
    let [of_old, of_new] = [old.token("old", &claims()), new.token("new", &claims())];
    assert!(authenticator.verify(&of_old).is_ok());

    fs::write(&path, document(&[new.jwk("new")])).unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(verdict(&authenticator, &of_new).await, "ok");
    assert_eq!(verdict(&authenticator, &of_old).await, "unauthorized");

    fs::remove_file(&path).unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(verdict(&authenticator, &of_new).await, "ok");
    fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_trusted_any_more_is_not_read_again() {
    let folder = std::env::temp_dir().join(format!("metaia-jwks-{}", uuid::Uuid::new_v4()));
    fs::create_dir(&folder).unwrap();
    let path = folder.join("keys.json");
    let [old, new] = [TestKey::rsa(), TestKey::ed()];
    fs::write(&path, document(&[old.jwk("old")])).unwrap();
    let is_trusted = Arc::new(AtomicBool::new(true));
    let check = {
        let is_trusted = Arc::clone(&is_trusted);
        move |_: &Path| is_trusted.load(Relaxed).then_some(()).ok_or("others")
    };
    let source = JwksSource::file_if(&path, check).unwrap();
    let authenticator = JwtAuthenticator::jwks(source);
    let [of_old, of_new] = [old.token("old", &claims()), new.token("new", &claims())];

    is_trusted.store(false, Relaxed);
    let both = [old.jwk("old"), new.jwk("new"), new.jwk("longer")];
    fs::write(&path, document(&both)).unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(verdict(&authenticator, &of_old).await, "ok");
    assert_eq!(verdict(&authenticator, &of_new).await, "unavailable");

    is_trusted.store(true, Relaxed);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(verdict(&authenticator, &of_new).await, "ok");
    let refused = JwksSource::file_if(&path, |_| Err("others"));
    assert!(matches!(refused, Err(JwksError::Untrusted(_))));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_at_once() {
    let folder = std::env::temp_dir().join(format!("metaia-jwks-{}", uuid::Uuid::new_v4()));
    fs::create_dir(&folder).unwrap();
    let path = folder.join("keys.json");
    assert!(matches!(JwksSource::file(&path), Err(JwksError::File(_))));
    assert!(matches!(JwksSource::file(&folder), Err(JwksError::File(_))));
    assert!(matches!(
        JwksSource::file("/dev/zero"),
        Err(JwksError::File(_))
    ));
    fs::write(&path, "{}").unwrap();
    assert!(matches!(
        JwksSource::file(&path),
        Err(JwksError::Document(_))
    ));
    fs::write(&path, " ".repeat(2 * 1024 * 1024)).unwrap();
    assert!(matches!(JwksSource::file(&path), Err(JwksError::TooLong)));
    fs::remove_dir_all(&folder).unwrap();
}
