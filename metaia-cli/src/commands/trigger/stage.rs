//! Where a flow is played: each step is one request, reported with its answer.

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Printer, Report};
use crate::rest::{Api, Authority};

pub(super) struct Stage {
    api: Api,
    printer: Printer,
    progress: ProgressBar,
}

/// One step and its answer.
#[derive(Debug, Serialize)]
struct Step<'a> {
    step: &'a str,
    #[serde(rename = "as")]
    who: &'a str,
    method: &'a str,
    path: &'a str,
    status: u16,
    data: &'a Value,
}

impl Stage {
    pub(super) fn new(context: &Context) -> Result<Self, Failure> {
        Ok(Self {
            api: context.api()?,
            printer: context.printer,
            progress: ProgressBar::hidden(),
        })
    }

    /// Announces how many steps there will be: a bar, where somebody sees it.
    pub(super) fn announce(&mut self, steps: u64) {
        if self.printer.shows_progress() {
            // The template is a constant; were it wrong, the bar would look plain.
            let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}");
            self.progress = ProgressBar::new(steps)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
    }

    pub(super) async fn post(
        &self,
        step: &str,
        who: &Authority,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        self.step(step, who, Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(
        &self,
        step: &str,
        who: &Authority,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        self.step(step, who, Method::PUT, path, Some(body)).await
    }

    pub(super) async fn get(
        &self,
        step: &str,
        who: &Authority,
        path: &str,
    ) -> Result<Value, Failure> {
        self.step(step, who, Method::GET, path, None).await
    }

    async fn step(
        &self,
        step: &str,
        who: &Authority,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        self.progress.set_message(step.to_owned());
        let answer = self.api.send(method.clone(), path, who, body).await;
        let answer = answer.map_err(|failure| at(step, who, failure))?;
        let report = Step {
            step,
            who: who.label(),
            method: method.as_str(),
            path,
            status: answer.status,
            data: &answer.data,
        };
        self.progress.suspend(|| self.printer.report(&report))?;
        self.progress.inc(1);
        Ok(answer.data)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

fn at(step: &str, who: &Authority, failure: Failure) -> Failure {
    let hint = failure.hint.clone();
    let named =
        Failure::new(failure.exit, format!("{step}, as {}", who.label())).caused_by(failure);
    match hint {
        Some(hint) => named.hint(hint),
        None => named,
    }
}

/// The text member of an answer that the next step needs.
pub(super) fn member<'a>(answer: &'a Value, pointer: &str) -> Result<&'a str, Failure> {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .ok_or_else(|| {
            Failure::new(
                Exit::Failed,
                format!("the answer has no text at {pointer}: {answer}"),
            )
        })
}

impl Report for Step<'_> {
    fn text(&self, paint: Paint) -> String {
        let facts = facts(self.data);
        let status = paint.good(&self.status.to_string());
        format!(
            "{status} {:<30} {:<24} {} {}{facts}",
            self.step, self.who, self.method, self.path
        )
    }
}

/// What is worth a glance in an answer.
fn facts(data: &Value) -> String {
    let members = [
        "/order/status",
        "/payment/status",
        "/order/orderNumber",
        "/notification/_id",
        "/status",
    ];
    let found = members
        .iter()
        .filter_map(|pointer| data.pointer(pointer)?.as_str());
    let found: Vec<&str> = found.collect();
    if found.is_empty() {
        String::new()
    } else {
        format!("  → {}", found.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_is_a_line_with_what_was_answered() {
        let data = json!({"order": {"_id": "o1", "status": "pending", "orderNumber": "MT-1"}});
        let step = Step {
            step: "place the order",
            who: "customer:u1",
            method: "POST",
            path: "/api/orders",
            status: 201,
            data: &data,
        };
        insta::assert_snapshot!(step.text(Paint::PLAIN), @"201 place the order                customer:u1              POST /api/orders  → pending, MT-1");
        insta::assert_snapshot!(serde_json::to_string(&step).unwrap(), @r#"{"step":"place the order","as":"customer:u1","method":"POST","path":"/api/orders","status":201,"data":{"order":{"_id":"o1","orderNumber":"MT-1","status":"pending"}}}"#);
    }

    #[test]
    fn a_refused_step_says_which_and_by_whom() {
        let refused = Failure::new(Exit::Denied, "HTTP 403").hint("look there");
        let failure = at("pay", &Authority::ApiKey("hidden".into()), refused);
        assert_eq!(
            (failure.exit, failure.chain().as_str()),
            (Exit::Denied, "pay, as backend: HTTP 403")
        );
        assert_eq!(failure.hint.as_deref(), Some("look there"));
    }

    #[test]
    fn an_answer_without_what_is_needed_is_a_failure() {
        assert_eq!(member(&json!({"a": {"b": "c"}}), "/a/b").unwrap(), "c");
        assert_eq!(
            member(&json!({}), "/a").unwrap_err().chain(),
            "the answer has no text at /a: {}"
        );
    }
}
