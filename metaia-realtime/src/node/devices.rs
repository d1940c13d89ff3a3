//! The clients of one node: the ledger, and the store behind it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::device::{DeviceKey, DeviceRecord, DynDeviceStore, ledger::Ledger};
use crate::{
    Identity, OrderId, Position,
    log::LogError,
    session::{EndReason, Session},
    values::{DeviceId, Epoch, NodeId, time},
};

/// Clients whose records wait to be stored. Beyond it, while the store is away, those who leave are
/// forgotten: they go on where the store last knew them, or begin anew.
const WAITING: usize = 100_000;

/// Records per call of the store, which may share its writer with others: they wait for one batch
/// at the most.
const BATCH: usize = 256;

type Saved = (DeviceKey, DeviceRecord);

/// While it is held the ledger does not forget what it knows of the client.
struct Pinned<'a> {
    devices: &'a Devices,
    key: &'a DeviceKey,
    known: bool,
}

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        if self.known {
            self.devices.ledger().unpin(self.key);
        }
    }
}

/// See the [module](self).
pub(crate) struct Devices {
    /// `None`: clients are not known again.
    store: Option<Arc<dyn DynDeviceStore>>,
    ledger: Mutex<Ledger>,
    urgent: Notify,
}

impl Devices {
    pub(crate) fn new(store: Option<Arc<dyn DynDeviceStore>>) -> Self {
        Self {
            store,
            ledger: Mutex::default(),
            urgent: Notify::new(),
        }
    }

    /// The node begins.
    pub(crate) fn serve(&self, node: NodeId) {
        if let Some(store) = &self.store {
            store.serve(node);
        }
    }

    /// What a client will be known by, if it will.
    pub(crate) fn key(&self, identity: &Identity, device: Option<&DeviceId>) -> Option<DeviceKey> {
        self.store
            .as_ref()
            .and_then(|_| DeviceKey::of(identity, device))
    }

    /// A session begins. Answers where its client was, and in which order rooms. Cancel safe.
    ///
    /// # Errors
    /// The store's; nothing has happened then.
    pub(crate) async fn connect(
        &self,
        session: &Session,
        epoch: Epoch,
    ) -> Result<Option<(Position, Vec<OrderId>)>, LogError> {
        let (Some(key), Some(store)) = (&session.device_key, &self.store) else {
            return Ok(None);
        };
        let sign = session.standing().sign;
        let pinned = Pinned {
            devices: self,
            key,
            known: self.ledger().pin(key),
        };
        // What other nodes keep counts also where this one knows the client: nobody can tell its
        // phones apart.
        let found = store.claim(key, pinned.known).await?;
        let mut ledger = self.ledger();
        ledger.learn(key, found.own);
        ledger.adopt(key, found.left, epoch);
        Ok(ledger.connect(key, session.id, sign, epoch, &found.elsewhere))
    }

    /// A session has begun, or received something.
    pub(crate) fn stands(&self, session: &Session) {
        if let Some(key) = &session.device_key {
            let standing = session.standing();
            self.ledger().update(key, session.id, standing);
        }
    }

    /// A session has begun, or is in other rooms than before: what is known of its client is to be
    /// stored soon, so that it is not lost with the server.
    pub(crate) fn store_soon(&self, session: &Session) {
        if session.device_key.is_some() {
            self.stands(session);
            self.urgent.notify_one();
        }
    }

    /// A session has ended.
    pub(crate) fn end(&self, session: &Session, epoch: Epoch) {
        let Some(key) = &session.device_key else {
            return;
        };
        let (standing, silently) = (
            session.standing(),
            session.ended_by().is_some_and(EndReason::is_silent),
        );
        let mut ledger = self.ledger();
        ledger.update(key, session.id, standing);
        ledger.end(key, session.id, epoch, time::unix_ms(), silently);
        if ledger.len() > WAITING {
            ledger.forget(key);
        }
        drop(ledger);
        self.remind();
    }

    /// There is still something to be stored.
    pub(crate) fn remind(&self) {
        self.urgent.notify_one();
    }

    /// Waits until there is something to be stored.
    pub(crate) async fn urgent(&self) {
        self.urgent.notified().await;
    }

    /// Stores what has changed.
    ///
    /// # Errors
    /// The store's; it is all to be stored again then.
    ///
    /// # Cancel safety
    /// Dropped, what has changed may not be stored until it changes again.
    pub(crate) async fn save(&self, epoch: Epoch) -> Result<(), LogError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let mut batches = self.take_changed(epoch);
        while let Some((are_here, batch)) = batches.pop() {
            let saving = if are_here {
                store.save(batch.clone())
            } else {
                store.leave(batch.clone())
            };
            let saved = saving.await;
            if saved.is_err() {
                let mut ledger = self.ledger();
                ledger.put_back(&batch);
                batches.iter().for_each(|(_, batch)| ledger.put_back(batch));
            }
            saved?;
        }
        self.ledger().forget_stored();
        Ok(())
    }

    /// What is to be stored, in batches, of clients that are here (`true`) and of clients that are
    /// not.
    fn take_changed(&self, epoch: Epoch) -> Vec<(bool, Vec<Saved>)> {
        let mut ledger = self.ledger();
        let changed = ledger.take_changed(epoch, time::unix_ms());
        let (here, gone): (Vec<Saved>, Vec<Saved>) = changed
            .into_iter()
            .partition(|(key, _)| ledger.is_here(key));
        let batches = |of: &[Saved], here| {
            of.chunks(BATCH)
                .map(|batch| (here, batch.to_vec()))
                .collect()
        };
        let mut all: Vec<_> = batches(&gone, false);
        all.extend::<Vec<_>>(batches(&here, true));
        all
    }

    /// How many clients it keeps in mind.
    pub(crate) fn len(&self) -> usize {
        self.ledger().len()
    }

    /// A poisoned lock is taken over: no method leaves the ledger half changed.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
