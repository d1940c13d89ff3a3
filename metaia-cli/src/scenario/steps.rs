//! The steps of a scenario: one verb each.
//!
//! Texts may contain variables: `$order` for what a step saved, `$buyer` for a person's user id,
//! `$name` for a value of `vars` or `matrix`. A text that is only a variable has its value.

use std::collections::BTreeMap;

use reqwest::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::expectations::{AnswerExpectation, BackExpectation, ExpectationEntry, RunExpectation};
use super::located::Located;
use crate::provider::{PayTamper, WebhookTamper};

/// A name of `people`.
pub(crate) type Name = Located<String>;

/// One step.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Places an order.
    Place(PlaceStep),
    /// Moves an order to a status.
    Move(MoveStep),
    /// Assigns a tailor, a courier, or both.
    Assign(AssignStep),
    /// Cancels an order.
    Cancel(CancelStep),
    /// Opens a payment and confirms it, as the app does after the provider's checkout.
    Pay(PayStep),
    /// Sends a webhook of the payment provider.
    Webhook(WebhookStep),
    /// Sends a notification.
    Notify(NotifyStep),
    /// Marks a notification, or all, as read.
    Read(ReadStep),
    /// Sets the availability of a tailor.
    TailorStatus(TailorStatusStep),
    /// Emits any event, by REST.
    Emit(EmitStep),
    /// Joins the room of an order.
    Join(JoinStep),
    /// Leaves the room of an order.
    Leave(LeaveStep),
    /// Ends the connection without a word, as a loss of reception does. It stays away until `back`.
    Cut(PersonStep),
    /// Connects again, or for the first time, and waits until the session is live.
    Back(BackStep),
    /// Disconnects as an app does that is closed. It stays away until `back`.
    Offline(PersonStep),
    /// Ends the sessions of a person, as an admin.
    Disconnect(DisconnectStep),
    /// Sends any REST request.
    Rest(RestStep),
    /// Runs a program.
    Run(RunStep),
    /// Waits for a time. Prefer an expectation, which waits for what it needs and no longer.
    Wait(Located<String>),
    /// Checks what people have received since their last `expect`.
    Expect(Vec<Located<ExpectationEntry>>),
    /// Repeats steps. `$n` counts from 1.
    Repeat(RepeatStep),
    /// Runs steps at the same time, and waits for all of them. None has what another saves.
    Parallel(Vec<Located<Step>>),
    /// Runs the steps of another file. The path is relative to this file.
    Include(Located<String>),
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    /// `[{garment, quantity, price}]`; a kurta for 1,200.00 if absent.
    pub(crate) items: Option<Value>,
    /// The customer for whom an admin places the order.
    pub(crate) customer: Option<String>,
    pub(crate) tailor: Option<String>,
    #[serde(rename = "deliveryAddress")]
    pub(crate) delivery_address: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) save: Option<Located<String>>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    pub(crate) order: Located<String>,
    /// The new status.
    pub(crate) to: String,
    /// The version that the order must have.
    pub(crate) if_match: Option<Value>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    pub(crate) order: Located<String>,
    pub(crate) tailor: Option<String>,
    pub(crate) courier: Option<String>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    pub(crate) order: Located<String>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    /// The order to pay for.
    pub(crate) order: Located<String>,
    /// `false` only opens the payment.
    pub(crate) confirm: Option<bool>,
    /// Changes what is confirmed.
    pub(crate) tamper: Option<PayTamper>,
    /// Confirms it this many times, always with the same body.
    pub(crate) times: Option<u32>,
    /// Saves the payment.
    pub(crate) save: Option<Located<String>>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookStep {
    /// `payment.captured` (default), `payment.failed`, `refund.processed` or another event of the
    /// provider.
    pub(crate) event: Option<String>,
    /// The payment that a step `pay` saved.
    pub(crate) payment: Located<String>,
    /// The id of the customer's attempt at the provider; a fresh one if absent.
    pub(crate) attempt: Option<String>,
    /// Minor currency units; the payment's amount if absent.
    pub(crate) amount: Option<Value>,
    /// Changes what is sent.
    pub(crate) tamper: Option<WebhookTamper>,
    /// The provider's id of the event; a fresh one if absent.
    pub(crate) event_id: Option<String>,
    /// Sends it this many times, with the same id.
    pub(crate) times: Option<u32>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotifyStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    /// The user id of the receiver.
    pub(crate) to: String,
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
    /// `order`, `payment` or `system`.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// The order that it is about.
    pub(crate) order: Option<String>,
    pub(crate) save: Option<Located<String>>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    /// The id of the notification; all of them if absent.
    pub(crate) notification: Option<String>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TailorStatusStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    /// `available`, `busy` or `offline`.
    pub(crate) status: String,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmitStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    /// `user:ID`, `role:ROLE`, `order:ID` or `everyone`.
    pub(crate) to: Located<String>,
    pub(crate) event: String,
    pub(crate) data: Option<Value>,
    pub(crate) volatile: Option<bool>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    pub(crate) order: Located<String>,
    /// `ok` (default), or the code of the refusal, such as `forbidden`.
    pub(crate) expect: Option<Located<String>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeaveStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    pub(crate) order: Located<String>,
}

/// One person.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackStep {
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    /// The time until the session is live; 5s if absent.
    pub(crate) within: Option<Located<String>>,
    pub(crate) expect: Option<Located<BackExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisconnectStep {
    /// The admin.
    #[serde(rename = "as")]
    pub(crate) actor: Name,
    /// The person whose sessions end.
    pub(crate) who: Name,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestStep {
    /// The person; nobody if absent: then the request has no token.
    #[serde(rename = "as")]
    pub(crate) actor: Option<Name>,
    pub(crate) get: Option<String>,
    pub(crate) post: Option<String>,
    pub(crate) put: Option<String>,
    pub(crate) delete: Option<String>,
    pub(crate) body: Option<Value>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Saves the member `data` of the answer.
    pub(crate) save: Option<Located<String>>,
    pub(crate) expect: Option<Located<AnswerExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunStep {
    /// The program and its arguments. No shell reads them.
    pub(crate) command: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// The time that it may take; 30s if absent. Then it is killed.
    pub(crate) within: Option<Located<String>>,
    /// Saves what it printed, without the last newline.
    pub(crate) save: Option<Located<String>>,
    pub(crate) expect: Option<Located<RunExpectation>>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepeatStep {
    /// The number of rounds.
    pub(crate) times: u32,
    /// `true`: until everything that the steps of one round expect is met, in at most `times`
    /// rounds.
    #[serde(default)]
    pub(crate) until_met: bool,
    pub(crate) steps: Vec<Located<Step>>,
}

impl RestStep {
    /// Returns the method and the path; `None` unless there is exactly one.
    pub(crate) fn target(&self) -> Option<(Method, &str)> {
        let targets = [
            (Method::GET, &self.get),
            (Method::POST, &self.post),
            (Method::PUT, &self.put),
            (Method::DELETE, &self.delete),
        ];
        let mut given = targets
            .into_iter()
            .filter_map(|(method, path)| Some((method, path.as_deref()?)));
        let first = given.next();
        if given.next().is_some() {
            return None;
        }
        first
    }
}
