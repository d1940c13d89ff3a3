//! The kinds of lines, each with its window.

use std::{collections::HashMap, time::Instant};

use tracing::{Event, Level, callsite::Identifier};

use super::{fields::message, windows::PaceWindow};

/// The most kinds that are known. A program has fewer, unless a `code` is made of something that a
/// stranger chooses.
const MAX_KINDS: usize = 1_000;

/// The message of the kinds that found no place.
const OTHERS: &str = "lines of kinds that are not listed";

/// All kinds.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    /// By their places in the program. Each has few codes.
    by_place: HashMap<Identifier, Vec<LineKind>>,
    count: usize,
    others: Option<LineKind>,
}

#[derive(Debug)]
struct LineKind {
    code: String,
    level: Level,
    message: String,
    window: PaceWindow,
}

/// The lines of a kind that were left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) level: Level,
    pub(super) code: Option<String>,
    /// The message of the first line.
    pub(super) message: String,
    pub(super) count: u64,
}

impl Kinds {
    /// Counts a line. Returns whether it is written.
    pub(super) fn admits(&mut self, event: &Event<'_>, code: &str, now: Instant) -> bool {
        self.kind(event, code, now).window.admits(now)
    }

    /// Takes what was left out in windows that are over, and forgets kinds that are quiet.
    pub(super) fn take_unsaid(&mut self, now: Instant) -> Vec<LeftOut> {
        let unsaid = self.take(|window| window.take_unsaid(now));
        self.forget_quiet(now);
        unsaid
    }

    /// Takes all that was left out.
    pub(super) fn take_all(&mut self) -> Vec<LeftOut> {
        self.take(PaceWindow::take_all)
    }

    fn take(&mut self, mut count: impl FnMut(&mut PaceWindow) -> u64) -> Vec<LeftOut> {
        let kinds = self.by_place.values_mut().flatten().chain(&mut self.others);
        let left_out = kinds.filter_map(|kind| match count(&mut kind.window) {
            0 => None,
            count => Some(kind.left_out(count)),
        });
        left_out.collect()
    }

    fn forget_quiet(&mut self, now: Instant) {
        self.by_place.retain(|_, kinds| {
            kinds.retain(|kind| !kind.window.is_forgotten(now));
            !kinds.is_empty()
        });
        self.count = self.by_place.values().map(Vec::len).sum();
    }

    fn kind(&mut self, event: &Event<'_>, code: &str, now: Instant) -> &mut LineKind {
        let place = event.metadata().callsite();
        let known = self.by_place.get(&place);
        let at = known.and_then(|kinds| kinds.iter().position(|kind| kind.code == code));
        if at.is_none() && self.count >= MAX_KINDS {
            let new = || LineKind::new(OTHERS.to_owned(), "", Level::WARN, now);
            return self.others.get_or_insert_with(new);
        }
        let kinds = self.by_place.entry(place).or_default();
        let at = at.unwrap_or_else(|| {
            let level = *event.metadata().level();
            kinds.push(LineKind::new(message(event), code, level, now));
            self.count += 1;
            kinds.len() - 1
        });
        &mut kinds[at]
    }
}

impl LineKind {
    fn new(message: String, code: &str, level: Level, now: Instant) -> Self {
        Self {
            code: code.to_owned(),
            level,
            message,
            window: PaceWindow::new(now),
        }
    }

    fn left_out(&self, count: u64) -> LeftOut {
        LeftOut {
            level: self.level,
            code: Some(self.code.clone()).filter(|code| !code.is_empty()),
            message: self.message.clone(),
            count,
        }
    }
}
