//! Options without meaning are refused, and what is missing is looked up.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{id_of, place_order};
use metaia_tests::server::Server;

use super::check;

const MINT: [&str; 6] = ["token", "mint", "--role", "admin", "--user", "a1"];

#[tokio::test]
async fn an_option_that_does_not_apply_is_a_usage_error() {
    let cli = Cli::for_url("http://127.0.0.1:9");
    for (args, option) in [
        (
            &["trigger", "new_notification", "--status", "busy"][..],
            "--status",
        ),
        (&["trigger", "payment_update", "--title", "x"], "--title"),
        (
            &["trigger", "order_update", "--status", "ready"],
            "--status",
        ),
        (&["trigger", "order_update", "--courier", "x"], "--courier"),
        (
            &["trigger", "tailor_status_update", "--message", "x"],
            "--message",
        ),
        (&["trigger", "order.lifecycle", "--order", "o1"], "--order"),
        (
            &["emit", "user:u1", "x", "--transport", "polling"],
            "--transport",
        ),
        (&["emit", "user:u1", "x", "--auth", "header"], "--auth"),
        (
            &["emit", "user:u1", "x", "--origin", "http://h"],
            "--origin",
        ),
        (
            &["trigger", "order_update", "--origin", "http://h"],
            "--origin",
        ),
        (&["token", "inspect", "x", "--insecure"], "--insecure"),
        (&["token", "inspect", "x", "--url", "http://h"], "--url"),
        (&[&MINT[..], &["--token", "x"]].concat(), "--token"),
        (
            &[&MINT[..], &["--token-file", "x"]].concat(),
            "--token-file",
        ),
        (&[&MINT[..], &["--timeout", "1s"]].concat(), "--timeout"),
        (&["token", "inspect", "x", "--header", "a: b"], "--header"),
    ] {
        let output = cli.run(args).await;
        check(&output, 2, &[option, "does not apply"]);
    }
}

#[tokio::test]
async fn a_token_is_minted_for_a_role_and_a_user_or_for_both_in_one() {
    let cli = Cli::for_url("http://127.0.0.1:9");
    let mint = async |args: &[&str]| cli.run(&[&MINT[..2], args].concat()).await;
    let minted = mint(&["--as", "admin:a1", "-o", "ndjson"]).await;
    check(&minted, 0, &[]);
    assert!(minted.stdout.contains(r#""userId":"a1","role":"admin""#));
    check(&mint(&["--as", "boss:a1"]).await, 2, &["boss"]);
    let both = ["--as", "admin:a1", "--role", "admin", "--user", "a1"];
    check(&mint(&both).await, 2, &["cannot be used with"]);
    for half in [&["--role", "admin"][..], &["--user", "a1"], &[]] {
        check(&mint(half).await, 2, &["required"]);
    }
}

#[tokio::test]
async fn a_token_without_a_lifetime_is_a_usage_error() {
    let cli = Cli::for_url("http://127.0.0.1:9");
    for (ttl, code) in [("0s", 2), ("999ms", 2), ("1s", 0)] {
        let minted = cli.run(&[&MINT[..], &["--ttl", ttl]].concat()).await;
        assert_eq!(minted.code, Some(code), "{ttl}: {minted:#?}");
        assert!(code == 0 || minted.stderr.contains("--expired"));
    }
}

#[tokio::test]
async fn what_is_pasted_before_a_token_is_left_out() {
    let server = Server::start().await;
    let pasted = format!("Bearer {}", token("admin", "a1"));
    let quoted = format!("\"Authorization: {pasted}\"\n");
    let cli = Cli::for_server(&server);
    let file = cli.folder().write("token", quoted);
    let file = file.to_str().expect("UTF-8");
    let by_variable = Cli::for_server(&server).env("METAIA_TOKEN", &pasted);
    for args in [&["tail", "--for", "500ms"][..], &["emit", "user:u1", "x"]] {
        for option in [["--token", &pasted], ["--token-file", file]] {
            let output = cli.run(&[args, &option].concat()).await;
            check(&output, 0, &["Bearer is left out"]);
        }
        let output = by_variable.run(args).await;
        check(&output, 0, &["Bearer is left out"]);
    }
}

#[tokio::test]
async fn a_payment_is_by_the_customer_of_the_order() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let args = ["trigger", "payment_update", "--order", id_of(&order)];
    Cli::for_server(&server).run(&args).await.expect_code(0);
    phone.event("payment_update").await;
}
