//! `metaia trigger`: the supplied token acts, or the command is refused; nobody else acts instead.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::token::{Token, token};
use metaia_tests::server::Server;
use metaia_tests::server::process::ProcessOutput;
use serde_json::Value;

use super::{objects, start};

const ORDER_UPDATE: [&str; 4] = ["trigger", "order_update", "-o", "ndjson"];

/// Returns who acted in the first step with this name.
fn actor_of<'a>(steps: &'a [Value], name: &str) -> &'a str {
    let step = steps.iter().find(|step| step["step"] == name);
    let step = step.unwrap_or_else(|| panic!("no step {name}: {steps:#?}"));
    step["as"].as_str().expect("an actor")
}

/// Checks that nothing was done, and that the message contains this.
#[track_caller]
fn check_refused(ended: &ProcessOutput, code: i32, part: &str) {
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    assert_eq!(ended.stdout, "", "{ended:#?}");
    assert!(ended.stderr.contains(part), "{part}: {ended:#?}");
}

#[tokio::test]
async fn a_token_that_is_empty_or_unreadable_is_wrong_usage() {
    let (_server, cli) = start().await;
    let whole = token("customer", "u1");
    let cut = &whole[..60];
    for (text, part) in [
        ("", "it is empty"),
        (" ", "is empty"),
        ("x", "names no role and user"),
        (cut, "names no role and user"),
    ] {
        for flow in ["order_update", "order.lifecycle", "tailor_status_update"] {
            let ended = cli.run(&["trigger", flow, "--token", text]).await;
            check_refused(&ended, 2, part);
        }
        let notify = ["trigger", "new_notification", "--token", text];
        check_refused(&cli.run(&notify).await, 2, part);
    }
    let file = ["trigger", "order_update", "--token-file", "/dev/null"];
    check_refused(&cli.run(&file).await, 2, "the token is empty");
    let cli = cli.env("METAIA_TOKEN", "x");
    check_refused(&cli.run(&file[..2]).await, 2, "names no role and user");
}

#[tokio::test]
async fn a_token_with_a_role_that_nobody_knows_is_exit_code_5() {
    let (_server, cli) = start().await;
    let unknown_role = token("boss", "u1");
    for flow in ["order_update", "order.lifecycle", "new_notification"] {
        let ended = cli.run(&["trigger", flow, "--token", &unknown_role]).await;
        check_refused(&ended, 5, "role \"boss\" is unknown");
    }
    let tail = ["tail", "--token", &unknown_role, "--for", "1s"];
    let ended = cli.run(&tail).await;
    check_refused(&ended, 5, "the server does not know the role of the token");
}

#[tokio::test]
async fn a_token_that_the_server_refuses_is_exit_code_4() {
    let (_server, cli) = start().await;
    let forged = Token::new("customer", "u1").secret("another").sign();
    for flow in ["order_update", "payment_update", "order.lifecycle"] {
        let ended = cli.run(&["trigger", flow, "--token", &forged]).await;
        check_refused(&ended, 4, "as customer:u1");
    }
}

#[tokio::test]
async fn a_token_that_no_step_can_use_is_wrong_usage() {
    let (server, cli) = start().await;
    for (flow, role) in [
        ("order_update", "admin"),
        ("payment_update", "tailor"),
        ("tailor_status_update", "customer"),
    ] {
        let other = token(role, "x1");
        let by_option = cli.run(&["trigger", flow, "--token", &other]).await;
        check_refused(&by_option, 2, "no step can use the token");
        let cli = Cli::for_server(&server).env("METAIA_TOKEN", &other);
        let by_variable = cli.run(&["trigger", flow]).await;
        check_refused(&by_variable, 2, "no step can use the token");
    }
}

#[tokio::test]
async fn an_option_does_not_name_another_user_than_the_token() {
    let (_server, cli) = start().await;
    let own = token("customer", "u9");
    for option in [["--to", "user:u1"], ["--customer", "u1"]] {
        let args = [&ORDER_UPDATE[..], &option, &["--token", &own]].concat();
        let ended = cli.run(&args).await;
        check_refused(&ended, 2, "customer:u1");
    }
    let same = [&ORDER_UPDATE[..], &["--to", "user:u9", "--token", &own]].concat();
    let steps = objects(&cli.run(&same).await.expect_code(0).stdout);
    assert_eq!(actor_of(&steps, "place the order"), "customer:u9");
    let admin = token("admin", "a9");
    let args = ["trigger", "new_notification", "--admin", "a1"];
    let notify = [&args[..], &["--token", &admin]].concat();
    check_refused(&cli.run(&notify).await, 2, "admin:a1");
}

/// As `--as` does for the other commands.
#[tokio::test]
async fn an_option_replaces_the_token_of_the_environment() {
    let server = Server::start().await;
    let to = [&ORDER_UPDATE[..], &["--to", "user:u1"]].concat();
    for role in ["customer", "admin"] {
        let cli = Cli::for_server(&server).env("METAIA_TOKEN", &token(role, "u9"));
        let ended = cli.run(&to).await.expect_code(0);
        let steps = objects(&ended.stdout);
        assert_eq!(actor_of(&steps, "place the order"), "customer:u1");
        assert!(
            ended.stderr.contains("METAIA_TOKEN is not used"),
            "{ended:#?}"
        );
    }
}

#[tokio::test]
async fn two_options_for_one_user_are_wrong_usage() {
    let nowhere = Cli::for_url("http://127.0.0.1:9");
    for (flow, second) in [
        ("order_update", "--customer"),
        ("payment_update", "--customer"),
        ("order.lifecycle", "--customer"),
        ("new_notification", "--customer"),
        ("tailor_status_update", "--tailor"),
    ] {
        let args = ["trigger", flow, "--to", "user:u1", second, "u2"];
        let part = format!("--to and {second}");
        check_refused(&nowhere.run(&args).await, 2, &part);
    }
}

#[tokio::test]
async fn the_owner_of_the_token_takes_part_in_the_whole_lifecycle() {
    let (_server, cli) = start().await;
    for (role, step) in [
        ("customer", "place the order"),
        ("admin", "status confirmed"),
        ("tailor", "status ready"),
        ("delivery", "status delivered"),
    ] {
        let own = token(role, "x1");
        let args = [
            "trigger",
            "order.lifecycle",
            "-o",
            "ndjson",
            "--token",
            &own,
        ];
        let steps = objects(&cli.run(&args).await.expect_code(0).stdout);
        assert_eq!(steps.len(), 9);
        assert_eq!(actor_of(&steps, step), format!("{role}:x1"));
    }
}
