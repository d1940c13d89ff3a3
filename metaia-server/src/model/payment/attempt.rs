//! Attempts: what the provider reported of each of its payments.

use serde::{Deserialize, Serialize};

use super::{AttemptStatus, Money, PaymentEvent};
use crate::model::Timestamp;

/// The number of attempts that a payment lists.
///
/// If there are as many, attempts that fail are no longer listed, and one that takes money replaces
/// the oldest that failed, but not the one that the payment names. Only if there is none, no
/// further one is listed: [`Settlement::is_listed`](super::Settlement::is_listed) is false.
pub const MAX_LISTED_ATTEMPTS: usize = 32;

/// One try to pay, as the provider reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// The provider's id of it, `pay_…`.
    pub id: String,
    /// Its progress.
    pub status: AttemptStatus,
    /// In the minor unit of the currency. Another amount than the payment's if the provider
    /// reported one.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The time when it got its status: RFC 3339, UTC, milliseconds.
    #[schema(value_type = String)]
    pub at: Timestamp,
}

/// There is no room for another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRoom;

impl Attempt {
    /// Returns whether it holds money: some was taken, and not paid back.
    pub(super) fn holds_money(&self) -> bool {
        self.status == AttemptStatus::Completed
    }

    pub(super) fn is_over(&self, price: &Money) -> bool {
        self.amount == price.amount && self.currency == price.currency
    }

    /// Moves it forward. Of several reported amounts it keeps one that is not the price: that is
    /// what a person has to know. Which one must not depend on the order of the events.
    fn advance(&mut self, event: &PaymentEvent, price: &Money) {
        if event.status > self.status {
            self.status = event.status;
            self.at = event.at;
        }
        let Some(reported) = event.money.as_ref().filter(|money| *money != price) else {
            return;
        };
        let own = Money {
            amount: self.amount,
            currency: self.currency.clone(),
        };
        if own == *price || *reported < own {
            self.amount = reported.amount;
            self.currency.clone_from(&reported.currency);
        }
    }
}

/// Lists the attempt that an event names, or moves it forward. `kept` stays listed.
pub(super) fn record(
    attempts: &mut Vec<Attempt>,
    event: &PaymentEvent,
    price: &Money,
    kept: Option<&str>,
) -> Result<(), NoRoom> {
    let known = attempts.iter_mut().find(|known| known.id == event.attempt);
    if let Some(attempt) = known {
        attempt.advance(event, price);
        return Ok(());
    }
    if attempts.len() >= MAX_LISTED_ATTEMPTS {
        make_room(attempts, event.status, kept)?;
    }
    let money = event.money.as_ref().unwrap_or(price).clone();
    attempts.push(Attempt {
        id: event.attempt.clone(),
        status: event.status,
        amount: money.amount,
        currency: money.currency,
        at: event.at,
    });
    Ok(())
}

/// Removes the oldest attempt that failed, for one that did not. `kept` stays: the payment names
/// it, and would list it again when it is read.
fn make_room(
    attempts: &mut Vec<Attempt>,
    newcomer: AttemptStatus,
    kept: Option<&str>,
) -> Result<(), NoRoom> {
    if newcomer == AttemptStatus::Failed {
        return Err(NoRoom);
    }
    let is_free =
        |attempt: &Attempt| attempt.status == AttemptStatus::Failed && Some(&*attempt.id) != kept;
    let oldest = attempts.iter().position(is_free).ok_or(NoRoom)?;
    attempts.remove(oldest);
    Ok(())
}
