//! The rows of events: whom each of an order's events reaches.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::cell::CellValue;
use super::grid::AccessRow;
use super::sockets::Sockets;
use super::stage::{Company, Stage};
use super::subject::Subject;
use crate::context::Context;
use crate::exit::Failure;
use crate::expectation::Received;
use crate::provider::{self, ProviderEvent};
use crate::rest::{Api, Exchange};
use crate::watcher::Watcher;

const BEFORE_JOIN: &str = "Events, before a join";
const AFTER_JOIN: &str = "Events, after the joins";

/// The event that is emitted to the order's room.
const ROOM_EVENT: &str = "matrix.probe";

/// The name of its row.
pub(super) const ROOM_EVENT_ROW: &str = "event of its room";

/// The number of entries that each person's story has at a moment.
pub(super) struct StoryMark {
    lengths: HashMap<String, usize>,
}

impl StoryMark {
    /// Returns the present moment.
    pub(super) fn now(sockets: &Sockets) -> Self {
        let mut lengths = HashMap::new();
        for subject in Subject::ALL {
            if let Some(watcher) = sockets.watcher(subject) {
                lengths.insert(watcher.label().to_owned(), watcher.story().len());
            }
        }
        Self { lengths }
    }

    /// Returns the row of an event that came since then.
    pub(super) fn row(
        &self,
        sockets: &Sockets,
        section: &str,
        name: &str,
        is_it: impl Fn(&Received) -> bool,
    ) -> AccessRow {
        let cells = sockets.cells(|watcher| {
            if self.events(watcher).iter().any(&is_it) {
                CellValue::Received
            } else {
                CellValue::Nothing
            }
        });
        AccessRow::new(section, name, cells)
    }

    fn events(&self, watcher: &Watcher) -> Vec<Received> {
        let start = self.lengths.get(watcher.label()).copied().unwrap_or(0);
        let story = watcher.story();
        story.events_between(start, story.len())
    }
}

/// Measures the events that reach people who have joined no room of an order.
pub(super) async fn before_joins(
    stage: &Stage,
    company: &Company,
    sockets: &Sockets,
    api: &Api<'_>,
    context: &Context,
) -> Result<Vec<AccessRow>, Failure> {
    let mark = StoryMark::now(sockets);
    confirm(stage, company, api).await?;
    let is_paid = fail_payment(stage, api, context).await?;
    sockets.fence().await?;
    let row =
        |name: &str, is_it: &dyn Fn(&Received) -> bool| mark.row(sockets, BEFORE_JOIN, name, is_it);
    let owner = company.user(Subject::Owner);
    let mut payment = row("payment_update", &|event| {
        event.event == "payment_update" && event.concerns(&stage.order)
    });
    if !is_paid {
        payment.cells.fill(CellValue::Absent);
    }
    Ok(vec![
        row("order_update", &|event| {
            event.event == "order_update" && event.concerns(&stage.order)
        }),
        payment,
        row("the owner's notification", &|event| {
            event.event == "new_notification" && event.data["user"] == owner.as_str()
        }),
    ])
}

/// Measures the events that go to the order's room.
pub(super) async fn after_joins(
    stage: &Stage,
    company: &Company,
    sockets: &Sockets,
    api: &Api<'_>,
) -> Result<Vec<AccessRow>, Failure> {
    let mark = StoryMark::now(sockets);
    let tailor = company.authority(Subject::Tailor)?;
    let busy = json!({"status": "busy"});
    api.send(Method::PUT, "/api/tailors/me/status", tailor, Some(&busy))
        .await?;
    let id = emit_to_room(stage, company, api).await?;
    sockets.fence().await?;
    let user = company.user(Subject::Tailor);
    Ok(vec![
        mark.row(sockets, AFTER_JOIN, ROOM_EVENT_ROW, |event| {
            event.id.as_deref() == Some(&id)
        }),
        mark.row(sockets, AFTER_JOIN, "tailor_status_update", |event| {
            event.event == "tailor_status_update" && event.data["tailorId"] == user.as_str()
        }),
    ])
}

/// Emits an event to the order's room, and returns its id.
pub(super) async fn emit_to_room(
    stage: &Stage,
    company: &Company,
    api: &Api<'_>,
) -> Result<String, Failure> {
    let admin = company.authority(Subject::Admin)?;
    let body = json!({"to": {"order": stage.order}, "event": ROOM_EVENT, "data": {}});
    let sent = api
        .send(Method::POST, "/api/realtime/emit", admin, Some(&body))
        .await?;
    Ok(sent.data["id"].as_str().unwrap_or_default().to_owned())
}

async fn confirm(stage: &Stage, company: &Company, api: &Api<'_>) -> Result<(), Failure> {
    let admin = company.authority(Subject::Admin)?;
    let path = format!("/api/orders/{}/status", stage.order);
    let body = json!({"status": "confirmed"});
    let confirmed = api.send(Method::PUT, &path, admin, Some(&body)).await;
    confirmed.map_err(|failure| failure.within("the order cannot be confirmed"))?;
    Ok(())
}

/// Reports an attempt to pay that failed, as the provider does. Returns false if this is not
/// possible here: no secret, or that of another server.
async fn fail_payment(stage: &Stage, api: &Api<'_>, context: &Context) -> Result<bool, Failure> {
    let Ok(secret) = context.settings.webhook_secret() else {
        not_paid("the webhook secret is not known here", context);
        return Ok(false);
    };
    let event = ProviderEvent {
        name: provider::FAILED,
        id: &provider::event_id(),
        attempt: &provider::attempt_id(),
        payment: &stage.payment,
        amount: &stage.payment["amount"],
    };
    let webhook = event.webhook(&secret, None);
    let exchange = Exchange::webhook(&webhook);
    let reply = api.exchange_patiently(exchange.clone()).await?;
    let answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    if answer["data"]["result"] == "applied" {
        return Ok(true);
    }
    let reason = match api.refusal(&exchange, reply).await {
        Some(refusal) => refusal.chain(),
        None => "the server ignored the webhook".to_owned(),
    };
    not_paid(&reason, context);
    Ok(false)
}

fn not_paid(reason: &str, context: &Context) {
    let text = format!("payment_update is not measured: {reason}");
    context.printer.warning(&text);
}
