//! The positions of the clients of one node: the ledger in memory, and the store behind it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::{
    Identity, OrderId, Position,
    auth::LEEWAY_MS,
    device::{
        Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DynDeviceStore, LIFE_MS,
        LastSign, ledger::Ledger,
    },
    session::{EndReason, Session, SessionIdentity},
    values::{DeviceId, NodeId, SessionId, time},
};

/// The most clients whose records wait to be stored. While the store is unavailable and there are
/// more, clients that leave are forgotten: they resume from their last stored position, or start
/// without a position.
const MAX_UNSAVED: usize = 100_000;

/// Records per call of the store. The store may share its writer with others, which wait for one
/// batch at the most.
const BATCH: usize = 256;

type KeyedRecord = (DeviceKey, DeviceRecord);

/// The ledger of the clients of this node, and the store in which it is saved.
pub(crate) struct Devices {
    /// `None`: positions are not stored, and a client without a position starts at the head.
    store: Option<Arc<dyn DynDeviceStore>>,
    ledger: Mutex<Ledger>,
    /// Notified when there is something to store soon.
    save_requested: Notify,
    /// Held during a save: saves follow each other.
    saving: tokio::sync::Mutex<()>,
    /// The number of the last save that has begun. Changes under the lock of the ledger.
    begun: AtomicU64,
    /// The number of the last save that has stored everything that had changed.
    stored: watch::Sender<u64>,
}

/// Records of one call of the store.
enum SaveBatch {
    /// Of clients that are connected to this node.
    Connected(Vec<KeyedRecord>),
    /// Of clients that have left this node.
    Left(Vec<KeyedRecord>),
}

impl SaveBatch {
    fn records(&self) -> &[KeyedRecord] {
        match self {
            Self::Connected(records) | Self::Left(records) => records,
        }
    }
}

/// A client that the ledger does not forget until this is dropped.
struct Pinned<'a> {
    devices: &'a Devices,
    key: &'a DeviceKey,
    /// The ledger knows the client.
    is_known: bool,
}

impl Pinned<'_> {
    fn claimant(&self) -> Claimant {
        if self.is_known {
            Claimant::Known
        } else {
            Claimant::New
        }
    }
}

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        if self.is_known {
            self.devices.ledger.lock().unpin(self.key);
        }
    }
}

/// The stored records of a session's client, until the session is in the ledger.
pub(crate) struct DeviceClaim<'a> {
    session: &'a Session,
    pinned: Pinned<'a>,
    records: ClaimedRecords,
}

impl<'a> DeviceClaim<'a> {
    /// Returns whether the store had a record of the client.
    pub(crate) fn has_stored_records(&self) -> bool {
        self.records != ClaimedRecords::default()
    }

    /// Adds the session to the ledger. Returns the position that its client had, and the order
    /// rooms that it was in.
    pub(crate) fn connect(self) -> Option<(Position, Vec<OrderId>)> {
        let Pinned { devices, key, .. } = self.pinned;
        // Before the ledger is locked: this locks the session.
        let sign = self.session.client_progress().sign;
        let found = self.records;
        let now = time::unix_ms();
        let mut ledger = devices.ledger.lock();
        ledger.learn(key, found.own);
        ledger.adopt(key, found.left);
        let resumed = ledger.connect(key, self.session.id, sign, &found.elsewhere, now);
        // Before `pinned` is dropped, which locks the ledger.
        drop(ledger);
        resumed
    }

    /// Adds the session under this key, too: its client is none of those that are away.
    pub(crate) fn join(self) -> JoinedKey<'a> {
        let Pinned { devices, key, .. } = self.pinned;
        // Before the ledger is locked: this locks the session.
        let progress = self.session.client_progress();
        let found = self.records;
        let mut ledger = devices.ledger.lock();
        ledger.learn(key, found.own);
        ledger.adopt(key, found.left);
        ledger.join(key, self.session.id, progress);
        // Before `pinned` is dropped, which locks the ledger.
        drop(ledger);
        JoinedKey {
            devices,
            key,
            session: self.session.id,
            is_kept: false,
        }
    }
}

