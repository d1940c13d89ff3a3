//! Runs the steps of a flow: each is one request, reported with its response.

mod result;
mod standing;
mod turns;

use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use serde_json::Value;

use crate::context::Context;
use crate::diagnosis::HttpReply;
use crate::exit::{Exit, Failure};
use crate::expectation::Filter;
use crate::identity::Authority;
use crate::jq_option::{self, PlainValue};
use crate::members::is_lacking;
use crate::printer::Printer;
use crate::provider::SignedWebhook;
use crate::rest::{Api, Body, Exchange};
use result::StepResult;
use standing::Standing;
use turns::Turns;

/// The code by which the server refuses what the provider has not signed.
const INVALID_SIGNATURE: &str = "invalid_signature";

/// Sends the requests of a flow, prints the results, and shows the progress.
pub(super) struct StepRunner<'a> {
    api: Api<'a>,
    printer: Printer,
    progress: ProgressBar,
    /// Prints what it makes of a result, instead of the result.
    filter: Option<Filter>,
    turns: Turns,
    standing: Standing,
    /// The reason why the results can no longer be printed.
    unprinted: OnceLock<Failure>,
}

/// One step: its name, and the request.
#[derive(Debug, Clone)]
pub(super) struct FlowRequest<'a> {
    step: &'a str,
    exchange: Exchange<'a>,
}

impl<'a> FlowRequest<'a> {
    pub(super) fn new(
        step: &'a str,
        authority: &'a Authority,
        method: Method,
        path: &'a str,
    ) -> Self {
        let exchange = Exchange {
            method,
            path,
            authority: Some(authority),
            headers: &[],
            body: Body::None,
        };
        Self { step, exchange }
    }

    pub(super) fn body(mut self, body: &'a Value) -> Self {
        self.exchange.body = Body::Json(body);
        self
    }

    /// Returns the delivery of a webhook, which has no token.
    pub(super) fn webhook(step: &'a str, webhook: &'a SignedWebhook) -> Self {
        let exchange = Exchange::webhook(webhook);
        Self { step, exchange }
    }

    fn actor(&self) -> &str {
        self.exchange.authority.map_or("provider", Authority::label)
    }

    /// Names the step and its actor.
    fn label(&self) -> String {
        format!("{}, as {}", self.step, self.actor())
    }
}

impl<'a> StepRunner<'a> {
    pub(super) fn new(
        pace: Option<Duration>,
        filter: Option<Filter>,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        Ok(Self {
            api: context.api()?,
            printer: context.printer,
            progress: ProgressBar::hidden(),
            filter,
            turns: Turns::new(pace.unwrap_or_default(), context.interrupted.clone()),
            standing: Standing::default(),
            unprinted: OnceLock::new(),
        })
    }

    /// Shows a progress bar of this many steps, if standard error is a terminal.
    pub(super) fn show_progress(&mut self, steps: u64) {
        if self.printer.shows_progress() {
            // The template is a constant. If it were invalid, the bar would have the default style.
            let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            self.progress = ProgressBar::new(steps).with_style(style);
        }
    }

    pub(super) async fn post(
        &self,
        step: &str,
        authority: &Authority,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let request = FlowRequest::new(step, authority, Method::POST, path);
        self.run(request.body(body)).await
    }

    pub(super) async fn put(
        &self,
        step: &str,
        authority: &Authority,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let request = FlowRequest::new(step, authority, Method::PUT, path);
        self.run(request.body(body)).await
    }

    pub(super) async fn get(
        &self,
        step: &str,
        authority: &Authority,
        path: &str,
    ) -> Result<Value, Failure> {
        self.run(FlowRequest::new(step, authority, Method::GET, path))
            .await
    }

    /// Sends a request, and returns the data of its answer.
    pub(super) async fn run(&self, request: FlowRequest<'_>) -> Result<Value, Failure> {
        let reply = self.reply(&request).await?;
        let status = reply.status;
        let data = body_of(&reply)["data"].clone();
        if let Some(refusal) = self.api.refusal(&request.exchange, reply).await {
            return Err(refusal.within(request.label()));
        }
        check_data(&data).map_err(|failure| failure.within(request.label()))?;
        self.standing.observe(&data);
        self.report(&request, status, &data, None);
        Ok(data)
    }

