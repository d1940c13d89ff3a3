//! The settings of key sets.

use metaia_tests::faults::key_host::KeyHost;
use metaia_tests::fixtures::issuer::{IssuerKey, key_set};
use metaia_tests::fixtures::token::token;
use metaia_tests::server::Setup;

use super::{connect, rest, rest_answers, setup, setup_at};

fn in_production(setup: Setup) -> Setup {
    setup
        .env("NODE_ENV", "production")
        .env("METAIA_HOST", "127.0.0.1")
        .env("CORS_ORIGINS", "https://app.metaia.example")
        .env("RAZORPAY_URL", "https://razorpay.example")
}

#[tokio::test]
async fn without_a_secret_production_takes_tokens_of_issuers_alone() {
    let key = IssuerKey::es256("k");
    let host = KeyHost::publishing(&[&key]).await;
    let server = in_production(setup(&host))
        .without("JWT_SECRET")
        .start()
        .await;
    rest_answers(&server, &key.token("customer", "c1"), 200).await;
    for secret in [
        token("customer", "c1"),
        metaia_tests::fixtures::token::Token::new("admin", "a1")
            .secret("")
            .sign(),
    ] {
        assert_eq!(rest(&server, &secret).await, 401);
        assert_eq!(
            connect(&server, &secret).await,
            Err("unauthorized".to_owned())
        );
    }
    let output = server.output_lines().join("\n");
    assert!(
        output.contains("of these keys alone: JWT_SECRET is not set"),
        "{output}"
    );
    assert!(!output.contains("metaia token mint"), "{output}");
    assert!(!server.folder().join("data/jwt-secret").exists());
}

#[tokio::test]
async fn with_a_secret_both_kinds_of_tokens_are_taken() {
    let key = IssuerKey::es256("k");
    let host = KeyHost::publishing(&[&key]).await;
    let server = in_production(setup(&host)).start().await;
    rest_answers(&server, &key.token("customer", "c1"), 200).await;
    assert_eq!(rest(&server, &token("customer", "c1")).await, 200);
    let output = server.output_lines().join("\n");
    assert!(
        output.contains("and those that are signed with JWT_SECRET"),
        "{output}"
    );
}

#[tokio::test]
async fn every_bad_value_is_listed_at_once_and_nothing_is_started() {
    let setup =
        setup_at("http://idp.example/keys,missing.json,empty.json,https://u:hush@idp.example")
            .env("PORT", "x")
            .env("METAIA_JWKS_REFRESH_MS", "1");
    std::fs::write(setup.folder().join("empty.json"), r#"{"keys":[]}"#).unwrap();
    let ended = setup.run_to_end().await;
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    for text in [
        "3 settings are not valid",
        "PORT: ",
        "address 1: it must begin with https",
        "missing.json",
        "empty.json",
        "it has no key that can be used",
        "address 4: it must not have a user or a password",
        "METAIA_JWKS_REFRESH_MS: ",
    ] {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
}

#[tokio::test]
async fn each_key_set_needs_its_issuer() {
    let setup = setup_at("a.json,b.json");
    let keys = key_set(&[&IssuerKey::eddsa("k")]);
    for name in ["a.json", "b.json"] {
        std::fs::write(setup.folder().join(name), &keys).unwrap();
    }
    let setup = setup.env("JWT_ISSUER", "https://one.example/");
    let ended = setup.run_to_end().await;
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(
        ended
            .stderr
            .contains("JWT_ISSUER: must name one issuer for each key set"),
        "{ended:#?}"
    );
}
