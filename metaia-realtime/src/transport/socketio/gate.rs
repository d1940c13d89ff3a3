//! The gate before the engine: it checks origins and capacity, and passes requests on by their
//! purpose.
//!
//! The gate refuses before the handshake, as HTTP. It answers 403 to an origin that is not allowed,
//! and 400 to a handshake with several `Authorization` headers. It answers 503 with `Retry-After`
//! if the node is full, has reached its rate of handshakes, is draining, or is cut off from its
//! log, so that clients retry by themselves.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use http::{Request, Response, header::AUTHORIZATION};
use http_body::Body;
use tower_service::Service;

use super::{
    description::client_of,
    direct,
    engine::Engine,
    engine_error::EngineError,
    engine_service::InnerService,
    origins::origin_is_allowed,
    polling, post,
    query::query_parameter,
    request::{RequestKind, connection_of},
    response_body::BoxBody,
    upgrade,
};
use crate::node::HandshakeRefusal;

/// The gate before the engine of a node.
pub(super) struct Gate {
    engine: Arc<Engine>,
}

/// The gate as a tower service, for one request.
#[derive(Clone)]
pub(super) struct GateService(pub(super) Arc<Gate>);

impl<B> Service<Request<B>> for GateService
where
    B: Body + Send + Unpin + fmt::Debug + 'static,
    B::Error: fmt::Debug,
    B::Data: Send,
{
    type Response = Response<BoxBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let gate = Arc::clone(&self.0);
        Box::pin(async move { Ok(gate.handle(request).await) })
    }
}

impl Gate {
    pub(super) const fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Answers a request: refuses it, or passes it to the engine.
    async fn handle<B>(&self, request: Request<B>) -> Response<BoxBody>
    where
        B: Body + Send + Unpin + fmt::Debug + 'static,
        B::Error: fmt::Debug,
        B::Data: Send,
    {
        let service = match self.check(&request) {
            Ok(service) => service,
            Err(refusal) => return self.refuse(refusal, &request),
        };
        match RequestKind::new(&self.engine, &request) {
            Ok(kind) => self.pass(service, kind, request).await,
            // A node that takes no new sessions refuses these requests for the same reason: a proxy
            // that directs clients to other nodes meanwhile tries this node first each time.
            Err(error @ EngineError::UnknownSession) => match self.engine.node.check_open() {
                Err(refusal) => self.refuse(refusal, &request),
                Ok(()) => self.answer_error(error, &request),
            },
            Err(error) => self.answer_error(error, &request),
        }
    }

    /// Refuses a request, and records that.
    fn refuse<B>(&self, refusal: HandshakeRefusal, request: &Request<B>) -> Response<BoxBody> {
        let counters = self.engine.node.counters();
        counters.refuse_handshake(refusal, client_of(request));
        refusal.into_response()
    }

    /// Answers a request that Engine.IO does not know. Records it if it keeps a client from
    /// connecting: requests of a session do not.
    fn answer_error<B>(&self, error: EngineError, request: &Request<B>) -> Response<BoxBody> {
        if is_handshake(request) || error == EngineError::UnknownSession {
            let counters = self.engine.node.counters();
            counters.refuse_protocol(error.into(), client_of(request));
        }
        error.into_response()
    }

    /// Passes a request to the engine.
    async fn pass<B>(
        &self,
        service: InnerService,
        kind: RequestKind,
        request: Request<B>,
    ) -> Response<BoxBody>
    where
        B: Body + Unpin,
    {
        let engine = &self.engine;
        let connection = connection_of(&request).cloned();
        let (head, body) = request.into_parts();
        let mut request = Request::from_parts(head, ());
        match kind {
            RequestKind::OpenPolling => polling::open(engine, service, &request).await,
            RequestKind::Poll(link) => {
                polling::poll(engine, link, connection, service, &request).await
            }
            RequestKind::Post(link, sid) => {
                post::post(engine, &link, &sid, service, request, body).await
            }
            RequestKind::OpenWebSocket => direct::open(engine, &mut request),
            RequestKind::Upgrade(link) => upgrade::upgrade(engine, service, link, &mut request),
        }
    }

    /// Returns the engine's service if the request may pass.
    fn check<B>(&self, request: &Request<B>) -> Result<InnerService, HandshakeRefusal> {
        if !origin_is_allowed(&self.engine.settings, request) {
            return Err(HandshakeRefusal::Origin);
        }
        if is_handshake(request) {
            check_headers(request)?;
            self.check_handshake()?;
        }
        self.engine.service.get().ok_or(HandshakeRefusal::Draining)
    }

    fn check_handshake(&self) -> Result<(), HandshakeRefusal> {
        self.engine.node.check_open()?;
        // Last, so that a handshake that is refused anyway takes nothing of the rate.
        if !self.engine.takes_handshake() {
            return Err(HandshakeRefusal::TooManyHandshakes);
        }
        Ok(())
    }
}

/// Checks that a handshake has one token at most in its header: of several, a proxy that judges
/// them might take another one than this server.
fn check_headers<B>(request: &Request<B>) -> Result<(), HandshakeRefusal> {
    match request.headers().get_all(AUTHORIZATION).iter().nth(1) {
        Some(_) => Err(HandshakeRefusal::RepeatedHeader),
        None => Ok(()),
    }
}

/// Returns whether a request is of no session yet.
fn is_handshake<B>(request: &Request<B>) -> bool {
    query_parameter(request.uri().query(), "sid").is_none()
}
