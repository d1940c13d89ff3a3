//! What a node is made of.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use crate::{
    Limits, MemoryLog,
    access::{AdminsOnly, DynOrderAccess},
    device::{DynDeviceStore, MemoryDevices},
    doorbell::{ClusterKey, DynDoorbell},
    log::DynEventLog,
    presence::DynDirectory,
    session::{EventHandlers, Handled, Session},
};

/// The parts of a node that an embedder may choose, with a default for each.
pub(crate) struct NodeParts {
    pub(crate) access: Arc<dyn DynOrderAccess>,
    pub(crate) log: Arc<dyn DynEventLog>,
    pub(crate) doorbell: Option<Arc<dyn DynDoorbell>>,
    pub(crate) cluster_key: Option<ClusterKey>,
    /// `None`: clients that show no position are always new.
    pub(crate) devices: Option<Arc<dyn DynDeviceStore>>,
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
            directory: None,
            limits: Limits::default(),
            handlers: Arc::new(NoHandlers),
        }
    }
}

/// A node whose embedder handles no event.
struct NoHandlers;

impl EventHandlers for NoHandlers {
    fn handle(&self, _: &Session, _: &str, _: &RawValue) -> Option<BoxFuture<'static, Handled>> {
        None
    }
}
