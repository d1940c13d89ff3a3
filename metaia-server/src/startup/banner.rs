//! The text that the server prints once it listens: the guide's three lines, then its storage and
//! its main settings.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

use crate::{
    auth::secret_file,
    config::{Config, defaults},
    startup::{reach, storage::Description},
};

/// Returns the banner of a server that listens on `port`, on a machine with this address in its
/// network.
pub(crate) fn text(
    config: &Config,
    storage: &Description,
    port: u16,
    network: Option<IpAddr>,
    metrics: Option<SocketAddr>,
) -> String {
    let metrics = metrics.map_or_else(
        || "off".to_owned(),
        |address| format!("http://{address}/metrics"),
    );
    let payments = config
        .razorpay
        .url
        .as_deref()
        .unwrap_or("built-in test provider, which takes no money");
    format!(
        "🚀 METAIA Backend Server running on port {port}\n\
         📍 Environment: {environment}\n\
         🔌 Socket.IO enabled for real-time updates\n\
         \n\
         {reach}\
         \x20  store     {store}\n\
         \x20  log       {log}; kept {days} days, at most {entries} events\n\
         \x20  doorbell  {doorbell}\n\
         \x20  metrics   {metrics}\n\
         \x20  payments  {payments}\n\
         {proxies}{keys}{secrets}{mint}",
        environment = config.environment,
        reach = reach::lines(config, port, network),
        store = storage.store,
        log = storage.log,
        days = config.retention.age.as_secs() / (24 * 60 * 60),
        entries = config.retention.entries,
        doorbell = doorbell(config),
        proxies = proxies(config),
        keys = keys(config),
        secrets = secrets(config),
        mint = mint(config),
    )
}

/// Describes how nodes notify each other.
fn doorbell(config: &Config) -> String {
    let Some(doorbell) = &config.doorbell else {
        return if config.mongodb.is_some() {
            "none: nodes poll".to_owned()
        } else {
            "none: one node".to_owned()
        };
    };
    let note = if config.mongodb.is_none() {
        "not used without MONGODB_URI: one node"
    } else if config.cluster_key.is_some() {
        "signed"
    } else {
        "not signed: METAIA_CLUSTER_KEY is not set"
    };
    format!("Redis at {}, {note}", doorbell.place)
}

/// Returns a line with the proxies that the server trusts, if there are any.
fn proxies(config: &Config) -> String {
    if config.trusted_proxies.is_empty() {
        return String::new();
    }
    let proxies = config.trusted_proxies.iter().map(ToString::to_string);
    let proxies = proxies.collect::<Vec<_>>().join(", ");
    format!("   proxies   {proxies}, trusted with X-Forwarded-Proto and X-Forwarded-Host\n")
}

/// Returns a line for each key set, if there are any, and one that says whether tokens of a shared
/// secret are accepted, too.
fn keys(config: &Config) -> String {
    let mut lines = String::new();
    for line in config.key_sets.lines() {
        lines += &format!("   keys      {line}\n");
    }
    if lines.is_empty() {
        return lines;
    }
    let audiences = &config.key_sets.audiences;
    if !audiences.is_empty() {
        lines += &format!("   audience  {}\n", audiences.join(", "));
    }
    lines += match (accepts_hs256(config), config.jwt_secrets_old.is_empty()) {
        (true, _) => {
            "   tokens    of these keys, and those that are signed with JWT_SECRET (HS256)\n"
        }
        (false, false) => {
            "   tokens    of these keys, and those that are signed with JWT_SECRETS_OLD (HS256)\n"
        }
        (false, true) => "   tokens    of these keys alone: JWT_SECRET is not set\n",
    };
    lines
}

fn accepts_hs256(config: &Config) -> bool {
    config.jwt_secret.is_some() || config.makes_jwt_secret()
}

/// Returns a line for each generated secret: its name and its file, never its text.
fn secrets(config: &Config) -> String {
    let mut lines = String::new();
    if config.jwt_secret.is_none() && config.makes_jwt_secret() {
        lines += &generated(config, "JWT_SECRET", secret_file::JWT);
    }
    if config.razorpay.key_secret.is_none() {
        lines += &generated(config, "RAZORPAY_KEY_SECRET", secret_file::RAZORPAY);
    }
    lines
}

fn generated(config: &Config, name: &str, file: &str) -> String {
    let path = config.data.join(file);
    format!(
        "   secret    {name} is not set: generated in {}\n",
        path.display()
    )
}

/// Returns a line with the command that mints a token for this server, if there can be one.
fn mint(config: &Config) -> String {
    if accepts_hs256(config) {
        format!("   a token   {}\n", mint_command(config))
    } else {
        String::new()
    }
}

/// Returns the command that mints a token for this server.
///
/// The command looks for the secret where the server does: in the environment, in `.env`, or in the
/// data folder. Only another data folder has to be named.
fn mint_command(config: &Config) -> String {
    let command = "metaia token mint --role admin --user a1";
    if config.jwt_secret.is_some() || config.data == Path::new(defaults::DATA) {
        return command.to_owned();
    }
    format!(
        "METAIA_DATA={} {command}",
        quoted(&config.data.display().to_string())
    )
}

