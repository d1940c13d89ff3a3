//! Flows of an order: placed, moved, assigned, cancelled.

use metaia_realtime::UserId;
use serde_json::{Map, Value, json};

use super::super::fixtures;
use super::super::options::EventOptions;
use super::super::participants::Participants;
use super::super::statuses::status_after;
use super::super::steps::{StepRunner, text_at};
use crate::exit::Failure;
use crate::identity::Authority;

/// Places orders, or moves an existing one.
pub(super) async fn update(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    let Some(order) = &options.order else {
        for _ in 0..options.rounds() {
            place(steps, participants, options).await?;
        }
        return Ok(());
    };
    let admin = participants.as_admin()?;
    let status = match &options.status {
        Some(status) => status.clone(),
        None => next_status(steps, &admin, order.as_str()).await?,
    };
    set_status(steps, &admin, order.as_str(), &status).await
}

/// Assigns a new or an existing order.
pub(super) async fn assign(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    let admin = participants.as_admin()?;
    let order = match &options.order {
        Some(order) => order.to_string(),
        None => place(steps, participants, options).await?,
    };
    let tailor = participants.tailor_to_assign();
    let courier = participants.courier_to_assign();
    set_assignees(steps, &admin, &order, tailor, courier).await
}

/// Cancels a new order, as its customer, or an existing one, as an admin.
pub(super) async fn cancel(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    if let Some(order) = &options.order {
        let admin = participants.as_admin()?;
        return set_status(steps, &admin, order.as_str(), "cancelled").await;
    }
    let order = place(steps, participants, options).await?;
    let customer = participants.as_customer()?;
    set_status(steps, &customer, &order, "cancelled").await
}

/// Places an order and returns its id.
pub(super) async fn place(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<String, Failure> {
    let customer = participants.as_customer()?;
    let body = fixtures::order(options)?;
    let placed = steps
        .post("place the order", &customer, "/api/orders", &body)
        .await?;
    let id = text_at(&placed, "/order/_id")?;
    Ok(id.to_owned())
}

/// Assigns the tailor and the courier, or one of them.
pub(super) async fn set_assignees(
    steps: &StepRunner<'_>,
    admin: &Authority,
    order: &str,
    tailor: Option<&UserId>,
    courier: Option<&UserId>,
) -> Result<(), Failure> {
    let path = format!("/api/orders/{order}/assign");
    let mut assignees = Map::new();
    if let Some(tailor) = tailor {
        assignees.insert("tailor".to_owned(), json!(tailor));
    }
    if let Some(courier) = courier {
        assignees.insert("deliveryPartner".to_owned(), json!(courier));
    }
    let step = match assignees.len() {
        1 if assignees.contains_key("tailor") => "assign the tailor",
        1 => "assign the courier",
        _ => "assign tailor and courier",
    };
    let assignees = Value::Object(assignees);
    steps.put(step, admin, &path, &assignees).await?;
    Ok(())
}

pub(super) async fn set_status(
    steps: &StepRunner<'_>,
    authority: &Authority,
    order: &str,
    status: &str,
) -> Result<(), Failure> {
    let step = format!("status {status}");
    let path = format!("/api/orders/{order}/status");
    steps
        .put(&step, authority, &path, &json!({"status": status}))
        .await?;
    Ok(())
}

/// Reads the order, and returns the status that follows its present one.
async fn next_status(
    steps: &StepRunner<'_>,
    authority: &Authority,
    order: &str,
) -> Result<String, Failure> {
    let path = format!("/api/orders/{order}");
    let found = steps.get("look at the order", authority, &path).await?;
    let status = text_at(&found, "/order/status")?;
    match status_after(status) {
        Some(next) => Ok(next.to_owned()),
        None => {
            let failure = Failure::usage(format!("no status follows {status:?}"));
            Err(failure.hint("give the new status with --status"))
        }
    }
}
