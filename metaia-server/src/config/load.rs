//! Reads every setting into a [`Config`].

use metaia_realtime::{log::Retention, serve::TrustedProxy};

use super::{
    configuration::{Config, Environment, Log, Razorpay},
    defaults, doorbell, key_sets,
    limits::{self, ServerLimits},
    listen_host::{self, ListenHost},
    mongodb::{self, MongoDb},
    parse,
    problem::ConfigProblem,
    production,
    reader::{Reader, Setting},
    short_secrets,
    source::Sources,
};
use crate::auth::secret_file;

/// The result of reading: the configuration or the problems with it, and in both cases every
/// setting as it is shown.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Result<Config, Vec<ConfigProblem>>,
    pub(crate) settings: Vec<Setting>,
    /// The notices for an operator, whether the settings are valid or not.
    pub(crate) notices: Vec<String>,
}

/// Reads and checks every setting.
pub(crate) fn load(sources: Sources) -> Loaded {
    let mut notices = sources.notices();
    let dot_env = sources.untrusted_dot_env.as_ref();
    let dot_env = dot_env.map(|reason| ConfigProblem::new(".env", reason.to_string()));
    let mut reader = Reader::new(sources);
    let config = read(&mut reader);
    notices.extend(webhooks_notice(&config.razorpay));
    notices.extend(config.key_sets.notice());
    let mut problems = reader.problems;
    if config.environment == Environment::Production {
        problems.extend(dot_env);
        problems.extend(untrusted_files(&config));
        problems.extend(production::check(&config));
    } else {
        notices.extend(short_secrets::notice(&config));
        let untrusted = dot_env.into_iter().chain(untrusted_files(&config));
        notices.extend(untrusted.map(|problem| format!("{} {}", problem.name, problem.reason)));
    }
    let config = if problems.is_empty() {
        Ok(config)
    } else {
        Err(problems)
    };
    Loaded {
        config,
        settings: reader.settings,
        notices,
    }
}

/// Returns a problem for each file that a setting names and that others can change.
fn untrusted_files(config: &Config) -> impl Iterator<Item = ConfigProblem> {
    let of_database = config.mongodb.iter().flat_map(MongoDb::untrusted_files);
    config.key_sets.untrusted_files().chain(of_database)
}

/// Reads the settings in the order in which `metaia-server config` lists them.
fn read(reader: &mut Reader) -> Config {
    let port = reader.read("PORT", defaults::PORT, parse::port);
    let environment = reader.read("NODE_ENV", defaults::ENVIRONMENT, parse::environment);
    let config = Config {
        port,
        environment,
        host: host(reader, environment),
        data: reader.read("METAIA_DATA", defaults::DATA, parse::path),
        durability: reader.read("METAIA_DURABILITY", defaults::DURABILITY, parse::durability),
        mongodb: mongodb(reader),
        doorbell: doorbell::doorbell(reader),
        cluster_key: doorbell::cluster_key(reader),
        retention: retention(reader),
        jwt_secret: reader.secret("JWT_SECRET"),
        jwt_secrets_old: reader.secrets("JWT_SECRETS_OLD"),
        key_sets: key_sets::key_sets(reader),
        api_key: reader.secret("METAIA_API_KEY"),
        token_in_query: reader.read(
            "METAIA_TOKEN_IN_QUERY",
            defaults::TOKEN_IN_QUERY,
            parse::boolean,
        ),
        device_resume: reader.read(
            "METAIA_DEVICE_RESUME",
            defaults::DEVICE_RESUME,
            parse::boolean,
        ),
        origins: reader.read("CORS_ORIGINS", defaults::ORIGINS, parse::origins),
        trusted_proxies: trusted_proxies(reader),
        transports: reader.read("METAIA_TRANSPORTS", defaults::TRANSPORTS, parse::transports),
        limits: limits(reader),
        razorpay: razorpay(reader),
        drain: reader.read("METAIA_DRAIN_MS", defaults::DRAIN_MS, parse::drain),
        metrics: reader.read("METAIA_METRICS_ADDR", defaults::METRICS, parse::metrics),
        log: log(reader),
    };
    show_substitutes(reader, &config);
    config
}

