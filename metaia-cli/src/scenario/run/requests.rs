//! The steps that are one REST request.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::World;
use super::answers::Answer;
use crate::identity::Authority;
use crate::rest::{Body, Exchange};
use crate::scenario::expectations::AnswerExpectation;
use crate::scenario::located::Located;
use crate::scenario::outcome::{Spot, StepFailure};
use crate::scenario::steps::{
    AssignStep, CancelStep, EmitStep, MoveStep, NotifyStep, PlaceStep, ReadStep, RestStep,
    TailorStatusStep,
};

/// A request of a step.
pub(super) struct StepRequest<'a> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) actor: Option<&'a str>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    pub(super) expect: Option<&'a Located<AnswerExpectation>>,
    /// The variable to save, and the pointer to its value in the body of the answer.
    pub(super) save: Option<(&'a Located<String>, &'static str)>,
}

impl<'a> StepRequest<'a> {
    pub(super) fn new(method: Method, path: String, actor: &'a Located<String>) -> Self {
        Self {
            method,
            path,
            actor: Some(&actor.value),
            headers: Vec::new(),
            body: None,
            expect: None,
            save: None,
        }
    }
}

impl World<'_> {
    /// Sends the request of a step, judges its answer, and saves what the step saves.
    pub(super) async fn request(
        &self,
        request: StepRequest<'_>,
        spot: &Spot,
    ) -> Result<Answer, StepFailure> {
        let authority = request.actor.map(|actor| self.authority(actor, spot));
        let authority = authority.transpose()?;
        let body = request.body.as_ref().map_or(Body::None, Body::Json);
        let exchange = Exchange {
            method: request.method,
            path: &request.path,
            authority: authority.as_ref(),
            headers: &request.headers,
            body,
        };
        let reply = match request.expect {
            Some(_) => self.api.exchange(exchange).await,
            None => self.api.exchange_patiently(exchange).await,
        };
        let reply = reply.map_err(|failure| StepFailure::unjudged(spot.clone(), failure))?;
        let answer = Answer::new(reply);
        answer.judge(request.expect, spot, self)?;
        if let Some((name, pointer)) = request.save {
            let saved = answer.body.pointer(pointer).cloned().unwrap_or(Value::Null);
            self.save(&name.value, saved);
        }
        Ok(answer)
    }

    fn authority(&self, actor: &str, spot: &Spot) -> Result<Authority, StepFailure> {
        let person = self.person(actor, spot)?;
        Ok(Authority::Token(person.for_rest.clone()))
    }

    pub(super) async fn place(&self, step: &PlaceStep, spot: &Spot) -> Result<(), StepFailure> {
        let items = step
            .items
            .clone()
            .unwrap_or_else(|| json!([{"garment": "kurta", "quantity": 1, "price": 120_000}]));
        let mut body = Map::new();
        body.insert("items".into(), self.resolve_value(&items, spot)?);
        let texts = [
            ("customer", &step.customer),
            ("tailor", &step.tailor),
            ("deliveryAddress", &step.delivery_address),
            ("currency", &step.currency),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                body.insert(name.into(), Value::String(self.text(text, spot)?));
            }
        }
        let mut request = StepRequest::new(Method::POST, "/api/orders".into(), &step.actor);
        request.body = Some(Value::Object(body));
        request.expect = step.expect.as_ref();
        request.save = step.save.as_ref().map(|name| (name, "/data/order"));
        self.request(request, spot).await?;
        Ok(())
    }

    pub(super) async fn move_order(&self, step: &MoveStep, spot: &Spot) -> Result<(), StepFailure> {
        let path = format!("/api/orders/{}/status", self.text(&step.order, spot)?);
        let mut request = StepRequest::new(Method::PUT, path, &step.actor);
        request.body = Some(json!({"status": self.text(&step.to, spot)?}));
        if let Some(version) = &step.if_match {
            let version = self.resolve_value(version, spot)?;
            request
                .headers
                .push(("if-match".into(), format!("\"{version}\"")));
        }
        request.expect = step.expect.as_ref();
        self.request(request, spot).await?;
        Ok(())
    }

    pub(super) async fn assign(&self, step: &AssignStep, spot: &Spot) -> Result<(), StepFailure> {
        let path = format!("/api/orders/{}/assign", self.text(&step.order, spot)?);
        let mut body = Map::new();
        for (name, text) in [("tailor", &step.tailor), ("deliveryPartner", &step.courier)] {
            if let Some(text) = text {
                body.insert(name.into(), Value::String(self.text(text, spot)?));
            }
        }
        let mut request = StepRequest::new(Method::PUT, path, &step.actor);
        request.body = Some(Value::Object(body));
        request.expect = step.expect.as_ref();
        self.request(request, spot).await?;
        Ok(())
    }

    pub(super) async fn cancel(&self, step: &CancelStep, spot: &Spot) -> Result<(), StepFailure> {
        let path = format!("/api/orders/{}/status", self.text(&step.order, spot)?);
        let mut request = StepRequest::new(Method::PUT, path, &step.actor);
        request.body = Some(json!({"status": "cancelled"}));
        request.expect = step.expect.as_ref();
        self.request(request, spot).await?;
        Ok(())
    }

    pub(super) async fn notify(&self, step: &NotifyStep, spot: &Spot) -> Result<(), StepFailure> {
        let or = |text: &Option<String>, default: &str| {
            self.text(text.as_deref().unwrap_or(default), spot)
        };
        let mut body = json!({
            "user": self.text(&step.to, spot)?,
            "type": or(&step.kind, if step.order.is_some() { "order" } else { "system" })?,
            "title": or(&step.title, "Test notification")?,
            "message": or(&step.message, "Sent by a scenario.")?,
        });
        if let Some(order) = &step.order {
            body["relatedOrder"] = Value::String(self.text(order, spot)?);
        }
        let mut request = StepRequest::new(Method::POST, "/api/notifications".into(), &step.actor);
        request.body = Some(body);
        request.expect = step.expect.as_ref();
        request.save = step.save.as_ref().map(|name| (name, "/data/notification"));
        self.request(request, spot).await?;
        Ok(())
    }

    pub(super) async fn read(&self, step: &ReadStep, spot: &Spot) -> Result<(), StepFailure> {
        let path = match &step.notification {
            Some(id) => format!("/api/notifications/{}/read", self.text(id, spot)?),
            None => "/api/notifications/read-all".to_owned(),
        };
        let mut request = StepRequest::new(Method::PUT, path, &step.actor);
        request.expect = step.expect.as_ref();
        self.request(request, spot).await?;
        Ok(())
    }

    pub(super) async fn set_tailor_status(
        &self,
        step: &TailorStatusStep,
        spot: &Spot,
    ) -> Result<(), StepFailure> {
        let path = "/api/tailors/me/status".to_owned();
        let mut request = StepRequest::new(Method::PUT, path, &step.actor);
        request.body = Some(json!({"status": self.text(&step.status, spot)?}));
        request.expect = step.expect.as_ref();
        self.request(request, spot).await?;
        Ok(())
    }

    pub(super) async fn emit(&self, step: &EmitStep, spot: &Spot) -> Result<(), StepFailure> {
        let to = self.text(&step.to, spot)?;
        let to = match to.split_once(':') {
            Some((kind @ ("user" | "role" | "order"), id)) => json!({kind: id}),
            _ => Value::String(to),
        };
        let data = step.data.clone().unwrap_or_else(|| json!({}));
        let mut body = json!({
            "to": to,
            "event": self.text(&step.event, spot)?,
            "data": self.resolve_value(&data, spot)?,
        });
        if let Some(volatile) = step.volatile {
            body["volatile"] = Value::Bool(volatile);
        }
        let path = "/api/realtime/emit".to_owned();
        let mut request = StepRequest::new(Method::POST, path, &step.actor);
        request.body = Some(body);
        request.expect = step.expect.as_ref();
        self.request(request, spot).await?;
        Ok(())
    }

    pub(super) async fn rest(&self, step: &RestStep, spot: &Spot) -> Result<(), StepFailure> {
        // The plan has refused a step without a path, and one with several.
        let (method, path) = step.target().unwrap_or((Method::GET, "/"));
        let headers = step
            .headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.text(value, spot)?)));
        let request = StepRequest {
            method,
            path: self.text(path, spot)?,
            actor: step.actor.as_ref().map(|name| name.value.as_str()),
            headers: headers.collect::<Result<_, StepFailure>>()?,
            body: match &step.body {
                Some(body) => Some(self.resolve_value(body, spot)?),
                None => None,
            },
            expect: step.expect.as_ref(),
            save: step.save.as_ref().map(|name| (name, "/data")),
        };
        self.request(request, spot).await?;
        Ok(())
    }
}
