//! Sessions: live authenticated connections.
//!
//! A session has one cursor for all its rooms. Until it has one it *starts*: it may await
//! `rt:resume`, then joins the rooms that its client asks for and finds the position to continue
//! from. From then on it is *live* (the dispatcher hands it each entry as it is dispatched) or
//! *catching up* (it takes nothing from the dispatcher, and reads the window or the log from its
//! cursor until it has reached the head). A session catches up if its client resumes from an old
//! position, if its credit window is full, or if the access to one of its rooms is decided again.
//! All three use the same code, the only path to live.
//!
//! At the edges: a session whose credit window is full takes no more entries until the socket has
//! written the packets in flight. No entry is lost, since the cursor stays before the next one.
//! Inbound events wait in the meantime, too.
//!
//! - The session: [`connection`] (its data, and what others do to it), [`credit_wait`],
//!   [`driver`] (its work), [`unfinished`] (what of it is under way), [`port`] (what it asks of a
//!   transport), [`identity`] (what its token proves), [`expiry`] (of its token), [`end`] (why it
//!   ends), [`finish`] (handlers after its end).
//! - Its start: [`request`] (what the client asks for), [`resume`] (which position it continues
//!   from), [`retry`] (while the log cannot be read).
//! - Outbound: [`catch_up`], [`room_replay`], [`wire`] (payloads).
//! - Inbound: [`inbound_queue`] (rates, bytes), [`inbound`] (handled by name), [`backlog`],
//!   [`join`], [`sync`], [`refresh`] (of the token), [`handler`].
//! - Pure kernels: [`state`], [`phase`] (with its cursor), [`room_set`], [`rechecks`], [`fences`],
//!   [`packet`], [`outbox`], [`credit`], [`confirmed`], [`volatile_queue`], [`flood`].

mod backlog;
mod catch_up;
mod confirmed;
mod connection;
mod credit;
mod credit_wait;
mod driver;
mod end;
mod event_names;
mod expiry;
mod fences;
mod finish;
mod flood;
mod handler;
mod identity;
mod inbound;
mod inbound_queue;
mod join;
mod outbox;
mod packet;
mod parsed_event;
mod phase;
mod port;
mod recheck_request;
mod rechecks;
mod refresh;
mod request;
mod resume;
mod retry;
mod room_replay;
mod room_set;
mod state;
mod sync;
#[cfg(test)]
mod tests;
mod unfinished;
mod volatile_queue;
mod wire;

pub(crate) use connection::{Session, Taken};
pub(crate) use driver::{Driven, PacketWriter, SessionDriver, drive};
pub use end::EndReason;
pub(crate) use finish::SessionRemoval;
pub(crate) use handler::{EventHandlers, Handled};
pub(crate) use identity::SessionIdentity;
pub(crate) use inbound::{Inbound, SESSION_EVENTS};
pub(crate) use inbound_queue::{InboundEvents, InboundQueue};
pub(crate) use packet::{Outgoing, Volatile};
pub(crate) use parsed_event::EventLabel;
pub(crate) use phase::{BeforeStart, Phase};
#[cfg(any(test, feature = "__bench"))]
pub(crate) use port::SilentPort;
pub(crate) use port::{Port, Progress};
pub(crate) use refresh::RefreshRefusal;
pub(crate) use request::ConnectRequest;
pub(crate) use state::Offered;
pub(crate) use wire::{DRAIN, END, EventRefusal, REFRESH, drain as drain_payload};