fn host(reader: &mut Reader, environment: Environment) -> ListenHost {
    let default = match environment {
        Environment::Production => defaults::PRODUCTION_HOST,
        Environment::Development | Environment::Test => defaults::HOST,
    };
    reader.read("METAIA_HOST", default, listen_host::parse)
}

fn mongodb(reader: &mut Reader) -> Option<MongoDb> {
    let address = reader.masked("MONGODB_URI", mongodb::parse);
    let pool = reader.optional("METAIA_MONGO_POOL", mongodb::pool);
    let (uri, place) = address?;
    reader.show("MONGODB_URI", place.to_string());
    Some(MongoDb::new(uri, place, pool))
}

fn limits(reader: &mut Reader) -> ServerLimits {
    let mut limits = reader.read("METAIA_LIMITS", &defaults::limits(), limits::parse);
    limits.realtime.keep_alive = reader.read(
        "METAIA_KEEP_ALIVE_MS",
        defaults::KEEP_ALIVE_MS,
        parse::keep_alive,
    );
    limits
}

fn trusted_proxies(reader: &mut Reader) -> Vec<TrustedProxy> {
    let proxies = reader.optional("METAIA_TRUSTED_PROXIES", parse::proxies);
    proxies.unwrap_or_default()
}

fn retention(reader: &mut Reader) -> Retention {
    let days = defaults::retention_days();
    let age = reader.read("METAIA_RETENTION_DAYS", &days, parse::days);
    let entries = defaults::retention_entries();
    let entries = reader.read("METAIA_RETENTION_ENTRIES", &entries, parse::entries);
    defaults::RETENTION.age(age).entries(entries)
}

fn razorpay(reader: &mut Reader) -> Razorpay {
    let razorpay = Razorpay {
        url: reader.optional("RAZORPAY_URL", parse::url),
        key_id: reader.optional("RAZORPAY_KEY_ID", parse::razorpay_key_id),
        key_secret: reader.secret("RAZORPAY_KEY_SECRET"),
        webhook_secret: reader.secret("RAZORPAY_WEBHOOK_SECRET"),
    };
    if razorpay.url.is_some() {
        let reason = "is not set; the provider at RAZORPAY_URL needs it";
        if razorpay.key_id.is_none() {
            reader.problem("RAZORPAY_KEY_ID", reason);
        }
        if razorpay.key_secret.is_none() {
            reader.problem("RAZORPAY_KEY_SECRET", reason);
        }
    }
    razorpay
}

/// Returns a notice if the provider's webhooks cannot be verified.
fn webhooks_notice(razorpay: &Razorpay) -> Option<String> {
    if razorpay.url.is_none() || razorpay.webhook_secret.is_some() {
        return None;
    }
    let notice = "RAZORPAY_WEBHOOK_SECRET is not set: the server refuses every webhook of the \
                  payment provider, so a payment that the app does not confirm stays open";
    Some(notice.to_owned())
}

fn log(reader: &mut Reader) -> Log {
    Log {
        format: reader.read("METAIA_LOG", defaults::LOG_FORMAT, parse::log_format),
        filter: reader.optional("RUST_LOG", parse::log_filter),
    }
}

/// Shows what the server uses in place of settings that are not set.
fn show_substitutes(reader: &mut Reader, config: &Config) {
    let generated = |file: &str| {
        let path = config.data.join(file);
        format!("generated at the first start, kept in {}", path.display())
    };
    if config.jwt_secret.is_none() && config.makes_jwt_secret() {
        reader.show("JWT_SECRET", generated(secret_file::JWT));
    }
    if config.razorpay.url.is_some() {
        return;
    }
    reader.show(
        "RAZORPAY_URL",
        "built-in test provider, which takes no money",
    );
    if config.razorpay.key_secret.is_none() {
        reader.show("RAZORPAY_KEY_SECRET", generated(secret_file::RAZORPAY));
    }
    if config.razorpay.webhook_secret.is_none() {
        reader.show("RAZORPAY_WEBHOOK_SECRET", "as RAZORPAY_KEY_SECRET");
    }
}
