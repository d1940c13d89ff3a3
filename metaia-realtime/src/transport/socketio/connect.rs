//! CONNECT: authenticates the client and starts its session, with rooms and handlers, before the
//! CONNECT is answered.

use std::{fmt, sync::Arc};

use serde_json::Value as Json;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, TryData},
    handler::ConnectHandler,
    socket::DisconnectReason,
};
use tokio::time::timeout_at;

use super::{
    attachment::{Attached, Attachment},
    credentials::{ConnectAuth, bearer_credentials},
    engine::Engine,
    joined_session::JoinedSession,
    link::Link,
    port::{self, SocketIoPort, end_without_link},
    receive::receive,
    session_slot::{AttachedSession, SessionSlot, SessionTask},
    socket::{IoSocket, OwnedSocket},
};
use crate::{
    Identity,
    auth::{AuthError, Credentials},
    node::{AdmissionRefusal, ClientDescription, Node},
    session::{BeforeStart, EndReason, InboundQueue, Phase, Port, Session, drive},
};

/// The code of a refused CONNECT, which becomes the `message` of the `connect_error`.
#[derive(Debug)]
struct ConnectRefusal(&'static str);

impl fmt::Display for ConnectRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Registers the namespace `/`.
pub(super) fn register(engine: &Arc<Engine>, io: &SocketIo) {
    let engine = Arc::clone(engine);
    let middleware = async move |OwnedSocket(socket): OwnedSocket, TryData(auth): TryData<Json>| {
        admit(&engine, &socket, auth.unwrap_or_default()).await
    };
    io.ns("/", connected.with(middleware));
}

/// Authenticates a client and attaches its session, or refuses it. The middleware of the namespace.
async fn admit(engine: &Arc<Engine>, socket: &IoSocket, auth: Json) -> Result<(), ConnectRefusal> {
    let node = &engine.node;
    let auth = ConnectAuth::read(&auth);
    let Some(link) = engine.links.find(socket.id.as_str()) else {
        // It has ended meanwhile, and the transport ends with it.
        end_without_link(engine, socket).await;
        return Err(ConnectRefusal(AuthError::Unavailable.code()));
    };
    let credentials = bearer_credentials(&auth, link.token.as_deref(), node.limits().token_bytes);
    let port = Arc::new(SocketIoPort::new(engine, &link));
    let authenticated = match check_return(engine, &link) {
        Ok(()) => authenticate_in_time(node, &link, &credentials).await,
        Err(error) => Err(error),
    };
    let attached = match authenticated {
        Ok(identity) => attach(engine, socket, &link, port, identity, auth).await,
        Err(error) => Err(answer_refusal(node, &link, &port, error).await),
    };
    if attached.is_err() {
        link.membership.refuse();
    }
    attached
}

/// Authenticates a client while the engine waits for that, and records a refusal.
async fn authenticate_in_time(
    node: &Node,
    link: &Link,
    credentials: &Credentials,
) -> Result<Identity, AuthError> {
    let deadline = link.answer_deadline(node.limits());
    let authenticated = authenticate(node, credentials, || link.client());
    timeout_at(deadline, authenticated)
        .await
        .unwrap_or_else(|_| {
            let late = AuthError::Unavailable;
            refuse(node, late, credentials, link.client());
            Err(late)
        })
}

/// Checks whether a client may come back over the same transport. The first CONNECT belongs to the
/// handshake, which was counted.
fn check_return(engine: &Engine, link: &Link) -> Result<(), AuthError> {
    if link.joins() == 0 {
        return Ok(());
    }
    // Each session may hand over a whole window. A client that does not read must not gather them.
    let window = engine.node.limits().window_entries as u64;
    if link.unwritten() > window || !engine.takes_handshake() {
        let counters = engine.node.counters();
        counters.refuse_session(AdmissionRefusal::TooManyConnects, link.client(), None);
        return Err(AuthError::Unavailable);
    }
    Ok(())
}

/// Answers a client that was refused.
async fn answer_refusal(
    node: &Node,
    link: &Link,
    port: &SocketIoPort,
    error: AuthError,
) -> ConnectRefusal {
    let code = ConnectRefusal(error.code());
    if error == AuthError::Unavailable {
        // A client stays away after a `connect_error`. This one should reconnect, so that its
        // transport ends before the answer is given.
        port.end_transport_unanswered().await;
        return code;
    }
    // Otherwise the answer is given before the transport ends.
    if link.add_refused_connect() >= node.limits().refused_connects {
        port.end_transport_after_refusal();
    }
    code
}

/// Authenticates a client, and records a refusal.
pub(super) async fn authenticate(
    node: &Node,
    credentials: &Credentials,
    client: impl Fn() -> ClientDescription,
) -> Result<Identity, AuthError> {
    let identity = node.authenticate(credentials.clone()).await;
    identity.inspect_err(|error| refuse(node, *error, credentials, client()))
}

/// Records a client that was not authenticated.
pub(super) fn refuse(
    node: &Node,
    error: AuthError,
    credentials: &Credentials,
    client: ClientDescription,
) {
    let claims = node.proven_claims(credentials);
    node.counters().refuse_connect(error, client, claims);
}

/// Registers the session of an authenticated client. Returns `None`, and records that, if the node
/// takes no session.
pub(super) async fn begin_session(
    node: &Node,
    identity: Identity,
    auth: ConnectAuth,
    port: Arc<dyn Port>,
    client: impl Fn() -> ClientDescription,
) -> Option<Arc<Session>> {
    // Read before the CONNECT is answered: what is published from then on reaches the client.
    let head = node.log().head().await.ok().map(|head| head.position);
    let before = BeforeStart::new(auth.request, head);
    let phase = if auth.hold {
        Phase::AwaitingResume(before)
    } else {
        Phase::NotBegun(before)
    };
    let session = Arc::new(Session::new(node, identity, auth.device, phase, port));
    match node.register(&session) {
        Ok(()) => Some(session),
        Err(refusal) => {
            let identity = session.identity();
            node.counters()
                .refuse_session(refusal, client(), Some(&identity.who));
            None
        }
    }
}

/// Registers a session and attaches it to the socket.
async fn attach(
    engine: &Engine,
    socket: &IoSocket,
    link: &Arc<Link>,
    port: Arc<SocketIoPort>,
    identity: Identity,
    auth: ConnectAuth,
) -> Result<(), ConnectRefusal> {
    let node = &engine.node;
    let client = || link.client();
    let begun = begin_session(node, identity, auth, Arc::clone(&port) as _, client).await;
    let Some(session) = begun else {
        port.end_transport_unanswered().await;
        return Err(ConnectRefusal(AuthError::Unavailable.code()));
    };
    let (inbound, events) = InboundQueue::new(node.limits());
    let joined = JoinedSession {
        node: Arc::clone(node),
        session,
        inbound,
        driver: None,
    };
    let attached = AttachedSession {
        joined,
        port: Arc::clone(port.switch()),
        work: SessionTask::Waiting(events),
    };
    let slot = Arc::new(SessionSlot::new(attached));
    link.join(&slot);
    let attachment = Attachment {
        slot,
        link: Arc::clone(link),
        links: Arc::clone(&engine.links),
    };
    socket.on_fallback(receive);
    socket.on_disconnect(disconnected);
    socket.extensions.insert(Attached(Arc::new(attachment)));
    Ok(())
}

/// Starts the session's task. The connect handler: CONNECT has been answered, so that the task may
/// write.
async fn connected(OwnedSocket(socket): OwnedSocket) {
    let Some(Attached(attachment)) = socket.extensions.get::<Attached>() else {
        return;
    };
    let link = Arc::clone(&attachment.link);
    attachment.slot.begin_task(|joined, events| {
        let session = Arc::clone(&joined.session);
        let node = Arc::clone(&joined.node);
        let tasks = node.tasks().clone();
        // The task must not keep the attachment: the session ends when the socket drops it.
        tasks.spawn(async move {
            let write = |outgoing| port::write(&socket, &link, outgoing);
            drive(session, node, events, &link.wake, &link.pause, write).await
        })
    });
    attachment.link.membership.join();
}

/// Ends the session of a socket that is gone.
async fn disconnected(socket: SocketRef, reason: DisconnectReason) {
    let Some(Attached(attachment)) = socket.extensions.get::<Attached>() else {
        return;
    };
    let end = match reason {
        DisconnectReason::ClientNSDisconnect => EndReason::ClientLeft,
        DisconnectReason::ServerNSDisconnect => EndReason::Kicked,
        // If the transport ended the link, its reason is more precise.
        DisconnectReason::HeartbeatTimeout => {
            attachment.link.lost().unwrap_or(EndReason::PingTimeout)
        }
        _ => attachment.link.lost().unwrap_or(EndReason::TransportLost),
    };
    attachment.slot.end(end);
}
