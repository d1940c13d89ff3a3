//! Reading the configuration, from given sources.

mod key_sets;

use std::collections::BTreeMap;

use metaia_realtime::log::Retention;

use super::{
    Config, Loaded, Origins, Sources, configuration::Environment, load, problems, settings,
    source::Origin,
};

fn of(environment: &[(&str, &str)]) -> Sources {
    let pairs = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Sources {
        environment: pairs.collect(),
        ..Sources::default()
    }
}

fn config(environment: &[(&str, &str)]) -> Config {
    load(of(environment)).config.unwrap()
}

fn refused(environment: &[(&str, &str)]) -> Vec<String> {
    let problems = load(of(environment)).config.unwrap_err();
    problems.into_iter().map(|problem| problem.name).collect()
}

const PRODUCTION: [(&str, &str); 6] = [
    ("NODE_ENV", "production"),
    ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
    ("CORS_ORIGINS", "https://app.example"),
    ("RAZORPAY_URL", "https://api.razorpay.com/"),
    ("RAZORPAY_KEY_ID", "rzp_live_1"),
    ("RAZORPAY_KEY_SECRET", "0123456789abcdefghijklmn"),
];

#[test]
fn without_anything_it_is_the_guides_development_server() {
    let config = config(&[]);
    assert_eq!(
        (config.port, config.environment),
        (5000, Environment::Development)
    );
    assert_eq!(config.origins, Origins::Any);
    assert_eq!(config.data.to_str(), Some("./metaia-data"));
}

#[test]
fn flags_win_over_the_environment_which_wins_over_dot_env() {
    let mut sources = of(&[("PORT", "2"), ("NODE_ENV", "test"), ("METAIA_LOG", "")]);
    sources.parse_dot_env(
        "PORT=3\nNODE_ENV=production\nMETAIA_LOG=text\nMETAIA_LOG=json\nJWT_SECRET='a $b'\n",
    );
    sources.flags = BTreeMap::from([("PORT".to_owned(), "1".to_owned())]);
    let Loaded {
        config, settings, ..
    } = load(sources);
    let config = config.unwrap();
    assert_eq!((config.port, config.environment), (1, Environment::Test));
    assert_eq!(config.jwt_secret.unwrap().expose(), "a $b");
    let origin = |name| {
        settings
            .iter()
            .find(|setting| setting.name == name)
            .unwrap()
            .origin
    };
    assert_eq!(
        [
            origin("PORT"),
            origin("NODE_ENV"),
            origin("METAIA_LOG"),
            origin("METAIA_DURABILITY")
        ],
        [
            Origin::Flag,
            Origin::Environment,
            Origin::DotEnv,
            Origin::Default
        ]
    );
}

#[test]
fn filters_of_spans_are_refused_and_not_read_as_names_of_parts() {
    for filter in [
        "[span]=debug",
        "info,metaia_server[order{id=1}]=debug",
        "{user}=info",
    ] {
        assert_eq!(refused(&[("RUST_LOG", filter)]), ["RUST_LOG"], "{filter}");
    }
}

#[test]
fn everything_that_is_wrong_is_listed_at_once() {
    let names = refused(&[
        ("PORT", "70000"),
        ("NODE_ENV", "production"),
        ("METAIA_DURABILITY", "maybe"),
        ("METAIA_LIMITS", "per_user=-1"),
        ("METAIA_RETENTION_DAYS", "soon"),
        ("JWKS_URL", "http://idp.example/keys"),
        ("METAIA_JWKS_REFRESH_MS", "999"),
        ("RUST_LOG", "a=b=c"),
    ]);
    assert_eq!(
        names,
        [
            "PORT",
            "METAIA_DURABILITY",
            "METAIA_RETENTION_DAYS",
            "JWKS_URL",
            "METAIA_JWKS_REFRESH_MS",
            "METAIA_LIMITS",
            "RUST_LOG",
            "CORS_ORIGINS",
            "RAZORPAY_URL"
        ]
    );
}

