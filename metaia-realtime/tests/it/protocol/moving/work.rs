//! The work of a session that goes on over its WebSocket.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use metaia_realtime::{
    EventContext, HandlerError, Role,
    testing::{TestServer, eventually},
};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{echo, server};
use crate::support::{poller::Poller, tick, user};

#[tokio::test]
async fn a_handler_that_runs_answers_over_the_websocket() {
    let gate = Arc::new(Semaphore::new(0));
    let has_begun: Arc<AtomicBool> = Arc::default();
    let server = TestServer::start(|builder| {
        let gate = Arc::clone(&gate);
        let has_begun = Arc::clone(&has_begun);
        builder.on("save", move |_: EventContext, i: u64| {
            let gate = Arc::clone(&gate);
            has_begun.store(true, Ordering::SeqCst);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok::<_, HandlerError>(i)
            }
        })
    })
    .await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let events = "421[\"save\",1]\u{1e}422[\"save\",2]";
    poller.post(&server, events).await;
    eventually("the handler to begin", || has_begun.load(Ordering::SeqCst)).await;
    let mut websocket = poller.upgrade(&server).await;
    tick(server.realtime(), user("c1"), 1).await;
    websocket.until("42[\"tick\"").await;
    gate.add_permits(2);
    assert_eq!(websocket.next().await.unwrap(), "431[1]");
    assert_eq!(websocket.next().await.unwrap(), "432[2]");
}

#[tokio::test]
async fn a_session_that_awaits_its_resume_goes_on_awaiting_it() {
    let server = server().await;
    let poller = Poller::open(&server).await;
    let token = server.token(Role::Customer, "c1");
    let auth = json!({ "token": token, "hold": true });
    let before = format!("40{auth}\u{1e}{}", echo(1));
    poller.post(&server, &before).await;
    poller.receive_until(&server, "40{").await;
    let mut websocket = poller.upgrade(&server).await;
    websocket.send(r#"422["rt:resume",{}]"#).await;
    websocket.until("42[\"rt:ready\"").await;
    websocket.until("431[1]").await;
}
