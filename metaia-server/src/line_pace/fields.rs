//! The fields of a line that its kind depends on.

use std::fmt::{self, Write as _};

use tracing::{
    Event,
    field::{Field, Visit},
};

/// The most characters of a message that are kept.
const MAX_CHARS: usize = 200;

/// Returns the field `code`, if the line has it.
pub(super) fn code(event: &Event<'_>) -> Option<String> {
    // Most lines have none: they are told by their names, without a look at a value.
    event.metadata().fields().field("code")?;
    let mut code = Code(None);
    event.record(&mut code);
    code.0
}

/// Returns the beginning of the message.
pub(super) fn message(event: &Event<'_>) -> String {
    let mut message = Message(String::new());
    event.record(&mut message);
    message.0.chars().take(MAX_CHARS).collect()
}

struct Code(Option<String>);

impl Visit for Code {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "code" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "code" {
            self.0 = Some(format!("{value:?}"));
        }
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
