//! The middle of a line: the order that an event is about, and what has changed.

use super::order_name::OrderName;
use super::phrase::{Phrase, Tone};

/// The words about an event, from the longest to the shortest. The first that fits is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wording {
    pub(super) order: Option<OrderName>,
    pub(super) phrases: Vec<Phrase>,
}

impl Wording {
    pub(super) fn new(phrases: Vec<Phrase>) -> Self {
        Self {
            order: None,
            phrases,
        }
    }

    pub(super) fn about(self, order: Option<OrderName>) -> Self {
        Self { order, ..self }
    }

    /// Returns the longest words that fit; without a limit, the longest ones.
    pub(super) fn fitting(&self, limit: Option<usize>) -> Phrase {
        let fits = |phrase: &&Phrase| limit.is_none_or(|limit| phrase.width() <= limit);
        let fitting = self.phrases.iter().find(fits).or(self.phrases.last());
        fitting.cloned().unwrap_or_default()
    }
}

/// Returns a change of a status, in full and without the status before.
pub(super) fn change(before: Option<&str>, now: &str) -> Vec<Phrase> {
    let short = Phrase::plain("→ ").with(status_tone(now), now);
    let Some(before) = before else {
        return vec![short];
    };
    let full = Phrase::new(Tone::Plain, before).with(Tone::Plain, " ");
    vec![full.then(short.clone()), short]
}

/// Returns the tone of a status. Most are neither good nor bad.
pub(super) fn status_tone(status: &str) -> Tone {
    match status {
        "delivered" | "completed" => Tone::Good,
        "cancelled" | "failed" => Tone::Bad,
        _ => Tone::Strong,
    }
}

/// Returns the words about a status that has not changed.
pub(super) fn still(status: &str) -> Phrase {
    Phrase::plain("still ").with(status_tone(status), status)
}
