//! The tower layer: requests for Socket.IO go to the gate, all others to the inner service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt as _;
use tower_http::cors::CorsLayer;
use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "axum")]
use super::request::add_socket_addr;
use super::{
    cors::cors,
    engine::Engine,
    engine_service::PATH,
    gate::{Gate, GateService},
    request::connection_of,
    response_body::{BoxBody, ResponseError},
};
use crate::transport::complete_headers;

/// The tower layer of a [`Realtime`](crate::Realtime): requests for Socket.IO go to it, all others
/// to the inner service. Clones share the same `Realtime`.
#[derive(Clone)]
pub struct RealtimeLayer {
    gate: Arc<Gate>,
    cors: CorsLayer,
}

impl RealtimeLayer {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self {
            cors: cors(&engine.settings.origins),
            gate: Arc::new(Gate::new(engine)),
        }
    }
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
    R::Error: Into<ResponseError>,
{
    type Response = Response<BoxBody>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[cfg_attr(
        not(feature = "axum"),
        allow(unused_mut, reason = "axum alone has connect info")
    )]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // For every request, not only those for Socket.IO: the connection may carry both.
        if let Some(connection) = connection_of(&request) {
            connection.begin_request();
        }
        #[cfg(feature = "axum")]
        add_socket_addr(&mut request);
        if is_socket_io(request.uri().path()) {
            let gate = GateService(Arc::clone(&self.layer.gate));
            let response = tower::ServiceExt::oneshot(self.layer.cors.layer(gate), request);
            Box::pin(async move {
                let mut response = response.await.map_err(|never| match never {})?;
                complete_headers(response.headers_mut());
                Ok(response)
            })
        } else {
            let response = self.inner.call(request);
            Box::pin(async move {
                let response = response.await?;
                Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
            })
        }
    }
}

fn is_socket_io(path: &str) -> bool {
    path.strip_prefix(PATH)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_the_engine_is_taken() {
        assert!(is_socket_io("/socket.io") && is_socket_io("/socket.io/"));
        assert!(!is_socket_io("/socket.io-admin") && !is_socket_io("/api/socket.io/"));
    }
}
