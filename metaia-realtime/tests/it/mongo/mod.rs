//! MongoDB, with real servers.

mod contract;
