//! The context in use, and the place that wins for each value.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::{SECRET, token};
use metaia_tests::server::{API_KEY, Listening, Server};
use serde_json::json;

use super::{check_contains, cli, minting, sessions, shown, write_contexts};

/// Two servers: `local` has one session, `staging` has two.
async fn two_servers(cli: &Cli) -> (Server, Server, Vec<Phone>) {
    let local = Server::start().await;
    let staging = Server::start().await;
    let phones = vec![
        Phone::ready_as(&local, "customer", "u1").await,
        Phone::ready_as(&staging, "customer", "u1").await,
        Phone::ready_as(&staging, "customer", "u2").await,
    ];
    let contexts = [
        minting(cli, "local", &local),
        minting(cli, "staging", &staging),
    ];
    write_contexts(cli, &format!("current = \"local\"\n{}", contexts.concat()));
    (local, staging, phones)
}

#[tokio::test]
async fn staging_stands_beside_local() {
    let cli = cli();
    let (_local, _staging, _phones) = two_servers(&cli).await;
    assert_eq!(sessions(&cli, &[]).await, 1);
    assert_eq!(sessions(&cli, &["--context", "staging"]).await, 2);
    cli.folder()
        .write("metaia.toml", "context = \"staging\" # of this project\n");
    assert_eq!(sessions(&cli, &[]).await, 2);
    let cli = cli.env("METAIA_CONTEXT", "local");
    assert_eq!(sessions(&cli, &[]).await, 1);
    assert_eq!(sessions(&cli, &["--context", "staging"]).await, 2);
}

#[tokio::test]
async fn a_project_is_found_from_its_folders() {
    let cli = cli();
    let (_local, _staging, _phones) = two_servers(&cli).await;
    cli.folder().write("metaia.toml", "context = \"staging\"");
    cli.folder().write("a/b/c", "");
    let script = "cd a/b && \"$METAIA\" sessions -o ndjson | wc -l";
    let output = cli.shell(script).await.expect_code(0);
    assert_eq!(output.stdout.trim(), "2");
}

#[tokio::test]
async fn the_order_of_the_places_is_shown() {
    let cli = cli();
    let text = "current = \"a\"\n[a]\nurl = \"http://a\"\napi_key = { env = \"KEY\" }\n\
                [b]\nurl = \"http://b\"\n[c]\nurl = \"http://c\"\n[d]\nurl = \"http://d\"\n";
    write_contexts(&cli, text);
    let context = async |cli: &Cli, options: &[&str]| {
        let context = shown(cli, "context", options).await;
        let url = shown(cli, "url", options).await;
        (
            context["value"].clone(),
            context["from"].clone(),
            url["value"].clone(),
        )
    };
    let expected = (
        json!("a"),
        json!("`current` of contexts.toml"),
        json!("http://a"),
    );
    assert_eq!(context(&cli, &[]).await, expected);
    cli.folder().write("metaia.toml", "context = \"b\"");
    let expected = (json!("b"), json!("metaia.toml"), json!("http://b"));
    assert_eq!(context(&cli, &[]).await, expected);
    cli.folder()
        .write(".env", "METAIA_CONTEXT=c\nMETAIA_URL=http://dotenv\n");
    let expected = (
        json!("c"),
        json!("METAIA_CONTEXT in .env"),
        json!("http://c"),
    );
    assert_eq!(context(&cli, &[]).await, expected);
    let url = shown(&cli, "url", &[]).await;
    assert_eq!(url["winsOver"], json!(["METAIA_URL in .env"]));
    let cli = cli.env("METAIA_CONTEXT", "d");
    let expected = (json!("d"), json!("METAIA_CONTEXT"), json!("http://d"));
    assert_eq!(context(&cli, &[]).await, expected);
    let expected = (json!("a"), json!("--context"), json!("http://a"));
    assert_eq!(context(&cli, &["--context", "a"]).await, expected);
    let cli = cli.env("METAIA_URL", "http://environment");
    let expected = (
        json!("none"),
        json!("METAIA_URL"),
        json!("http://environment"),
    );
    assert_eq!(context(&cli, &[]).await, expected);
    let hidden = shown(&cli, "context", &[]).await;
    assert_eq!(
        hidden["winsOver"],
        json!([
            "d (METAIA_CONTEXT)",
            "c (METAIA_CONTEXT in .env)",
            "b (metaia.toml)",
            "a (`current` of contexts.toml)"
        ])
    );
    let expected = (json!("none"), json!("--url"), json!("http://flag"));
    assert_eq!(context(&cli, &["--url", "http://flag"]).await, expected);
    let expected = (json!("a"), json!("--context"), json!("http://flag"));
    assert_eq!(
        context(&cli, &["--url", "http://flag", "--context", "a"]).await,
        expected
    );
    let url = shown(&cli, "url", &["--context", "a"]).await;
    assert_eq!(url["winsOver"], json!(["METAIA_URL", "METAIA_URL in .env"]));
    let key = shown(&cli, "api_key", &["--context", "a"]).await;
    assert_eq!(key["value"], "set, by variable KEY");
}

