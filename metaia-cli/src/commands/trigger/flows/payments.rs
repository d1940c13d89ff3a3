//! Flows of a payment: opened, and confirmed by the app or reported by the provider.

use metaia_realtime::values::InvalidId;
use reqwest::Method;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::super::options::EventOptions;
use super::super::participants::Participants;
use super::super::steps::{FlowRequest, StepRunner, text_at};
use super::orders::place;
use crate::exit::{Exit, Failure};
use crate::identity::Authority;
use crate::provider::{self, PayTamper, ProviderEvent};

/// The most pages of payments, of 100 each, that are searched for one of an order.
const SEARCHED_PAGES: usize = 10;

/// Opens a payment, and confirms it with a signature as the provider's checkout does.
pub(super) async fn confirm(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    // The secret comes first: without it, no order should be placed.
    let secret = participants.payment_secret()?;
    let (customer, order) = order_to_pay(steps, participants, options).await?;
    let payment = open(steps, &customer, &order).await?;
    let attempt = options.attempt.clone().unwrap_or_else(provider::attempt_id);
    let tamper = options.tamper.and_then(|part| part.of_confirmation());
    let provider_order = text_at(&payment, "/razorpayOrderId")?;
    let confirmation = provider::confirmation(provider_order, &attempt, &secret, tamper);
    for _ in 0..options.rounds() {
        send_confirmation(steps, &customer, &confirmation, tamper).await?;
    }
    Ok(())
}

/// Opens a payment, or finds that of an order that is paid, and sends a webhook about it as the
/// provider does.
pub(super) async fn deliver(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(), Failure> {
    let secret = participants.webhook_secret()?;
    let (customer, order) = order_to_pay(steps, participants, options).await?;
    let payment = match open(steps, &customer, &order).await {
        // The order is paid already, or its end has come: its payment is there all the same.
        Err(refusal) if refusal.status == Some(409) => {
            let found = find_payment(steps, participants, &order).await?;
            found.ok_or(refusal)?
        }
        opened => opened?,
    };
    let name = options.event.as_deref().unwrap_or(provider::CAPTURED);
    let attempt = match &options.attempt {
        Some(attempt) => attempt.clone(),
        None => provider::attempt_of(name, &payment),
    };
    let id = options.event_id.clone().unwrap_or_else(provider::event_id);
    let event = ProviderEvent {
        name,
        id: &id,
        attempt: &attempt,
        payment: &payment,
        amount: &payment["amount"],
    };
    let tamper = options.tamper.and_then(|part| part.of_webhook());
    let webhook = event.webhook(&secret, tamper);
    for _ in 0..options.rounds() {
        let request = FlowRequest::webhook("deliver the webhook", &webhook);
        match tamper {
            Some(_) => steps.run_tampered(request).await?,
            None => drop(steps.run(request).await?),
        }
    }
    Ok(())
}

/// Pays for an order.
pub(super) async fn pay(
    steps: &StepRunner<'_>,
    customer: &Authority,
    order: &str,
    secret: &str,
) -> Result<(), Failure> {
    let payment = open(steps, customer, order).await?;
    let provider_order = text_at(&payment, "/razorpayOrderId")?;
    let attempt = provider::attempt_id();
    let confirmation = provider::confirmation(provider_order, &attempt, secret, None);
    send_confirmation(steps, customer, &confirmation, None).await
}

/// Returns the order, a new one unless the options name one, and its customer.
async fn order_to_pay(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    options: &EventOptions,
) -> Result<(Authority, String), Failure> {
    let Some(order) = &options.order else {
        let order = place(steps, participants, options).await?;
        return Ok((participants.as_customer()?, order));
    };
    let customer = if participants.lacks_customer() {
        customer_of(steps, participants, order.as_str()).await?
    } else {
        participants.as_customer()?
    };
    Ok((customer, order.to_string()))
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

async fn open(steps: &StepRunner<'_>, customer: &Authority, order: &str) -> Result<Value, Failure> {
    let path = format!("/api/payments/orders/{order}");
    let opened = steps
        .post("open a payment", customer, &path, &json!({}))
        .await?;
    Ok(opened["payment"].clone())
}

/// Returns the newest payment of an order, as an admin sees it.
async fn find_payment(
    steps: &StepRunner<'_>,
    participants: &Participants<'_>,
    order: &str,
) -> Result<Option<Value>, Failure> {
    let admin = participants.as_admin()?;
    let mut path = "/api/payments?limit=100".to_owned();
    for _ in 0..SEARCHED_PAGES {
        let page = steps.get("look at the payments", &admin, &path).await?;
        let mut payments = page["payments"].as_array().into_iter().flatten();
        if let Some(payment) = payments.find(|payment| payment["order"] == order) {
            return Ok(Some(payment.clone()));
        }
        let Some(next) = page["nextCursor"].as_str() else {
            return Ok(None);
        };
        let cursor: String = byte_serialize(next.as_bytes()).collect();
        path = format!("/api/payments?limit=100&cursor={cursor}");
    }
    Ok(None)
}

async fn send_confirmation(
    steps: &StepRunner<'_>,
    customer: &Authority,
    confirmation: &Value,
    tamper: Option<PayTamper>,
) -> Result<(), Failure> {
    let step = "confirm the payment";
    let request = FlowRequest::new(step, customer, Method::POST, "/api/payments/verify");
    let request = request.body(confirmation);
    match tamper {
        Some(_) => steps.run_tampered(request).await,
        None => steps.run(request).await.map(drop),
    }
}
