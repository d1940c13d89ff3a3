//! The results of commands, and what a failed one means for the exit code.

use metaia_realtime::client::{JoinError, SendError};
use serde::Serialize;
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Report};
use crate::terminal::one_line;

/// The beginning of the reason for which a server has carried out nothing.
const REFUSED: &str = "refused: ";

/// The result of a command for one role.
#[derive(Debug, Serialize)]
pub(super) struct CommandResult {
    #[serde(rename = "as")]
    actor: String,
    command: String,
    ok: bool,
    answer: Value,
    /// The server's own answer to an event that it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Value>,
    #[serde(skip)]
    exit: Exit,
}

/// The reason why a command failed for one role.
pub(super) struct Unsuccessful {
    exit: Exit,
    text: String,
    refusal: Option<Value>,
}

/// Returns the answer to an event, unless it is a refusal.
pub(super) fn accepted(answer: Value) -> Result<Value, Unsuccessful> {
    let Some(code) = refusal_code(&answer) else {
        return Ok(answer);
    };
    let refused = Unsuccessful::refused(code);
    Err(Unsuccessful {
        refusal: Some(answer),
        ..refused
    })
}

/// Returns the code of an answer `{"status": "error", "code": …}`; `None` for any other answer.
fn refusal_code(answer: &Value) -> Option<&str> {
    let text = |member: &str| answer.get(member).and_then(Value::as_str);
    match (text("status"), text("code")) {
        (Some("error"), Some(code)) => Some(code),
        (Some("error"), None) => Some("error"),
        _ => None,
    }
}

impl Unsuccessful {
    fn refused(code: &str) -> Self {
        let exit = match code {
            "forbidden" => Exit::Denied,
            "invalid_order_id" => Exit::Usage,
            _ => Exit::Failed,
        };
        Self::other(exit, format!("{REFUSED}{code}"))
    }
}

impl Unsuccessful {
    /// Returns the reason of a role that has gone away.
    pub(super) fn away() -> Self {
        Self::other(Exit::Unreachable, "it is offline: /back connects again")
    }

    /// Returns the reason of a wait whose time limit is over.
    pub(super) fn too_late(text: impl Into<String>) -> Self {
        Self::other(Exit::TimedOut, text)
    }

    /// Returns the reason of a role whose client makes no other attempt.
    pub(super) fn ended(reason: &Failure) -> Self {
        Self::other(reason.exit, reason.chain())
    }

    fn other(exit: Exit, text: impl Into<String>) -> Self {
        Self {
            exit,
            text: text.into(),
            refusal: None,
        }
    }
}

impl From<SendError> for Unsuccessful {
    fn from(error: SendError) -> Self {
        let exit = match error {
            SendError::NotConnected | SendError::Interrupted | SendError::Closed => {
                Exit::Unreachable
            }
            SendError::Timeout(_) => Exit::TimedOut,
            _ => Exit::Failed,
        };
        Self::other(exit, error.to_string())
    }
}

impl From<JoinError> for Unsuccessful {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Refused(code) => Self::refused(&code),
            // The text of this error does not contain its cause, which says more.
            JoinError::Emit(cause) => cause.into(),
            other => Self::other(Exit::Failed, other.to_string()),
        }
    }
}

impl CommandResult {
    pub(super) fn new(actor: &str, command: String, answer: Result<Value, Unsuccessful>) -> Self {
        let failed = match answer {
            Ok(answer) => {
                return Self {
                    actor: actor.to_owned(),
                    command,
                    ok: true,
                    answer,
                    refusal: None,
                    exit: Exit::Ok,
                };
            }
            Err(failed) => failed,
        };
        Self {
            actor: actor.to_owned(),
            command,
            ok: false,
            answer: Value::from(failed.text),
            refusal: failed.refusal,
            exit: failed.exit,
        }
    }

    /// Returns the failure of a command that was not successful.
    pub(super) fn failure(&self) -> Option<Failure> {
        if self.ok {
            return None;
        }
        let message = format!("{} as {}: {}", self.command, self.actor, self.answer_text());
        Some(Failure::new(self.exit, message))
    }

    /// Returns true if the rows above the result say what it would: what a role that came back has
    /// missed, or the event that was awaited.
    fn is_said_above(&self) -> bool {
        let word = self.command.split(' ').next().unwrap_or_default();
        matches!(word, "back" | "cut" | "offline" | "await") && self.answer.is_object()
    }

