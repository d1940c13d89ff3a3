//! The flows: for each, the requests in order.

mod lifecycle;
mod notices;
mod orders;
mod payments;

use super::flow::Flow;
use super::options::EventOptions;
use super::participants::Participants;
use super::steps::StepRunner;
use crate::exit::Failure;

/// Runs a flow to its end, or to its first refused step.
pub(super) async fn run(
    flow: Flow,
    steps: &mut StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    match flow {
        Flow::NewNotification => notices::notify(steps, participants, options).await,
        Flow::TailorStatusUpdate => notices::set_tailor_status(steps, participants, options).await,
        Flow::OrderUpdate => orders::update(steps, participants, options).await,
        Flow::Assign => orders::assign(steps, participants, options).await,
        Flow::Cancel => orders::cancel(steps, participants, options).await,
        Flow::PaymentUpdate => payments::confirm(steps, participants, options).await,
        Flow::PaymentWebhook => payments::deliver(steps, participants, options).await,
        Flow::Lifecycle => lifecycle::run(steps, participants, options).await,
    }
}
