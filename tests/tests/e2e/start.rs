//! Start and stop of the server: its output, the configurations that it refuses, and its exit
//! codes.

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::place_order;
use metaia_tests::server::process::ProcessOutput;
use metaia_tests::server::{Listening, Server, Setup};
use serde_json::json;

#[tokio::test]
async fn the_guides_three_lines_are_printed_first() {
    let server = Server::start().await;
    let third = "🔌 Socket.IO enabled for real-time updates";
    server.wait_for_output(third).await;
    let lines = server.stdout().so_far();
    let first = format!("🚀 METAIA Backend Server running on port {}", server.port());
    assert_eq!(
        lines[..3],
        [&first, "📍 Environment: development", third],
        "{lines:#?}"
    );
}

#[tokio::test]
async fn the_start_says_how_to_mint_a_token() {
    let server = Server::start().await;
    server.wait_for_output("metaia token mint").await;
}

#[tokio::test]
async fn a_started_server_is_alive_and_ready() {
    let server = Server::start().await;
    server.anonymous().get("/livez").await.ok(200);
    server.anonymous().get("/readyz").await.ok(200);
}

#[tokio::test]
async fn sigterm_ends_it_with_0_also_with_clients_connected() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    place_order(&server, "c1").await;
    server.stop().await;
    phone.closed().await;
}

#[tokio::test]
async fn sigint_ends_it_with_0() {
    let mut server = Server::start().await;
    server.signal("INT").await;
    assert_eq!(server.wait().await.code(), Some(0));
}

#[tokio::test]
async fn development_generates_a_secret_in_a_private_file() {
    let server = Setup::new().without("JWT_SECRET").start().await;
    let data = server.folder().join("data");
    let before = server.output_lines().join("\n");
    let private = private_files(&data);
    assert!(!private.is_empty(), "a secret file in {}", data.display());
    for secret in private
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
    {
        assert!(!before.contains(secret.trim()), "the secret is in the log");
    }
}

#[cfg(unix)]
fn private_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let entries = std::fs::read_dir(folder)
        .expect("a data folder")
        .map(|entry| entry.unwrap().path());
    let text = entries
        .filter(|path| std::fs::read_to_string(path).is_ok_and(|text| !text.trim().is_empty()));
    text.filter(|path| path.metadata().unwrap().permissions().mode() & 0o077 == 0)
        .collect()
}

/// Checks for a refused start: exit code 2, an error that names the settings, and no panic.
#[track_caller]
fn assert_refused(ended: ProcessOutput, mentions: &[&str]) {
    let ended = ended.expect_code(2);
    for mention in mentions {
        assert!(
            ended.stderr.contains(mention),
            "{mention:?} is not mentioned: {ended:#?}"
        );
    }
    assert!(!ended.output().contains("panicked"), "{ended:#?}");
}

#[tokio::test]
async fn all_bad_values_are_listed_at_once() {
    let setup = Setup::new()
        .env("PORT", "seventy")
        .env("METAIA_DURABILITY", "maybe")
        .env("METAIA_LIMITS", "per_user=-1")
        .env("METAIA_LOG", "xml")
        .env("METAIA_RETENTION_DAYS", "soon");
    let names = [
        "PORT",
        "METAIA_DURABILITY",
        "METAIA_LIMITS",
        "METAIA_LOG",
        "METAIA_RETENTION_DAYS",
    ];
    assert_refused(setup.run_to_end().await, &names);
}

#[tokio::test]
async fn an_invalid_database_address_is_named_without_its_password() {
    for uri in [
        "mongodb://u:hush@host:port/shop",
        "mongodb://u:hu/sh@host",
        "host/hush",
        "mongodb://u:hush@",
    ] {
        let setup = Setup::new()
            .env("MONGODB_URI", uri)
            .env("METAIA_MONGO_POOL", "all")
            .env("PORT", "x");
        let ended = setup.run_to_end().await;
        assert!(
            !ended.output().contains("hush") && !ended.output().contains("hu/sh"),
            "{ended:#?}"
        );
        assert_refused(
            ended,
            &[
                "PORT",
                "MONGODB_URI: is not the address of a MongoDB",
                "METAIA_MONGO_POOL",
            ],
        );
    }
}