    fn answer_text(&self) -> String {
        match &self.answer {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl Report for CommandResult {
    fn text(&self, paint: Paint) -> String {
        let begin = format!("{}  {}:", self.actor, self.command);
        if self.ok && self.is_said_above() {
            return format!("{begin} {}", paint.good("ok"));
        }
        // Text from others must not contain styles.
        let answer = self.answer_text();
        let answer = one_line(&answer);
        match answer.strip_prefix(REFUSED) {
            _ if self.ok => format!("{begin} {} {answer}", paint.good("ok")),
            Some(code) => format!("{begin} {}{code}", paint.bad(REFUSED)),
            None => format!("{begin} {} {answer}", paint.bad("failed:")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn result(command: &str, answer: Result<Value, Unsuccessful>) -> CommandResult {
        CommandResult::new("tailor:t1", command.into(), answer)
    }

    #[test]
    fn a_result_shows_the_role_the_command_and_the_answer() {
        let refused = JoinError::Refused("forbidden".into());
        let result = result("join o1", Err(refused.into()));
        insta::assert_snapshot!(
            result.text(Paint::PLAIN),
            @"tailor:t1  join o1: refused: forbidden"
        );
        let json = concat!(
            r#"{"as":"tailor:t1","command":"join o1","ok":false,"#,
            r#""answer":"refused: forbidden"}"#,
        );
        assert_eq!(serde_json::to_string(&result).unwrap(), json);
        let failure = result.failure().unwrap();
        assert_eq!(failure.exit, Exit::Denied);
        assert_eq!(failure.chain(), "join o1 as tailor:t1: refused: forbidden");
    }

    #[test]
    fn a_success_is_no_failure() {
        let result = result("emit x", Ok(json!({"n": 1})));
        insta::assert_snapshot!(result.text(Paint::PLAIN), @r#"tailor:t1  emit x: ok {"n":1}"#);
        assert!(result.failure().is_none());
    }

    #[test]
    fn a_result_is_one_phrase() {
        let away = result("join o1", Err(Unsuccessful::away()));
        insta::assert_snapshot!(
            away.text(Paint::PLAIN),
            @"tailor:t1  join o1: failed: it is offline: /back connects again"
        );
        let back = result("back", Ok(json!({"recovered": true, "replayed": 2})));
        insta::assert_snapshot!(back.text(Paint::PLAIN), @"tailor:t1  back: ok");
        let json = serde_json::to_string(&back).unwrap();
        assert!(
            json.contains(r#""answer":{"recovered":true,"replayed":2}"#),
            "{json}"
        );
        for command in ["await live", "await order_update"] {
            let awaited = result(command, Ok(json!({"userId": "t1"})));
            let text = awaited.text(Paint::PLAIN);
            assert_eq!(text, format!("tailor:t1  {command}: ok"));
        }
        let until = result("cut", Ok(Value::from("until /back")));
        insta::assert_snapshot!(until.text(Paint::PLAIN), @"tailor:t1  cut: ok until /back");
    }

    #[test]
    fn an_answer_with_the_status_error_is_a_refusal() {
        let code = |answer: Value| refusal_code(&answer).map(str::to_owned);
        let refused = json!({"status": "error", "code": "forbidden"});
        assert_eq!(code(refused).as_deref(), Some("forbidden"));
        assert_eq!(code(json!({"status": "error"})).as_deref(), Some("error"));
        assert!(accepted(json!({"status": "error"})).is_err());
        for answer in [
            json!({"status": "ok"}),
            json!("error"),
            json!(null),
            json!({"code": "x"}),
        ] {
            assert_eq!(code(answer.clone()), None, "{answer}");
        }
    }

    #[test]
    fn each_failure_has_its_exit_code() {
        let exit = |failed: Unsuccessful| failed.exit;
        let refused = |code: &str| exit(JoinError::Refused(code.into()).into());
        assert_eq!(refused("forbidden"), Exit::Denied);
        assert_eq!(refused("invalid_order_id"), Exit::Usage);
        assert_eq!(refused("rate_limited"), Exit::Failed);
        assert_eq!(exit(SendError::NotConnected.into()), Exit::Unreachable);
        let late = JoinError::Emit(SendError::Timeout(Duration::from_secs(1)));
        assert_eq!(exit(late.into()), Exit::TimedOut);
    }
}
