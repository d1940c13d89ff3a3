//! The gate before the engine: it checks origins and capacity, and observes the requests that pass.
//!
//! The gate refuses before the handshake, as HTTP. It answers 403 to an origin that is not allowed.
//! It answers 503 with `Retry-After` if the node is full, has reached its rate of handshakes, is
//! draining, or is cut off from its log, so that clients retry by themselves.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;
use tower_service::Service;

use super::{
    body::ObservedBody,
    engine::Engine,
    engine_service::InnerService,
    origins::origin_is_allowed,
    post::PostBody,
    query::query_parameter,
    refusal::unknown_session,
    request::{RequestKind, connection_of},
    response_body::BoxBody,
};
use crate::{node::HandshakeRefusal, transport::deadline::Deadline, values::at_least_one};

/// The gate before the engine of a node.
pub(super) struct Gate {
    engine: Arc<Engine>,
    handshake_rate: DefaultDirectRateLimiter,
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
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let per_s = engine.node.limits().handshakes_per_s;
        let quota = Quota::per_second(at_least_one(per_s));
        Self {
            engine,
            handshake_rate: RateLimiter::direct(quota),
        }
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
            Err(refusal) => {
                let counters = self.engine.node.counters();
                counters.handshakes_refused.add(refusal);
                return refusal.into_response();
            }
        };
        let kind = RequestKind::new(&self.engine, &request);
        if matches!(kind, RequestKind::UnknownSession) {
            // A node that takes no new sessions refuses these requests for the same reason: a proxy
            // that directs clients to other nodes meanwhile tries this node first each time.
            return match self.closed_reason() {
                Some(refusal) => refusal.into_response(),
                None => unknown_session(),
            };
        }
        self.pass(service, kind, request).await
    }

    /// Passes a request to the engine and observes request and response.
    async fn pass<B>(
        &self,
        service: InnerService,
        kind: RequestKind,
        mut request: Request<B>,
    ) -> Response<BoxBody>
    where
        B: Body + Send + Unpin + fmt::Debug + 'static,
        B::Error: fmt::Debug,
        B::Data: Send,
    {
        let connection = connection_of(&request).cloned();
        if let RequestKind::Upgrade(link) = &kind {
            request.extensions_mut().insert(Arc::clone(link));
        }
        let timeout = self.engine.node.limits().request_body;
        let request =
            request.map(|body| PostBody::new(kind.posting_link(), Deadline::new(body, timeout)));
        let responding = tower::ServiceExt::oneshot(service, request);
        let result = match &kind {
            RequestKind::Poll(link) => link.read_budget.track_poll(responding).await,
            _ => responding.await,
        };
        let response = match result {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        // Not earlier: a connection that is not upgraded may carry other clients' requests next if
        // a proxy keeps it. Not later: the head of the answer must not be written before.
        if let RequestKind::Upgrade(link) = &kind
            && status == StatusCode::SWITCHING_PROTOCOLS
        {
            link.upgraded(connection.as_ref());
        }
        let observer = kind.into_observer(&self.engine, connection, status);
        response.map(|body| {
            ObservedBody::new(body, observer)
                .map_err(Into::into)
                .boxed_unsync()
        })
    }

    /// Returns the engine's service if the request may pass.
    fn check<B>(&self, request: &Request<B>) -> Result<InnerService, HandshakeRefusal> {
        if !origin_is_allowed(&self.engine.settings, request) {
            return Err(HandshakeRefusal::Origin);
        }
        let is_handshake = query_parameter(request.uri().query(), "sid").is_none();
        if is_handshake {
            self.check_handshake()?;
        }
        self.engine.service.get().ok_or(HandshakeRefusal::Draining)
    }

    fn check_handshake(&self) -> Result<(), HandshakeRefusal> {
        if let Some(refusal) = self.closed_reason() {
            return Err(refusal);
        }
        // Last, so that a handshake that is refused anyway takes nothing of the rate.
        if self.handshake_rate.check().is_err() {
            return Err(HandshakeRefusal::TooManyHandshakes);
        }
        Ok(())
    }

    /// Returns why the node takes no new sessions at present.
    fn closed_reason(&self) -> Option<HandshakeRefusal> {
        let node = &self.engine.node;
        if node.is_draining() {
            return Some(HandshakeRefusal::Draining);
        }
        if node.is_cut_off() {
            return Some(HandshakeRefusal::CutOff);
        }
        if node.registry().len() >= node.limits().sessions {
            return Some(HandshakeRefusal::TooManySessions);
        }
        None
    }
}
