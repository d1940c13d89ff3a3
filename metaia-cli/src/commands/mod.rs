//! The commands: one file each, its arguments beside the function that does it.

pub(crate) mod connect;
pub(crate) mod emit;
pub(crate) mod join;
pub(crate) mod tail;
pub(crate) mod token;
pub(crate) mod trigger;
