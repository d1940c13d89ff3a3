//! The commands: one file or folder each, with the arguments beside the function that runs it.

pub(crate) mod api;
pub(crate) mod connect;
pub(crate) mod contexts;
pub(crate) mod emit;
pub(crate) mod expect;
pub(crate) mod explain;
pub(crate) mod join;
pub(crate) mod operations;
pub(crate) mod order;
pub(crate) mod shell;
pub(crate) mod tail;
pub(crate) mod test;
pub(crate) mod token;
pub(crate) mod trigger;
