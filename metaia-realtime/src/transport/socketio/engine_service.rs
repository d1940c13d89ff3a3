//! The HTTP service of the Socket.IO engine, until the node stops.

use bytes::Bytes;
use engineioxide::service::NotFoundService;
use http::{Request, header::CONTENT_TYPE};
use http_body_util::Full;
use parking_lot::Mutex;
use socketioxide::service::SocketIoService;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// The path of every Engine.IO request.
pub(super) const PATH: &str = "/socket.io";

pub(super) type InnerService = SocketIoService<NotFoundService>;

/// The engine's own service. It takes the requests of clients and the closings of polling sessions.
pub(super) struct EngineService {
    /// Removed when the node stops, since the service owns the handlers, and these own the node's
    /// engine.
    service: Mutex<Option<InnerService>>,
    tasks: TaskTracker,
}

impl EngineService {
    pub(super) const fn new(service: InnerService, tasks: TaskTracker) -> Self {
        Self {
            service: Mutex::new(Some(service)),
            tasks,
        }
    }

    /// Returns the service, or `None` once the node has stopped.
    pub(super) fn get(&self) -> Option<InnerService> {
        self.service.lock().clone()
    }

    /// Drops the service. From now on [`get`](Self::get) returns `None`.
    pub(super) fn stop(&self) {
        self.service.lock().take();
    }

    /// Closes the polling session `sid`.
    ///
    /// A polling session has no connection to kill, so the engine is sent an Engine.IO close, as if
    /// it came from the client.
    pub(super) fn close_polling(&self, sid: &str) {
        // Destructors call this, too, and may run when there is no runtime any more.
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let Some(service) = self.get() else {
            return;
        };
        let request = Request::post(format!("{PATH}/?EIO=4&transport=polling&sid={sid}"))
            .header(CONTENT_TYPE, "text/plain;charset=UTF-8")
            .body(Full::<Bytes>::from("1"));
        if let Ok(request) = request {
            self.tasks
                .spawn(async move { service.oneshot(request).await.ok() });
        }
    }
}
