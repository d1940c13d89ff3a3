//! Device resume: clients that never heard of positions go on where they were.
//!
//! A client is known again by its user and `auth.device`, or else its token's `jti`. What it has
//! certainly received, and the order rooms it was in, are kept for a day in a [`DeviceStore`], so
//! that it is given what it missed when it comes back, even after the server was killed.

pub(crate) mod ledger;
mod memory;

use std::{borrow::Borrow, fmt, future::Future, sync::Arc};

use futures_util::future::BoxFuture;

pub(crate) use ledger::{SignOfLife, Standing};
pub use memory::MemoryDevices;

use crate::{
    Identity, OrderId, Position,
    log::LogError,
    values::{DeviceId, NodeId},
};

/// How long a record is good for, in ms: a day.
pub const LIFE_MS: i64 = 24 * 60 * 60 * 1000;

/// How many records are kept of one user. More devices than this are nobody's: they are names that
/// somebody makes up.
pub const RECORDS_PER_USER: usize = 64;

/// The longest token id that a client is known by, in bytes.
const LONGEST_TOKEN_ID: usize = 256;

/// What a client is known by: always of one user, so that nobody resumes another's events.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceKey(Arc<str>);

impl DeviceKey {
    /// The key of a connection; `None` where it has neither a device nor a token id.
    #[must_use]
    pub fn of(identity: &Identity, device: Option<&DeviceId>) -> Option<Self> {
        let user = &identity.user;
        if let Some(device) = device {
            return Some(Self(format!("{user} device {device}").into()));
        }
        let token = identity
            .token_id
            .as_deref()
            .filter(|id| (1..=LONGEST_TOKEN_ID).contains(&id.len()))?;
        Some(Self(format!("{user} token {token}").into()))
    }

    /// The key as text, as a store keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is of one device, which only one client has at a time.
    #[cfg(feature = "mongodb")]
    pub(crate) fn is_of_device(&self) -> bool {
        self.0.split(' ').nth(1) == Some("device")
    }

    /// Whose it is.
    pub(crate) fn user(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// Between these texts are all keys of the same user, as text, and nobody else's: a user has no
    /// space in it, which comes before every other character that may be there.
    #[must_use]
    pub fn of_same_user(&self) -> (String, String) {
        (format!("{} ", self.user()), format!("{}!", self.user()))
    }
}

impl Borrow<str> for DeviceKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the id of the device or the token, which only the store needs.
        write!(f, "DeviceKey({}…)", self.user())
    }
}

/// What is kept of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRecord {
    /// Everything up to here it has certainly received.
    pub position: Position,
    /// The order rooms it was in; access is decided anew when it comes back.
    pub orders: Vec<OrderId>,
    /// How many connections the record stands for: several where phones share a token.
    pub connections: u32,
    /// When that was so, in ms since the Unix epoch.
    pub at: i64,
}

/// What a store has of a client that comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimedRecords {
    /// What this node saved last; not looked for where it knows the client itself.
    pub own: Option<DeviceRecord>,
    /// What was left behind by other nodes, which have nobody of it any more. It is this node's
    /// from now on: its next save of the key takes their places.
    pub left: Vec<DeviceRecord>,
    /// Where phones are, or may be, that other nodes have. They stay there.
    pub elsewhere: Vec<DeviceRecord>,
}

/// Where records are kept.
///
/// Where several nodes share a store the older position is always the safe one. What is saved by a
/// node says where its own phones are; it must not hide that another node's phone of the same token
/// is further behind.
///
/// Contract, with the failure that each clause prevents:
/// - `save` is all or nothing, and `load` answers what the last completed `save` gave: else a
///   client goes on behind what another record already promised.
/// - A record is forgotten [`LIFE_MS`] after its `at`, at the latest when somebody saves: else the
///   store grows for ever.
/// - Of one user the newest [`RECORDS_PER_USER`] are kept, at the latest when somebody saves one of
///   them: else a client that comes under ever new names fills the store.
/// - Records outlive the process as far as the log does: a position in a log that is gone only
///   leads to a reset.
pub trait DeviceStore: Send + Sync + 'static {
    /// The record of a client, unless it is too old.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    fn load(
        &self,
        key: &DeviceKey,
    ) -> impl Future<Output = Result<Option<DeviceRecord>, LogError>> + Send;

    /// What there is of a client that comes to this node, each time that it comes. `known`: the
    /// node knows it itself, better than the store. By default, for stores of one node: what
    /// [`load`](Self::load) says, where it is not known.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped before it answers, nothing has changed that matters: ask again.
    fn claim(
        &self,
        key: &DeviceKey,
        known: bool,
    ) -> impl Future<Output = Result<ClaimedRecords, LogError>> + Send {
        async move {
            let own = if known { None } else { self.load(key).await? };
            Ok(ClaimedRecords {
                own,
                ..ClaimedRecords::default()
            })
        }
    }

    /// The node that saves by this handle begins, under this name. By default nothing happens.
    fn serve(&self, _node: NodeId) {}

    /// As [`save`](Self::save), of clients that are not connected to this node any more: another
    /// one may have them. By default there is no difference.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    ///
    /// # Cancel safety
    /// As [`save`](Self::save).
    fn leave(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), LogError>> + Send {
        self.save(records)
    }

    /// Keeps records, each in the place of the one before under its key.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], or [`LogError::Unknown`]; saving again is safe.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the outcome open.
    fn save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), LogError>> + Send;
}

/// The erased twin of [`DeviceStore`].
pub(crate) trait DynDeviceStore: Send + Sync {
    fn claim<'a>(
        &'a self,
        key: &'a DeviceKey,
        known: bool,
    ) -> BoxFuture<'a, Result<ClaimedRecords, LogError>>;
    fn serve(&self, node: NodeId);
    fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>)
    -> BoxFuture<'_, Result<(), LogError>>;
    fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> BoxFuture<'_, Result<(), LogError>>;
}

impl<S: DeviceStore> DynDeviceStore for S {
    fn claim<'a>(
        &'a self,
        key: &'a DeviceKey,
        known: bool,
    ) -> BoxFuture<'a, Result<ClaimedRecords, LogError>> {
        Box::pin(DeviceStore::claim(self, key, known))
    }
    fn serve(&self, node: NodeId) {
        DeviceStore::serve(self, node);
    }
    fn leave(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> BoxFuture<'_, Result<(), LogError>> {
        Box::pin(DeviceStore::leave(self, records))
    }
    fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> BoxFuture<'_, Result<(), LogError>> {
        Box::pin(DeviceStore::save(self, records))
    }
}
