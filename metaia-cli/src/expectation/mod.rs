//! Expectations of the events that a watcher receives, and whether they are met. Everything here is
//! a function of values: nothing connects, waits or prints.

mod condition;
mod filter;
mod received;
mod subset;
mod times;

pub(crate) use condition::{Condition, NoBoolean};
pub(crate) use filter::{Filter, FilterFailed, InvalidFilter, Variables};
pub(crate) use received::Received;
pub(crate) use subset::{Difference, differences, fits};
pub(crate) use times::{InvalidTimes, Times};
