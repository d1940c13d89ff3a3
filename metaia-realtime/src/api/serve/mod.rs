//! Three ways to mount a [`Realtime`](crate::Realtime) on a listener.
//!
//! 1. [`serve`](fn@crate::serve): you give it a `TcpListener` and a `Router`.
//! 2. [`GuardedListener`] with `axum::serve`: you keep the loop.
//! 3. [`Realtime::layer`](crate::Realtime::layer) on any other server, such as hyper, or one with
//!    TLS.
//!
//! | | 1 | 2 | 3 |
//! |---|---|---|---|
//! | ends a client that does not read, when a write has been blocked for 15 s | yes | yes | no |
//! | closes the connection of a session that it ends | yes | yes | polling only |
//! | bounds the number of connections | yes | yes | no |
//! | bounds the bytes that a client sends over a WebSocket | yes | yes | no |
//! | deadline for the head of a request | yes | no | no |
//! | closes idle connections: after 75 s, and to make room for others | yes | no | no |
//! | deadline for the body of a request | yes | for Socket.IO | for Socket.IO |
//! | drains the node at a shutdown | yes | you call `drain` | you call `drain` |
//! | layers of yours can see the requests of Socket.IO | no | yes | yes |
//! | HTTP/2 for other routes, such as gRPC | no | yes, with axum's `http2` | as your server |
//! | `ConnectInfo` in handlers | `SocketAddr` | `PeerAddr`; inside the layer both | yours |
//!
//! Behind a proxy that ends TLS, all three work.

#[cfg(feature = "axum")]
mod listener;
#[cfg(feature = "axum")]
mod run;

#[cfg(feature = "axum")]
pub use listener::GuardedListener;
#[cfg(feature = "axum")]
pub use run::{Serve, serve};

#[cfg(feature = "axum")]
pub use crate::transport::guard::{GuardedStream, PeerAddr};
pub use crate::transport::{
    InvalidOrigin, InvalidProxy, RealtimeLayer, RealtimeService, Transports, TrustedProxy,
    WebOrigin, complete_headers, cors_layer,
};
