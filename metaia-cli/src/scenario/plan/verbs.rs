//! The parts that steps have in common: the people that they name, what they save, what they
//! expect.

use crate::scenario::expectations::AnswerExpectation;
use crate::scenario::located::Located;
use crate::scenario::steps::{Name, Step};

impl Step {
    /// Returns the people that the step names.
    pub(super) fn people(&self) -> Vec<&Name> {
        match self {
            Self::Place(step) => vec![&step.actor],
            Self::Move(step) => vec![&step.actor],
            Self::Assign(step) => vec![&step.actor],
            Self::Cancel(step) => vec![&step.actor],
            Self::Pay(step) => vec![&step.actor],
            Self::Notify(step) => vec![&step.actor],
            Self::Read(step) => vec![&step.actor],
            Self::TailorStatus(step) => vec![&step.actor],
            Self::Emit(step) => vec![&step.actor],
            Self::Join(step) => vec![&step.actor],
            Self::Leave(step) => vec![&step.actor],
            Self::Cut(step) | Self::Offline(step) => vec![&step.actor],
            Self::Back(step) => vec![&step.actor],
            Self::Disconnect(step) => vec![&step.actor, &step.who],
            Self::Rest(step) => step.actor.iter().collect(),
            Self::Expect(entries) => entries.iter().map(|entry| &entry.actor).collect(),
            Self::Webhook(_)
            | Self::Run(_)
            | Self::Wait(_)
            | Self::Repeat(_)
            | Self::Parallel(_)
            | Self::Include(_) => Vec::new(),
        }
    }

    /// Returns the variables that the step itself saves.
    pub(super) fn saves(&self) -> Vec<&Located<String>> {
        match self {
            Self::Place(step) => step.save.iter().collect(),
            Self::Pay(step) => step.save.iter().collect(),
            Self::Notify(step) => step.save.iter().collect(),
            Self::Rest(step) => step.save.iter().collect(),
            Self::Run(step) => step.save.iter().collect(),
            Self::Expect(entries) => {
                let saved = entries.iter().filter_map(|entry| entry.save.as_ref());
                saved.collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns what the step expects of the answer to its request.
    pub(super) fn answer(&self) -> Option<&Located<AnswerExpectation>> {
        match self {
            Self::Place(step) => step.expect.as_ref(),
            Self::Move(step) => step.expect.as_ref(),
            Self::Assign(step) => step.expect.as_ref(),
            Self::Cancel(step) => step.expect.as_ref(),
            Self::Pay(step) => step.expect.as_ref(),
            Self::Webhook(step) => step.expect.as_ref(),
            Self::Notify(step) => step.expect.as_ref(),
            Self::Read(step) => step.expect.as_ref(),
            Self::TailorStatus(step) => step.expect.as_ref(),
            Self::Emit(step) => step.expect.as_ref(),
            Self::Rest(step) => step.expect.as_ref(),
            _ => None,
        }
    }

    /// Returns whether the step says how it must end.
    pub(crate) fn has_expectation(&self) -> bool {
        match self {
            Self::Join(step) => step.expect.is_some(),
            Self::Back(step) => step.expect.is_some(),
            Self::Run(step) => step.expect.is_some(),
            step => step.answer().is_some(),
        }
    }

    /// Returns the step in a few words, such as `move → ready`.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Place(_) => "place".to_owned(),
            Self::Move(step) => format!("move → {}", step.to),
            Self::Assign(step) => {
                let assigned = [step.tailor.as_deref(), step.courier.as_deref()];
                let assigned: Vec<&str> = assigned.into_iter().flatten().collect();
                format!("assign {}", assigned.join(", "))
            }
            Self::Cancel(_) => "cancel".to_owned(),
            Self::Pay(_) => "pay".to_owned(),
            Self::Webhook(step) => {
                format!(
                    "webhook {}",
                    step.event.as_deref().unwrap_or("payment.captured")
                )
            }
            Self::Notify(step) => format!("notify {}", step.to),
            Self::Read(_) => "read".to_owned(),
            Self::TailorStatus(step) => format!("tailor_status {}", step.status),
            Self::Emit(step) => format!("emit {}", step.event),
            Self::Join(step) => format!("join by {}", step.actor.value),
            Self::Leave(step) => format!("leave by {}", step.actor.value),
            Self::Cut(step) => format!("cut {}", step.actor.value),
            Self::Back(step) => format!("back {}", step.actor.value),
            Self::Offline(step) => format!("offline {}", step.actor.value),
            Self::Disconnect(step) => format!("disconnect {}", step.who.value),
            Self::Rest(step) => match step.target() {
                Some((method, path)) => format!("{method} {path}"),
                None => "rest".to_owned(),
            },
            Self::Run(step) => format!("run {}", step.command.join(" ")),
            Self::Wait(time) => format!("wait {}", time.value),
            Self::Expect(_) => "expect".to_owned(),
            Self::Repeat(step) => format!("repeat {}", step.times),
            Self::Parallel(_) => "parallel".to_owned(),
            Self::Include(path) => format!("include {}", path.value),
        }
    }
}
