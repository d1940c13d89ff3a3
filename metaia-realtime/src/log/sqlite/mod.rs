//! The log in SQLite: it survives the process, and an event is committed in one transaction with
//! the change that it reports.
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use metaia_realtime::{
//!     EventLog, NewEntry, Room,
//!     log::{Retention, SqliteLog, sqlite::AppendError},
//!     sqlite::{Migration, SqliteOptions, Writer},
//! };
//! use serde_json::json;
//!
//! const MIGRATIONS: &[Migration] = &[Migration {
//!     name: "orders",
//!     sql: "CREATE TABLE orders (id TEXT PRIMARY KEY, status TEXT) STRICT",
//! }];
//!
//! # let folder = std::env::temp_dir().join(format!("metaia-doc-log-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let writer = Writer::open(folder.join("shop.db"), SqliteOptions::default(), MIGRATIONS).await?;
//! let log = SqliteLog::on(&writer, Retention::DISK).await?;
//! // With `.log(log.clone())` on the builder, the node delivers the entries appended here.
//!
//! let event = NewEntry::event([Room::Everyone], ("order_placed", json!({ "id": "o1" })))?;
//! let inside = log.clone();
//! let after = log.clone();
//! let appended = writer
//!     .write_then(
//!         move |tx| {
//!             tx.execute("INSERT INTO orders VALUES ('o1', 'pending')", [])?;
//!             inside.append_in(tx, &[event])
//!         },
//!         move |appended| after.committed(appended),
//!     )
//!     .await?;
//! assert_eq!(log.head().await?.position, appended.positions()[0]);
//! log.close().await;
//! writer.close().await;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it behaves
//!
//! - **One transaction.** [`SqliteLog::append_in`] writes entries in your transaction. Their
//!   positions are known at once; if the transaction is rolled back nothing is left of them.
//! - **Durable** as the [`Writer`](crate::sqlite::Writer) is: with
//!   [`Durability::Full`](crate::sqlite::Durability::Full), an append that has returned survives a
//!   power cut.
//! - **Recent entries stay in memory** (4,096, at most 8 MiB): the dispatcher, and clients that
//!   were away for a short time, do not read the database. [`SqliteLog::reads`] counts its reads.
//! - **Retention** is applied by a task of its own, in writes of 64 entries, once a minute or when
//!   a bound is exceeded by more than 1 %. [`SqliteLog::trim`] does it at once. The last entry is
//!   never deleted.
//! - **Opening** reads the last entries only, however long the log is.
//! - **An older copy** in the database's place is detected with the file `….mark` beside it, and so
//!   is a [backup](SqliteLog::backup): the log begins a new epoch, and clients are told to reload.
//!   If you put a copy in its place that is not a backup, remove `….db-wal` and `….db-shm`.
//! - **Damage.** Every row has a checksum, and the index of the rooms notices a hole. Damaged
//!   entries are never handed out: entries up to the damaged one count as trimmed. If the index of
//!   the rooms is damaged, all stored entries do. One line is logged. Damage among the last entries
//!   is found at the opening and begins a new epoch. A damaged file, or a damaged record of where
//!   the log ends, is refused, see [`OpenError`](crate::sqlite::OpenError).

// The handle, what its tasks share, and the contract of a log.
mod devices;
mod event_log;
mod log;
mod revocations;
mod state;

// Writing: appending, taking in what others committed, trimming, copying.
mod append;
mod backup;
mod follow;
mod trim;

// Reading.
mod column;
mod read;
mod rooms;
mod row;

// Opening: the tables, the record of the end of the log, and proofs that it is the same log.
mod marks;
mod meta;
mod open;
mod schema;
mod version;
mod witness;

// Damage.
mod checksum;
mod damage;
mod fault;

// Tests.
#[cfg(test)]
mod tests;

pub use append::Appended;
pub use backup::{BackupError, backup};
pub use fault::AppendError;
pub use log::SqliteLog;
