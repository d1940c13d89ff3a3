//! CONNECT: authentication, then the session, its rooms and its handlers, all before the client is
//! told.

use std::{
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value as Json;
use socketioxide::{
    SocketIo,
    adapter::LocalAdapter,
    extract::{SocketRef, TryData},
    handler::{ConnectHandler, FromConnectParts},
    socket::{DisconnectReason, Sid, Socket},
};
use socketioxide_core::Value;
use tokio::sync::mpsc;

use super::{
    Engine,
    credentials::{Hello, credentials},
    link::{Link, Links},
    port::SocketIoPort,
    receive::receive,
};
use crate::{
    Identity,
    auth::AuthError,
    node::Node,
    session::{EndReason, Inbound, InboundQueue, Session, Start, drive},
};

pub(super) type IoSocket = Arc<Socket<LocalAdapter>>;

/// The socket itself, which its reference does not give.
pub(super) struct TheSocket(pub(super) IoSocket);

impl FromConnectParts<LocalAdapter> for TheSocket {
    type Error = Infallible;
    fn from_connect_parts(socket: &IoSocket, _: &Option<Value>) -> Result<Self, Infallible> {
        Ok(Self(Arc::clone(socket)))
    }
}

/// The `message` of a `connect_error`.
#[derive(Debug)]
struct Refused(&'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What a socket keeps of its session. When the socket goes without having been connected, so does
/// the session.
#[derive(Clone)]
pub(super) struct Attached(pub(super) Arc<Attachment>);

pub(super) struct Attachment {
    pub(super) session: Arc<Session>,
    pub(super) inbound: InboundQueue,
    node: Arc<Node>,
    link: Arc<Link>,
    links: Arc<Links>,
    sid: Sid,
    /// What the session's task begins with, until it does.
    beginning: Mutex<Option<(Start, mpsc::Receiver<Inbound>)>>,
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.node.end(&self.session, EndReason::TransportLost);
        // Who is told to stay away has yet to fetch that: then the link goes with the transport.
        if !self.session.ended_by().is_some_and(EndReason::stays_away) {
            self.links.remove(self.sid.as_str());
        }
    }
}

/// Registers the namespace `/`.
pub(super) fn register(engine: &Arc<Engine>, io: &SocketIo) {
    let engine = Arc::clone(engine);
    let authenticate = async move |TheSocket(socket): TheSocket, TryData(auth): TryData<Json>| {
        admit(&engine, &socket, auth.unwrap_or_default()).await
    };
    io.ns("/", connected.with(authenticate));
}

/// The middleware: refuses, or attaches a session.
async fn admit(engine: &Arc<Engine>, socket: &IoSocket, auth: Json) -> Result<(), Refused> {
    let node = &engine.node;
    let hello = Hello::read(&auth);
    let link = link_of(engine, socket);
    let shown = credentials(
        socket.req_parts(),
        &hello,
        engine.settings.token_in_query,
        node.limits().token_bytes,
    );
    let port = Arc::new(SocketIoPort::new(engine, socket, &link));
    match node.authenticator().authenticate(shown).await {
        Ok(identity) => attach(engine, socket, &link, port, identity, hello).await,
        Err(error) => {
            node.counters().connects_refused.add(error.code());
            tracing::info!(code = error.code(), "connection refused");
            // The answer is given before the transport closes, except where the client should come
            // back.
            if error == AuthError::Unavailable {
                port.end_transport_unanswered().await;
            } else if link.refuse() >= node.limits().refused_connects {
                port.end_transport_later();
            }
            Err(Refused(error.code()))
        }
    }
}

/// The link of a socket: by its `sid` where it began with polling, else that of its handshake.
fn link_of(engine: &Engine, socket: &IoSocket) -> Arc<Link> {
    engine.links.find(socket.id.as_str()).unwrap_or_else(|| {
        socket
            .req_parts()
            .extensions
            .get::<Arc<Link>>()
            .cloned()
            .unwrap_or_else(|| {
                let link = Arc::new(Link::new(&engine.node.limits()));
                link.upgraded(None);
                link
            })
    })
}

async fn attach(
    engine: &Engine,
    socket: &IoSocket,
    link: &Arc<Link>,
    port: Arc<SocketIoPort>,
    identity: Identity,
    hello: Hello,
) -> Result<(), Refused> {
    let node = &engine.node;
    // Before CONNECT is answered: what is sent from then on reaches the client.
    let came_at = node.log().head().await.ok().map(|head| head.position);
    let began_at = came_at.unwrap_or_else(|| node.window().head());
    let session = Session::new(
        node,
        identity,
        hello.device,
        began_at,
        Arc::clone(&port) as _,
    );
    let session = Arc::new(session);
    if !node.register(&session) {
        node.counters().connects_refused.add("unavailable");
        port.end_transport_unanswered().await;
        return Err(Refused("unavailable"));
    }
    link.intake.join();
    let (inbound, events) = InboundQueue::new(node.limits());
    let attachment = Attached(Arc::new(Attachment {
        session: Arc::clone(&session),
        inbound,
        node: Arc::clone(node),
        link: Arc::clone(link),
        links: Arc::clone(&engine.links),
        sid: socket.id,
        beginning: Mutex::new(Some((Start::new(hello.wish, came_at, hello.hold), events))),
    }));
    socket.on_fallback(receive);
    socket.on_disconnect(disconnected);
    socket.extensions.insert(attachment);
    Ok(())
}

/// The connect handler: CONNECT has been answered, so that the session's task may write.
async fn connected(TheSocket(socket): TheSocket) {
    let Some(Attached(attachment)) = socket.extensions.get::<Attached>() else {
        return;
    };
    let beginning = attachment
        .beginning
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some((start, events)) = beginning else {
        return;
    };
    let (session, node, link) = (
        Arc::clone(&attachment.session),
        Arc::clone(&attachment.node),
        Arc::clone(&attachment.link),
    );
    drop(attachment);
    let tasks = node.tasks().clone();
    tasks.spawn(async move {
        let write = |outgoing| super::port::write(&socket, outgoing);
        let driven = Driven {
            session: &session,
            node: &node,
        };
        drive(
            Arc::clone(&session),
            Arc::clone(&node),
            start,
            events,
            &link.wake,
            write,
        )
        .await;
        drop(driven);
    });
}

/// Forgets the session when its task is over, even where that panicked in an embedder's handler or
/// policy: the client then comes back instead of waiting for a session that nobody drives.
struct Driven<'a> {
    session: &'a Session,
    node: &'a Node,
}

impl Drop for Driven<'_> {
    fn drop(&mut self) {
        self.node.end(self.session, EndReason::Failed);
    }
}

async fn disconnected(socket: SocketRef, reason: DisconnectReason) {
    let Some(Attached(attachment)) = socket.extensions.get::<Attached>() else {
        return;
    };
    let end = match reason {
        DisconnectReason::ClientNSDisconnect => EndReason::ClientLeft,
        DisconnectReason::ServerNSDisconnect => EndReason::Kicked,
        DisconnectReason::HeartbeatTimeout => {
            attachment.link.lost().unwrap_or(EndReason::PingTimeout)
        }
        _ => attachment.link.lost().unwrap_or(EndReason::TransportLost),
    };
    attachment.node.end(&attachment.session, end);
}
