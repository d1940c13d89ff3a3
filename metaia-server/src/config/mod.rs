//! The configuration: every variable, read once at the start.
//!
//! Flags win over the environment, which wins over `.env`. Bad values are all listed at once, and
//! nothing is started. What each variable means is said where it is read, in [`read`].

mod doorbell;
mod limits;
mod mongodb;
mod parse;
mod production;
mod reader;
mod show;
mod source;
#[cfg(test)]
mod tests;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use metaia_realtime::{
    doorbell::ClusterKey, log::Retention, serve::Transports, sqlite::Durability,
};

pub(crate) use doorbell::Doorbell;
pub(crate) use limits::ServerLimits;
pub(crate) use mongodb::MongoDb;
use parse::{anything, number};
use reader::Reader;
pub(crate) use reader::{Problem, Setting};
pub(crate) use show::{problems, settings};
pub(crate) use source::Sources;

use crate::auth::{secret_file, secrets::Secret};

/// What this server was told. Secrets that are made at the start are not in it yet.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) port: u16,
    pub(crate) environment: Environment,
    pub(crate) data: PathBuf,
    pub(crate) durability: Durability,
    /// Without one the embedded store is used.
    pub(crate) mongodb: Option<MongoDb>,
    /// Without one nodes find each other's events by polling.
    pub(crate) doorbell: Option<Doorbell>,
    /// Signs what nodes tell each other.
    pub(crate) cluster_key: Option<ClusterKey>,
    /// How long, and how many, events are kept.
    pub(crate) retention: Retention,
    /// `None`, outside production: one is made and kept.
    pub(crate) jwt_secret: Option<Secret>,
    /// Still accepted, while secrets are being changed.
    pub(crate) jwt_secrets_old: Vec<Secret>,
    pub(crate) api_key: Option<Secret>,
    pub(crate) token_in_query: bool,
    /// Whether a client that shows no position goes on where its device was.
    pub(crate) device_resume: bool,
    pub(crate) origins: Origins,
    pub(crate) transports: Transports,
    pub(crate) limits: ServerLimits,
    pub(crate) razorpay: Razorpay,
    pub(crate) drain: Duration,
    /// `None`: nowhere.
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) log: Log,
    /// Variables that are set and have no effect in this version.
    pub(crate) unused: Vec<&'static str>,
}

/// `NODE_ENV`. Production is strict.
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

/// Which web pages may use this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    Any,
    These(Vec<String>),
}

/// The payment provider. Without an address it is the built-in one, which takes no money.
#[derive(Debug, Clone)]
pub(crate) struct Razorpay {
    pub(crate) url: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) key_secret: Option<Secret>,
    pub(crate) webhook_secret: Option<Secret>,
}

/// How the log is written, and what is in it.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) filter: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// What was read: the configuration or what is wrong with it, and in both cases every setting as it
/// is shown.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Result<Config, Vec<Problem>>,
    pub(crate) settings: Vec<Setting>,
}

/// Reads everything, and checks it.
pub(crate) fn load(sources: Sources) -> Loaded {
    let mut reader = Reader::new(sources);
    let config = read(&mut reader);
    let mut problems = std::mem::take(&mut reader.problems);
    if config.environment == Environment::Production {
        problems.extend(production::check(&config));
    }
    Loaded {
        config: if problems.is_empty() {
            Ok(config)
        } else {
            Err(problems)
        },
        settings: reader.settings,
    }
}

