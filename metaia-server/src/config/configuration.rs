//! The configuration as values.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use metaia_realtime::{
    doorbell::ClusterKey,
    log::Retention,
    serve::{Transports, TrustedProxy, WebOrigin},
    sqlite::Durability,
};
use tracing_subscriber::filter::Targets;

use super::{
    doorbell::Doorbell, key_sets::KeySets, limits::ServerLimits, listen_host::ListenHost,
    mongodb::MongoDb,
};
use crate::auth::secrets::Secret;

/// The configuration of a server. Secrets that the server generates at its start are not in it.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) port: u16,
    pub(crate) host: ListenHost,
    pub(crate) environment: Environment,
    pub(crate) data: PathBuf,
    pub(crate) durability: Durability,
    /// The database of several nodes. `None`: the embedded store is used.
    pub(crate) mongodb: Option<MongoDb>,
    /// The notifier between nodes. `None`: nodes find each other's events by polling.
    pub(crate) doorbell: Option<Doorbell>,
    /// The key that signs the notifications between nodes.
    pub(crate) cluster_key: Option<ClusterKey>,
    /// The age and the number of the events that the log keeps.
    pub(crate) retention: Retention,
    /// The secret that signs tokens. `None`, outside production: the server generates one and keeps
    /// it in the data folder. `None`, in production: it accepts tokens of its key sets alone.
    pub(crate) jwt_secret: Option<Secret>,
    /// Secrets that are still accepted while they are being replaced.
    pub(crate) jwt_secrets_old: Vec<Secret>,
    /// The issuers that publish their keys.
    pub(crate) key_sets: KeySets,
    pub(crate) api_key: Option<Secret>,
    pub(crate) token_in_query: bool,
    /// True if a client without a position continues at the last position of its device.
    pub(crate) device_resume: bool,
    pub(crate) origins: Origins,
    /// The proxies that say under which address a client reached the server.
    pub(crate) trusted_proxies: Vec<TrustedProxy>,
    pub(crate) transports: Transports,
    pub(crate) limits: ServerLimits,
    pub(crate) razorpay: Razorpay,
    pub(crate) drain: Duration,
    /// The address of the metrics listener. `None`: there is none.
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) log: Log,
}

impl Config {
    /// Returns whether the server makes a secret for tokens if none is set. In production it never
    /// does: without one, it accepts no token of a shared secret.
    pub(crate) fn makes_jwt_secret(&self) -> bool {
        self.environment != Environment::Production
    }
}

/// `NODE_ENV`. Production refuses insecure settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    Development,
    Test,
    Production,
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Production => "production",
        })
    }
}

/// The web pages that may use this server, by their origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    Any,
    These(Vec<WebOrigin>),
}

/// The payment provider. Without an address it is the built-in one, which takes no money.
#[derive(Debug, Clone)]
pub(crate) struct Razorpay {
    pub(crate) url: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) key_secret: Option<Secret>,
    pub(crate) webhook_secret: Option<Secret>,
}

/// The format and the filter of the process log.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) filter: Option<Targets>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}
