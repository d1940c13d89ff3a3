//! Socket.IO's refusal of a connection.

use serde_json::Value;

/// The refusal of a connection, with the details that the server added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The message, which is a code for servers of this project.
    pub(crate) code: String,
    data_code: Option<String>,
    detail: Option<String>,
}

impl Refusal {
    /// Reads a refusal. `data` is what a server may add; servers of this project add nothing.
    pub(super) fn new(message: &str, data: Option<&Value>) -> Self {
        let member = |name| {
            let value = data?.get(name)?;
            Some(
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            )
        };
        Self {
            code: message.to_owned(),
            data_code: member("code").filter(|code| code != message),
            detail: member("detail").filter(|detail| detail != message),
        }
    }

    /// Formats the refusal: the message, then the other code and the detail, if there are any.
    pub(super) fn text(&self) -> String {
        let mut text = format!("the server refused the connection: {}", self.code);
        if let Some(code) = &self.data_code {
            text.push_str(&format!(" ({code})"));
        }
        if let Some(detail) = &self.detail {
            text.push_str(&format!(": {detail}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(data: Option<Value>, expected: &str) {
        let text = Refusal::new("unauthorized", data.as_ref()).text();
        let begin = "the server refused the connection: unauthorized";
        assert_eq!(text, format!("{begin}{expected}"));
    }

    #[test]
    fn a_refusal_shows_the_details_that_the_server_added() {
        check(None, "");
        check(
            Some(json!({"detail": "The plan has ended."})),
            ": The plan has ended.",
        );
        check(Some(json!({"code": "plan_ended"})), " (plan_ended)");
        check(Some(json!({"code": 42, "detail": "Pay."})), " (42): Pay.");
        check(Some(json!({"code": "unauthorized"})), "");
        check(Some(json!("text")), "");
        check(Some(json!([1])), "");
    }
}
