//! The configuration: every variable, read once at the start.
//!
//! Flags win over the environment, which wins over `.env`. If settings are not valid, all of them
//! are listed at once and nothing is started. The `load` module reads each variable.

mod configuration;
pub(crate) mod defaults;
#[cfg(test)]
mod documented;
mod doorbell;
mod dot_env;
mod key_sets;
mod limits;
mod listen_host;
mod load;
mod mongodb;
mod parse;
mod problem;
mod production;
mod reader;
mod short_secrets;
mod show;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use configuration::{Config, Environment, Log, LogFormat, Origins};
pub(crate) use listen_host::ListenHost;
pub(crate) use load::{Loaded, load};
pub(crate) use mongodb::MongoDb;
#[cfg(test)]
pub(crate) use parse::MAX_DRAIN;
pub(crate) use show::{problems, settings};
pub(crate) use source::Sources;
