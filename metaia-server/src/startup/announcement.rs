//! What the server says of itself once it listens: the guide's three lines, then what it stands on.

use std::{net::SocketAddr, path::Path};

use crate::{auth::secret_file, config::Config, startup::storage::Description};

pub(crate) fn of(
    config: &Config,
    ground: &Description,
    port: u16,
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
         \x20  store     {store}\n\
         \x20  log       {log}; kept {days} days, at most {entries} events\n\
         \x20  doorbell  {doorbell}\n\
         \x20  metrics   {metrics}\n\
         \x20  payments  {payments}\n\
         {secrets}\
         \x20  a token   {mint}\n",
        environment = config.environment,
        store = ground.store,
        log = ground.log,
        days = config.retention.age.as_secs() / (24 * 60 * 60),
        entries = config.retention.entries,
        doorbell = doorbell(config),
        secrets = secrets(config),
        mint = mint(config),
    )
}

/// How this node learns at once of what others append.
fn doorbell(config: &Config) -> String {
    let Some(doorbell) = &config.doorbell else {
        let none = if config.mongodb.is_some() {
            "none: nodes poll"
        } else {
            "none: one node"
        };
        return none.to_owned();
    };
    let signed = match config.cluster_key {
        _ if config.mongodb.is_none() => "of no use without MONGODB_URI: one node",
        Some(_) => "signed",
        None => "not signed: METAIA_CLUSTER_KEY is not set",
    };
    format!("Redis at {}, {signed}", doorbell.place)
}

/// Says which secrets were made, and where they are. Never what they are.
fn secrets(config: &Config) -> String {
    let made = [
        ("JWT_SECRET", config.jwt_secret.is_none(), secret_file::JWT),
        (
            "RAZORPAY_KEY_SECRET",
            config.razorpay.key_secret.is_none(),
            secret_file::RAZORPAY,
        ),
    ];
    let made = made.into_iter().filter(|(_, made, _)| *made);
    made.map(|(name, _, file)| {
        format!(
            "   secret    {name} is not set: one was made, and is kept in {}\n",
            config.data.join(file).display()
        )
    })
    .collect()
}

/// The command finds the secret where the server did: in the environment, in `.env`, or in the data
/// folder.
fn mint(config: &Config) -> String {
    let command = "metaia token mint --role admin --user a1";
    if config.jwt_secret.is_some() || config.data == Path::new("./metaia-data") {
        return command.to_owned();
    }
    format!(
        "METAIA_DATA={} {command}",
        quoted(&config.data.display().to_string())
    )
}

/// For a shell.
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

    fn announced(settings: &[(&str, &str)]) -> String {
        let pairs = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = load(Sources::of_flags(pairs.collect::<BTreeMap<_, _>>()))
            .config
            .unwrap();
        let ground = match &config.mongodb {
            None => Description::embedded(&config),
            Some(mongodb) => Description::shared(mongodb, Some(Deployment::Standalone)),
        };
        of(&config, &ground, 5000, config.metrics)
    }

    #[test]
    fn where_the_database_is_is_said_without_its_password() {
        let uri = (
            "MONGODB_URI",
            "mongodb://shop:hush@db1.example,db2.example:27018/shop?replicaSet=rs",
        );
        let text = announced(&[uri]);
        let store = "store     shop on db1.example:27017, db2.example:27018 (MongoDB, one server by itself: for \
                     development)";
        assert!(
            text.contains(store) && text.contains("log       in the same database; kept 7 days"),
            "{text}"
        );
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn the_guides_three_lines_come_first() {
        insta::assert_snapshot!(announced(&[]), @r"
        🚀 METAIA Backend Server running on port 5000
        📍 Environment: development
        🔌 Socket.IO enabled for real-time updates

           store     ./metaia-data/metaia.db (SQLite, durability full)
           log       in the same file; kept 7 days, at most 1000000 events
           doorbell  none: one node
           metrics   http://127.0.0.1:9464/metrics
           payments  built-in test provider, which takes no money
           secret    JWT_SECRET is not set: one was made, and is kept in ./metaia-data/jwt-secret
           secret    RAZORPAY_KEY_SECRET is not set: one was made, and is kept in ./metaia-data/razorpay-secret
           a token   metaia token mint --role admin --user a1
        ");
    }

    #[test]
    fn the_doorbell_is_named_without_its_password() {
        let check = |settings: &[(&str, &str)], expected: &str| {
            let text = announced(settings);
            assert!(
                text.contains(&format!("doorbell  {expected}\n")) && !text.contains("hush"),
                "{text}"
            );
        };
        let (mongodb, redis) = (
            ("MONGODB_URI", "mongodb://db"),
            ("REDIS_URL", "redis://:hush@10.0.0.7"),
        );
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
            "Redis at 10.0.0.7:6379, of no use without MONGODB_URI: one node",
        );
    }

    #[test]
    fn metrics_can_be_off() {
        assert!(announced(&[("METAIA_METRICS_ADDR", "off")]).contains("metrics   off\n"));
    }

    #[test]
    fn the_command_that_mints_a_token_finds_the_secret() {
        let given = [
            ("METAIA_DATA", "/var/lib/my metaia"),
            ("JWT_SECRET", "hush"),
            ("RAZORPAY_KEY_SECRET", "hush"),
        ];
        assert!(
            announced(&given[..1]).contains("METAIA_DATA='/var/lib/my metaia' metaia token mint")
        );
        let text = announced(&given);
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
