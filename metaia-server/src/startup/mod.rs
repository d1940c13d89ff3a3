//! From the command line to a server that answers: configuration, storage, the node, the listener,
//! and its end.

mod announcement;
mod app;
mod backup;
mod cli;
mod data_dir;
mod run;
mod serve;
mod signals;
mod storage;
mod telemetry;

pub use run::run;