#[tokio::test]
async fn each_setting_shows_which_place_won() {
    let cli = cli();
    let text = "current = \"a\"\n[a]\nurl = \"http://a\"\ndata = \"/data\"\n\
                origin = \"http://app\"\napi_key = { cmd = \"op read key\" }\n\
                jwt_secret = { file = \"/s\" }\nrazorpay_key_secret = { env = \"R\" }\n\
                token = { env = \"T\" }\ntokens = { admin = { env = \"A\" } }\n\
                cacert = \"/ca.pem\"\nheaders = { X-Trace = \"7\" }\nprotected = true\n";
    write_contexts(&cli, text);
    let cli = cli
        .env("METAIA_API_KEY", "hunter2")
        .env("METAIA_TOKEN", "hunter2")
        .env("JWT_SECRET", "hunter2")
        .env("METAIA_DATA", "/other");
    let of_context = async |name: &str, options: &[&str]| {
        let setting = shown(&cli, name, options).await;
        (setting["from"].clone(), setting["winsOver"].clone())
    };
    for (name, variable) in [
        ("api_key", "METAIA_API_KEY"),
        ("token", "METAIA_TOKEN"),
        ("jwt_secret", "JWT_SECRET"),
        ("data", "METAIA_DATA"),
    ] {
        let expected = (json!(variable), json!(["the context a"]));
        assert_eq!(of_context(name, &[]).await, expected, "{name}");
        let expected = (json!("the context a"), json!([variable]));
        assert_eq!(
            of_context(name, &["--context", "a"]).await,
            expected,
            "{name}"
        );
    }
    for name in [
        "origin",
        "cacert",
        "protected",
        "tokens.admin",
        "headers.x-trace",
    ] {
        let expected = (json!("the context a"), json!([]));
        assert_eq!(of_context(name, &[]).await, expected, "{name}");
    }
    for (name, option, value) in [
        ("origin", "--origin", "http://x"),
        ("token", "--token", "hunter2"),
        ("headers.x-trace", "--header", "X-Trace: 8"),
    ] {
        let (from, _) = of_context(name, &[option, value]).await;
        assert_eq!(from, option, "{name}");
    }
    let whole = cli.run(&["context", "show"]).await.expect_code(0);
    assert!(!whole.output().contains("hunter2"), "{whole:#?}");
    check_contains(
        &whole,
        &[
            "METAIA_API_KEY  wins over the context a",
            "set, by variable R",
        ],
    );
}

#[tokio::test]
async fn an_address_of_the_environment_gets_no_secret_of_a_context() {
    let cli = cli();
    let (local, staging, _phones) = two_servers(&cli).await;
    let cli = cli.env("METAIA_URL", &staging.url());
    let refused = cli.run(&["sessions"]).await.expect_code(2);
    check_contains(&refused, &["no secret found", "JWT_SECRET is not set"]);
    let url = local.url();
    let refused = cli.run(&["sessions", "--url", &url]).await.expect_code(2);
    check_contains(&refused, &["no secret found"]);
    assert_eq!(sessions(&cli, &["--context", "local"]).await, 1);
}

#[tokio::test]
async fn dotenv_and_the_environment_give_no_secret_to_the_server_of_an_option() {
    let cli = cli();
    let server = Server::start().await;
    write_contexts(&cli, &format!("[bare]\nurl = \"{}\"\n", server.url()));
    let dotenv = format!("JWT_SECRET={SECRET}\nMETAIA_API_KEY={API_KEY}\n");
    cli.folder().write(".env", dotenv);
    cli.folder().write("metaia-data/jwt-secret", SECRET);
    let admin = token("admin", "a1");
    let with_environment = cli
        .env("JWT_SECRET", SECRET)
        .env("METAIA_API_KEY", API_KEY)
        .env("METAIA_TOKEN", &admin);
    for args in [&["sessions"][..], &["emit", "everyone", "x", "--yes"]] {
        let args = [args, &["--context", "bare"]].concat();
        let refused = with_environment.run(&args).await.expect_code(2);
        check_contains(
            &refused,
            &[
                "the context bare has no jwt_secret",
                "METAIA_TOKEN is set, and not used",
            ],
        );
    }
    // An implicit context takes what the environment has, and nothing of `.env`.
    let implicit = with_environment.env("METAIA_CONTEXT", "bare");
    assert_eq!(sessions(&implicit, &[]).await, 0);
    let only_dotenv = implicit
        .env("JWT_SECRET", "")
        .env("METAIA_API_KEY", "")
        .env("METAIA_TOKEN", "");
    only_dotenv.run(&["sessions"]).await.expect_code(2);
}

#[tokio::test]
async fn options_win_over_a_context() {
    let cli = cli();
    let server = Server::start().await;
    let contexts = "[a]\nurl = \"http://127.0.0.1:1\"\ntoken = { env = \"NOT_SET\" }\n";
    write_contexts(&cli, contexts);
    let admin = token("admin", "a1");
    let url = server.url();
    let options = ["--context", "a", "--url", &url, "--token", &admin];
    assert_eq!(sessions(&cli, &options).await, 0);
}

#[tokio::test]
async fn a_failure_names_the_context_and_the_address() {
    let cli = cli();
    let text = "current = \"staging\"\n[staging]\nurl = \"http://127.0.0.1:1\"\n\
                token = { file = \"token\" }\n";
    write_contexts(&cli, text);
    cli.folder()
        .write(".config/metaia/token", token("admin", "a1"));
    for command in ["sessions", "tail"] {
        let failed = cli.run(&[command]).await.expect_code(3);
        check_contains(&failed, &["http://127.0.0.1:1 (from the context staging)"]);
    }
}