/// Returns `text` as one word of a shell command.
fn quoted(text: &str) -> String {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
    if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};
    use metaia_realtime::mongo::Deployment;
    use std::collections::BTreeMap;

    fn banner_of(settings: &[(&str, &str)]) -> String {
        let pairs = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = load(Sources::from_flags(pairs.collect::<BTreeMap<_, _>>()))
            .config
            .unwrap();
        let storage = match &config.mongodb {
            None => Description::embedded(&config),
            Some(mongodb) => Description::mongodb(mongodb, Some(Deployment::Standalone)),
        };
        text(&config, &storage, 5000, None, config.metrics)
    }

    #[test]
    fn the_database_is_named_without_its_password() {
        let uri = (
            "MONGODB_URI",
            "mongodb://shop:hush@db1.example,db2.example:27018/shop?replicaSet=rs",
        );
        let text = banner_of(&[uri]);
        let store = "store     shop on db1.example:27017, db2.example:27018 \
                     (MongoDB, a standalone server: for development only)";
        assert!(
            text.contains(store) && text.contains("log       in the same database; kept 7 days"),
            "{text}"
        );
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn the_guides_three_lines_come_first() {
        insta::assert_snapshot!(banner_of(&[]), @r"
        🚀 METAIA Backend Server running on port 5000
        📍 Environment: development
        🔌 Socket.IO enabled for real-time updates

           address   this machine alone
           phones    need METAIA_HOST=0.0.0.0; Android's emulator has http://10.0.2.2:5000
           store     ./metaia-data/metaia.db (SQLite, durability full)
           log       in the same file; kept 7 days, at most 1000000 events
           doorbell  none: one node
           metrics   http://127.0.0.1:9464/metrics
           payments  built-in test provider, which takes no money
           secret    JWT_SECRET is not set: generated in ./metaia-data/jwt-secret
           secret    RAZORPAY_KEY_SECRET is not set: generated in ./metaia-data/razorpay-secret
           a token   metaia token mint --role admin --user a1
        ");
    }

    #[test]
    fn the_doorbell_is_named_without_its_password() {
        let check = |settings: &[(&str, &str)], expected: &str| {
            let text = banner_of(settings);
            assert!(
                text.contains(&format!("doorbell  {expected}\n")) && !text.contains("hush"),
                "{text}"
            );
        };
        let mongodb = ("MONGODB_URI", "mongodb://db");
        let redis = ("REDIS_URL", "redis://:hush@10.0.0.7");
        check(&[mongodb], "none: nodes poll");
        check(
            &[mongodb, redis],
            "Redis at 10.0.0.7:6379, not signed: METAIA_CLUSTER_KEY is not set",
        );
        check(
            &[mongodb, redis, ("METAIA_CLUSTER_KEY", "hush hush hush 16")],
            "Redis at 10.0.0.7:6379, signed",
        );
        check(
            &[redis],
            "Redis at 10.0.0.7:6379, not used without MONGODB_URI: one node",
        );
    }

    #[test]
    fn trusted_proxies_are_named() {
        let text = banner_of(&[("METAIA_TRUSTED_PROXIES", "10.0.0.9/8, ::1")]);
        let line = "proxies   10.0.0.0/8, ::1, trusted with X-Forwarded-Proto and X-Forwarded-Host";
        assert!(text.contains(&format!("   {line}\n")), "{text}");
    }

    #[test]
    fn key_sets_are_named_and_whether_a_secret_is_beside_them() {
        let keys = [
            ("JWKS_URL", "https://one.example/keys?key=hush"),
            ("JWT_ISSUER", "https://one.example/"),
            ("JWT_AUDIENCE", "metaia,web"),
        ];
        let lines = |settings: &[(&str, &str)]| {
            let text = banner_of(settings);
            assert!(!text.contains("hush"), "{text}");
            let kinds = [
                "   keys",
                "   audience",
                "   tokens",
                "   secret    JWT",
                "   a token",
            ];
            let is_named = |line: &&str| kinds.iter().any(|kind| line.starts_with(kind));
            text.lines().filter(is_named).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(lines(&keys), @r"
           keys      https://one.example/keys, for the issuer https://one.example/
           audience  metaia, web
           tokens    of these keys, and those that are signed with JWT_SECRET (HS256)
           secret    JWT_SECRET is not set: generated in ./metaia-data/jwt-secret
           a token   metaia token mint --role admin --user a1
        ");
        let production = [
            ("NODE_ENV", "production"),
            ("CORS_ORIGINS", "https://app.example"),
            ("RAZORPAY_URL", "https://api.razorpay.com/"),
            ("RAZORPAY_KEY_ID", "rzp_live_1"),
            ("RAZORPAY_KEY_SECRET", "0123456789abcdefghijklmn"),
        ];
        insta::assert_snapshot!(lines(&[&keys[..], &production].concat()), @r"
           keys      https://one.example/keys, for the issuer https://one.example/
           audience  metaia, web
           tokens    of these keys alone: JWT_SECRET is not set
        ");
    }

    #[test]
    fn metrics_can_be_off() {
        assert!(banner_of(&[("METAIA_METRICS_ADDR", "off")]).contains("metrics   off\n"));
    }

    #[test]
    fn the_command_that_mints_a_token_finds_the_secret() {
        let given = [
            ("METAIA_DATA", "/var/lib/my metaia"),
            ("JWT_SECRET", "hush"),
            ("RAZORPAY_KEY_SECRET", "hush"),
        ];
        assert!(
            banner_of(&given[..1]).contains("METAIA_DATA='/var/lib/my metaia' metaia token mint")
        );
        let text = banner_of(&given);
        assert!(
            text.contains("token   metaia token mint --role admin --user a1"),
            "{text}"
        );
        assert!(
            !text.contains("hush") && !text.contains("secret  "),
            "{text}"
        );
    }
}
