//! The moment in which a client that polls moves to its WebSocket: nothing is lost, doubled or out
//! of order, and everything that goes on, goes on.

mod crowd;
mod ends;
mod membership;
mod requests;
mod work;

use metaia_realtime::{
    EventContext, HandlerError, Realtime,
    testing::{TestServer, eventually},
};

async fn server() -> TestServer {
    TestServer::start(|builder| {
        builder.on("echo", |_: EventContext, i: usize| async move {
            Ok::<_, HandlerError>(i)
        })
    })
    .await
}

/// Waits until the server holds nothing of any client.
async fn is_empty(realtime: &Realtime) {
    eventually("the end of everything", || {
        let census = realtime.census();
        census.sessions == 0 && census.links == 0
    })
    .await;
}

fn echo(i: usize) -> String {
    format!(r#"42{i}["echo",{i}]"#)
}
