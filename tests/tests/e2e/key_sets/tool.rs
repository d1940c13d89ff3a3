//! `metaia token inspect --jwks`: it checks a signature with the keys of an issuer, and is never
//! satisfied with one that it has not checked.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::key_host::{KeyAnswer, KeyHost};
use metaia_tests::fixtures::issuer::{IssuerKey, key_set};
use metaia_tests::fixtures::token::SECRET;
use metaia_tests::server::Setup;
use metaia_tests::server::paths::binary;
use metaia_tests::server::process::{Process, ProcessOutput};
use metaia_tests::server::temp_folder::TempFolder;
use tokio::process::Command;

async fn inspect(args: &[&str]) -> ProcessOutput {
    let folder = TempFolder::new();
    let mut command = Command::new(binary("metaia"));
    command.env_clear().current_dir(folder.path());
    command.env("JWT_SECRET", SECRET);
    command.args(["token", "inspect"]).args(args);
    Process::run(command).await
}

#[track_caller]
fn check(ended: &ProcessOutput, code: i32, text: &str) {
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains(text), "{text}: {said}");
}

#[tokio::test]
async fn a_token_is_checked_with_the_key_that_it_names() {
    let [key, other] = [IssuerKey::rs256("k1"), IssuerKey::es256("k2")];
    let host = KeyHost::publishing(&[&key, &other]).await;
    let url = host.url();
    let token = key.token("customer", "c1");
    check(
        &inspect(&["--jwks", &url, &token]).await,
        0,
        "the RS256 key \"k1\" of http://",
    );
    check(
        &inspect(&["--jwks", &url, &other.token("admin", "a1")]).await,
        0,
        "signature: good",
    );

    let folder = TempFolder::new();
    let file = folder.join("keys.json");
    std::fs::write(&file, key_set(&[&key])).unwrap();
    let file = file.to_str().unwrap();
    check(
        &inspect(&["--jwks", file, &token]).await,
        0,
        "signature: good",
    );
    let unknown = inspect(&["--jwks", file, &other.token("admin", "a1")]).await;
    check(&unknown, 4, "its issuer has no key with the `kid` \"k2\"");
    let stranger = IssuerKey::next_rs256("k1").token("customer", "c1");
    check(
        &inspect(&["--jwks", file, &stranger]).await,
        4,
        "signature: wrong",
    );
}

/// The tool mints tokens that a server with an issuer and an audience accepts.
#[tokio::test]
async fn a_minted_token_is_for_the_server() {
    let names = [("JWT_ISSUER", "login"), ("JWT_AUDIENCE", "metaia,web")];
    let setup = names
        .iter()
        .fold(Setup::new(), |setup, (name, value)| setup.env(name, value));
    let server = setup.start().await;
    let listed = Cli::for_server(&server)
        .env("JWT_ISSUER", "login")
        .env("JWT_AUDIENCE", "metaia,web")
        .run(&["api", "GET", "/api/orders", "--as", "customer:c1"])
        .await;
    assert_eq!(listed.code, Some(0), "{listed:#?}");
    let without = Cli::for_server(&server)
        .run(&["api", "GET", "/api/orders", "--as", "customer:c1"])
        .await;
    assert_eq!(without.code, Some(4), "{without:#?}");
}

#[tokio::test]
async fn without_the_keys_it_says_that_nothing_was_checked() {
    let key = IssuerKey::rs256("k1");
    let token = key.token("customer", "c1");
    let ended = inspect(&[&token]).await;
    check(&ended, 4, "signature: not checked");
    check(
        &ended,
        4,
        "signed with RS256; --jwks FILE or --jwks URL names the keys",
    );
    let mut host = KeyHost::publishing(&[&key]).await;
    host.answer(KeyAnswer::Status(500));
    check(
        &inspect(&["--jwks", &host.url(), &token]).await,
        3,
        "the status 500",
    );
    host.kill().await;
    check(
        &inspect(&["--jwks", &host.url(), &token]).await,
        3,
        "cannot be reached",
    );
    check(
        &inspect(&["--jwks", "missing.json", &token]).await,
        2,
        "missing.json",
    );
    check(
        &inspect(&["--jwks", "http://idp.example/k", &token]).await,
        2,
        "https",
    );
}
