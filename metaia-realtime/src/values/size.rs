//! The largest entry, which servers and clients agree on.

/// The largest value of [`Limits::entry_bytes`](crate::Limits::entry_bytes), in bytes: 8 MiB. A
/// client of this crate reads a packet of this size whatever its own limit is, to learn the
/// position of an event that it does not take.
pub(crate) const MAX_ENTRY_BYTES: usize = 8 * 1024 * 1024;