    /// Sends a request that the server must refuse because of its signature.
    ///
    /// # Errors
    /// A failure with exit code 6 if the server took it.
    pub(super) async fn run_tampered(&self, request: FlowRequest<'_>) -> Result<(), Failure> {
        let reply = self.reply(&request).await?;
        let status = reply.status;
        let body = body_of(&reply);
        if matches!(status, 401 | 422) && body["code"] == INVALID_SIGNATURE {
            self.report(&request, status, &Value::Null, Some(INVALID_SIGNATURE));
            return Ok(());
        }
        let failure = match self.api.refusal(&request.exchange, reply).await {
            Some(refusal) => refusal,
            None => taken(status),
        };
        Err(failure.within(request.label()))
    }

    /// Sends a request when it is its turn.
    async fn reply(&self, request: &FlowRequest<'_>) -> Result<HttpReply, Failure> {
        let step = request.step;
        self.progress.set_message(step.to_owned());
        if self.turns.next().await.is_err() {
            return Err(self.standing.interrupted(&format!("before `{step}`")));
        }
        let reply = self.api.exchange_patiently(request.exchange.clone());
        match self.turns.finish(reply).await {
            Ok(reply) => reply.map_err(|failure| failure.within(request.label())),
            Err(_) => {
                let place = format!("without an answer to `{step}`");
                Err(self.standing.interrupted(&place))
            }
        }
    }
}

impl StepRunner<'_> {
    /// Prints the result of a step. If nobody reads it, or it cannot be written, the flow goes on:
    /// an order must not be left half way because of `| head -1`.
    fn report(
        &self,
        request: &FlowRequest<'_>,
        status: u16,
        data: &Value,
        refused: Option<&'static str>,
    ) {
        self.progress.inc(1);
        if self.unprinted.get().is_some() {
            return;
        }
        let result = StepResult {
            step: request.step,
            actor: request.actor(),
            method: request.exchange.method.as_str(),
            path: request.exchange.path,
            status,
            data,
            refused,
        };
        let printed = self.progress.suspend(|| self.print(&result));
        if let Err(failure) = printed {
            // The cell is empty, as the first lines have shown.
            let _ = self.unprinted.set(failure);
        }
    }

    fn print(&self, result: &StepResult<'_>) -> Result<(), Failure> {
        let Some(filter) = &self.filter else {
            return self.printer.report(result);
        };
        let result = serde_json::to_value(result).unwrap_or_default();
        for value in jq_option::values(filter, &result)? {
            self.printer.report(&PlainValue::of(value))?;
        }
        Ok(())
    }

    /// Returns the first failure to print a result, after the last step.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        match self.unprinted.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }
}

impl Drop for StepRunner<'_> {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

/// Returns the body as JSON; `null` if it is none.
fn body_of(reply: &HttpReply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_default()
}

/// Checks that an answer says something.
fn check_data(data: &Value) -> Result<(), Failure> {
    match data.as_object() {
        Some(members) if !members.is_empty() => Ok(()),
        _ => Err(is_lacking("`data`")),
    }
}

/// Returns the failure of a server that took what it must refuse.
fn taken(status: u16) -> Failure {
    let text = format!("the server took it ({status}), although its signature is wrong");
    Failure::new(Exit::Unexpected, text)
}

/// Returns the text at `pointer` of a response; the next step needs it.
pub(super) fn text_at<'a>(data: &'a Value, pointer: &str) -> Result<&'a str, Failure> {
    let found = data.pointer(pointer).and_then(Value::as_str);
    found.ok_or_else(|| is_lacking(&format!("text at {pointer}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refused_step_names_the_step_and_the_actor() {
        let key = Authority::ApiKey("hidden".into());
        let request = FlowRequest::new("pay", &key, Method::POST, "/api");
        let refused = Failure::new(Exit::Denied, "HTTP 403").hint("look there");
        let failure = refused.within(request.label());
        assert_eq!(
            (failure.exit, failure.chain().as_str()),
            (Exit::Denied, "pay, as backend: HTTP 403")
        );
        assert_eq!(failure.hint.as_deref(), Some("look there"));
    }

    #[test]
    fn an_answer_without_data_is_no_step_that_was_done() {
        assert!(check_data(&json!({"result": "applied"})).is_ok());
        for data in [Value::Null, json!({}), json!([]), json!("done")] {
            let failure = check_data(&data).unwrap_err();
            assert_eq!(failure.exit, Exit::Unreachable, "{data}");
        }
    }

    #[test]
    fn a_response_without_the_needed_text_is_a_failure() {
        assert_eq!(text_at(&json!({"a": {"b": "c"}}), "/a/b").unwrap(), "c");
        let failure = text_at(&json!({"a": 7}), "/a").unwrap_err();
        assert_eq!(
            (failure.exit, failure.chain().as_str()),
            (
                Exit::Unreachable,
                "the answer is not METAIA's: it has no text at /a"
            )
        );
    }
}
