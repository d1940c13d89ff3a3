//! Device resume: clients that send no position continue where they were.
//!
//! A client is recognised by its user and `auth.device`, otherwise by its user and its token's
//! `jti`. A [`DeviceStore`] keeps for a day the position up to which the client has certainly
//! received everything, and its order rooms. A client that reconnects receives what it missed, even
//! after the server was killed.
//!
//! Several clients may share a device or a token, and be connected at the same time: two tabs, or
//! two phones. Then the smallest of their positions counts until as many have come back as have
//! left.

mod key;
pub(crate) mod ledger;
mod memory;
mod record;
mod store;

pub use key::{DeviceKey, InvalidDeviceKey, TokenId};
pub(crate) use ledger::{ClientProgress, LastSign, SignOfLife};
pub use memory::MemoryDevices;
pub use record::DeviceRecord;
pub(crate) use store::DynDeviceStore;
pub use store::{Claimant, ClaimedRecords, DeviceError, DeviceStore};

/// Time after which a record is forgotten, in ms: a day.
pub const LIFE_MS: i64 = 24 * 60 * 60 * 1000;

/// Records that are kept of one user. More devices are treated as invented names, and the oldest
/// records are dropped.
pub const RECORDS_PER_USER: usize = 64;
