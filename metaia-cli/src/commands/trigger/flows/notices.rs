//! Flows of one request: a notification, a tailor's status.

use super::super::fixtures;
use super::super::options::EventOptions;
use super::super::participants::Participants;
use super::super::steps::StepRunner;
use crate::exit::Failure;

pub(super) async fn notify(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    let sender = participants.as_sender()?;
    let body = fixtures::notification(participants.customer(), options)?;
    for _ in 0..options.rounds() {
        steps
            .post("notify", &sender, "/api/notifications", &body)
            .await?;
    }
    Ok(())
}

pub(super) async fn set_tailor_status(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    let tailor = participants.as_tailor_to_update()?;
    let body = fixtures::tailor_status(options)?;
    for _ in 0..options.rounds() {
        steps
            .put("tailor's status", &tailor, "/api/tailors/me/status", &body)
            .await?;
    }
    Ok(())
}
