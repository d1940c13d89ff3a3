//! `metaia token inspect` beside the server: it judges each token as the server does, and is never
//! satisfied with a token that it has not checked.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::token::{SECRET, Token, in_seconds, token};
use metaia_tests::server::Setup;
use metaia_tests::server::paths::binary;
use metaia_tests::server::process::{Process, ProcessOutput};
use metaia_tests::server::temp_folder::TempFolder;
use serde_json::{Value, json};
use tokio::process::Command;

/// An earlier secret of the server.
const OLD: &str = "the-old-secret-5d0c9b7e1f3a4c2d8e6f";

/// Runs `metaia token inspect` with these variables and arguments, in an empty folder.
async fn inspect(variables: &[(&str, &str)], args: &[&str]) -> ProcessOutput {
    let folder = TempFolder::new();
    let mut command = Command::new(binary("metaia"));
    command.env_clear().current_dir(folder.path());
    command.envs(variables.iter().copied());
    command.args(["token", "inspect"]).args(args);
    Process::run(command).await
}

const KNOWN: [(&str, &str); 2] = [("JWT_SECRET", SECRET), ("JWT_SECRETS_OLD", OLD)];

fn with(claim: &str, value: Value) -> Token {
    let mut claims = json!({"userId": "c1", "role": "customer", "exp": in_seconds(3600)});
    claims[claim] = value;
    Token::with_claims(&claims)
}

/// The tokens that the tool and the server once judged differently, and a word of the explanation.
fn tokens() -> Vec<(String, &'static str)> {
    let unsigned = with("iat", json!(1))
        .header(&json!({"alg": "none"}))
        .unsigned();
    vec![
        (with("iat", json!(in_seconds(600))).sign(), "in the future"),
        (
            with("iat", json!(1)).secret(OLD).sign(),
            "no problems found",
        ),
        (with("x", json!("x".repeat(5_000))).sign(), "4096"),
        (
            with("exp", json!(in_seconds(3600) * 1_000)).sign(),
            "not in milliseconds",
        ),
        (with("userId", json!(42)).sign(), "no `iat` in seconds"),
        (
            with("userId", json!(4.5)).sign(),
            "`userId` 4.5: not text or a whole number",
        ),
        (
            with("userId", json!([])).sign(),
            "`userId` []: not text or a whole number",
        ),
        (
            with("exp", json!("4000000000")).sign(),
            "`exp` is not a number of seconds",
        ),
        (
            with("exp", json!(4_000_000_000.5)).sign(),
            "no problems found",
        ),
        (with("exp", json!(1.5)).sign(), "expired"),
        (format!("{unsigned}."), "unsigned"),
        (format!("{unsigned}.c2ln"), "unsigned"),
        (
            with("iat", json!(1)).secret("another").sign(),
            "wrong signature",
        ),
        (with("role", json!("boss")).sign(), "boss"),
        (with("role", Value::Null).sign(), "role"),
        (with("role", json!("boss")).secret("another").sign(), "boss"),
    ]
}

#[tokio::test]
async fn the_tool_and_the_server_judge_alike() {
    let server = Setup::new().env("JWT_SECRETS_OLD", OLD).start().await;
    for (token, why) in tokens() {
        let answer = server.anonymous().bearer(&token).get("/api/orders").await;
        let expected = match answer.status {
            200 => 0,
            403 => 5,
            _ => 4,
        };
        let tail = ["tail", "--token", &token, "--for", "0s"];
        let ended = Cli::for_server(&server).run(&tail).await;
        assert_eq!(ended.code, Some(expected), "{why}: {ended:#?}");
        let inspected = inspect(&KNOWN, &[&token]).await;
        assert_eq!(inspected.code, Some(expected), "{why}: {inspected:#?}");
        assert!(inspected.stdout.contains(why), "{why}: {inspected:#?}");
    }
}

#[tokio::test]
async fn a_signature_that_was_not_checked_is_never_good() {
    let forged = with("iat", json!(1)).secret("forged").sign();
    for token in [forged, token("customer", "c1")] {
        for output in ["text", "json", "ndjson"] {
            let inspected = inspect(&[], &[&token, "-o", output]).await;
            let inspected = inspected.expect_code(4);
            assert!(!inspected.stdout.contains("no problems found"));
            let said = ["signature: not checked", r#""signature":"unchecked""#];
            let stdout = inspected.stdout.replace("\": \"", "\":\"");
            assert!(
                said.iter().any(|said| stdout.contains(said)),
                "{inspected:#?}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_is_taken_from_wherever_it_is() {
    let token = token("customer", "c1");
    let pasted = format!("Bearer {token}");
    let header = format!("Authorization: Bearer {token}");
    for args in [
        &[&*token][..],
        &[&pasted],
        &[&header],
        &["Bearer", &token],
        &["--token", &token],
        &["--token", &pasted],
    ] {
        let inspected = inspect(&KNOWN, args).await.expect_code(0);
        assert!(inspected.stdout.contains("c1"), "{inspected:#?}");
        let is_named = inspected
            .stdout
            .contains("`Bearer` is not part of the token");
        assert_eq!(is_named, args.concat().contains("Bearer"), "{inspected:#?}");
    }
    for given in [&token, &pasted] {
        let variables = [KNOWN[0], ("METAIA_TOKEN", given)];
        let inspected = inspect(&variables, &[]).await.expect_code(0);
        assert!(inspected.stdout.contains("c1"), "{inspected:#?}");
    }
}

#[tokio::test]
async fn no_token_and_two_tokens_are_usage_errors() {
    let token = token("customer", "c1");
    for args in [
        &[][..],
        &[""],
        &["Bearer"],
        &[&token, &token],
        &[&token, "--token", &token],
    ] {
        let inspected = inspect(&KNOWN, args).await;
        assert_eq!(inspected.code, Some(2), "{args:?}: {inspected:#?}");
    }
}

#[tokio::test]
async fn the_secret_that_was_used_is_named() {
    let token = token("customer", "c1");
    let inspected = inspect(&KNOWN, &[&token]).await.expect_code(0);
    let line = "signature: good, checked with JWT_SECRET and JWT_SECRETS_OLD\n";
    assert!(inspected.stdout.contains(line), "{inspected:#?}");
    let another = [("JWT_SECRET", "another")];
    let inspected = inspect(&another, &[&token]).await.expect_code(4);
    let line = "signature: wrong, checked with JWT_SECRET\n";
    assert!(inspected.stdout.contains(line), "{inspected:#?}");
    // The old secrets alone say nothing about a token of the present one.
    let inspected = inspect(&[KNOWN[1]], &[&token]).await.expect_code(4);
    let line = "signature: not checked\n";
    assert!(inspected.stdout.contains(line), "{inspected:#?}");
}

#[tokio::test]
async fn times_are_shown_here_and_from_now() {
    let token = with("iat", json!(in_seconds(-120))).sign();
    let zone = [KNOWN[0], ("TZ", "XXX-3")];
    let inspected = inspect(&zone, &[&token]).await.expect_code(0);
    let line = |name: &str| {
        let mut lines = inspected.stdout.lines();
        lines
            .find(|line| line.starts_with(name))
            .unwrap_or_default()
    };
    assert_eq!(line("alg: "), r#"alg: "HS256""#);
    assert!(
        line("exp: ").contains(" +03:00, ends in 5"),
        "{inspected:#?}"
    );
    assert!(line("exp: ").ends_with(" min)"), "{inspected:#?}");
    assert!(
        line("iat: ").ends_with("issued 2 min ago)"),
        "{inspected:#?}"
    );
}
