//! `--as` and `test` with the tokens of a context that cannot mint any.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::{SECRET, token};
use metaia_tests::server::{Listening, Server};
use serde_json::Value;

use super::{check_contains, cli, sessions, write_contexts};

/// A context with a token of an admin, and one of a customer.
async fn with_tokens() -> (Server, Cli) {
    let cli = cli();
    let server = Server::start().await;
    let text = format!(
        "current = \"staging\"\n[staging]\nurl = \"{}\"\n\
         tokens = {{ admin = {{ env = \"ADMIN\" }}, customer = {{ file = \"~/customer\" }} }}\n",
        server.url()
    );
    write_contexts(&cli, &text);
    cli.folder().write("customer", token("customer", "u7"));
    let admin = token("admin", "boss");
    (server, cli.env("ADMIN", &admin))
}

#[tokio::test]
async fn a_role_acts_with_its_token() {
    let (server, cli) = with_tokens().await;
    let mut phone = Phone::ready_as(&server, "customer", "u7").await;
    assert_eq!(sessions(&cli, &[]).await, 1);
    assert_eq!(sessions(&cli, &["--as", "admin:boss"]).await, 1);
    cli.run(&["emit", "user:u7", "stock_low"])
        .await
        .expect_code(0);
    phone.event("stock_low").await;
    let placed = cli.run(&["order", "place", "--as", "customer:u7"]).await;
    placed.expect_code(0);
    let notified = cli
        .run(&["trigger", "order_update", "--to", "user:u7"])
        .await;
    notified.expect_code(0);
}

#[tokio::test]
async fn a_token_of_another_is_a_usage_error() {
    let (_server, cli) = with_tokens().await;
    let other = cli.run(&["sessions", "--as", "admin:other"]).await;
    check_contains(
        &other.expect_code(2),
        &[
            "tokens.admin of the context staging is the token of admin:boss, not of admin:other",
            "jwt_secret",
        ],
    );
    let none = cli.run(&["tail", "--as", "tailor:t1"]).await.expect_code(2);
    check_contains(&none, &["the context staging has no jwt_secret", "tokens"]);
    cli.folder().write("customer", token("admin", "boss"));
    let wrong = cli.run(&["tail", "--as", "customer:u7"]).await;
    check_contains(
        &wrong.expect_code(2),
        &["tokens.customer of the context staging is the token of admin:boss"],
    );
    cli.folder().write("customer", "hunter2");
    let damaged = cli
        .run(&["tail", "--as", "customer:u7"])
        .await
        .expect_code(2);
    check_contains(&damaged, &["names no role and user"]);
    assert!(!damaged.output().contains("hunter2"), "{damaged:#?}");
}

#[tokio::test]
async fn a_single_token_is_that_of_commands_that_name_nobody() {
    let cli = cli();
    let server = Server::start().await;
    let url = server.url();
    let text = format!("[a]\nurl = \"{url}\"\ntoken = {{ file = \"~/token\" }}\n");
    write_contexts(&cli, &text);
    cli.folder()
        .write("token", format!("Bearer {}\n", token("admin", "boss")));
    assert_eq!(sessions(&cli, &["--context", "a"]).await, 0);
    let tail = ["tail", "--context", "a", "--for", "1ms"];
    let tail = cli.run(&tail).await.expect_code(0);
    check_contains(&tail, &["admin:boss"]);
    let bad = token("admin", "boss").replace('.', "x");
    cli.folder().write("token", bad);
    let refused = cli.run(&["sessions", "--context", "a"]).await;
    check_contains(&refused.expect_code(4), &["the token is from the context"]);
}

#[tokio::test]
async fn a_data_folder_has_the_secret_of_its_server() {
    let cli = cli();
    let server = Server::start().await;
    cli.folder().write("data/jwt-secret", SECRET);
    let text = format!(
        "[local]\nurl = \"{}\"\ndata = \"../../data\"\n",
        server.url()
    );
    write_contexts(&cli, &text);
    assert_eq!(sessions(&cli, &["--context", "local"]).await, 0);
}

const ALONE: &str = "\
scenario: an order is pending first
people: { buyer: customer, boss: admin }
steps:
  - place: { as: buyer, save: order }
  - expect: [{ as: buyer, event: order_update, match: { customer: $buyer } }]
";

const TWO: &str = "\
scenario: another customer receives nothing
people: { buyer: customer, other: customer }
steps:
  - place: { as: buyer }
  - expect: [{ as: other, never: order_update }]
";

#[tokio::test]
async fn scenarios_use_the_tokens_and_those_that_must_mint_are_not_run() {
    let (_server, cli) = with_tokens().await;
    cli.folder().write("qa/alone.yaml", ALONE);
    let alone = cli.run(&["test", "qa"]).await.expect_code(0);
    check_contains(&alone, &["✓ an order is pending first"]);
    cli.folder().write("qa/two.yaml", TWO);
    let both = ["test", "qa", "--junit", "report.xml"];
    let both = cli.run(&both).await.expect_code(2);
    check_contains(
        &both,
        &[
            "✓ an order is pending first",
            "! another customer receives nothing  not run: needs to mint tokens: buyer and other",
            "1 passed, 1 not run without tokens",
            "hint: add jwt_secret",
        ],
    );
    let report = std::fs::read_to_string(cli.folder().join("report.xml")).unwrap();
    assert!(
        report.contains("<skipped message=\"needs to mint tokens"),
        "{report}"
    );
    let json = cli
        .run(&["test", "qa", "-o", "ndjson"])
        .await
        .expect_code(2);
    let lines = json.stdout.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let not_run = lines.iter().find(|line| line["status"] == "not_run");
    let reason = not_run.and_then(|line| line["reason"].as_str()).unwrap();
    assert!(reason.starts_with("needs to mint tokens"), "{reason}");
    let selected = ["test", "qa", "--only", "pending"];
    cli.run(&selected).await.expect_code(0);
}
