//! `metaia test`: an absence that nothing could have broken fails.

use super::start;

/// Runs a scenario in which a customer places an order, and an admin looks on.
async fn check(never: &str, code: i32, part: &str) {
    let (_server, cli) = start().await;
    let scenario = format!(
        "scenario: a stranger receives nothing\n\
         people: {{ buyer: customer, boss: admin, stranger: customer }}\n\
         steps:\n  - place: {{ as: buyer, save: order }}\n  - expect: [{{ as: stranger, {never} }}]\n"
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