#[test]
fn production_is_strict_and_can_be_satisfied() {
    let config = config(&PRODUCTION);
    assert_eq!(
        config.razorpay.url.as_deref(),
        Some("https://api.razorpay.com")
    );
    for (name, value) in [
        ("JWT_SECRET", "0123456789abcdef0123456789abcde"),
        ("JWT_SECRET", ""),
        ("JWT_SECRETS_OLD", "short,0123456789abcdef0123456789abcdef"),
        ("CORS_ORIGINS", "*"),
        ("RAZORPAY_URL", "http://api.razorpay.com"),
        ("RAZORPAY_URL", ""),
        ("RAZORPAY_KEY_SECRET", ""),
        ("RAZORPAY_KEY_SECRET", "0123456789abcde"),
        ("RAZORPAY_WEBHOOK_SECRET", "0123456789abcde"),
        ("METAIA_API_KEY", "k"),
        ("METAIA_CLUSTER_KEY", "0123456789abcde"),
    ] {
        let environment: Vec<_> = PRODUCTION
            .into_iter()
            .filter(|(n, _)| *n != name)
            .chain([(name, value)])
            .collect();
        assert_eq!(refused(&environment), [name], "{value:?}");
    }
}

/// Secrets that are one byte shorter than production allows.
const SHORT: [(&str, &str); 5] = [
    ("JWT_SECRET", "hush-56789abcdef0123456789abcde"),
    ("METAIA_API_KEY", "hush-56789abcde"),
    ("RAZORPAY_KEY_SECRET", "hush-56789abcde"),
    ("RAZORPAY_WEBHOOK_SECRET", "hush-56789abcde"),
    ("JWT_SECRETS_OLD", "0123456789abcdef0123456789abcdef,hush"),
];

#[test]
fn production_lists_each_short_secret_with_its_cure_and_without_its_text() {
    let others = PRODUCTION
        .into_iter()
        .filter(|(name, _)| SHORT.iter().all(|(short, _)| short != name));
    let environment: Vec<_> = others.chain(SHORT).collect();
    let text = problems(&load(of(&environment)).config.unwrap_err());
    // Broken at each colon, because the lines are long.
    insta::assert_snapshot!(text.replace(": ", ":\n    "), @"
    metaia-server:
        5 settings are not valid, nothing was started:
      JWT_SECRET:
        has 31 bytes, production needs 32:
        openssl rand -hex 32 makes one
      METAIA_API_KEY:
        has 15 bytes, production needs 16:
        openssl rand -hex 32 makes one
      RAZORPAY_KEY_SECRET:
        has 15 bytes, production needs 16:
        copy it from the provider's dashboard, where keys are made
      RAZORPAY_WEBHOOK_SECRET:
        has 15 bytes, production needs 16:
        openssl rand -hex 32 makes one; set it at the provider, too
      JWT_SECRETS_OLD:
        has 4 bytes in its secret number 2, production needs 32:
        remove that secret, its tokens can be forged
    ");
}

#[test]
fn development_accepts_short_secrets_and_names_them_in_one_notice() {
    let loaded = load(of(&SHORT));
    assert!(loaded.config.is_ok());
    let [notice] = &loaded.notices[..] else {
        panic!("{:?}", loaded.notices);
    };
    for (name, _) in SHORT {
        assert!(notice.contains(name), "{notice}");
    }
    assert!(!notice.contains("hush"), "{notice}");
}

#[test]
fn webhooks_that_cannot_be_verified_are_noticed() {
    let with_secret: Vec<_> = PRODUCTION
        .into_iter()
        .filter(|(name, _)| *name != "RAZORPAY_WEBHOOK_SECRET")
        .chain([("RAZORPAY_WEBHOOK_SECRET", "0123456789abcdef")])
        .collect();
    assert_eq!(load(of(&with_secret)).notices, [""; 0]);
    let without = &with_secret[..with_secret.len() - 1];
    let notices = load(of(without)).notices;
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].contains("RAZORPAY_WEBHOOK_SECRET"),
        "{notices:?}"
    );
    // The test provider signs with the key's secret.
    assert_eq!(load(of(&[])).notices, [""; 0]);
}

#[test]
fn trusted_proxies_are_read_and_what_is_wrong_is_listed_with_everything_else() {
    let read = config(&[("METAIA_TRUSTED_PROXIES", "10.0.0.0/8,::1")]).trusted_proxies;
    assert_eq!(read.len(), 2);
    assert_eq!(config(&[]).trusted_proxies, []);
    let given = [
        ("PORT", "x"),
        ("METAIA_TRUSTED_PROXIES", "10.0.0.0/8,5,proxy"),
    ];
    assert_eq!(refused(&given), ["PORT", "METAIA_TRUSTED_PROXIES"]);
    let problems = problems(&load(of(&given)).config.unwrap_err());
    assert!(problems.contains("; not \"5\", \"proxy\""), "{problems}");
}

