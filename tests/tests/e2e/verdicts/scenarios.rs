//! `metaia test`: a scenario that passes has checked something, and what it says is true.

use metaia_tests::clients::cli::Cli;
use metaia_tests::server::process::ProcessOutput;

use super::start;

/// Runs a scenario of these steps.
async fn run(cli: &Cli, steps: &str) -> ProcessOutput {
    let file = cli.folder().path().join("rule.yaml");
    let text = format!(
        "scenario: a rule\npeople: {{ buyer: customer, boss: admin, stranger: customer }}\n\
         steps:\n{steps}\n"
    );
    std::fs::write(&file, text).expect("a file");
    cli.run(&["test", &file.display().to_string()]).await
}

#[tokio::test]
async fn an_absence_of_somebody_who_is_away_is_not_judged() {
    let (_server, cli) = start().await;
    for absence in ["never: order_update", "event: order_update, times: 0"] {
        let steps = format!(
            "  - cut: {{ as: buyer }}\n\
             \x20 - place: {{ as: buyer, save: order }}\n\
             \x20 - expect: [{{ as: buyer, {absence} }}]"
        );
        let output = run(&cli, &steps).await.expect_code(3);
        assert!(output.stdout.contains("no fence"), "{output:#?}");
    }
}

#[tokio::test]
async fn an_absence_that_could_not_have_failed_is_refused() {
    let (_server, cli) = start().await;
    for absence in [
        "event: oder_update, times: 0",
        "never: oder_update",
        "never: payment_update, match: { status: completed }",
        "never: '*', about: $order.orderNumber",
    ] {
        let steps = format!(
            "  - place: {{ as: buyer, save: order }}\n\
             \x20 - expect: [{{ as: stranger, {absence} }}]"
        );
        let output = run(&cli, &steps).await.expect_code(6);
        assert!(output.stdout.contains("vacuous"), "{absence}: {output:#?}");
    }
}

#[tokio::test]
async fn a_condition_of_an_absence_is_judged_on_the_events_of_others() {
    let (_server, cli) = start().await;
    let steps = "  - place: { as: buyer, save: order }\n\
                 \x20 - expect: [{ as: stranger, never: order_update, where: .data.amount }]";
    let output = run(&cli, steps).await.expect_code(2);
    assert!(output.stdout.contains("not true or false"), "{output:#?}");
}

#[tokio::test]
async fn a_refused_join_proves_something_only_for_an_order_that_exists() {
    let (_server, cli) = start().await;
    let join = |order: &str| {
        format!(
            "  - place: {{ as: buyer, save: order }}\n\
             \x20 - pay: {{ as: buyer, order: $order, confirm: false, save: payment }}\n\
             \x20 - join: {{ as: stranger, order: {order}, expect: forbidden }}"
        )
    };
    run(&cli, &join("$order")).await.expect_code(0);
    // A text of the scenario itself is meant as it is.
    run(&cli, &join("nothing")).await.expect_code(0);
    let output = run(&cli, &join("$payment")).await.expect_code(2);
    assert!(output.stdout.contains("proves nothing"), "{output:#?}");
}
