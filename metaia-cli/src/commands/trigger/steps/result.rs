//! The result of one step, as it is printed.

use serde::Serialize;
use serde_json::Value;

use crate::printer::{Paint, Report};
use crate::terminal::one_line;

/// The result of one step.
#[derive(Debug, Serialize)]
pub(super) struct StepResult<'a> {
    pub(super) step: &'a str,
    #[serde(rename = "as")]
    pub(super) actor: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) status: u16,
    pub(super) data: &'a Value,
    /// The code of the refusal, if the step had to be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<&'a str>,
}

impl Report for StepResult<'_> {
    fn text(&self, paint: Paint) -> String {
        let outcome = match self.refused {
            Some(code) => {
                let code = one_line(code);
                format!("  → refused, as it must be: {} {code}", self.status)
            }
            None => summary(self.data),
        };
        let status = paint.good(&self.status.to_string());
        format!(
            "{status} {:<30} {:<24} {} {}{outcome}",
            self.step,
            one_line(self.actor),
            self.method,
            one_line(self.path)
        )
    }
}

/// The members of a response that the text output shows.
const SHOWN_MEMBERS: [&str; 6] = [
    "/order/status",
    "/payment/status",
    "/order/orderNumber",
    "/notification/_id",
    "/status",
    "/result",
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
            refused: None,
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
    fn a_refusal_that_must_be_is_said_to_be_one() {
        let step = StepResult {
            step: "deliver the webhook",
            actor: "provider",
            method: "POST",
            path: "/api/payments/webhook",
            status: 401,
            data: &Value::Null,
            refused: Some("invalid_signature"),
        };
        let text = concat!(
            "401 deliver the webhook            provider                 ",
            "POST /api/payments/webhook  → refused, as it must be: 401 invalid_signature",
        );
        assert_eq!(step.text(Paint::PLAIN), text);
    }

    #[test]
    fn the_result_of_a_webhook_is_shown() {
        assert_eq!(summary(&json!({"result": "duplicate"})), "  → duplicate");
        assert_eq!(summary(&json!({})), "");
    }
}