#[test]
fn the_database_of_many_nodes_is_named_and_its_password_is_not() {
    let uri = "mongodb://shop:hush@db1.example,db2.example:27018/shop?replicaSet=rs";
    let sources = || of(&[("MONGODB_URI", uri), ("METAIA_MONGO_POOL", "5")]);
    let mongodb = load(sources()).config.unwrap().mongodb.unwrap();
    assert_eq!((mongodb.uri.expose(), mongodb.pool), (uri, Some(5)));
    let shown = settings(&load(sources()).settings);
    assert!(
        shown.contains("shop on db1.example:27017, db2.example:27018"),
        "{shown}"
    );
    assert!(!shown.contains("hush"), "{shown}");
    assert!(config(&[]).mongodb.is_none() && config(&[("MONGODB_URI", "")]).mongodb.is_none());
}

#[test]
fn an_address_that_leads_nowhere_is_named_without_repeating_it() {
    for uri in [
        "localhost:27017",
        "http://u:hush@host",
        "mongodb://",
        "mongodb://u:hush@",
        "mongodb://u:hu/sh@host/db",
        "mongodb://u:hush@host:port/db",
        "mongodb://u:hush@host/db?ssl=hush",
        "MONGODB://u:hush@host",
    ] {
        let problems = load(of(&[("MONGODB_URI", uri), ("PORT", "x")]))
            .config
            .unwrap_err();
        let names: Vec<&str> = problems
            .iter()
            .map(|problem| problem.name.as_str())
            .collect();
        assert_eq!(names, ["PORT", "MONGODB_URI"], "{uri}");
        let text = self::problems(&problems);
        assert!(
            !text.contains("hu") && text.contains("MONGODB_URI: is not the address of a MongoDB"),
            "{text}"
        );
    }
    for pool in ["0", "-1", "1001", "many"] {
        assert_eq!(
            refused(&[("METAIA_MONGO_POOL", pool)]),
            ["METAIA_MONGO_POOL"]
        );
    }
}

#[test]
fn the_retention_is_read() {
    assert_eq!(config(&[]).retention, Retention::DISK);
    let said = config(&[
        ("METAIA_RETENTION_DAYS", "2"),
        ("METAIA_RETENTION_ENTRIES", "500"),
    ])
    .retention;
    assert_eq!((said.age.as_secs(), said.entries), (172_800, 500));
    for (name, value) in [
        ("METAIA_RETENTION_DAYS", "0"),
        ("METAIA_RETENTION_DAYS", "-1"),
        ("METAIA_RETENTION_DAYS", "1.5"),
        ("METAIA_RETENTION_DAYS", "3651"),
        ("METAIA_RETENTION_ENTRIES", "0"),
        ("METAIA_RETENTION_ENTRIES", "1e6"),
        ("METAIA_RETENTION_ENTRIES", "18446744073709551616"),
        ("METAIA_DEVICE_RESUME", "perhaps"),
    ] {
        assert_eq!(refused(&[(name, value)]), [name], "{value}");
    }
    assert!(
        config(&[]).device_resume && !config(&[("METAIA_DEVICE_RESUME", "false")]).device_resume
    );
}

#[test]
fn a_drain_is_at_most_nine_seconds() {
    for ms in ["0", "1", "9000"] {
        let drain = config(&[("METAIA_DRAIN_MS", ms)]).drain;
        assert_eq!(drain.as_millis().to_string(), ms);
    }
    assert_eq!(config(&[]).drain.as_secs(), 9);
    for ms in ["9001", "-1", "9s", "1e3", "99999999999999999999"] {
        let problems = refused(&[("METAIA_DRAIN_MS", ms)]);
        assert!(
            problems
                .iter()
                .any(|problem| problem.contains("METAIA_DRAIN_MS")),
            "{ms}"
        );
    }
}

#[test]
fn idle_connections_live_for_75_s_or_as_long_as_is_set() {
    let default = config(&[]).limits;
    assert_eq!(default.realtime, metaia_realtime::Limits::default());
    for ms in ["1000", "620000", "3600000"] {
        let limits = config(&[
            ("METAIA_KEEP_ALIVE_MS", ms),
            ("METAIA_LIMITS", "per_user=2"),
        ])
        .limits;
        assert_eq!(limits.realtime.keep_alive.as_millis().to_string(), ms);
        assert_eq!(limits.realtime.sessions_per_user, 2);
    }
    for ms in ["0", "999", "3600001", "75s", "-1", "1e4"] {
        let name = "METAIA_KEEP_ALIVE_MS";
        assert_eq!(refused(&[(name, ms)]), [name], "{ms}");
    }
}