#[tokio::test]
async fn the_server_serves_while_it_waits_for_its_database() {
    let setup = Setup::new().env("MONGODB_URI", "mongodb://u:hush@127.0.0.1:1/shop");
    let server = setup.start().await;
    server
        .wait_for_output("store     shop on 127.0.0.1:1 (MongoDB, which does not answer yet")
        .await;
    server.anonymous().get("/livez").await.ok(200);
    let ready = server.anonymous().get("/readyz").await.refused(503);
    assert!(
        ready["code"] == "not_ready" && ready["detail"].as_str().unwrap().contains("MongoDB"),
        "{ready}"
    );
    let order = json!({ "items": [{ "garment": "shirt", "quantity": 1, "price": 5 }] });
    for answer in [
        server.api("customer", "c1").get("/api/orders").await,
        server
            .api("customer", "c1")
            .post("/api/orders", &order)
            .await,
    ] {
        assert_eq!(
            (&answer.refused(503)["code"], answer.header("retry-after")),
            (&json!("unavailable"), "1")
        );
    }
    assert!(!server.output_lines().join("\n").contains("hush"));
}

#[tokio::test]
async fn an_invalid_doorbell_address_is_named_without_its_password() {
    let setup = Setup::new()
        .env("REDIS_URL", "redis://:hush@cache:x")
        .env("METAIA_CLUSTER_KEY", "hush");
    let ended = setup.env("PORT", "x").run_to_end().await;
    assert!(!ended.output().contains("hush"), "{ended:#?}");
    assert_refused(ended, &["PORT", "REDIS_URL", "METAIA_CLUSTER_KEY"]);
}

#[tokio::test]
async fn an_unreachable_doorbell_is_retried_and_logged_once() {
    let setup = Setup::new().env("REDIS_URL", "redis://:hush@127.0.0.1:1");
    let server = setup.start().await;
    server
        .wait_for_output("doorbell  Redis at 127.0.0.1:1")
        .await;
    server
        .wait_for_output("the doorbell cannot be reached")
        .await;
    server
        .api("customer", "c1")
        .get("/api/orders")
        .await
        .ok(200);
    let log = server.output_lines().join("\n");
    assert!(
        log.matches("the doorbell").count() == 1 && !log.contains("hush"),
        "{log}"
    );
}

#[tokio::test]
async fn proxies_that_are_no_addresses_are_listed_with_everything_else_that_is_wrong() {
    let setup = Setup::new()
        .env("METAIA_TRUSTED_PROXIES", "10.0.0.0/33,10.0.0.7,proxy")
        .env("METAIA_DURABILITY", "maybe");
    let mentions = [
        "METAIA_TRUSTED_PROXIES",
        "\"10.0.0.0/33\", \"proxy\"",
        "METAIA_DURABILITY",
    ];
    assert_refused(setup.run_to_end().await, &mentions);
}

#[tokio::test]
async fn production_refuses_a_missing_secret() {
    let setup = Setup::new()
        .env("NODE_ENV", "production")
        .without("JWT_SECRET");
    assert_refused(
        setup
            .env("CORS_ORIGINS", "https://a.example")
            .run_to_end()
            .await,
        &["JWT_SECRET"],
    );
}

#[tokio::test]
async fn production_refuses_a_short_secret_any_origin_and_the_test_provider() {
    let setup = Setup::new()
        .env("NODE_ENV", "production")
        .env("JWT_SECRET", "short")
        .env("CORS_ORIGINS", "*");
    assert_refused(
        setup.run_to_end().await,
        &["JWT_SECRET", "CORS_ORIGINS", "RAZORPAY_URL"],
    );
}

