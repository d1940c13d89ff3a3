//! The flows: for each, the requests in order.

use metaia_realtime::values::InvalidId;
use serde_json::json;

use super::fixtures;
use super::options::EventOptions;
use super::participants::Participants;
use super::steps::{StepRunner, text_at};
use crate::example_order::example_order;
use crate::exit::{Exit, Failure};
use crate::identity::Authority;
use crate::provider;

/// Steps of [`lifecycle`], for the progress bar.
const LIFECYCLE_STEPS: u64 = 9;

pub(super) async fn notify(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    let sender = participants.as_sender()?;
    let body = fixtures::notification(participants.customer(), options);
    steps
        .post("notify", &sender, "/api/notifications", &body)
        .await?;
    Ok(())
}

pub(super) async fn update_order(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    let Some(order) = &options.order else {
        place(steps, participants).await?;
        return Ok(());
    };
    let admin = participants.as_admin()?;
    let status = match &options.status {
        Some(status) => status.clone(),
        None => next_status(steps, &admin, order.as_str()).await?,
    };
    set_status(steps, &admin, order.as_str(), &status).await
}

pub(super) async fn pay(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    // The secret comes first: without it, no order should be placed.
    let secret = participants.payment_secret()?;
    let Some(order) = &options.order else {
        let order = place(steps, participants).await?;
        let customer = participants.as_customer()?;
        return pay_order(steps, &customer, &order, &secret).await;
    };
    let customer = if participants.lacks_customer() {
        customer_of(steps, participants, order.as_str()).await?
    } else {
        participants.as_customer()?
    };
    pay_order(steps, &customer, order.as_str(), &secret).await
}

/// Reads an order, and returns the credentials of its customer.
async fn customer_of(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    order: &str,
) -> Result<Authority, Failure> {
    let admin = participants.as_admin()?;
    let path = format!("/api/orders/{order}");
    let found = steps.get("look at the order", &admin, &path).await?;
    let customer = text_at(&found, "/order/customer")?
        .parse()
        .map_err(|error: InvalidId| Failure::new(Exit::Failed, error.to_string()))?;
    participants.as_this_customer(&customer)
}

pub(super) async fn set_tailor_status(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    let tailor = participants.as_tailor_to_update()?;
    let body = json!({"status": options.status.as_deref().unwrap_or("busy")});
    steps
        .put("tailor's status", &tailor, "/api/tailors/me/status", &body)
        .await?;
    Ok(())
}

pub(super) async fn lifecycle(
    steps: &mut StepRunner<'_>,
    participants: &Participants<'_>,
) -> Result<(), Failure> {
    // All credentials come first: without them, no order should be placed.
    let secret = participants.payment_secret()?;
    let admin = participants.as_admin()?;
    let tailor = participants.as_tailor()?;
    let courier = participants.as_courier()?;
    steps.show_progress(LIFECYCLE_STEPS);
    let order = place(steps, participants).await?;
    set_status(steps, &admin, &order, "confirmed").await?;
    assign(steps, participants, &admin, &order).await?;
    set_status(steps, &tailor, &order, "in_progress").await?;
    set_status(steps, &tailor, &order, "ready").await?;
    let customer = participants.as_customer()?;
    pay_order(steps, &customer, &order, &secret).await?;
    set_status(steps, &courier, &order, "out_for_delivery").await?;
    set_status(steps, &courier, &order, "delivered").await
}

/// Places an order and returns its id.
async fn place(steps: &StepRunner<'_>, participants: &Participants<'_>) -> Result<String, Failure> {
    let customer = participants.as_customer()?;
    let placed = steps
        .post(
            "place the order",
            &customer,
            "/api/orders",
            &example_order(),
        )
        .await?;
    let id = text_at(&placed, "/order/_id")?;
    Ok(id.to_owned())
}

async fn assign(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    admin: &Authority,
    order: &str,
) -> Result<(), Failure> {
    let path = format!("/api/orders/{order}/assign");
    let assignees = json!({
        "tailor": participants.tailor(),
        "deliveryPartner": participants.courier(),
    });
    steps
        .put("assign tailor and courier", admin, &path, &assignees)
        .await?;
    Ok(())
}

async fn set_status(
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
    match fixtures::status_after(status) {
        Some(next) => Ok(next.to_owned()),
        None => {
            let failure = Failure::usage(format!("no status follows {status:?}"));
            Err(failure.hint("give the new status with --status"))
        }
    }
}

/// Opens a payment, and confirms it with a signature as the provider's checkout does.
async fn pay_order(
    steps: &StepRunner<'_>,
    customer: &Authority,
    order: &str,
    secret: &str,
) -> Result<(), Failure> {
    let path = format!("/api/payments/orders/{order}");
    let opened = steps
        .post("open a payment", customer, &path, &json!({}))
        .await?;
    let provider_order = text_at(&opened, "/payment/razorpayOrderId")?;
    let confirmation = provider::confirmation(provider_order, &provider::attempt_id(), secret);
    steps
        .post(
            "confirm the payment",
            customer,
            "/api/payments/verify",
            &confirmation,
        )
        .await?;
    Ok(())
}
