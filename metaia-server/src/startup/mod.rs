//! The life of the process: command line, configuration, storage, construction of the server,
//! listeners, and shutdown.

mod app;
mod backup;
mod banner;
mod cli;
mod data_dir;
mod descriptors;
mod key_files;
mod listen;
mod reach;
mod run;
mod serve;
mod signals;
mod storage;
mod telemetry;
mod watchdog;

pub use run::run;
