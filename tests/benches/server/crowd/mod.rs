//! Clients that cost little themselves: how they connect, and one thread that reads all of them.

mod http_link;
mod members;
mod opening;
mod wire;

pub(crate) use members::{Arrival, Arrivals, Crowd};
pub(crate) use opening::{Door, Opening, by_websocket, connect};
pub(crate) use wire::{Refusal, Wire, connect_from};