fn read(reader: &mut Reader) -> Config {
    let environment = Environment::Development;
    let mut config = Config {
        port: reader.read("PORT", "5000", number("a port, 0 to 65535"), 5000),
        environment: reader.read("NODE_ENV", "development", parse::environment, environment),
        data: reader
            .read("METAIA_DATA", "./metaia-data", anything, String::new())
            .into(),
        durability: reader.read(
            "METAIA_DURABILITY",
            "full",
            parse::durability,
            Durability::Full,
        ),
        mongodb: mongodb(reader),
        doorbell: doorbell::doorbell(reader),
        cluster_key: doorbell::cluster_key(reader),
        retention: retention(reader),
        jwt_secret: reader.secret("JWT_SECRET"),
        jwt_secrets_old: reader.secrets("JWT_SECRETS_OLD"),
        api_key: reader.secret("METAIA_API_KEY"),
        token_in_query: reader.read("METAIA_TOKEN_IN_QUERY", "false", parse::boolean, false),
        device_resume: reader.read("METAIA_DEVICE_RESUME", "true", parse::boolean, true),
        origins: reader.read("CORS_ORIGINS", "*", parse::origins, Origins::Any),
        transports: reader.read(
            "METAIA_TRANSPORTS",
            "polling,websocket",
            parse::transports,
            Transports::All,
        ),
        limits: reader.read(
            "METAIA_LIMITS",
            limits::DEFAULT,
            limits::parse,
            ServerLimits::default(),
        ),
        razorpay: razorpay(reader),
        drain: reader.read(
            "METAIA_DRAIN_MS",
            "9000",
            parse::drain,
            Duration::from_secs(9),
        ),
        metrics: reader.read(
            "METAIA_METRICS_ADDR",
            "127.0.0.1:9464",
            parse::metrics,
            None,
        ),
        log: Log {
            format: reader.read("METAIA_LOG", "text", parse::log_format, LogFormat::Text),
            filter: reader.optional("RUST_LOG", parse::log_filter),
        },
        unused: Vec::new(),
    };
    not_supported(reader);
    config.unused = unused(reader);
    explain(reader, &config);
    config
}

fn mongodb(reader: &mut Reader) -> Option<MongoDb> {
    let found = reader.unshown("MONGODB_URI", mongodb::parse);
    let pool = reader.optional("METAIA_MONGO_POOL", mongodb::pool);
    if let Some((_, place)) = &found {
        reader.show("MONGODB_URI", place.to_string());
    }
    found.map(|found| MongoDb::new(found, pool))
}

fn retention(reader: &mut Reader) -> Retention {
    let kept = Retention::DISK;
    let age = reader.read("METAIA_RETENTION_DAYS", "7", parse::days, kept.age);
    let entries = reader.read(
        "METAIA_RETENTION_ENTRIES",
        "1000000",
        parse::entries,
        kept.entries,
    );
    kept.age(age).entries(entries)
}

fn razorpay(reader: &mut Reader) -> Razorpay {
    let razorpay = Razorpay {
        url: reader.optional("RAZORPAY_URL", parse::url),
        key_id: reader.optional("RAZORPAY_KEY_ID", parse::razorpay_key_id),
        key_secret: reader.secret("RAZORPAY_KEY_SECRET"),
        webhook_secret: reader.secret("RAZORPAY_WEBHOOK_SECRET"),
    };
    if razorpay.url.is_some() {
        let missing = [
            ("RAZORPAY_KEY_ID", razorpay.key_id.is_none()),
            ("RAZORPAY_KEY_SECRET", razorpay.key_secret.is_none()),
        ];
        for (name, _) in missing.into_iter().filter(|(_, missing)| *missing) {
            reader.problem(
                name,
                "is not set, and the provider at RAZORPAY_URL asks for it",
            );
        }
    }
    razorpay
}

/// Ignored, these would let in tokens that were meant to be refused.
fn not_supported(reader: &mut Reader) {
    for name in ["JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"] {
        if reader.is_set(name) {
            reader.problem(
                name,
                "is not supported by this version, which would accept what it forbids: unset it",
            );
        }
    }
}

/// Ignored, these change nothing that a client could rely on: a warning at the start is enough.
fn unused(reader: &mut Reader) -> Vec<&'static str> {
    reader.unused("METAIA_TRUSTED_PROXIES", anything);
    std::mem::take(&mut reader.unused)
}

/// Says what stands in for what is not set.
fn explain(reader: &mut Reader, config: &Config) {
    let kept = |file: &str| {
        format!(
            "made at the first start, kept in {}",
            config.data.join(file).display()
        )
    };
    if config.jwt_secret.is_none() {
        reader.show("JWT_SECRET", kept(secret_file::JWT));
    }
    if config.razorpay.url.is_none() {
        reader.show(
            "RAZORPAY_URL",
            "built-in test provider, which takes no money",
        );
        if config.razorpay.key_secret.is_none() {
            reader.show("RAZORPAY_KEY_SECRET", kept(secret_file::RAZORPAY));
        }
        if config.razorpay.webhook_secret.is_none() {
            reader.show("RAZORPAY_WEBHOOK_SECRET", "as RAZORPAY_KEY_SECRET");
        }
    }
}
