//! `metaia test`: an absence that nothing could have broken fails, and what was judged is counted.

use super::start;
use metaia_tests::clients::cli::Cli;

/// Runs a scenario in which a customer places an order, and an admin looks on.
async fn check(never: &str, code: i32, part: &str) {
    let (_server, cli) = start().await;
    let scenario = format!(
        "scenario: a stranger receives nothing\n\
         people: {{ buyer: customer, boss: admin, stranger: customer }}\n\
         steps:\n  - place: {{ as: buyer, save: order }}\n  - expect:\n      \
         - {{ as: stranger, {never} }}\n"
    );
    let file = cli.folder().write("stranger.yaml", scenario);
    let file = file.to_str().expect("a path");
    let output = cli.run(&["test", file]).await.expect_code(code);
    assert!(output.stdout.contains(part), "{never}: {output:#?}");
}

#[tokio::test]
async fn a_misspelt_event_proves_nothing() {
    check("never: oder_update", 6, "vacuous").await;
}

#[tokio::test]
async fn a_condition_that_no_event_was_judged_by_proves_nothing() {
    check(
        "never: payment_update, match: { staus: completed }",
        6,
        "vacuous",
    )
    .await;
    check("never: order_update, match: { status: pending }", 0, "✓").await;
}

#[tokio::test]
async fn an_order_that_no_event_was_about_proves_nothing() {
    check("never: \"*\", about: nothing", 6, "vacuous").await;
    check("never: \"*\", about: $order", 0, "✓").await;
}

#[tokio::test]
async fn each_judged_expectation_counts_also_that_of_a_request_and_the_one_that_fails() {
    let (_server, cli) = start().await;
    let scenario = "scenario: three expectations, of which the last fails\n\
                    people: { buyer: customer }\n\
                    steps:\n  - place: { as: buyer, expect: { status: 201 } }\n  - expect:\n      \
                    - { as: buyer, event: order_update }\n      \
                    - { as: buyer, never: new_notification }\n";
    let file = cli.folder().write("three.yaml", scenario);
    let file = file.to_str().expect("a path");
    let output = cli.run(&["test", file]).await.expect_code(6);
    let summary = "1 failed (3 expectations judged)";
    assert!(output.stderr.contains(summary), "{output:#?}");
}

/// The room is left before the notification of the same change arrives.
#[tokio::test]
async fn what_came_before_an_expected_change_of_the_session_is_not_seen_by_the_next_step() {
    let (_server, cli) = start().await;
    let scenario = "scenario: a replaced tailor is told, and receives nothing later\n\
                    people: { buyer: customer, boss: admin, old: tailor, new: tailor }\n\
                    steps:\n  \
                    - place: { as: buyer, tailor: $old, save: order }\n  \
                    - join: { as: old, order: $order }\n  \
                    - assign: { as: boss, order: $order, tailor: $new }\n  \
                    - expect: [{ as: old, event: \"rt:room_left\" }]\n  \
                    - expect: [{ as: old, never: \"*\" }]\n";
    let file = cli.folder().write("told.yaml", scenario);
    let file = file.to_str().expect("a path");
    let args = ["test", file, "--repeat", "40"];
    cli.run(&args).await.expect_code(0);
}

#[tokio::test]
async fn a_token_that_nobody_would_use_is_refused() {
    let cli = Cli::for_url("http://127.0.0.1:9");
    let args = ["test", ".", "--token", "abc"];
    let output = cli.run(&args).await.expect_code(2);
    assert!(
        output.stderr.contains("--token does not apply"),
        "{output:#?}"
    );
}
