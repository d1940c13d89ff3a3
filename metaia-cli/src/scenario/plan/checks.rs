//! Expectations of events, with their filters parsed.

use std::time::Duration;

use serde_json::Value;

use super::names::Scope;
use crate::expectation::{Condition, Filter, Times};
use crate::scenario::expectations::ExpectationEntry;
use crate::scenario::located::Located;
use crate::source_file::{FilePosition, Mistake, SourceFile};
use crate::span;

/// The time that an event may take, unless `within` says another.
const WITHIN: Duration = Duration::from_secs(2);

/// One expectation of a step `expect`.
#[derive(Debug)]
pub(crate) struct EventCheck {
    pub(crate) position: FilePosition,
    pub(crate) actor: String,
    pub(crate) kind: CheckKind,
    pub(crate) within: Duration,
    pub(crate) is_only: bool,
    pub(crate) save: Option<String>,
}

/// The three forms of an expectation.
#[derive(Debug)]
pub(crate) enum CheckKind {
    Event(Pattern, Times),
    Never(Pattern),
    Sequence {
        event: String,
        of: Filter,
        /// With variables.
        is: Value,
        replayed: Option<bool>,
    },
}

/// The events that an expectation is about.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// `None` for any event of the application.
    pub(crate) event: Option<String>,
    /// With variables.
    pub(crate) matches: Option<Value>,
    pub(crate) condition: Option<Condition>,
    /// With variables.
    pub(crate) about: Option<String>,
    pub(crate) replayed: Option<bool>,
}

impl EventCheck {
    /// Returns whether something can come, or not come, that the check refuses.
    pub(super) fn can_fail(&self) -> bool {
        match &self.kind {
            CheckKind::Event(_, times) => self.is_only || *times != Times::ANY,
            CheckKind::Never(_) | CheckKind::Sequence { .. } => true,
        }
    }

    pub(super) fn plan(
        entry: &Located<ExpectationEntry>,
        scope: &Scope,
        file: &SourceFile,
    ) -> Result<Self, Mistake> {
        let (position, kind) = kind(entry, scope, file)?;
        let within = match &entry.within {
            Some(within) => {
                span::parse(within).map_err(|expected| Mistake::new(&within.position, expected))?
            }
            None => WITHIN,
        };
        Ok(Self {
            position,
            actor: entry.actor.value.clone(),
            kind,
            within,
            is_only: entry.only.unwrap_or(false),
            save: entry.save.as_ref().map(|name| name.value.clone()),
        })
    }
}

/// Returns the kind of the expectation, and the position of the event's name.
fn kind(
    entry: &Located<ExpectationEntry>,
    scope: &Scope,
    file: &SourceFile,
) -> Result<(FilePosition, CheckKind), Mistake> {
    match (&entry.event, &entry.never, &entry.sequence) {
        (Some(event), None, None) => {
            refuse_sequence_members(entry)?;
            let pattern = pattern(entry, event, scope, file)?;
            let times = times(entry)?;
            if times.is_never() {
                refuse_members_of_never(entry)?;
                return Ok((event.position.clone(), CheckKind::Never(pattern)));
            }
            Ok((event.position.clone(), CheckKind::Event(pattern, times)))
        }
        (None, Some(event), None) => {
            refuse_sequence_members(entry)?;
            if let Some(times) = &entry.times {
                let text = "`never` is zero times: `times` does not belong to it";
                return Err(Mistake::new(&times.position, text));
            }
            refuse_members_of_never(entry)?;
            let kind = CheckKind::Never(pattern(entry, event, scope, file)?);
            Ok((event.position.clone(), kind))
        }
        (None, None, Some(event)) => Ok((event.position.clone(), sequence(entry, event, scope)?)),
        _ => {
            let text = "an expectation has one of `event`, `never` and `sequence`";
            Err(Mistake::new(&entry.position, text))
        }
    }
}

