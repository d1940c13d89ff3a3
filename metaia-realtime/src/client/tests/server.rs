//! A Socket.IO server that its clients control by events.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, TryData},
    handler::ConnectHandler as _,
};
use tokio::net::TcpListener;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::stamped;

pub(super) struct Server {
    url: String,
    /// Every `auth` payload received, with the `Authorization` header as member `header`.
    pub(super) auths: Arc<Mutex<Vec<Value>>>,
    /// The number of the next requests that are answered 503.
    pub(super) busy: Arc<AtomicU64>,
    _stop: DropGuard,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    /// Starts a server at the address of an earlier one.
    pub(super) async fn start_at(address: &str) -> Self {
        let auths = Arc::<Mutex<Vec<Value>>>::default();
        let busy = Arc::<AtomicU64>::default();
        let (layer, io) = SocketIo::builder()
            .ping_interval(Duration::from_secs(5))
            .build_layer();
        let seen = Arc::clone(&auths);
        let authenticate =
            async move |socket: SocketRef, auth: TryData<Value>| admit(&seen, &socket, auth);
        io.ns("/", connected.with(authenticate));
        let refusing = Arc::clone(&busy);
        let app = Router::new()
            .layer(layer)
            .layer(from_fn(move |request, next| {
                answer_if_busy(Arc::clone(&refusing), request, next)
            }));
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        TaskTracker::new().spawn(async move {
            tokio::select! {
                served = axum::serve(listener, app).into_future() => served.unwrap(),
                () = stopped => {}
            }
            io.close().await;
        });
        Self {
            url,
            auths,
            busy,
            _stop: stop.drop_guard(),
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn auths(&self) -> Vec<Value> {
        self.auths.lock().unwrap().clone()
    }
}

async fn answer_if_busy(busy: Arc<AtomicU64>, request: Request, next: Next) -> Response {
    if busy
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| n.checked_sub(1))
        .is_ok()
    {
        return (
            http::StatusCode::SERVICE_UNAVAILABLE,
            [("retry-after", "3")],
            "draining",
        )
            .into_response();
    }
    next.run(request).await
}

/// Records the `auth` of a client, and refuses the token `bad`.
fn admit(
    auths: &Mutex<Vec<Value>>,
    socket: &SocketRef,
    auth: TryData<Value>,
) -> Result<(), &'static str> {
    let mut auth = auth.0.unwrap_or_else(|_| json!({}));
    let header = socket.req_parts().headers.get("authorization");
    auth["header"] = header.and_then(|value| value.to_str().ok()).into();
    let refused = auth["token"] == "bad";
    auths.lock().unwrap().push(auth);
    if refused { Err("unauthorized") } else { Ok(()) }
}

async fn connected(socket: SocketRef) {
    socket.on("echo", async |Data::<Value>(data), ack: AckSender| {
        ack.send(&data).unwrap()
    });
    socket.on("transport", async |socket: SocketRef, ack: AckSender| {
        ack.send(&format!("{:?}", socket.transport_type())).unwrap();
    });
    socket.on("kick", async |socket: SocketRef| {
        socket.disconnect().unwrap()
    });
    socket.on("say", async |socket: SocketRef, Data::<Say>(say)| {
        socket.emit(say.event, &say.data).unwrap();
    });
    socket.on(
        "say_large",
        async |socket: SocketRef, Data::<usize>(bytes)| {
            let mut data = stamped(1);
            data["a"] = "x".repeat(bytes).into();
            socket.emit("large", &data).unwrap();
        },
    );
    socket.on("flood", async |socket: SocketRef, Data::<u64>(events)| {
        flood(&socket, events).await
    });
    socket.on("ask_me", async |socket: SocketRef| {
        let answer = socket
            .emit_with_ack::<_, Value>("question", "how much?")
            .unwrap()
            .await
            .unwrap();
        socket.emit("answered", &answer).unwrap();
    });
    socket.on(
        "join_order_room",
        async |Data::<Value>(order), ack: AckSender| {
            let answer = match order.as_str() {
                Some("secret") => json!({"status": "error", "code": "forbidden"}),
                id => json!({"status": "ok", "room": format!("order-{}", id.unwrap_or_default())}),
            };
            ack.send(&answer).unwrap();
        },
    );
}

/// An event that a client wants to receive.
#[derive(serde::Deserialize)]
struct Say {
    event: String,
    data: Value,
}

/// Emits numbered events, each as soon as the queue has space for it.
async fn flood(socket: &SocketRef, events: u64) {
    for n in 1..=events {
        while socket.emit("number", &stamped(n)).is_err() {
            tokio::task::yield_now().await;
        }
    }
}