/// A key under which a session is in the ledger beside its own. Dropping it takes the session away
/// from there, unless it is [kept](Devices::move_session).
pub(crate) struct JoinedKey<'a> {
    devices: &'a Devices,
    key: &'a DeviceKey,
    session: SessionId,
    is_kept: bool,
}

impl Drop for JoinedKey<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            let mut ledger = self.devices.ledger.lock();
            ledger.withdraw(self.key, self.session);
        }
    }
}

impl Devices {
    pub(super) fn new(store: Option<Arc<dyn DynDeviceStore>>) -> Self {
        Self {
            store,
            ledger: Mutex::default(),
            save_requested: Notify::new(),
            saving: tokio::sync::Mutex::default(),
            begun: AtomicU64::new(0),
            stored: watch::Sender::new(0),
        }
    }

    /// Tells the store the name under which this node saves.
    pub(super) fn register_node(&self, node: NodeId) {
        if let Some(store) = &self.store {
            store.serve(node);
        }
    }

    /// Returns the key under which a client's position is stored; `None` if it is not stored.
    pub(crate) fn key(&self, identity: &Identity, device: Option<&DeviceId>) -> Option<DeviceKey> {
        self.store.as_ref()?;
        DeviceKey::new(identity, device)
    }

    /// Asks the store for the records of the client of a session, under a key that the session is
    /// to have. Returns `None` if positions are not stored. The ledger does not change: call it
    /// again if it fails. Cancel safe.
    ///
    /// # Errors
    /// Returns the store's error.
    pub(crate) async fn claim<'a>(
        &'a self,
        session: &'a Session,
        key: &'a DeviceKey,
    ) -> Result<Option<DeviceClaim<'a>>, DeviceError> {
        let Some(store) = &self.store else {
            return Ok(None);
        };
        let pinned = Pinned {
            devices: self,
            key,
            is_known: self.ledger.lock().pin(key),
        };
        // The store is asked even if this node knows the client: several clients may share a key,
        // and other nodes may have records of the others.
        let records = store.claim(key, pinned.claimant()).await?;
        Ok(Some(DeviceClaim {
            session,
            pinned,
            records,
        }))
    }

    /// Records what the client of a session has received.
    pub(crate) fn update(&self, session: &Session) {
        if session.identity().device_key.is_none() {
            return;
        }
        // Before the ledger is locked: this locks the session.
        let progress = session.client_progress();
        let mut ledger = self.ledger.lock();
        // Under the lock, since the key may be about to change.
        if let Some(key) = &session.identity().device_key {
            ledger.update(key, session.id, progress);
        }
    }

    /// Records the same as [`update`](Self::update) and requests a save, since the session has
    /// started or its rooms have changed: that must survive a crash of the server.
    pub(crate) fn store_soon(&self, session: &Session) {
        if session.identity().device_key.is_some() {
            self.update(session);
            self.request_save();
        }
    }

    /// Requests a save, and waits until what is known of the clients now is stored. A save that
    /// fails is repeated.
    ///
    /// # Errors
    /// Returns [`DeviceError`] only if the node has stopped.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect: the save is made by a task of the node.
    pub(crate) async fn wait_until_stored(&self) -> Result<(), DeviceError> {
        let next = {
            let _unchanged = self.ledger.lock();
            self.begun.load(Ordering::Relaxed) + 1
        };
        let mut stored = self.stored.subscribe();
        self.request_save();
        let is_stored = stored.wait_for(|number| *number >= next).await;
        is_stored.map(drop).map_err(DeviceError::new)
    }

    /// Lets a session go on with another identity. If its key is another one, the session is under
    /// `joined` from here on. Under the old key it leaves a record, as a client does that is away:
    /// if the client comes back with its old token after all, it continues from here.
    pub(crate) fn move_session(
        &self,
        session: &Session,
        next: SessionIdentity,
        joined: Option<JoinedKey<'_>>,
    ) {
        // Before the ledger is locked: this locks the session.
        let progress = session.client_progress();
        let before = session.identity();
        let next = Arc::new(next);
        let mut ledger = self.ledger.lock();
        session.replace_identity(Arc::clone(&next));
        if before.device_key == next.device_key {
            return;
        }
        if let Some(key) = &before.device_key {
            ledger.update(key, session.id, progress.clone());
            let at = last_record_time(&before.who, time::unix_ms());
            ledger.end(key, session.id, at, LastSign::Recent);
        }
        if let Some(mut joined) = joined {
            joined.is_kept = true;
            ledger.update(joined.key, session.id, progress);
        }
        drop(ledger);
        self.request_save();
    }

    /// Removes a session that has ended, and requests a save of what its client has received.
    pub(crate) fn end(&self, session: &Session) {
        if session.identity().device_key.is_none() {
            return;
        }
        // Before the ledger is locked: this locks the session.
        let progress = session.client_progress();
        let last_sign = last_sign(session);
        let mut ledger = self.ledger.lock();
        // Under the lock, since the key may be about to change.
        let identity = session.identity();
        let Some(key) = &identity.device_key else {
            return;
        };
        ledger.update(key, session.id, progress);
        ledger.end(key, session.id, time::unix_ms(), last_sign);
        if ledger.len() > MAX_UNSAVED {
            ledger.forget(key);
        }
        drop(ledger);
        self.request_save();
    }

    /// Requests that [`save`](Self::save) be called soon.
    pub(super) fn request_save(&self) {
        self.save_requested.notify_one();
    }

    /// Waits for a request to save. Cancel safe.
    pub(crate) async fn save_requested(&self) {
        self.save_requested.notified().await;
    }

    /// Stores the records that have changed.
    ///
    /// # Errors
    /// Returns the store's error. What was not stored counts as changed again then.
    ///
    /// # Cancel safety
    /// If the future is dropped, the records that have changed may not be stored until they change
    /// again.
    pub(crate) async fn save(&self) -> Result<(), DeviceError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let _one_save_at_a_time = self.saving.lock().await;
        let (number, mut batches) = self.take_changed();
        while let Some(batch) = batches.pop() {
            let saving = match &batch {
                SaveBatch::Connected(records) => store.save(records.clone()),
                SaveBatch::Left(records) => store.leave(records.clone()),
            };
            if let Err(error) = saving.await {
                let mut ledger = self.ledger.lock();
                ledger.put_back(batch.records());
                for unsaved in &batches {
                    ledger.put_back(unsaved.records());
                }
                return Err(error);
            }
        }
        self.ledger.lock().forget_stored();
        self.stored.send_replace(number);
        Ok(())
    }

    /// Removes the records that are to be stored from the ledger, in batches. The batches of
    /// connected clients are at the end, and so are stored first. Returns the number of the save,
    /// too.
    fn take_changed(&self) -> (u64, Vec<SaveBatch>) {
        let mut ledger = self.ledger.lock();
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let changed = ledger.take_changed(time::unix_ms());
        let (connected, left): (Vec<KeyedRecord>, Vec<KeyedRecord>) = changed
            .into_iter()
            .partition(|(key, _)| ledger.is_here(key));
        let mut batches = Vec::new();
        for records in left.chunks(BATCH) {
            batches.push(SaveBatch::Left(records.to_vec()));
        }
        for records in connected.chunks(BATCH) {
            batches.push(SaveBatch::Connected(records.to_vec()));
        }
        (number, batches)
    }

    /// Returns how many clients are in the ledger.
    pub(crate) fn len(&self) -> usize {
        self.ledger.lock().len()
    }
}

/// Returns the time that the last record under a token's key is given, in ms since the Unix epoch,
/// so that the record is forgotten when no client can come back with the token. A user whose token
/// is replaced every few minutes would lose the records of other devices otherwise.
fn last_record_time(token: &Identity, now: i64) -> i64 {
    let last_use = |expires_at: i64| expires_at.saturating_add(LEEWAY_MS);
    let at = |expires_at| last_use(expires_at).saturating_sub(LIFE_MS);
    token.expires_at.map_or(now, |end| at(end).min(now))
}

fn last_sign(session: &Session) -> LastSign {
    if session.ended_by().is_some_and(EndReason::is_silent) {
        LastSign::LongAgo
    } else {
        LastSign::Recent
    }
}
