//! The tower layer that embedders mount.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use tower_layer::Layer;
use tower_service::Service;

use crate::transport::socketio::{Gate, GatedService};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Made by [`Realtime::layer`](crate::Realtime::layer).
#[derive(Clone)]
pub struct RealtimeLayer(pub(crate) Gate);

impl std::fmt::Debug for RealtimeLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RealtimeLayer")
    }
}

impl<S> Layer<S> for RealtimeLayer {
    type Service = RealtimeService<S>;
    fn layer(&self, inner: S) -> RealtimeService<S> {
        RealtimeService(self.0.layer(inner))
    }
}

/// The service of a [`RealtimeLayer`].
#[derive(Clone)]
pub struct RealtimeService<S>(GatedService<S>);

impl<S> std::fmt::Debug for RealtimeService<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RealtimeService")
    }
}

impl<S, B, R> Service<Request<B>> for RealtimeService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    B: Body + Send + Unpin + std::fmt::Debug + 'static,
    B::Error: std::fmt::Debug,
    B::Data: Send,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<UnsyncBoxBody<Bytes, BoxError>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.0.call(request)
    }
}
