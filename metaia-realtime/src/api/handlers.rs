//! Handlers of an embedder's own client→server events: see
//! [`RealtimeBuilder::on`](crate::RealtimeBuilder::on).

use std::{borrow::Cow, collections::HashMap, future::Future, sync::OnceLock};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};

pub use super::error::HandlerNameError;
use super::{
    error::BuildError,
    realtime::{Realtime, WeakRealtime},
};
use crate::{
    Identity,
    event::{EventError, EventName},
    session::{EventHandlers, Handled, SESSION_EVENTS, Session},
    values::SessionId,
};

/// The context of an event: its sender, and the handle to answer with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EventContext {
    /// The verified sender.
    pub identity: Identity,
    /// The session it came through.
    pub session: SessionId,
    /// The handle of the node that received it.
    pub realtime: Realtime,
}

/// A refusal by a handler. The client gets `{status: "error", code}` as its ack, or `rt:error`
/// if it did not ask for one.
///
/// It carries nothing but the code: to tell the client more, return it as an answer (`Ok`). The
/// code is sent as it is. By convention codes are short and in the style of `out_of_stock`; do not
/// put the text of an error into it.
/// [`NodeStats::events_refused`](crate::NodeStats::events_refused) counts your own codes together,
/// as `other`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event was refused: {code}")]
pub struct HandlerError {
    /// The stable code that the client sees.
    pub code: Cow<'static, str>,
}

impl HandlerError {
    /// Returns a refusal with `code`.
    ///
    /// ```
    /// # use metaia_realtime::HandlerError;
    /// assert_eq!(HandlerError::new("out_of_stock").code, "out_of_stock");
    /// ```
    #[must_use]
    pub fn new(code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into() }
    }
}

fn check_name(name: &str) -> Result<(), HandlerNameError> {
    if name.starts_with("rt:") || SESSION_EVENTS.contains(&name) {
        return Err(HandlerNameError::Reserved);
    }
    match name.parse::<EventName>() {
        Ok(_) => Ok(()),
        Err(EventError::ReservedName) => Err(HandlerNameError::Reserved),
        Err(_) => Err(HandlerNameError::Invalid),
    }
}

/// The handlers of a node, by event name, and the handle that they are called with.
///
/// Handlers are created before the handle and hold it weakly: a strong reference would be a circle.
#[derive(Default)]
pub(super) struct Handlers {
    by_name: HashMap<&'static str, Box<Handler>>,
    /// Names that were given a second time.
    repeated: Vec<&'static str>,
    realtime: OnceLock<WeakRealtime>,
}

type HandlerResult = Result<Box<RawValue>, HandlerError>;
type Handler = dyn Fn(EventContext, &RawValue) -> BoxFuture<'static, HandlerResult> + Send + Sync;

impl Handlers {
    pub(super) fn add<T, R, F, Fut>(&mut self, name: &'static str, handler: F)
    where
        T: DeserializeOwned + Send + 'static,
        R: Serialize,
        F: Fn(EventContext, T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
    {
        let handler =
            move |received, argument: &RawValue| decode_and_call(&handler, received, argument);
        if self.by_name.insert(name, Box::new(handler)).is_some() {
            self.repeated.push(name);
        }
    }

    /// Returns an error for the first name under which no event can arrive, or which has two
    /// handlers.
    pub(super) fn validate(&self) -> Result<(), BuildError> {
        let mut names: Vec<&'static str> = self.by_name.keys().copied().collect();
        names.sort_unstable();
        for name in names {
            check_name(name).map_err(|why| BuildError::Handler { name, why })?;
        }
        match self.repeated.first() {
            Some(name) => Err(BuildError::Handler {
                name,
                why: HandlerNameError::Repeated,
            }),
            None => Ok(()),
        }
    }

    /// Sets the handle that handlers are called with.
    pub(super) fn serve(&self, realtime: WeakRealtime) {
        self.realtime.set(realtime).ok();
    }
}

impl EventHandlers for Handlers {
    fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn handle(
        &self,
        session: &Session,
        name: &str,
        argument: &RawValue,
    ) -> Option<BoxFuture<'static, Handled>> {
        let handler = self.by_name.get(name)?;
        let Some(realtime) = self.realtime.get().and_then(WeakRealtime::upgrade) else {
            return Some(Box::pin(async { Err("unavailable".into()) }));
        };
        let received = EventContext {
            identity: session.identity().who.clone(),
            session: session.id,
            realtime,
        };
        let handling = handler(received, argument);
        Some(Box::pin(async move {
            handling.await.map_err(|error| error.code)
        }))
    }
}

fn decode_and_call<T, R, F, Fut>(
    handler: &F,
    received: EventContext,
    argument: &RawValue,
) -> BoxFuture<'static, HandlerResult>
where
    T: DeserializeOwned + Send + 'static,
    R: Serialize,
    F: Fn(EventContext, T) -> Fut,
    Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
{
    let Ok(payload) = serde_json::from_str(argument.get()) else {
        return Box::pin(async { Err(HandlerError::new("malformed")) });
    };
    let called = handler(received, payload);
    Box::pin(
        async move { to_raw_value(&called.await?).map_err(|_| HandlerError::new("unavailable")) },
    )
}
