//! socketioxide with a verified token and two rooms for each client, and nothing else: no
//! positions, no resume.

use std::sync::Arc;

use axum::{Router, serve::ListenerExt as _};
use metaia_realtime::{Authenticator as _, JwtAuthenticator, auth::Credentials};
use serde::Deserialize;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
};
use tokio::net::TcpListener;

use crate::{
    Failure,
    control::{EVERYONE, Ports, Publisher},
    notification::{NAME, Notification},
    settings, versions,
};

/// A client's CONNECT.
#[derive(Deserialize)]
struct Auth {
    token: String,
}

/// Serves until the benchmark leaves.
pub(crate) async fn run() -> Result<(), Failure> {
    let ports = Ports::listen(&versions::of("socketioxide")).await?;
    let (layer, io) = SocketIo::builder()
        .ping_interval(settings::ping_interval()?)
        .build_layer();
    // The library's, so that both pay the same for a token.
    let authenticator = Arc::new(JwtAuthenticator::hs256(settings::secret()?)?);
    io.ns(
        "/",
        async move |socket: SocketRef, Data(auth): Data<Auth>| {
            join(&authenticator, &socket, &auth).await;
        },
    );
    let serve = |listener: TcpListener| async move {
        // As Node and Bun do, and the library.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, Router::new().layer(layer)).await?;
        Ok::<_, Failure>(())
    };
    ports.run(Bare(io), serve).await
}

/// Puts a client into its rooms, or disconnects it.
async fn join(authenticator: &JwtAuthenticator, socket: &SocketRef, auth: &Auth) {
    let credentials = Credentials::bearer(Some(&auth.token));
    match authenticator.authenticate(credentials).await {
        Ok(identity) => socket.join(vec![EVERYONE.to_owned(), identity.user.to_string()]),
        Err(_) => drop(socket.clone().disconnect()),
    }
}

struct Bare(SocketIo);

impl Publisher for Bare {
    async fn everyone(&self, n: usize) -> Result<(), Failure> {
        let event = Notification::numbered(n);
        let sent = self.0.to(EVERYONE).emit(NAME, &event);
        sent.await.map_err(|error| error.to_string().into())
    }

    async fn user(&self, user: String, n: usize) -> Result<(), Failure> {
        let event = Notification::numbered(n);
        let sent = self.0.to(user).emit(NAME, &event);
        sent.await.map_err(|error| error.to_string().into())
    }
}
