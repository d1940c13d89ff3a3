//! Events as lines for people: `time who event order what-changed latency`, in columns.
//!
//! An event of an order, a payment or a tailor says what it changed, compared with what the same
//! person has seen before. What is remembered for this has a bound: for each person, at least the
//! last 1,000 orders, payments and tailors, and at most 2,000 of each. The rest is forgotten, so
//! that its next event is shown as the first one: `→ ready`, without the status before.
//!
//! A line is cut to the width of the terminal. For another reader, such as a pipe or a file, it has
//! the columns of a wide terminal, and is not cut.
//!
//! Everything here is pure: [`crate::feed`] knows the people and the terminal.

mod amount;
mod columns;
mod kinds;
mod members;
mod memory;
mod order;
mod order_name;
mod payment;
mod phrase;
mod recent;
mod row;
mod seen_order;
#[cfg(test)]
mod tests;
mod timing;
mod width;
mod wording;

use metaia_realtime::client::ReceivedEvent;
use serde::Serialize;
use serde_json::Value;

use crate::clock;
use crate::printer::{Paint, Report};
use crate::terminal::one_line;

pub(crate) use amount::amount;
pub(crate) use columns::Columns;
pub(crate) use memory::Memory;
pub(crate) use phrase::{Phrase, Tone};
pub(crate) use row::beginning;
pub(crate) use width::{cut, width, wrap};

use kinds::words_of;
use row::Row;

/// Returns the order that an event is about, and what it changed for a person with this memory, in
/// at most this many columns.
pub(crate) fn what_changed(event: &str, data: &Value, memory: &mut Memory, width: usize) -> String {
    let wording = words_of(event, data, memory);
    let words = wording.fitting(Some(width)).cut(width).text();
    match &wording.order {
        Some(order) => format!("{} {words}", one_line(&order.short(10))),
        None => words,
    }
}

/// An event as it is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventLine {
    /// Time of receipt in Unix milliseconds.
    pub(crate) ts: i64,
    /// `ROLE:USER` of the receiver.
    #[serde(rename = "as")]
    pub(crate) receiver: String,
    pub(crate) event: String,
    pub(crate) data: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<String>,
    /// Milliseconds from commit to receipt. A difference of the clocks of more than 2 s is
    /// subtracted, to a second; a smaller one is included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_ms: Option<i64>,
    /// Set if the event came before the session was live: it happened before, and was missed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) replayed: bool,
    /// The text in columns; `None` shows the payload.
    #[serde(skip)]
    line: Option<Phrase>,
}

impl EventLine {
    pub(crate) fn new(receiver: &str, event: ReceivedEvent, replayed: bool) -> Self {
        let latency_ms = event.latency_ms().map(clock::latency_ms);
        Self {
            ts: event.received_at,
            receiver: receiver.to_owned(),
            event: event.name,
            data: event.data,
            id: event.id,
            position: event.at,
            latency_ms,
            replayed,
            line: None,
        }
    }

    #[cfg(test)]
    pub(crate) fn example(
        ts: i64,
        receiver: &str,
        event: &str,
        data: Value,
        latency_ms: i64,
        replayed: bool,
    ) -> Self {
        Self {
            ts,
            receiver: receiver.to_owned(),
            event: event.to_owned(),
            data,
            id: Some("e1".to_owned()),
            position: Some("p.1".to_owned()),
            latency_ms: Some(latency_ms),
            replayed,
            line: None,
        }
    }

    /// Returns the event with a text that says what it changed for a person with this memory.
    pub(crate) fn in_columns(self, memory: &mut Memory, columns: Columns) -> Self {
        let row = Row {
            ts: self.ts,
            receiver: &self.receiver,
            event: &self.event,
            latency_ms: self.latency_ms,
            replayed: self.replayed,
            wording: words_of(&self.event, &self.data, memory),
            columns,
        };
        let line = row.line();
        Self {
            line: Some(line),
            ..self
        }
    }

    fn with_payload(&self, paint: Paint) -> String {
        let mut data = self.data.clone();
        if let Value::Object(members) = &mut data {
            members.remove("_rt");
        }
        let latency = self
            .latency_ms
            .map(|ms| format!("{ms:+} ms"))
            .unwrap_or_default();
        let replayed = if self.replayed {
            format!(" {}", paint.warn("replayed"))
        } else {
            String::new()
        };
        let time = paint.dim(&clock::time_of_day(self.ts));
        // Text from others must not contain styles.
        let data = data.to_string();
        format!(
            "{time}  {}  {}  {}{replayed}  {}",
            one_line(&self.receiver),
            paint.name(&one_line(&self.event)),
            paint.dim(&latency),
            one_line(&data)
        )
    }
}

impl Report for EventLine {
    fn text(&self, paint: Paint) -> String {
        match &self.line {
            Some(line) => line.painted(paint),
            None => self.with_payload(paint),
        }
    }
}
