//! What stands before the engine: origins, capacity, and the bookkeeping of connections.
//!
//! Refusals come before the handshake, as HTTP: 403 for an origin that is not allowed; 503 with
//! `Retry-After` where the node is full, its rate of handshakes used up, being emptied, or cut off
//! from its log, so that clients try again by themselves.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN},
};
use http_body::Body;
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    Engine, PATH,
    body::Watched,
    post::Posted,
    refusal::{Refusal, unknown_session},
};
use crate::transport::socketio::request::{Visit, connection_of, query};
use crate::transport::{Origins, deadline::Deadline};

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(super) type BoxBody = UnsyncBoxBody<Bytes, BoxError>;

/// The tower layer of a [`Realtime`](crate::Realtime): requests for Socket.IO go there, all others
/// on to the inner service. Clones lead to the same system.
#[derive(Clone)]
pub struct RealtimeLayer {
    shared: Arc<Shared>,
    cors: CorsLayer,
}

struct Shared {
    engine: Arc<Engine>,
    handshakes: DefaultDirectRateLimiter,
}

impl RealtimeLayer {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let per_s =
            NonZeroU32::new(engine.node.limits().handshakes_per_s).unwrap_or(NonZeroU32::MIN);
        let handshakes = RateLimiter::direct(Quota::per_second(per_s));
        let cors = cors(&engine.settings.origins);
        Self {
            cors,
            shared: Arc::new(Shared { engine, handshakes }),
        }
    }
}

/// What browsers are told about polling from other origins. Tokens come in a header, never in
/// cookies.
fn cors(origins: &Origins) -> CorsLayer {
    let allowed = match origins {
        Origins::Any => AllowOrigin::from(Any),
        Origins::These(list) => {
            AllowOrigin::list(list.iter().filter_map(|origin| origin.parse().ok()))
        }
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
}

impl fmt::Debug for RealtimeLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealtimeLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for RealtimeLayer {
    type Service = RealtimeService<S>;
    fn layer(&self, inner: S) -> RealtimeService<S> {
        RealtimeService {
            layer: self.clone(),
            inner,
        }
    }
}

/// The service of a [`RealtimeLayer`].
#[derive(Clone)]
pub struct RealtimeService<S> {
    layer: RealtimeLayer,
    inner: S,
}

impl<S> fmt::Debug for RealtimeService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealtimeService").finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for RealtimeService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    B: Body + Send + Unpin + fmt::Debug + 'static,
    B::Error: fmt::Debug,
    B::Data: Send,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<BoxBody>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Some(connection) = connection_of(&request) {
            connection.asked();
        }
        if is_ours(request.uri().path()) {
            let door = Door(Arc::clone(&self.layer.shared));
            let answer = tower::ServiceExt::oneshot(self.layer.cors.layer(door), request);
            Box::pin(async move { answer.await.map_err(|never| match never {}) })
        } else {
            let answer = self.inner.call(request);
            Box::pin(async move {
                Ok(answer
                    .await?
                    .map(|body| body.map_err(Into::into).boxed_unsync()))
            })
        }
    }
}

fn is_ours(path: &str) -> bool {
    path.strip_prefix(PATH)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The engine behind its checks, for one request.
#[derive(Clone)]
struct Door(Arc<Shared>);

impl<B> Service<Request<B>> for Door
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
        let shared = Arc::clone(&self.0);
        Box::pin(async move { Ok(shared.pass(request).await) })
    }
}

impl Shared {
    async fn pass<B>(&self, mut request: Request<B>) -> Response<BoxBody>
    where
        B: Body + Send + Unpin + fmt::Debug + 'static,
        B::Error: fmt::Debug,
        B::Data: Send,
    {
        let checked = self
            .check(&request)
            .and_then(|()| self.engine.service().ok_or(Refusal::Draining));
        let service = match checked {
            Ok(service) => service,
            Err(refusal) => {
                self.engine
                    .node
                    .counters()
                    .handshakes_refused
                    .add(refusal.code());
                return refusal.answer();
            }
        };
        let connection = connection_of(&request).cloned();
        let visit = Visit::of(&self.engine, &request);
        if matches!(visit, Visit::Stranger) {
            // Who takes nobody says so here, too: a proxy that leads clients elsewhere meanwhile
            // tries this node first with each request that they make there.
            return self.closed().map_or_else(unknown_session, Refusal::answer);
        }
        if let Visit::Upgrade(link) = &visit {
            request.extensions_mut().insert(Arc::clone(link));
        }
        let within = self.engine.node.limits().request_body;
        let request = request.map(|body| Posted::by(visit.posting(), Deadline::new(body, within)));
        let answering = tower::ServiceExt::oneshot(service, request);
        let answered = match &visit {
            Visit::Poll(link) => link.intake.answer(answering).await,
            _ => answering.await,
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        // Only now, and before the head of the answer is written: a connection that was not
        // upgraded may carry the requests of others next, when a proxy keeps it.
        if let (Visit::Upgrade(link), StatusCode::SWITCHING_PROTOCOLS) = (&visit, answer.status()) {
            link.upgraded(connection.as_ref());
        }
        let watch = visit.watch(&self.engine, connection, answer.status());
        answer.map(|body| Watched::new(body, watch).map_err(Into::into).boxed_unsync())
    }

    fn check<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        if !origin_is_allowed(&self.engine.settings.origins, request.headers()) {
            return Err(Refusal::Origin);
        }
        if query(request.uri().query(), "sid").is_some() {
            return Ok(());
        }
        match self.closed() {
            Some(refusal) => Err(refusal),
            None if self.handshakes.check().is_err() => Err(Refusal::TooManyHandshakes),
            None => Ok(()),
        }
    }

    /// Why nobody is taken at present, apart from those who are here.
    fn closed(&self) -> Option<Refusal> {
        let node = &self.engine.node;
        if node.is_draining() {
            Some(Refusal::Draining)
        } else if node.is_cut_off() {
            Some(Refusal::CutOff)
        } else {
            (node.registry().len() >= node.limits().sessions).then_some(Refusal::Full)
        }
    }
}

/// Every origin that the request names must be of the list: clients other than browsers name none.
fn origin_is_allowed(origins: &Origins, headers: &HeaderMap) -> bool {
    let Origins::These(list) = origins else {
        return true;
    };
    headers
        .get_all(ORIGIN)
        .iter()
        .all(|origin| origin.to_str().is_ok_and(|origin| list.contains(origin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_origin_does_not_hide_behind_one_of_ours() {
        let ours = Origins::These(["https://ours.example".to_owned()].into_iter().collect());
        let allowed = |origins: &[&'static str]| {
            let headers = origins
                .iter()
                .map(|origin| (ORIGIN, http::HeaderValue::from_static(origin)));
            let headers: HeaderMap =
                headers.fold(HeaderMap::new(), |mut headers, (name, value)| {
                    headers.append(name, value);
                    headers
                });
            origin_is_allowed(&ours, &headers)
        };
        assert!(allowed(&[]) && allowed(&["https://ours.example"]));
        assert!(!allowed(&["https://ours.example", "https://evil.example"]));
        assert!(!allowed(&["https://evil.example", "https://ours.example"]));
        assert!(!allowed(&["null"]) && !allowed(&[""]) && !allowed(&["https://OURS.example"]));
    }

    #[test]
    fn only_the_engines_own_path_is_ours() {
        assert!(is_ours("/socket.io") && is_ours("/socket.io/"));
        assert!(!is_ours("/socket.io-admin") && !is_ours("/api/socket.io/"));
    }
}
