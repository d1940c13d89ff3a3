//! The end of a connection while something of its session goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use metaia_realtime::{
    EventContext, HandlerError,
    client::Transport,
    testing::{TestServer, eventually},
};
use tokio::sync::Semaphore;

use crate::support::{
    on_each_websocket,
    raw_frames::{RawFrames, TEXT, client_frame},
};

on_each_websocket! {
    #[tokio::test]
    a_handler_that_goes_on_does_not_keep_the_connection_open,
    a_panic_ends_the_connection_with_a_close_frame,
}

/// Starts a server whose handler of `save` waits for the gate.
async fn server(gate: &Arc<Semaphore>, has_begun: &Arc<AtomicBool>) -> TestServer {
    let gate = Arc::clone(gate);
    let has_begun = Arc::clone(has_begun);
    TestServer::start(|builder| {
        builder.on("save", move |_: EventContext, _: u64| {
            let gate = Arc::clone(&gate);
            has_begun.store(true, Ordering::SeqCst);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok::<_, HandlerError>(())
            }
        })
    })
    .await
}

async fn a_handler_that_goes_on_does_not_keep_the_connection_open(transport: Transport) {
    let gate = Arc::new(Semaphore::new(0));
    let has_begun = Arc::default();
    let server = server(&gate, &has_begun).await;
    let mut frames = RawFrames::connect_over(&server, transport).await;
    frames.send(&client_frame(TEXT, br#"42["save",1]"#)).await;
    eventually("the handler to begin", || has_begun.load(Ordering::SeqCst)).await;
    server
        .realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    while frames.next().await.is_some() {}
    gate.add_permits(1);
}

async fn a_panic_ends_the_connection_with_a_close_frame(transport: Transport) {
    let server = TestServer::start(|builder| {
        builder.on("boom", |_: EventContext, boom: bool| async move {
            assert!(!boom, "the test makes the handler panic");
            Ok::<_, HandlerError>(boom)
        })
    })
    .await;
    let mut frames = RawFrames::connect_over(&server, transport).await;
    frames
        .send(&client_frame(TEXT, br#"42["boom",true]"#))
        .await;
    assert_eq!(
        frames.text().await,
        r#"42["rt:end",{"code":"unavailable"}]"#
    );
    assert_eq!(frames.close_payload().await, b"");
}
