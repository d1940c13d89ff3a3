//! Dropping the handles of a system ends nothing: its layer serves on, handlers included.

use axum::Router;
use metaia_realtime::{
    EventContext, HandlerError, Realtime,
    client::Client,
    serve::{GuardedListener, PeerAddr},
};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::support::{Anyone, SOON, event};

#[tokio::test]
async fn a_handler_answers_and_publishes_after_the_embedder_has_dropped_its_handle() {
    let realtime = Realtime::builder()
        .authenticator(Anyone)
        .on("echo", |from: EventContext, text: String| async move {
            let user = from.identity.user;
            let sent = from
                .realtime
                .send_to_user(&user, ("echoed", json!({ "text": text })));
            sent.await.map_err(|_| HandlerError::new("unavailable"))?;
            Ok(text)
        })
        .build()
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let listener = GuardedListener::new(listener, &realtime);
    let app = Router::new().layer(realtime.layer());
    drop(realtime);
    let serving = axum::serve(
        listener,
        app.into_make_service_with_connect_info::<PeerAddr>(),
    );
    TaskTracker::new().spawn(serving.into_future());

    let (client, mut updates) = Client::builder(url).token("any").connect().await.unwrap();
    let answer = client
        .emit_with_ack("echo", json!("hello"), SOON)
        .await
        .unwrap();
    assert_eq!(answer, json!("hello"));
    assert_eq!(event(&mut updates, "echoed").await.data["text"], "hello");
}
