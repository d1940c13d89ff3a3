//! The suite against the log in memory, and against a naive log with planted defects.

mod disk;
mod flaw;
mod flawed;
mod kills;
mod memory;
mod planted;
