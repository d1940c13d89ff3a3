//! An HTTP answer, and the reason that a server of this project gives in it.

use std::time::Duration;

use serde_json::Value;

use super::clock;

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpReply {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// False if the end of the body is missing.
    pub(crate) is_complete: bool,
    /// The time when it was read, in Unix milliseconds of this machine's clock.
    pub(crate) read_at: i64,
}

impl HttpReply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns status and phrase, such as `502 Bad Gateway`.
    pub(crate) fn status_line(&self) -> String {
        let known = reqwest::StatusCode::from_u16(self.status).ok();
        match known.and_then(|status| status.canonical_reason()) {
            Some(phrase) => format!("{} {phrase}", self.status),
            None => self.status.to_string(),
        }
    }

    /// Returns the name of the program that answered, such as `nginx`.
    pub(crate) fn program(&self) -> &str {
        let product = self.header("server").unwrap_or_default();
        let name = product.split(['/', ' ']).next().unwrap_or_default();
        if name.is_empty() { "the server" } else { name }
    }

    /// Returns when another attempt makes sense, as a sentence.
    pub(super) fn retry_after(&self) -> Option<String> {
        let value = self.header("retry-after")?.trim();
        Some(match value.parse::<u64>() {
            Ok(seconds) => format!("try again in {seconds} s (Retry-After)"),
            Err(_) => format!("try again after {value} (Retry-After)"),
        })
    }

    /// Returns the time to wait before the same request may be sent again; `None` if the answer
    /// names none in seconds, or if the server may have carried the request out.
    pub(crate) fn wait_to_repeat(&self) -> Option<Duration> {
        if self
            .reason()
            .is_some_and(|reason| reason.is("outcome_unknown"))
        {
            return None;
        }
        let seconds = self.header("retry-after")?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// Returns how far the server's clock is ahead, in milliseconds; `None` if the clocks agree.
    pub(crate) fn server_ahead_ms(&self) -> Option<i64> {
        clock::server_ahead_ms(self.header("date")?, self.read_at)
    }

    /// Returns whether Engine.IO opened a polling session.
    pub(crate) fn opens_session(&self) -> bool {
        self.status == 200 && self.body.starts_with("0{")
    }

    /// Returns whether the session that is opened cannot leave polling.
    pub(super) fn offers_no_upgrade(&self) -> bool {
        self.opens_session() && self.body.contains(r#""upgrades":[]"#)
    }

    /// Returns whether a server of this project refuses clients since it shuts down.
    pub(crate) fn is_draining(&self) -> bool {
        self.reason().is_some_and(|reason| reason.is("draining"))
    }

    /// Returns whether a server of this project refuses the origin.
    pub(crate) fn refuses_origin(&self) -> bool {
        let reason = self.reason();
        reason.is_some_and(|reason| reason.is("origin_not_allowed"))
    }

    /// Returns whether a server of this project asks for a token.
    pub(crate) fn asks_for_token(&self) -> bool {
        let reason = self.reason();
        self.status == 401 && reason.is_some_and(|reason| reason.is("unauthorized"))
    }

    /// Returns whether the answer is a JSON object.
    pub(super) fn is_json(&self) -> bool {
        let body = serde_json::from_str(&self.body);
        body.is_ok_and(|body: Value| body.is_object())
    }

    /// Returns the reason in the body, if a server of this project or Engine.IO gave one.
    pub(super) fn reason(&self) -> Option<Reason> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        Reason::from_problem(self.status, &body).or_else(|| Reason::of_engine_io(&body))
    }
}

/// The refusals of Engine.IO. Servers of other protocols have numbers, too.
const OF_ENGINE_IO: [(u64, &str); 6] = [
    (0, "Transport unknown"),
    (1, "Session ID unknown"),
    (2, "Bad handshake method"),
    (3, "Bad request"),
    (4, "Forbidden"),
    (5, "Unsupported protocol version"),
];

/// The contents of a problem document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) code: Option<String>,
    pub(super) text: String,
    pub(super) request_id: Option<String>,
}

impl Reason {
    /// Reads a problem document of a server of this project. It has each of these members, and
    /// those of other programs lack at least one.
    fn from_problem(status: u16, problem: &Value) -> Option<Self> {
        let text = |member: &str| problem.get(member)?.as_str().map(str::to_owned);
        text("type")?;
        if problem.get("status")?.as_u64()? != u64::from(status) {
            return None;
        }
        let code = text("code")?;
        let detail = text("detail")?;
        let fields = wrong_fields(problem, &detail);
        Some(Self {
            code: Some(code),
            text: detail + &fields,
            // A handshake has none.
            request_id: text("requestId").filter(|id| !id.is_empty()),
        })
    }

    /// Reads a refusal of Engine.IO.
    fn of_engine_io(body: &Value) -> Option<Self> {
        let number = body.get("code")?.as_u64()?;
        let message = body.get("message")?.as_str()?;
        OF_ENGINE_IO.contains(&(number, message)).then(|| Self {
            code: Some(number.to_string()),
            text: message.to_owned(),
            request_id: None,
        })
    }

    /// Returns whether the code is this one.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Returns whether the server knows no route of the request's path.
    pub(super) fn is_no_route(&self) -> bool {
        self.is("not_found") && self.text.contains("no such route")
    }

    /// Returns whether Engine.IO refused the request: its codes are numbers.
    pub(super) fn is_of_engine_io(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Returns a problem document with the members that each one has.
#[cfg(test)]
pub(crate) fn problem(status: u16, code: &str, detail: &str) -> String {
    format!(r#"{{"type":"about:blank","status":{status},"code":"{code}","detail":"{detail}"}}"#)
}

/// Formats the wrong fields, without those that the reason mentions already.
fn wrong_fields(problem: &Value, reason: &str) -> String {
    let errors = problem.get("errors").and_then(Value::as_array);
    let mut texts = String::new();
    for error in errors.into_iter().flatten() {
        let text = |member: &str| {
            let value = error.get(member).and_then(Value::as_str);
            value.unwrap_or_default()
        };
        let message = text("message");
        if !reason.contains(message) {
            texts += &format!("; {} {message}", text("pointer"));
        }
    }
    texts
}
