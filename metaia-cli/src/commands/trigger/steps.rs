//! Runs the steps of a flow: each is one request, reported with its response.

use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::identity::Authority;
use crate::printer::{Paint, Printer, Report};
use crate::rest::Api;
use crate::terminal::one_line;

/// Sends the requests of a flow, prints the results, and shows the progress.
pub(super) struct StepRunner<'a> {
    api: Api<'a>,
    printer: Printer,
    progress: ProgressBar,
    /// The reason why the results can no longer be printed.
    unprinted: OnceLock<Failure>,
}

/// The result of one step.
#[derive(Debug, Serialize)]
struct StepResult<'a> {
    step: &'a str,
    #[serde(rename = "as")]
    actor: &'a str,
    method: &'a str,
    path: &'a str,
    status: u16,
    data: &'a Value,
}

impl<'a> StepRunner<'a> {
    pub(super) fn new(context: &'a Context) -> Result<Self, Failure> {
        Ok(Self {
            api: context.api()?,
            printer: context.printer,
            progress: ProgressBar::hidden(),
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
        self.run(step, authority, Method::POST, path, Some(body))
            .await
    }

    pub(super) async fn put(
        &self,
        step: &str,
        authority: &Authority,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        self.run(step, authority, Method::PUT, path, Some(body))
            .await
    }

    pub(super) async fn get(
        &self,
        step: &str,
        authority: &Authority,
        path: &str,
    ) -> Result<Value, Failure> {
        self.run(step, authority, Method::GET, path, None).await
    }

    async fn run(
        &self,
        step: &str,
        authority: &Authority,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        self.progress.set_message(step.to_owned());
        let response = self
            .api
            .send(method.clone(), path, authority, body)
            .await
            .map_err(|failure| failure.within(step_of(step, authority)))?;
        let result = StepResult {
            step,
            actor: authority.label(),
            method: method.as_str(),
            path,
            status: response.status,
            data: &response.data,
        };
        self.report(&result);
        self.progress.inc(1);
        Ok(response.data)
    }
}

impl StepRunner<'_> {
    /// Prints the result of a step. If nobody reads it, or it cannot be written, the flow goes on:
    /// an order must not be left half way because of `| head -1`.
    fn report(&self, result: &StepResult) {
        if self.unprinted.get().is_some() {
            return;
        }
        let printed = self.progress.suspend(|| self.printer.report(result));
        if let Err(failure) = printed {
            // The cell is empty, as the first line has shown.
            let _ = self.unprinted.set(failure);
        }
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

/// Names a step and its actor.
fn step_of(step: &str, authority: &Authority) -> String {
    format!("{step}, as {}", authority.label())
}

/// Returns the text at `pointer` of a response; the next step needs it.
pub(super) fn text_at<'a>(data: &'a Value, pointer: &str) -> Result<&'a str, Failure> {
    match data.pointer(pointer).and_then(Value::as_str) {
        Some(text) => Ok(text),
        None => {
            let message = format!("the response has no text at {pointer}: {data}");
            Err(Failure::new(Exit::Failed, message))
        }
    }
}

impl Report for StepResult<'_> {
    fn text(&self, paint: Paint) -> String {
        let summary = summary(self.data);
        let status = paint.good(&self.status.to_string());
        format!(
            "{status} {:<30} {:<24} {} {}{summary}",
            self.step,
            one_line(self.actor),
            self.method,
            one_line(self.path)
        )
    }
}

/// The members of a response that the text output shows.
const SHOWN_MEMBERS: [&str; 5] = [
    "/order/status",
    "/payment/status",
    "/order/orderNumber",
    "/notification/_id",
    "/status",
];

/// Formats the most useful members of a response.
fn summary(data: &Value) -> String {
    let found: Vec<&str> = SHOWN_MEMBERS
        .iter()
        .filter_map(|pointer| data.pointer(pointer)?.as_str())
        .collect();
    if found.is_empty() {
        String::new()
    } else {
        format!("  → {}", one_line(&found.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_is_printed_with_its_response() {
        let data = json!({"order": {"_id": "o1", "status": "pending", "orderNumber": "MT-1"}});
        let step = StepResult {
            step: "place the order",
            actor: "customer:u1",
            method: "POST",
            path: "/api/orders",
            status: 201,
            data: &data,
        };
        let text = concat!(
            "201 place the order                customer:u1              ",
            "POST /api/orders  → pending, MT-1",
        );
        assert_eq!(step.text(Paint::PLAIN), text);
        let json = concat!(
            r#"{"step":"place the order","as":"customer:u1","method":"POST","#,
            r#""path":"/api/orders","status":201,"#,
            r#""data":{"order":{"_id":"o1","orderNumber":"MT-1","status":"pending"}}}"#,
        );
        assert_eq!(serde_json::to_string(&step).unwrap(), json);
    }

    #[test]
    fn a_refused_step_names_the_step_and_the_actor() {
        let refused = Failure::new(Exit::Denied, "HTTP 403").hint("look there");
        let failure = refused.within(step_of("pay", &Authority::ApiKey("hidden".into())));
        assert_eq!(
            (failure.exit, failure.chain().as_str()),
            (Exit::Denied, "pay, as backend: HTTP 403")
        );
        assert_eq!(failure.hint.as_deref(), Some("look there"));
    }

    #[test]
    fn a_response_without_the_needed_text_is_a_failure() {
        assert_eq!(text_at(&json!({"a": {"b": "c"}}), "/a/b").unwrap(), "c");
        assert_eq!(
            text_at(&json!({}), "/a").unwrap_err().chain(),
            "the response has no text at /a: {}"
        );
    }
}
