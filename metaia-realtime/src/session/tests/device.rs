//! The claim of a device's record by a session that starts, from a store that fails at first.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{super::Phase, connect::before_start, log::Log, world::CountingPort};
use crate::{
    EventLog as _, Identity, JwtAuthenticator, Position, Role,
    device::{
        Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DeviceStore, MemoryDevices,
    },
    node::{Node, NodeParts, Window},
    session::{EndReason, Session},
    values::NodeId,
};

/// A store that cannot be read the first times.
#[derive(Clone, Default)]
struct FailingDevices {
    devices: MemoryDevices,
    failures_left: Arc<AtomicUsize>,
    claims: Arc<AtomicUsize>,
}

impl DeviceStore for FailingDevices {
    fn serve(&self, node: NodeId) {
        self.devices.serve(node);
    }

    async fn claim(
        &self,
        key: &DeviceKey,
        claimant: Claimant,
    ) -> Result<ClaimedRecords, DeviceError> {
        self.claims.fetch_add(1, Ordering::SeqCst);
        let left = self.failures_left.load(Ordering::SeqCst);
        if left > 0 {
            self.failures_left.store(left - 1, Ordering::SeqCst);
            return Err(DeviceError::new("the store fails"));
        }
        self.devices.claim(key, claimant).await
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        self.devices.save(records).await
    }

    async fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        self.devices.leave(records).await
    }
}

async fn node(log: &Log, devices: FailingDevices) -> Node {
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        devices: Some(Arc::new(devices)),
        ..NodeParts::default()
    };
    let window = Window::from_log_bounded(&*parts.log, 6, 100_000).await;
    Node::new(window.unwrap(), Arc::new(authenticator), parts)
}

/// Connects a phone that names its device.
fn connect(node: &Node, log: &Log) -> Arc<Session> {
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let device = Some("d1".parse().unwrap());
    let phase = Phase::NotBegun(before_start(log));
    let port = Arc::new(CountingPort::default());
    let session = Arc::new(Session::new(node, identity, device, phase, port));
    assert!(node.register(&session));
    session
}

async fn stored(devices: &FailingDevices, session: &Session) -> Option<DeviceRecord> {
    let key = session.device_key.as_ref().unwrap();
    let found = devices.devices.claim(key, Claimant::New).await.unwrap();
    found.own
}

async fn head(log: &Log) -> Position {
    log.head().await.unwrap().position
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_tried_again_adds_the_session_once() {
    let log = Log::new();
    let devices = FailingDevices::default();
    devices.failures_left.store(3, Ordering::SeqCst);
    let node = node(&log, devices.clone()).await;
    let session = connect(&node, &log);
    session.catch_up(&node).await;
    assert_eq!(devices.claims.load(Ordering::SeqCst), 4);
    assert_eq!(node.devices().len(), 1);
    node.end(&session, EndReason::ClientLeft);
    node.devices().save().await.unwrap();
    let record = stored(&devices, &session).await.unwrap();
    assert_eq!(record.connections, 1);
    assert_eq!(record.position, head(&log).await);
    assert_eq!(node.devices().len(), 0, "nothing keeps it in the ledger");
}

#[tokio::test(start_paused = true)]
async fn a_claim_changes_nothing_until_the_session_connects() {
    let log = Log::new();
    let devices = FailingDevices::default();
    let node = node(&log, devices.clone()).await;
    let first = connect(&node, &log);
    for _ in 0..3 {
        drop(node.devices().claim(&first).await.unwrap());
    }
    assert_eq!(node.devices().len(), 0);
    first.catch_up(&node).await;
    // Of a client that the ledger knows, too: it is pinned only while the claim lives.
    drop(node.devices().claim(&first).await.unwrap());
    node.end(&first, EndReason::ClientLeft);
    node.devices().save().await.unwrap();
    assert_eq!(node.devices().len(), 0);
    assert_eq!(stored(&devices, &first).await.unwrap().connections, 1);
}
