//! `metaia revoke`, and what the tool says to a token that was revoked.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::phone::Phone;
use metaia_tests::server::Server;
use serde_json::{Value, json};

use super::{issued, orders_by, token_with};

async fn start() -> (Server, Cli) {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    (server, cli)
}

async fn revoked(cli: &Cli, args: &[&str]) -> Value {
    let args = [&["revoke"], args, &["-o", "json"]].concat();
    let output = cli.run(&args).await.expect_code(0);
    serde_json::from_str(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn a_user_a_token_and_everyone_are_revoked_by_one_command_each() {
    let (server, cli) = start().await;
    let token = token_with("customer", "c1", "t1");
    let mut phone = Phone::ready_with(&server, &json!({"token": token})).await;
    let text = cli.run(&["revoke", "user:c1"]).await.expect_code(0);
    assert!(
        text.stdout.starts_with("revoked  user:c1  issued until 20"),
        "{text:#?}"
    );
    assert_eq!(phone.event("rt:end").await["code"], "token_revoked");
    orders_by(&server.anonymous(), &token)
        .await
        .refused_as(401, "token_revoked");
    assert_eq!(revoked(&cli, &["jti:t2"]).await, json!({"jti": "t2"}));
    let issued_at = issued();
    let at = issued_at.to_string();
    let everyone = revoked(&cli, &["everyone", "--issued-before", &at]).await;
    assert_eq!(everyone, json!({"issuedBefore": issued_at}));
}

/// A token that is minted right after a revocation is a later one.
#[tokio::test]
async fn the_next_command_of_the_revoked_admin_works() {
    let (_server, cli) = start().await;
    for _ in 0..3 {
        revoked(&cli, &["everyone", "--issued-before", "now"]).await;
        cli.run(&["sessions"]).await.expect_code(0);
        revoked(&cli, &["user:metaia-cli"]).await;
        cli.run(&["stats"]).await.expect_code(0);
    }
}

#[tokio::test]
async fn a_revoked_token_is_a_failure_of_authentication_with_its_reason() {
    let (_server, cli) = start().await;
    revoked(&cli, &["jti:t1"]).await;
    let token = token_with("customer", "c1", "t1");
    let rest = cli
        .run(&["order", "ls", "--token", &token])
        .await
        .expect_code(4);
    assert!(rest.stderr.contains("revoked"), "{rest:#?}");
    let tail = ["tail", "--token", &token, "--for", "1s"];
    let socket = cli.run(&tail).await.expect_code(4);
    assert!(socket.stderr.contains("token_revoked"), "{socket:#?}");
    let explained = cli.run(&["explain", "token_revoked"]).await.expect_code(0);
    assert!(explained.stdout.contains("sign in again"), "{explained:#?}");
}

#[tokio::test]
async fn a_tail_whose_token_is_revoked_ends_with_the_code_of_authentication() {
    let (_server, cli) = start().await;
    let token = token_with("customer", "c1", "t1");
    let script = "$METAIA tail --token $TOKEN -- $METAIA revoke jti:t1 --as admin:a1";
    let output = cli.env("TOKEN", &token).shell(script).await;
    assert!(output.output().contains("token_revoked"), "{output:#?}");
    assert_ne!(output.code, Some(0), "{output:#?}");
}

#[tokio::test]
async fn what_has_no_meaning_is_refused_before_a_request() {
    let (_server, cli) = start().await;
    let bare = cli.run(&["revoke", "everyone"]).await.expect_code(2);
    assert!(bare.stderr.contains("--issued-before now"), "{bare:#?}");
    cli.run(&["revoke", "c1"]).await.expect_code(2);
    cli.run(&["revoke", "jti:t", "--issued-before", "now"])
        .await
        .expect_code(2);
    let future = [
        "revoke",
        "user:c1",
        "--issued-before",
        "2100-01-01T00:00:00Z",
    ];
    let future = cli.run(&future).await.expect_code(1);
    assert!(future.stderr.contains("future"), "{future:#?}");
    cli.run(&["revoke", "user:c1", "--as", "customer:c1"])
        .await
        .expect_code(5);
}