#[test]
fn the_doorbell_is_checked_and_shown_without_its_password() {
    let given = [
        ("REDIS_URL", "redis://metaia:hush@cache:6380/2"),
        ("METAIA_CLUSTER_KEY", "hush hush hush 16"),
    ];
    let loaded = load(of(&given));
    let shown = settings(&loaded.settings);
    let config = loaded.config.unwrap();
    assert!(
        !shown.contains("hush") && shown.contains("cache:6380"),
        "{shown}"
    );
    assert!(!format!("{config:?}").contains("hush"), "{config:?}");
    assert_eq!(config.doorbell.unwrap().place, "cache:6380");
    assert!(config.cluster_key.is_some());

    let bad = [
        ("REDIS_URL", "redis://:hush@cache:x/2"),
        ("METAIA_CLUSTER_KEY", "hush"),
        ("PORT", "x"),
    ];
    let problems = problems(&load(of(&bad)).config.unwrap_err());
    assert!(!problems.contains("hush"), "{problems}");
    assert_eq!(refused(&bad), ["PORT", "REDIS_URL", "METAIA_CLUSTER_KEY"]);
}

#[test]
fn no_secret_is_shown() {
    let mut sources = of(&[
        ("JWT_SECRET", "hush-1"),
        ("METAIA_API_KEY", "hush-2"),
        ("JWT_SECRETS_OLD", "hush-3,b"),
    ]);
    sources.parse_dot_env("RAZORPAY_KEY_SECRET=hush$hush\n");
    let loaded = load(sources);
    let shown = settings(&loaded.settings) + &loaded.notices.concat();
    assert!(!shown.contains("hush"), "{shown}");
    assert!(shown.contains("******** (9 bytes)"), "{shown}");
    assert!(shown.contains(".env, line 1"), "{shown}");
}

#[test]
fn the_debug_text_has_no_secret() {
    let uri = "mongodb://metaia:hush-uri@db/metaia";
    let all = [
        ("JWT_SECRET", "hush-jwt"),
        ("JWT_SECRETS_OLD", "hush-old,hush-older"),
        ("METAIA_API_KEY", "hush-key"),
        ("METAIA_CLUSTER_KEY", "hush-cluster-key-0123"),
        ("RAZORPAY_KEY_SECRET", "hush-razorpay"),
        ("RAZORPAY_WEBHOOK_SECRET", "hush-webhook"),
        ("REDIS_URL", "redis://:hush-redis@cache"),
        ("MONGODB_URI", uri),
    ];
    let loaded = load(of(&all));
    let text = format!("{loaded:?}");
    assert!(!text.contains("hush"), "{text}");
    assert_eq!(loaded.config.unwrap().mongodb.unwrap().uri.expose(), uri);
}

#[test]
fn a_secret_in_dot_env_is_never_cut_at_a_dollar() {
    let mut sources = Sources::default();
    sources.parse_dot_env("JWT_SECRET=abc$def-0123456789abcdef0123456789\nMETAIA_DATA=./$HOME\n");
    let loaded = load(sources);
    let config = loaded.config.unwrap();
    assert_eq!(
        config.jwt_secret.unwrap().expose(),
        "abc$def-0123456789abcdef0123456789"
    );
    assert_eq!(config.data.to_str(), Some("./$HOME"));
    let lines: Vec<&str> = loaded
        .notices
        .iter()
        .map(|notice| notice.split(" has ").next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [".env, line 1: JWT_SECRET", ".env, line 2: METAIA_DATA"]
    );
}

#[test]
fn lines_of_other_programs_in_dot_env_never_stop_the_start() {
    let mut sources = Sources::default();
    sources.parse_dot_env(
        "alias ll='ls -l'\nwhat is this\nTITLE=a b c\n[a]\nPORT: 7\nX='\nOTHER=$x\n\u{fffd}",
    );
    let loaded = load(sources);
    assert_eq!(loaded.config.unwrap().port, 7);
    assert_eq!(loaded.notices, [""; 0]);
}

#[test]
fn a_line_that_another_source_overrides_needs_no_notice() {
    let mut sources = of(&[PRODUCTION[1], ("PORT", "")]);
    sources.parse_dot_env("JWT_SECRET=a$b\nPORT=5$b\n");
    let notices = load(sources).notices;
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("PORT"), "{notices:?}");
}
