//! The steps of payments: what the app sends after the checkout, and the provider's webhooks.

use reqwest::Method;
use serde_json::json;

use super::World;
use super::answers::Answer;
use super::requests::StepRequest;
use crate::exit::Failure;
use crate::provider::{self, ProviderEvent};
use crate::rest::Exchange;
use crate::scenario::outcome::{Spot, StepFailure};
use crate::scenario::steps::{PayStep, WebhookStep};

impl World<'_> {
    /// Opens a payment, and confirms it unless the step says otherwise.
    pub(super) async fn pay(&self, step: &PayStep, spot: &Spot) -> Result<(), StepFailure> {
        let path = format!("/api/payments/orders/{}", self.text(&step.order, spot)?);
        let mut open = StepRequest::new(Method::POST, path, &step.actor);
        open.body = Some(json!({}));
        open.save = step.save.as_ref().map(|name| (name, "/data/payment"));
        let is_confirmed = step.confirm.unwrap_or(true);
        if !is_confirmed {
            open.expect = step.expect.as_ref();
        }
        let opened = self.request(open, spot).await?;
        if !is_confirmed {
            return Ok(());
        }
        let secret = self.context.settings.payment_secret();
        let secret = secret.map_err(|failure| StepFailure::unjudged(spot.clone(), failure))?;
        let provider_order = opened.data()["payment"]["razorpayOrderId"].as_str();
        let provider_order = provider_order.unwrap_or_default();
        let attempt = provider::attempt_id();
        let body = provider::confirmation(provider_order, &attempt, &secret, step.tamper);
        for _ in 0..step.times.unwrap_or(1) {
            let path = "/api/payments/verify".to_owned();
            let mut confirm = StepRequest::new(Method::POST, path, &step.actor);
            confirm.body = Some(body.clone());
            confirm.expect = step.expect.as_ref();
            confirm.save = step.save.as_ref().map(|name| (name, "/data/payment"));
            // A refused confirmation leaves the payment that was opened.
            if step.expect.is_some() {
                confirm.save = None;
            }
            self.request(confirm, spot).await?;
        }
        Ok(())
    }

    /// Sends a webhook, once or several times with the same id.
    pub(super) async fn webhook(&self, step: &WebhookStep, spot: &Spot) -> Result<(), StepFailure> {
        let unjudged = |failure| StepFailure::unjudged(spot.clone(), failure);
        let secret = self.context.settings.webhook_secret().map_err(unjudged)?;
        let payment = self.whole(&step.payment, spot)?;
        if payment.get("razorpayOrderId").is_none() {
            let text = format!(
                "`{}` is no payment: save one by a step `pay`",
                step.payment.value
            );
            return Err(unjudged(Failure::usage(text)));
        }
        let attempt = match &step.attempt {
            Some(attempt) => self.text(attempt, spot)?,
            None => provider::attempt_id(),
        };
        let amount = match &step.amount {
            Some(amount) => self.resolve_value(amount, spot)?,
            None => payment["amount"].clone(),
        };
        let id = match &step.event_id {
            Some(id) => self.text(id, spot)?,
            None => provider::event_id(),
        };
        let event = ProviderEvent {
            name: step.event.as_deref().unwrap_or("payment.captured"),
            id: &id,
            attempt: &attempt,
            payment: &payment,
            amount: &amount,
        };
        let webhook = event.webhook(&secret, step.tamper);
        for _ in 0..step.times.unwrap_or(1) {
            let exchange = Exchange::webhook(&webhook);
            let reply = self.api.exchange(exchange).await.map_err(unjudged)?;
            Answer::new(reply).judge(step.expect.as_ref(), spot, self)?;
        }
        Ok(())
    }
}
