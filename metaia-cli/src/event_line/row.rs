//! One event in its columns.

use std::borrow::Cow;

use metaia_realtime::Role;

use super::columns::{Columns, TIME};
use super::phrase::{Phrase, Tone};
use super::timing::timing;
use super::width::{cut, fits, width};
use super::wording::Wording;
use crate::clock;

/// The parts of a line.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Unix milliseconds.
    pub(super) ts: i64,
    pub(super) receiver: &'a str,
    pub(super) event: &'a str,
    pub(super) latency_ms: Option<i64>,
    pub(super) replayed: bool,
    pub(super) wording: Wording,
    pub(super) columns: Columns,
}

impl Row<'_> {
    /// Returns the line. It is not wider than the terminal.
    pub(super) fn line(&self) -> Phrase {
        let columns = &self.columns;
        let timing = timing(self.latency_ms, self.replayed);
        let limit = columns.words_beside(timing.width());
        let line = if columns.has_time {
            beginning(self.ts, self.receiver, columns)
        } else {
            name(self.receiver, columns)
        };
        let line = line.then(self.subject()).then(Phrase::plain(" "));
        let words = self.wording.fitting(limit);
        let words = match limit {
            Some(limit) => words.cut(limit),
            None => words,
        };
        let line = line.then(self.with_timing(words, timing));
        match columns.limit {
            Some(limit) => line.cut(limit),
            None => line,
        }
    }

    /// Returns the event and its order. An event without an order has the space of both.
    fn subject(&self) -> Phrase {
        let columns = &self.columns;
        let event = Phrase::plain(self.event);
        let Some(order) = &self.wording.order else {
            let space = usize::from(columns.event > 0);
            return self.column(event, columns.event + space + columns.order);
        };
        let order = match columns.limit {
            Some(_) => order.short(columns.order),
            None => order.whole().to_owned(),
        };
        let order = Phrase::new(Tone::Strong, &order);
        let order = self.column(order, columns.order);
        if columns.event == 0 {
            return order;
        }
        self.column(event, columns.event)
            .then(Phrase::plain(" "))
            .then(order)
    }

    fn column(&self, text: Phrase, columns: usize) -> Phrase {
        match self.columns.limit {
            Some(_) => text.cut(columns).padded(columns),
            None => text.padded(columns),
        }
    }

    /// Appends the last column, at the right edge.
    fn with_timing(&self, words: Phrase, timing: Phrase) -> Phrase {
        let columns = &self.columns;
        if timing.is_empty() || columns.timing == 0 {
            return words;
        }
        let edge = columns.words + 1 + columns.timing;
        let before = edge.saturating_sub(timing.width());
        // Words without a limit may end at any place.
        let space = if columns.limit.is_some() { " " } else { "  " };
        words.then(Phrase::plain(space)).padded(before).then(timing)
    }
}

/// Returns the time and the name of a line, in their columns.
pub(crate) fn beginning(ts: i64, receiver: &str, columns: &Columns) -> Phrase {
    let time = Phrase::new(Tone::Dim, &clock::time_of_day(ts)).padded(TIME);
    time.then(Phrase::plain(" ")).then(name(receiver, columns))
}

/// Returns the name of a line, in its column.
fn name(receiver: &str, columns: &Columns) -> Phrase {
    let who = match columns.limit {
        Some(_) => short_name(receiver, columns.who),
        None => receiver.into(),
    };
    let who = Phrase::new(tone_of(receiver), &who);
    who.padded(columns.who).then(Phrase::plain(" "))
}

/// Returns the name with a shorter role if it is too wide: the first letter tells the roles apart.
fn short_name(receiver: &str, columns: usize) -> Cow<'_, str> {
    if fits(receiver, columns) {
        return Cow::Borrowed(receiver);
    }
    let Some((role, user)) = receiver.split_once(':') else {
        return cut(receiver, columns);
    };
    let letters = columns.saturating_sub(1 + width(user)).max(1);
    let role: String = role.chars().take(letters).collect();
    Cow::Owned(cut(&format!("{role}:{user}"), columns).into_owned())
}

/// Returns the tone of a name `ROLE:USER`.
fn tone_of(receiver: &str) -> Tone {
    let role: Option<Role> = receiver
        .split(':')
        .next()
        .and_then(|role| role.parse().ok());
    role.map_or(Tone::Plain, Tone::Of)
}
