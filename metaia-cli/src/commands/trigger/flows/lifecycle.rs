//! The whole way of an order, from its creation to its delivery, by four roles.

use super::super::options::EventOptions;
use super::super::participants::Participants;
use super::super::statuses::STATUSES;
use super::super::steps::StepRunner;
use super::orders::{place, set_assignees, set_status};
use super::payments::pay;
use crate::exit::Failure;

pub(super) async fn run(
    steps: &mut StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    // All credentials come first: without them, no order should be placed.
    let secret = participants.payment_secret()?;
    let customer = participants.as_customer()?;
    let admin = participants.as_admin()?;
    let tailor = participants.as_tailor()?;
    let courier = participants.as_courier()?;
    let statuses = statuses_until(options.until.as_deref());
    steps.show_progress(number_of_steps(statuses));
    let order = place(steps, participants, options).await?;
    for status in statuses {
        let actor = match *status {
            "confirmed" => &admin,
            "in_progress" => {
                // Both act later, also if an option names one of them alone.
                let sews = Some(participants.tailor());
                let delivers = Some(participants.courier());
                set_assignees(steps, &admin, &order, sews, delivers).await?;
                &tailor
            }
            "ready" => &tailor,
            "out_for_delivery" => {
                pay(steps, &customer, &order, &secret).await?;
                &courier
            }
            _ => &courier,
        };
        set_status(steps, actor, &order, status).await?;
    }
    Ok(())
}

/// Returns the statuses that the order is moved to, the last one included.
fn statuses_until(last: Option<&str>) -> &'static [&'static str] {
    let last = last.and_then(|last| STATUSES.iter().position(|status| *status == last));
    let last = last.unwrap_or(STATUSES.len() - 1);
    // A new order has the first one.
    STATUSES.get(1..=last).unwrap_or_default()
}

/// Returns the number of requests, for the progress bar.
fn number_of_steps(statuses: &[&str]) -> u64 {
    let requests = statuses.iter().map(|status| match *status {
        "in_progress" => 2,
        "out_for_delivery" => 3,
        _ => 1,
    });
    1 + requests.sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_ends_at_a_status_or_with_the_delivery() {
        assert_eq!(statuses_until(Some("pending")), [""; 0]);
        let until_ready = statuses_until(Some("ready"));
        assert_eq!(until_ready, ["confirmed", "in_progress", "ready"]);
        assert_eq!(number_of_steps(until_ready), 5);
        assert_eq!(statuses_until(None).last(), Some(&"delivered"));
        assert_eq!(number_of_steps(statuses_until(None)), 9);
    }
}