/// Returns a setup whose secrets can be guessed.
fn short_secrets() -> Setup {
    Setup::new()
        .env("JWT_SECRET", "hush-1")
        .env("JWT_SECRETS_OLD", "hush-2,hush-3")
        .env("METAIA_API_KEY", "hush-4")
        .env("RAZORPAY_KEY_SECRET", "hush-5")
        .env("RAZORPAY_WEBHOOK_SECRET", "hush-6")
}

#[tokio::test]
async fn production_lists_every_short_secret_with_its_cure() {
    let setup = short_secrets()
        .env("NODE_ENV", "production")
        .env("CORS_ORIGINS", "https://app.metaia.example")
        .env("RAZORPAY_URL", "https://api.razorpay.com");
    let ended = setup.run_to_end().await;
    assert!(!ended.output().contains("hush"), "{ended:#?}");
    assert_refused(
        ended,
        &[
            "6 settings are not valid",
            "JWT_SECRET: has 6 bytes, production needs 32: openssl rand -hex 32",
            "JWT_SECRETS_OLD: has 6 bytes in its secret number 1",
            "JWT_SECRETS_OLD: has 6 bytes in its secret number 2",
            "METAIA_API_KEY: has 6 bytes, production needs 16",
            "RAZORPAY_KEY_SECRET: has 6 bytes, production needs 16",
            "RAZORPAY_WEBHOOK_SECRET: has 6 bytes, production needs 16",
        ],
    );
}

#[tokio::test]
async fn development_starts_with_short_secrets_and_says_which() {
    let server = short_secrets().start().await;
    server
        .wait_for_output("short secrets can be guessed: JWT_SECRET has 6 bytes")
        .await;
    let lines = server.output_lines().join("\n");
    assert!(
        lines.contains("RAZORPAY_WEBHOOK_SECRET has 6 bytes") && !lines.contains("hush"),
        "{lines}"
    );
}

#[tokio::test]
async fn production_starts_when_everything_is_given() {
    let setup = Setup::new()
        .env("NODE_ENV", "production")
        .env("CORS_ORIGINS", "https://app.metaia.example");
    let server = setup
        .env("RAZORPAY_URL", "https://api.razorpay.com")
        .start()
        .await;
    server.wait_for_output("📍 Environment: production").await;
    let api = server.api("customer", "c1");
    api.get("/api/orders").await.ok(200);
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_created_is_named() {
    let setup = Setup::new();
    let file = setup.folder().write("a-file", "not a folder");
    let path = file.join("data");
    let path = path.to_string_lossy();
    assert_refused(setup.env("METAIA_DATA", &path).run_to_end().await, &[&path]);
}

#[tokio::test]
async fn a_corrupt_data_folder_is_named() {
    let setup = Server::start().await.stop().await;
    let data = setup.folder().join("data");
    for entry in std::fs::read_dir(&data).expect("a data folder") {
        let path = entry.unwrap().path();
        if std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3")) {
            std::fs::write(&path, "this was a database once ".repeat(1_000)).unwrap();
        }
    }
    assert_refused(setup.run_to_end().await, &[&data.to_string_lossy()]);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_the_cure() {
    let server = Server::start().await;
    let port = server.port().to_string();
    let ended = Setup::new().env("PORT", &port).run_to_end().await;
    assert_ne!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended.stderr.contains(&port) && !ended.output().contains("panicked"),
        "{ended:#?}"
    );
    assert!(ended.stderr.contains("with PORT or --port"), "{ended:#?}");
}

#[tokio::test]
async fn a_dot_env_file_is_read_and_the_environment_wins() {
    let setup = Setup::new().without("JWT_SECRET");
    setup.folder().write(
        ".env",
        "JWT_SECRET=from-the-dot-env-file-0123456789abcdef\nPORT=1\n",
    );
    let server = setup.start().await;
    let token = metaia_tests::fixtures::token::Token::new("customer", "c1")
        .secret("from-the-dot-env-file-0123456789abcdef");
    server
        .anonymous()
        .bearer(&token.sign())
        .get("/api/orders")
        .await
        .ok(200);
}