fn pattern(
    entry: &ExpectationEntry,
    event: &Located<String>,
    scope: &Scope,
    file: &SourceFile,
) -> Result<Pattern, Mistake> {
    let condition = entry.condition.as_ref();
    let condition = condition.map(|text| condition_of(text, scope, file));
    Ok(Pattern {
        event: (event.value != "*").then(|| event.value.clone()),
        matches: entry.matches.as_ref().map(|matches| matches.value.clone()),
        condition: condition.transpose()?,
        about: entry.about.as_ref().map(|about| about.value.clone()),
        replayed: entry.replayed,
    })
}

fn sequence(
    entry: &ExpectationEntry,
    event: &Located<String>,
    scope: &Scope,
) -> Result<CheckKind, Mistake> {
    let (Some(of), Some(is)) = (&entry.of, &entry.is) else {
        let text = "`sequence` needs `of`, such as .data.status, and `is`, the list of values";
        return Err(Mistake::new(&event.position, text));
    };
    let others = [
        ("match", entry.matches.as_ref().map(|found| &found.position)),
        (
            "where",
            entry.condition.as_ref().map(|found| &found.position),
        ),
        ("times", entry.times.as_ref().map(|found| &found.position)),
        ("about", entry.about.as_ref().map(|found| &found.position)),
        ("save", entry.save.as_ref().map(|found| &found.position)),
    ];
    for (name, position) in others {
        if let Some(position) = position {
            let text = format!("`{name}` does not belong to a `sequence`");
            return Err(Mistake::new(position, text));
        }
    }
    if is.value.is_empty() {
        return Err(Mistake::new(&is.position, "an empty sequence: use `never`"));
    }
    let filter = Filter::parse(of, &scope.variables())
        .map_err(|invalid| mistake_of(invalid.message, invalid.hint, &of.position))?;
    Ok(CheckKind::Sequence {
        event: event.value.clone(),
        of: filter,
        is: Value::Array(is.value.clone()),
        replayed: entry.replayed,
    })
}

/// Refuses what an absence has no use for. A reader would take `within` for the time in which the
/// event must not come, but the fence is not waited for that long.
fn refuse_members_of_never(entry: &ExpectationEntry) -> Result<(), Mistake> {
    if let Some(save) = &entry.save {
        return Err(Mistake::new(&save.position, "`never` has nothing to save"));
    }
    if let Some(within) = &entry.within {
        let text = "`never` does not wait: `within` does not belong to it";
        let help = "a step `wait` before it, or an event that comes later, gives it time";
        return Err(Mistake::new(&within.position, text).help(help));
    }
    Ok(())
}

fn refuse_sequence_members(entry: &ExpectationEntry) -> Result<(), Mistake> {
    let of = entry.of.as_ref().map(|found| &found.position);
    let is = entry.is.as_ref().map(|found| &found.position);
    match of.or(is) {
        Some(position) => Err(Mistake::new(
            position,
            "`of` and `is` belong to a `sequence`",
        )),
        None => Ok(()),
    }
}

/// Parses a condition. What is wrong is marked within it.
pub(super) fn condition_of(
    text: &Located<String>,
    scope: &Scope,
    file: &SourceFile,
) -> Result<Condition, Mistake> {
    Condition::parse(text, &scope.variables()).map_err(|invalid| {
        let mistake = mistake_of(invalid.message, invalid.hint, &text.position);
        mistake.within(file, text, invalid.span)
    })
}

fn mistake_of(message: String, hint: Option<String>, position: &FilePosition) -> Mistake {
    let mistake = Mistake::new(position, message);
    match hint {
        Some(hint) => mistake.help(hint),
        None => mistake,
    }
}

fn times(entry: &ExpectationEntry) -> Result<Times, Mistake> {
    let Some(times) = &entry.times else {
        return Ok(Times::exactly(1));
    };
    Times::from_json(&times.value).map_err(|expected| Mistake::new(&times.position, expected))
}
