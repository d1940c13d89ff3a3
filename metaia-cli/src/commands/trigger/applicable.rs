//! The options that each flow uses. Any other one is refused: a test that gives it would prove less
//! than it seems to.

use super::flow::Flow;
use crate::exit::Failure;

/// Returns the options that a flow uses; for some it matters whether an order is given.
fn options_of(flow: Flow, has_order: bool) -> Vec<&'static str> {
    let options = match (flow, has_order) {
        (Flow::NewNotification, _) => {
            "--to --customer --order --title --message --admin --set --times --pace"
        }
        (Flow::OrderUpdate, true) => "--order --status --admin",
        (Flow::OrderUpdate, false) => "--to --customer --set --times --pace",
        (Flow::PaymentUpdate, true) => {
            "--order --to --customer --admin --tamper --attempt --times --pace"
        }
        (Flow::PaymentUpdate, false) => "--to --customer --set --tamper --attempt --times --pace",
        (Flow::PaymentWebhook, true) => {
            "--order --to --customer --admin --event --event-id --tamper --attempt --times --pace"
        }
        (Flow::PaymentWebhook, false) => {
            "--to --customer --set --event --event-id --tamper --attempt --times --pace"
        }
        (Flow::TailorStatusUpdate, _) => "--to --tailor --status --set --times --pace",
        (Flow::Assign, true) => "--order --tailor --courier --admin",
        (Flow::Assign, false) => "--to --customer --tailor --courier --admin --set --pace",
        (Flow::Cancel, true) => "--order --admin",
        (Flow::Cancel, false) => "--to --customer --set --pace",
        (Flow::Lifecycle, _) => "--to --customer --tailor --courier --admin --set --pace --until",
    };
    options.split_whitespace().collect()
}

/// Refuses options that the flow does not use, and two that name the same user.
pub(super) fn check(flow: Flow, given: &[&str], has_order: bool) -> Result<(), Failure> {
    check_used(flow, given, has_order)?;
    let other = other_name_of_to(flow);
    if given.contains(&"--to") && given.contains(&other) {
        let message = format!("--to and {other} name the same user: use only one of them");
        return Err(Failure::usage(message));
    }
    Ok(())
}

/// Returns the option that names the same user as `--to`.
fn other_name_of_to(flow: Flow) -> &'static str {
    match flow {
        Flow::TailorStatusUpdate => "--tailor",
        _ => "--customer",
    }
}

fn check_used(flow: Flow, given: &[&str], has_order: bool) -> Result<(), Failure> {
    let used = options_of(flow, has_order);
    let others: Vec<&str> = given
        .iter()
        .filter(|option| !used.contains(option))
        .copied()
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let place = match (flow.takes_new_or_existing_order(), has_order) {
        (true, true) => " of an existing order",
        (true, false) => " of a new order",
        (false, _) => "",
    };
    let verb = if others.len() == 1 { "does" } else { "do" };
    let others = others.join(", ");
    let name = flow.name();
    let failure = Failure::usage(format!("{others} {verb} not apply to {name}{place}"));
    Err(failure.hint(format!("it uses {}", used.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(flow: Flow, given: &[&str], has_order: bool, expected: &str) {
        let failure = check(flow, given, has_order).unwrap_err();
        assert_eq!(failure.chain(), expected);
    }

    #[test]
    fn an_option_without_meaning_is_refused() {
        refused(
            Flow::NewNotification,
            &["--to", "--status"],
            false,
            "--status does not apply to new_notification",
        );
        refused(
            Flow::PaymentUpdate,
            &["--title", "--status"],
            false,
            "--title, --status do not apply to payment_update of a new order",
        );
        refused(
            Flow::OrderUpdate,
            &["--order", "--to"],
            true,
            "--to does not apply to order_update of an existing order",
        );
    }

    #[test]
    fn an_option_of_another_flow_is_refused() {
        refused(
            Flow::OrderUpdate,
            &["--tamper", "--until"],
            false,
            "--tamper, --until do not apply to order_update of a new order",
        );
        refused(
            Flow::Lifecycle,
            &["--times"],
            false,
            "--times does not apply to order.lifecycle",
        );
        // Nothing is created.
        refused(
            Flow::PaymentWebhook,
            &["--set"],
            true,
            "--set does not apply to payment.webhook of an existing order",
        );
        // The second time, the order has another status.
        refused(
            Flow::OrderUpdate,
            &["--times"],
            true,
            "--times does not apply to order_update of an existing order",
        );
    }

    #[test]
    fn the_examples_of_the_help_are_accepted() {
        for (flow, given, has_order) in [
            (Flow::NewNotification, &["--to", "--title"][..], false),
            (Flow::OrderUpdate, &["--to", "--set"], false),
            (Flow::OrderUpdate, &["--order"], true),
            (Flow::PaymentUpdate, &["--to"], false),
            (Flow::PaymentUpdate, &["--order", "--tamper"], true),
            (Flow::PaymentWebhook, &["--event", "--times"], false),
            (Flow::PaymentWebhook, &["--order", "--tamper"], true),
            (Flow::TailorStatusUpdate, &["--to", "--status"], false),
            (Flow::Assign, &["--order", "--tailor"], true),
            (Flow::Cancel, &["--order"], true),
            (Flow::Lifecycle, &["--pace", "--until"], false),
        ] {
            assert!(check(flow, given, has_order).is_ok(), "{flow:?} {given:?}");
        }
    }
}
