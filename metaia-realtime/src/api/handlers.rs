//! Embedders' own client→server events.

use std::{borrow::Cow, collections::HashMap, future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};

use crate::{Identity, Realtime, SessionId};

/// Who sent an event, and through what.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Received {
    /// The verified sender.
    pub identity: Identity,
    /// The session it came through.
    pub session: SessionId,
    /// The system it came to, to send by.
    pub realtime: Realtime,
}

/// A handler refuses an event. The client gets `{status: "error", code}` as its ack, or `rt:error` without one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event was refused: {code}")]
pub struct HandlerError {
    /// The stable code that the client sees.
    pub code: Cow<'static, str>,
}

impl HandlerError {
    /// Refuses with `code`.
    #[must_use]
    pub fn new(code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into() }
    }
}

/// The handlers of a node, by event name.
#[derive(Default)]
pub(crate) struct Handlers(HashMap<String, Handler>);

type Call =
    dyn Fn(Received, &RawValue) -> BoxFuture<'static, Result<Box<RawValue>, HandlerError>> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Handler(Arc<Call>);

impl Handlers {
    pub(crate) fn add<T, R, F, Fut>(&mut self, name: &str, handler: F)
    where
        T: DeserializeOwned + Send + 'static,
        R: Serialize,
        F: Fn(Received, T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
    {
        self.0.insert(
            name.to_owned(),
            Handler(Arc::new(move |received, argument| decode_and_call(&handler, received, argument))),
        );
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Handler> {
        self.0.get(name)
    }
}

impl Handler {
    pub(crate) async fn call(
        &self,
        received: Received,
        argument: &RawValue,
    ) -> Result<Box<RawValue>, HandlerError> {
        (self.0)(received, argument).await
    }
}

fn decode_and_call<T, R, F, Fut>(
    handler: &F,
    received: Received,
    argument: &RawValue,
) -> BoxFuture<'static, Result<Box<RawValue>, HandlerError>>
where
    T: DeserializeOwned + Send + 'static,
    R: Serialize,
    F: Fn(Received, T) -> Fut,
    Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
{
    let Ok(payload) = serde_json::from_str(argument.get()) else {
        return Box::pin(async { Err(HandlerError::new("malformed")) });
    };
    let called = handler(received, payload);
    Box::pin(async move { to_raw_value(&called.await?).map_err(|_| HandlerError::new("unavailable")) })
}
