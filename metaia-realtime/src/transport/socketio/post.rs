//! The POSTs of clients that poll: their packets.
//!
//! At the edges: a body that is too long, or does not come in time, or that the engine refuses,
//! ends the session, since what it carried is lost. One that has come is passed to its end, also if
//! the client closes its connection meanwhile.

use std::{sync::Arc, time::Duration};

use bytes::{Buf as _, Bytes};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};

use super::{
    engine::Engine,
    engine_error::EngineError,
    engine_service::{EngineService, InnerService},
    inbound_packet::{InboundPacket, PacketKind},
    link::Link,
    membership::{Admission, longest_wait},
    polling::{SEPARATOR, ask, engine_request},
    response_body::{BoxBody, full},
};
use crate::{
    node::{Counters, ProtocolRefusal},
    transport::deadline::Deadline,
};

/// Passes what a client POSTs to the engine, packet by packet.
pub(super) async fn post<B>(
    engine: &Engine,
    link: &Arc<Link>,
    sid: &str,
    service: InnerService,
    request: Request<()>,
    body: B,
) -> Response<BoxBody>
where
    B: Body + Unpin,
{
    let limits = engine.node.limits();
    let deadline = Deadline::new(body, limits.request_body);
    let bytes = match collect(deadline, limits.message_bytes, link).await {
        Ok(bytes) => bytes,
        Err(status) => {
            engine.service.close_polling(sid);
            return status_only(status);
        }
    };
    let Some(place) = PostInProgress::begin(link) else {
        return EngineError::BadRequest.into_response();
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        // The engine answers, and ends the session.
        return ask(service, engine_request(&request, Full::new(bytes))).await;
    };
    let posting = Posting {
        engine_service: Arc::clone(&engine.service),
        counters: Arc::clone(engine.node.counters()),
        link: Arc::clone(link),
        _place: place,
        service,
        request,
        max_bytes: limits.message_bytes,
        longest_wait: longest_wait(limits),
        batch: String::new(),
    };
    let passing = posting.pass_or_close(text.to_owned(), sid.to_owned());
    let stopping = engine.node.stopping().clone();
    // In a task of its own: the packets have come, so that they are passed even if the client goes
    // while they wait.
    let passing = engine
        .node
        .tasks()
        .spawn(stopping.run_until_cancelled_owned(passing));
    match passing.await {
        Ok(Some(answer)) => answer,
        // The node stops.
        _ => EngineError::UnknownSession.into_response(),
    }
}

/// Returns the whole body, counted while it comes; otherwise the status of the answer.
async fn collect<B>(mut body: B, max_bytes: usize, link: &Link) -> Result<Bytes, StatusCode>
where
    B: Body + Unpin,
{
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        link.add_posted(data.remaining());
        if bytes.len() + data.remaining() > max_bytes {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        while data.has_remaining() {
            let count = data.chunk().len();
            bytes.extend_from_slice(data.chunk());
            data.advance(count);
        }
    }
    Ok(bytes.into())
}

/// The packets of one POST on their way to the engine.
struct Posting {
    engine_service: Arc<EngineService>,
    counters: Arc<Counters>,
    link: Arc<Link>,
    _place: PostInProgress,
    service: InnerService,
    request: Request<()>,
    /// The most bytes that the engine takes at once.
    max_bytes: usize,
    /// The longest time that a packet waits.
    longest_wait: Duration,
    /// Packets that the engine does not have yet.
    batch: String,
}

/// A POST that has come. A client that switches to a WebSocket meanwhile waits for its end.
struct PostInProgress(Arc<Link>);

impl PostInProgress {
    /// Returns `None` if the client has switched already.
    fn begin(link: &Arc<Link>) -> Option<Self> {
        let begins = link.upgrade.begin_post();
        begins.then(|| Self(Arc::clone(link)))
    }
}

impl Drop for PostInProgress {
    fn drop(&mut self) {
        self.0.upgrade.end_post();
    }
}

impl Posting {
    /// Passes the packets in `text`. Ends the session `sid` if the engine does not take one, since
    /// what the body carried is lost then.
    async fn pass_or_close(self, text: String, sid: String) -> Response<BoxBody> {
        let engine_service = Arc::clone(&self.engine_service);
        let answer = self.pass(&text).await;
        if !answer.status().is_success() {
            engine_service.close_polling(&sid);
        }
        answer
    }

    /// Passes the packets in `text`. Returns the engine's answer to the last of them.
    async fn pass(mut self, text: &str) -> Response<BoxBody> {
        for packet in text.split(SEPARATOR) {
            let Some(packet) = InboundPacket::read(packet) else {
                continue;
            };
            if let Err(answer) = self.pass_packet(&packet).await {
                return answer;
            }
        }
        self.flush().await.unwrap_or_else(|answer| answer)
    }

    /// Adds a packet to the batch, in its turn.
    ///
    /// # Errors
    /// Returns the engine's answer if it took no more packets.
    async fn pass_packet(&mut self, packet: &InboundPacket<'_>) -> Result<(), Response<BoxBody>> {
        if packet.kind == PacketKind::Pong {
            self.link.pong();
        }
        if packet.kind == PacketKind::ConnectElsewhere {
            // The engine answers it.
            self.record(ProtocolRefusal::InvalidNamespace);
        }
        loop {
            match self.link.membership.admit(packet.kind) {
                Admission::Drop => return Ok(()),
                Admission::Pass => break,
                Admission::Premature => {
                    self.record(ProtocolRefusal::NotConnected);
                    break;
                }
                Admission::Wait => self.wait(packet.kind).await?,
            }
        }
        // The engine counts the separators, too.
        if self.batch.len() + packet.text.len() >= self.max_bytes {
            self.flush().await?;
        }
        if !self.batch.is_empty() {
            self.batch.push(SEPARATOR);
        }
        self.batch.push_str(&packet.text);
        Ok(())
    }

    /// Records that the client does not speak the protocol.
    fn record(&self, refusal: ProtocolRefusal) {
        self.counters.refuse_protocol(refusal, self.link.client());
    }

    /// Waits until a packet of this kind may have its turn.
    async fn wait(&mut self, kind: PacketKind) -> Result<(), Response<BoxBody>> {
        self.flush().await?;
        let settled = self.link.membership.settled(kind);
        tokio::time::timeout(self.longest_wait, settled)
            .await
            .map_err(|_| EngineError::UnknownSession.into_response())
    }

    /// Passes the batch to the engine, and returns its answer.
    ///
    /// # Errors
    /// Returns the answer if it is a refusal.
    async fn flush(&mut self) -> Result<Response<BoxBody>, Response<BoxBody>> {
        let batch = std::mem::take(&mut self.batch);
        let request = engine_request(&self.request, Full::<Bytes>::from(batch));
        let answer = ask(self.service.clone(), request).await;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(answer)
        }
    }
}

fn status_only(status: StatusCode) -> Response<BoxBody> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}
