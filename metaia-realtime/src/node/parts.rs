//! The parts of a node that an embedder may choose.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use crate::{
    Limits, MemoryLog,
    access::{AdminsOnly, DynOrderAccess},
    device::{DynDeviceStore, MemoryDevices},
    doorbell::{ClusterKey, DynDoorbell},
    log::DynEventLog,
    node::Revocations,
    presence::DynDirectory,
    session::{EventHandlers, Handled, Session},
};

/// The parts, with a default for each.
pub(crate) struct NodeParts {
    pub(crate) access: Arc<dyn DynOrderAccess>,
    pub(crate) log: Arc<dyn DynEventLog>,
    pub(crate) doorbell: Option<Arc<dyn DynDoorbell>>,
    pub(crate) cluster_key: Option<ClusterKey>,
    /// `None`: positions are not stored, and a client that shows none starts at the head.
    pub(crate) devices: Option<Arc<dyn DynDeviceStore>>,
    pub(crate) revocations: Revocations,
    /// `None`: the node is the only one, or is announced to none.
    pub(crate) directory: Option<Arc<dyn DynDirectory>>,
    pub(crate) limits: Limits,
    pub(crate) handlers: Arc<dyn EventHandlers>,
}

impl Default for NodeParts {
    fn default() -> Self {
        Self {
            access: Arc::new(AdminsOnly),
            log: Arc::new(MemoryLog::default()),
            doorbell: None,
            cluster_key: None,
            devices: Some(Arc::new(MemoryDevices::default())),
            revocations: Revocations::in_memory(),
            directory: None,
            limits: Limits::default(),
            handlers: Arc::new(NoHandlers),
        }
    }
}

/// The handlers of an embedder that handles no event.
struct NoHandlers;

impl EventHandlers for NoHandlers {
    fn has(&self, _: &str) -> bool {
        false
    }

    fn handle(&self, _: &Session, _: &str, _: &RawValue) -> Option<BoxFuture<'static, Handled>> {
        None
    }
}
