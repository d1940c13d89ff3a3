//! The claim of a device's record by a session that starts, from a store that fails at first.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::{FutureExt as _, poll};
use tokio::sync::Semaphore;

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

/// A store that cannot be read the first times, and that can be made to save nothing.
#[derive(Clone)]
struct FailingDevices {
    devices: MemoryDevices,
    failures_left: Arc<AtomicUsize>,
    claims: Arc<AtomicUsize>,
    /// Has a permit for each save that may go on.
    saves: Arc<Semaphore>,
}

impl Default for FailingDevices {
    fn default() -> Self {
        Self {
            devices: MemoryDevices::default(),
            failures_left: Arc::default(),
            claims: Arc::default(),
            saves: Arc::new(Semaphore::new(100)),
        }
    }
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
        let permit = self.saves.acquire().await.map_err(DeviceError::new)?;
        permit.forget();
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

/// Connects the phone `d1`.
fn connect(node: &Node, log: &Log) -> Arc<Session> {
    connect_device(node, log, "d1")
}

/// Connects a phone that names its device.
fn connect_device(node: &Node, log: &Log, device: &str) -> Arc<Session> {
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let device = Some(device.parse().unwrap());
    let phase = Phase::NotBegun(before_start(log));
    let port = Arc::new(CountingPort::default());
    let session = Arc::new(Session::new(node, identity, device, phase, port));
    assert!(node.register(&session).is_ok());
    session
}

/// Starts a session, while the node saves whenever that is requested.
async fn start(session: &Session, node: &Node) {
    let saving = async {
        loop {
            node.devices().save_requested().await;
            node.devices().save().await.unwrap();
        }
    };
    tokio::select! {
        biased;
        () = session.catch_up(node) => {}
        () = saving => {}
    }
}

fn is_live(session: &Session) -> bool {
    matches!(session.state().phase(), Phase::Live(_))
}

async fn stored(devices: &FailingDevices, session: &Session) -> Option<DeviceRecord> {
    let identity = session.identity();
    let key = identity.device_key.as_ref().unwrap();
    let found = devices.devices.claim(key, Claimant::New).await.unwrap();
    found.own
}

/// Claims the record of a session's client, and does nothing with it.
async fn claim(node: &Node, session: &Session) {
    let identity = session.identity();
    let key = identity.device_key.as_ref().unwrap();
    drop(node.devices().claim(session, key).await.unwrap());
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
    start(&session, &node).await;
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
        claim(&node, &first).await;
    }
    assert_eq!(node.devices().len(), 0);
    start(&first, &node).await;
    // Of a client that the ledger knows, too: it is pinned only while the claim lives.
    claim(&node, &first).await;
    node.end(&first, EndReason::ClientLeft);
    node.devices().save().await.unwrap();
    assert_eq!(node.devices().len(), 0);
    assert_eq!(stored(&devices, &first).await.unwrap().connections, 1);
}

/// Otherwise a server that is killed right after `rt:ready` does not know the client any more.
#[tokio::test(start_paused = true)]
async fn a_new_device_is_live_once_it_is_stored() {
    let log = Log::new();
    let devices = FailingDevices::default();
    let node = node(&log, devices.clone()).await;
    let first = connect(&node, &log);
    let mut starting = Box::pin(first.catch_up(&node));
    assert!(poll!(&mut starting).is_pending());
    assert!(!is_live(&first) && first.take().is_none());
    node.devices().save().await.unwrap();
    assert_eq!(starting.now_or_never(), Some(()));
    assert!(is_live(&first));
    assert!(stored(&devices, &first).await.is_some());
    // It is known by now, also to a node that does not remember it.
    node.end(&first, EndReason::ClientLeft);
    node.devices().save().await.unwrap();
    assert_eq!(node.devices().len(), 0);
    let again = connect(&node, &log);
    assert_eq!(again.catch_up(&node).now_or_never(), Some(()));
    assert!(is_live(&again));
}

#[tokio::test(start_paused = true)]
async fn a_save_that_began_before_does_not_make_a_device_live() {
    let log = Log::new();
    let devices = FailingDevices::default();
    let node = node(&log, devices.clone()).await;
    let other = connect_device(&node, &log, "d2");
    start(&other, &node).await;
    node.devices().store_soon(&other);
    node.end(&other, EndReason::ClientLeft);
    devices.saves.forget_permits(100);
    let third = connect_device(&node, &log, "d3");
    let mut starting_third = Box::pin(third.catch_up(&node));
    assert!(poll!(&mut starting_third).is_pending());
    let mut save = Box::pin(node.devices().save());
    assert!(poll!(&mut save).is_pending());
    let first = connect(&node, &log);
    let mut starting = Box::pin(first.catch_up(&node));
    assert!(poll!(&mut starting).is_pending());
    devices.saves.add_permits(100);
    save.await.unwrap();
    assert_eq!(starting_third.now_or_never(), Some(()));
    assert!(poll!(&mut starting).is_pending());
    node.devices().save().await.unwrap();
    assert_eq!(starting.now_or_never(), Some(()));
}

#[tokio::test(start_paused = true)]
async fn a_new_device_that_cannot_be_stored_is_closed() {
    let log = Log::new();
    let devices = FailingDevices::default();
    devices.saves.close();
    let node = node(&log, devices.clone()).await;
    let first = connect(&node, &log);
    let mut starting = Box::pin(first.catch_up(&node));
    assert!(poll!(&mut starting).is_pending());
    assert!(node.devices().save().await.is_err());
    assert!(poll!(&mut starting).is_pending());
    starting.await;
    assert_eq!(first.ended_by(), Some(EndReason::Unavailable));
}
