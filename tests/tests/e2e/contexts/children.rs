//! The programs that `expect`, `tail` and `test` run act at the same server.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::token::SECRET;
use metaia_tests::server::{Listening, Server};

use super::{check_contains, cli, minting, write_contexts};

/// Runs a script after `expect customer:u1 EVENT --`, in which `$METAIA` is the program.
fn expecting(options: &str, script: &str) -> String {
    format!("\"$METAIA\" expect customer:u1 stock_low {options} -- sh -c '{script}'")
}

const EMIT: &str = "\"$METAIA\" emit user:u1 stock_low";

async fn two_servers(cli: &Cli) -> (Server, Server) {
    let local = Server::start().await;
    let staging = Server::start().await;
    let contexts = [
        minting(cli, "local", &local),
        minting(cli, "staging", &staging),
    ];
    write_contexts(cli, &format!("current = \"local\"\n{}", contexts.concat()));
    (local, staging)
}

#[tokio::test]
async fn a_child_acts_at_the_server_of_the_option() {
    let cli = cli();
    let (_local, staging) = two_servers(&cli).await;
    cli.shell(&expecting("--context staging", EMIT))
        .await
        .expect_code(0);
    cli.shell(&expecting("", EMIT)).await.expect_code(0);
    // The child also has the secrets of the option's context, and not those of the environment.
    let cli = cli.env("JWT_SECRET", "of-another-server-0123456789abcdef01234567");
    cli.shell(&expecting("--context staging", EMIT))
        .await
        .expect_code(0);
    let tail = format!("\"$METAIA\" tail customer:u1 --count 1 --context staging -- {EMIT}");
    cli.shell(&tail).await.expect_code(0);
    let url = staging.url();
    let url_of_child = format!("test \"$METAIA_URL\" = {url} && {EMIT}");
    cli.shell(&expecting("--context staging", &url_of_child))
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_child_may_choose_another_server() {
    let cli = cli();
    let (local, _staging) = two_servers(&cli).await;
    let other = format!("{EMIT} --context local");
    cli.shell(&expecting("--context staging --within 1ms", &other))
        .await
        .expect_code(6);
    // An address of its own gets no secret of the context.
    let url = local.url();
    for own in [
        format!("METAIA_URL={url} {EMIT}"),
        format!("{EMIT} --url {url}"),
    ] {
        let output = cli.shell(&expecting("--context staging", &own)).await;
        check_contains(&output.expect_code(1), &["no secret found"]);
    }
}

#[tokio::test]
async fn a_child_of_an_address_acts_there() {
    let server = Server::start().await;
    let cli = Cli::for_contexts().env("JWT_SECRET", SECRET);
    let url = format!("--url {}", server.url());
    cli.shell(&expecting(&url, EMIT)).await.expect_code(0);
}

#[tokio::test]
async fn a_protected_context_stays_protected_and_yes_is_passed_on() {
    let cli = cli();
    let server = Server::start().await;
    let contexts = minting(&cli, "production", &server);
    write_contexts(&cli, &format!("{contexts}protected = true\n"));
    for options in ["--context production", "--context production --url URL"] {
        let options = options.replace("URL", &server.url());
        let refused = cli.shell(&expecting(&options, EMIT)).await.expect_code(1);
        check_contains(&refused, &["is protected, and emit writes"]);
        let allowed = format!("{options} --yes");
        cli.shell(&expecting(&allowed, EMIT)).await.expect_code(0);
        // What is allowed for one context is not allowed for another one.
        let url = server.url();
        let other = format!("METAIA_URL={url}/ METAIA_CONTEXT=x {EMIT}");
        let refused = cli.shell(&expecting(&allowed, &other)).await;
        refused.expect_code(1);
    }
}

#[tokio::test]
async fn a_program_of_a_scenario_acts_at_the_server_of_its_context() {
    let cli = cli();
    let (_local, staging) = two_servers(&cli).await;
    let script = format!(
        "test \"$METAIA_URL\" = {} && \"$METAIA\" emit user:$1 stock_low",
        staging.url()
    );
    cli.folder().write("script", script);
    let scenario = "scenario: a program\npeople: { buyer: customer }\nsteps:\n  \
                    - run: { command: [sh, script, $buyer] }\n  \
                    - expect: [{ as: buyer, event: stock_low }]\n";
    cli.folder().write("qa/program.yaml", scenario);
    let output = cli.shell("\"$METAIA\" test qa --context staging").await;
    output.expect_code(0);
}
