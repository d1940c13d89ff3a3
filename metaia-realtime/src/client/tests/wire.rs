//! The packets that the client sends, to servers that read every one.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use axum::{Router, extract::RawQuery, routing::get};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::task::TaskTracker;

use super::{
    invalid_servers::{Socket, accepts, open, scripted, send},
    *,
};
use crate::client::SendError;

/// Reads the next packet that is no pong.
async fn packet(socket: &mut Socket) -> String {
    loop {
        let message = socket.next().await.unwrap().unwrap();
        let text = message.to_text().unwrap();
        if text != "3" {
            return text.to_owned();
        }
    }
}

/// Starts a server that sends every event back, as the data of an event `wire`.
async fn mirror() -> ClientBuilder {
    scripted(|socket| async move {
        let mut socket = accepts(socket).await;
        loop {
            let seen = packet(&mut socket).await;
            if seen == "41" {
                return socket;
            }
            send(&mut socket, &[&format!(r#"42["wire",{}]"#, json!(seen))]).await;
        }
    })
    .await
}

#[tokio::test]
async fn events_have_any_number_of_arguments() {
    let (client, mut updates) = mirror().await.connect().await.unwrap();
    client.emit_args("none", ()).await.unwrap();
    assert_eq!(event(&mut updates, "wire").await, r#"42["none"]"#);
    client.emit_args("one", [json!(null)]).await.unwrap();
    assert_eq!(event(&mut updates, "wire").await, r#"42["one",null]"#);
    client.emit_args("some", (1, "a", [2])).await.unwrap();
    assert_eq!(event(&mut updates, "wire").await, r#"42["some",1,"a",[2]]"#);
    assert_eq!(client.emit_args("no", 1).await, Err(SendError::NotAList));
    client.emit("tuple", (1, 2)).await.unwrap();
    assert_eq!(event(&mut updates, "wire").await, r#"42["tuple",[1,2]]"#);
    within("the end", client.close()).await;
}

#[tokio::test]
async fn acknowledgements_have_any_number_of_arguments() {
    let server = scripted(|socket| async move {
        let mut socket = accepts(socket).await;
        for id in 0..3 {
            send(&mut socket, &[&format!(r#"42{id}["question"]"#)]).await;
            let seen = packet(&mut socket).await;
            send(&mut socket, &[&format!(r#"42["wire",{}]"#, json!(seen))]).await;
        }
        socket
    });
    let (_client, mut updates) = server.await.connect().await.unwrap();
    let mut seen = Vec::new();
    for n in 0..3 {
        let question = within("the question", updates.next_event()).await.unwrap();
        let responder = question.ack.unwrap();
        let sent = match n {
            0 => responder.respond_args(()).await,
            1 => responder.respond_args((1, "a")).await,
            _ => responder.respond((1, "a")).await,
        };
        sent.unwrap();
        seen.push(event(&mut updates, "wire").await);
    }
    assert_eq!(seen, ["430[]", r#"431[1,"a"]"#, r#"432[[1,"a"]]"#]);
}

/// Starts a server that answers two events with one binary acknowledgement each.
async fn binary_answers() -> ClientBuilder {
    scripted(|socket| async move {
        let mut socket = accepts(socket).await;
        for id in [0, 1] {
            packet(&mut socket).await;
            let placeholder = r#"{"_placeholder":true,"num":0}"#;
            send(&mut socket, &[&format!(r#"461-{id}["ok",{placeholder}]"#)]).await;
            let jpeg = Message::binary(b"jpeg".as_slice());
            socket.send(jpeg).await.unwrap();
        }
        socket
    })
    .await
}

#[tokio::test]
async fn a_binary_acknowledgement_keeps_its_attachments() {
    let (client, _updates) = binary_answers().await.connect().await.unwrap();
    let answer = client.emit_args_with_ack("photo", ("p1", 2), TIMEOUT).await;
    let answer = answer.unwrap();
    let placeholder = json!({"_placeholder": true, "num": 0});
    assert_eq!(answer.args, [json!("ok"), placeholder]);
    assert_eq!(answer.attachments, [Bytes::from_static(b"jpeg")]);
    let answer = client.emit_with_ack("photo", "p1", TIMEOUT).await;
    assert_eq!(answer, Err(SendError::BinaryAck));
}

#[tokio::test]
async fn closing_over_polling_is_a_disconnect_and_then_a_close() {
    let posts = Arc::<Mutex<Vec<String>>>::default();
    let url = polling_server(Arc::clone(&posts)).await;
    let builder = Client::builder(url).transport(Transport::Polling);
    let (client, _updates) = builder.connect().await.unwrap();
    within("the end", client.close()).await;
    assert_eq!(*posts.lock().unwrap(), ["40", "41", "1"]);
}

/// Starts a polling server that records the bodies of the POST requests. After the answer to the
/// CONNECT it answers no poll.
async fn polling_server(posts: Arc<Mutex<Vec<String>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let polls = Arc::<AtomicU64>::default();
    let poll = move |RawQuery(query): RawQuery| {
        let is_first = !query.unwrap_or_default().contains("sid=");
        answer_poll(is_first, Arc::clone(&polls))
    };
    let post = move |body: String| {
        posts.lock().unwrap().push(body);
        std::future::ready("ok")
    };
    let app = Router::new().route("/socket.io/", get(poll).post(post));
    TaskTracker::new().spawn(axum::serve(listener, app).into_future());
    url
}

async fn answer_poll(is_first: bool, polls: Arc<AtomicU64>) -> String {
    if is_first {
        return open(10_000);
    }
    if polls.fetch_add(1, Ordering::Relaxed) > 0 {
        std::future::pending::<()>().await;
    }
    "40".to_owned()
}
