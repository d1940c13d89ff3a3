//! The expectations of a scenario: of events, of answers, of programs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::located::Located;

/// One expectation about the events of a person since that person's last `expect`. It names an
/// `event`, a `never`, or a `sequence`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectationEntry {
    /// The person.
    #[serde(rename = "as")]
    pub(crate) actor: Located<String>,
    /// The name of the event; `"*"` is any event of the application.
    pub(crate) event: Option<Located<String>>,
    /// The name of an event that must not have come; `"*"` is any event of the application.
    pub(crate) never: Option<Located<String>>,
    /// The name of events whose values must come in order.
    pub(crate) sequence: Option<Located<String>>,
    /// For `sequence`: jq that takes the value from an event, such as `.data.status`.
    #[serde(skip_serializing)]
    pub(crate) of: Option<Located<String>>,
    /// For `sequence`: the values.
    pub(crate) is: Option<Located<Vec<Value>>>,
    /// The number of times that it must come: a number (default 1), `2..4`, or `any`.
    pub(crate) times: Option<Located<Value>>,
    /// The time that it may take from the end of the step before; 2s if absent.
    pub(crate) within: Option<Located<String>>,
    /// A part of the payload.
    #[serde(rename = "match")]
    pub(crate) matches: Option<Located<Value>>,
    /// jq that gives one boolean, such as `.data.amount > 0`.
    #[serde(rename = "where", skip_serializing)]
    pub(crate) condition: Option<Located<String>>,
    /// The id of the order that it concerns.
    pub(crate) about: Option<Located<String>>,
    /// `true`: only events that were missed and sent later; `false`: only live ones.
    pub(crate) replayed: Option<bool>,
    /// `true`: this person must have received nothing else since the last `expect`.
    pub(crate) only: Option<bool>,
    /// Saves the payload of the event.
    pub(crate) save: Option<Located<String>>,
}

/// The answer that a REST request must get. Without it, the status must be 2xx.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerExpectation {
    /// The HTTP status; any 2xx if absent.
    pub(crate) status: Option<u16>,
    /// The stable code of a refusal, such as `illegal_transition`.
    pub(crate) code: Option<String>,
    /// A part of the body.
    #[serde(rename = "match")]
    pub(crate) matches: Option<Located<Value>>,
    /// jq over the body that gives one boolean, such as `.data.unreadCount == 1`.
    #[serde(rename = "where", skip_serializing)]
    pub(crate) condition: Option<Located<String>>,
}

/// The state that a person finds who comes back.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackExpectation {
    /// `true`: everything that was missed came; `false`: the server told to reload, or knew nothing
    /// of this person.
    pub(crate) recovered: Option<bool>,
    /// The server refuses the connection with this message, such as `token_expired`.
    pub(crate) refused: Option<String>,
}

/// The end that a program must have. Without it, its exit code must be 0.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunExpectation {
    /// The exit code; 0 if absent.
    pub(crate) exit: Option<i32>,
    /// A text that its standard output contains.
    pub(crate) stdout: Option<String>,
}
