//! The steps of connections and rooms.

use std::time::Duration;

use metaia_realtime::OrderId;
use metaia_realtime::client::{Client, JoinError, SendError};
use metaia_realtime::values::InvalidId;
use reqwest::Method;

use super::World;
use super::person::NotLive;
use super::requests::StepRequest;
use crate::exit::{Exit, Failure};
use crate::order_ref;
use crate::scenario::outcome::{Spot, StepFailure};
use crate::scenario::steps::{BackStep, DisconnectStep, JoinStep, LeaveStep, PersonStep};
use crate::scenario::variables::is_variable;
use crate::span;

/// The time in which a person is live again, unless `within` says another.
const BACK_WITHIN: Duration = Duration::from_secs(5);

impl World<'_> {
    pub(super) async fn join(&self, step: &JoinStep, spot: &Spot) -> Result<(), StepFailure> {
        let unjudged = |failure| StepFailure::unjudged(spot.clone(), failure);
        let order = self.text(&step.order, spot)?;
        let client = self.client(&step.actor, spot).await?;
        let joined = tokio::time::timeout(self.context.timeout, client.join_order(&order)).await;
        let joined = joined.unwrap_or(Err(SendError::Timeout(self.context.timeout).into()));
        let answer = match joined {
            Ok(_) => "ok".to_owned(),
            Err(JoinError::Refused(code)) => code,
            Err(error) => {
                let failure = Failure::new(Exit::Failed, "the join was not answered");
                return Err(unjudged(failure.caused_by(error).of_server()));
            }
        };
        let expected = step
            .expect
            .as_ref()
            .map_or("ok", |expected| expected.value.as_str());
        if answer == expected {
            return match expected {
                "forbidden" => self.prove_existence(&step.order, &order, spot).await,
                _ => Ok(()),
            };
        }
        let place = step
            .expect
            .as_ref()
            .map_or(&step.order, |expected| expected);
        Err(StepFailure::answer(
            spot.at(&place.position),
            format!("the join is answered `{answer}`, not `{expected}`"),
        ))
    }

    async fn client(&self, actor: &str, spot: &Spot) -> Result<Client, StepFailure> {
        let client = self.person(actor, spot)?.client().await;
        client.map_err(|failure| StepFailure::unjudged(spot.clone(), failure))
    }

    /// Refuses a variable that is no order, such as a payment: the server answers its join as that
    /// of a stranger's order. A text that is not only a variable is a deliberate one.
    async fn prove_existence(
        &self,
        written: &str,
        order: &str,
        spot: &Spot,
    ) -> Result<(), StepFailure> {
        if !is_variable(written) || self.is_saved_order(order) {
            return Ok(());
        }
        let unjudged = |failure| StepFailure::unjudged(spot.clone(), failure);
        let order: OrderId = order.parse().map_err(|error: InvalidId| {
            let text = format!("a refusal proves nothing: {order:?} is not an order's id");
            unjudged(Failure::usage(text).caused_by(error))
        })?;
        order_ref::prove_existence(&order, self.context)
            .await
            .map_err(unjudged)
    }

    pub(super) async fn leave(&self, step: &LeaveStep, spot: &Spot) -> Result<(), StepFailure> {
        let unjudged = |failure| StepFailure::unjudged(spot.clone(), failure);
        let order = self.text(&step.order, spot)?;
        let client = self.client(&step.actor, spot).await?;
        client.leave_order(&order).await.map_err(|error| {
            unjudged(Failure::new(Exit::Failed, "the leave was not answered").caused_by(error))
        })
    }

    pub(super) async fn cut(&self, step: &PersonStep, spot: &Spot) -> Result<(), StepFailure> {
        let person = self.person(&step.actor, spot)?;
        let cut = person.cut().await;
        cut.map_err(|failure| StepFailure::unjudged(spot.clone(), failure))
    }

    pub(super) async fn go_offline(
        &self,
        step: &PersonStep,
        spot: &Spot,
    ) -> Result<(), StepFailure> {
        let person = self.person(&step.actor, spot)?;
        let closed = person.close().await;
        closed.map_err(|failure| StepFailure::unjudged(spot.clone(), failure))
    }

    pub(super) async fn back(&self, step: &BackStep, spot: &Spot) -> Result<(), StepFailure> {
        let person = self.person(&step.actor, spot)?;
        let within = match &step.within {
            Some(within) => span::parse(&self.text(within, spot)?).map_err(|expected| {
                StepFailure::unjudged(spot.at(&within.position), Failure::usage(expected))
            })?,
            None => BACK_WITHIN,
        };
        let expected = step.expect.as_ref();
        let refusal = expected.and_then(|expected| expected.refused.as_deref());
        let spot = match expected {
            Some(expected) => spot.at(&expected.position),
            None => spot.clone(),
        };
        let failed = |label: String| StepFailure::answer(spot.clone(), label);
        let ready = match (person.connect(self.context, within).await, refusal) {
            (Err(NotLive::Refused(message, _)), Some(refusal)) if message == refusal => {
                return Ok(());
            }
            (Err(NotLive::Refused(message, _)), Some(refusal)) => {
                return Err(failed(format!(
                    "refused as `{message}`, not as `{refusal}`"
                )));
            }
            (Err(NotLive::Refused(message, _)), None) if expected.is_some() => {
                return Err(failed(format!("refused as `{message}`")));
            }
            (Err(not_live), _) => {
                return Err(StepFailure::unjudged(spot, not_live.into_failure()));
            }
            (Ok(_), Some(refusal)) => {
                return Err(failed(format!("connected, not refused as `{refusal}`")));
            }
            (Ok(ready), None) => ready,
        };
        match expected.and_then(|expected| expected.recovered) {
            Some(recovered) if recovered != ready.recovered => Err(failed(format!(
                "`rt:ready` says recovered: {}, not {recovered}",
                ready.recovered
            ))),
            _ => Ok(()),
        }
    }

    /// Ends all sessions of a person, as an admin.
    pub(super) async fn disconnect(
        &self,
        step: &DisconnectStep,
        spot: &Spot,
    ) -> Result<(), StepFailure> {
        let user = &self.person(&step.who, spot)?.actor.user;
        let path = format!("/api/realtime/sessions?user={user}");
        let list = StepRequest::new(Method::GET, path, &step.actor);
        let listed = self.request(list, spot).await?;
        let sessions = listed.data()["sessions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let ids = sessions.iter().filter_map(|session| session["id"].as_str());
        let mut ended = 0;
        for id in ids {
            let path = format!("/api/realtime/sessions/{id}");
            self.request(StepRequest::new(Method::DELETE, path, &step.actor), spot)
                .await?;
            ended += 1;
        }
        if ended == 0 {
            let text = format!("{} has no session to end", step.who.value);
            return Err(StepFailure::unjudged(
                spot.at(&step.who.position),
                Failure::new(Exit::Unreachable, text),
            ));
        }
        Ok(())
    }
}
