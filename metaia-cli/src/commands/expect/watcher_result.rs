//! The result of `metaia expect`.

use serde::Serialize;

use crate::expectation::Times;
use crate::printer::{Paint, Report};
use crate::terminal::one_line;
use crate::verdict::{NotMet, Unmet};

/// The result for one watcher.
#[derive(Debug, Serialize)]
pub(super) struct WatcherResult {
    #[serde(rename = "as")]
    watcher: String,
    ok: bool,
    /// The event's name; `*` for any.
    event: String,
    expected: String,
    /// The number of events that fit.
    came: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<String>,
}

impl WatcherResult {
    pub(super) fn met(watcher: &str, event: &str, times: &Times, came: usize) -> Self {
        Self {
            watcher: watcher.to_owned(),
            ok: true,
            event: event.to_owned(),
            expected: expected(times),
            came,
            kind: None,
            reason: None,
            details: Vec::new(),
        }
    }

    pub(super) fn unmet(watcher: &str, event: &str, times: &Times, unmet: &Unmet) -> Self {
        Self {
            ok: false,
            kind: Some(unmet.kind.name()),
            reason: Some(unmet.label.clone()),
            details: unmet.details.clone(),
            ..Self::met(watcher, event, times, 0)
        }
    }

    /// Returns the result of a judgement that was made; `None` if it could not be.
    pub(super) fn of(
        watcher: &str,
        event: &str,
        times: &Times,
        judged: &Result<usize, NotMet>,
    ) -> Option<Self> {
        match judged {
            Ok(came) => Some(Self::met(watcher, event, times, *came)),
            Err(NotMet::Unmet(unmet)) => Some(Self::unmet(watcher, event, times, unmet)),
            Err(NotMet::Unjudged(_)) => None,
        }
    }
}

fn expected(times: &Times) -> String {
    if times.is_never() {
        "never".to_owned()
    } else {
        times.to_string()
    }
}

impl Report for WatcherResult {
    fn text(&self, paint: Paint) -> String {
        let watcher = one_line(&self.watcher);
        let event = one_line(&self.event);
        let Some(reason) = &self.reason else {
            let came = match (self.expected.as_str(), self.event.as_str()) {
                ("never", "*") => "received nothing, proven by a fence".to_owned(),
                ("never", _) => format!("received no {event}, proven by a fence"),
                _ => format!("received {event} × {}", self.came),
            };
            return format!("{} {watcher} {came}", paint.good("✓"));
        };
        let mut lines = vec![format!("{} {event}: {}", paint.bad("✗"), one_line(reason))];
        lines.extend(
            self.details
                .iter()
                .map(|line| format!("  {}", one_line(line))),
        );
        lines.join("\n")
    }
}
