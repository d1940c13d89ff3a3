//! `--jq JQ`: a filter of output, on the command line.

use serde::Serialize;
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::expectation::{Filter, FilterValues, InvalidFilter};
use crate::printer::{Paint, Report};

/// A value that is printed as it is: a text without quotes, anything else as JSON.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct PlainValue {
    value: Value,
}

impl PlainValue {
    pub(crate) fn of(value: Value) -> Self {
        Self { value }
    }
}

impl Report for PlainValue {
    fn text(&self, _paint: Paint) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            other => serde_json::to_string_pretty(other).unwrap_or_else(|_| other.to_string()),
        }
    }
}

/// Parses the filter. What is wrong with it is said with the part that is wrong.
pub(crate) fn parse(text: &str) -> Result<Filter, Failure> {
    Filter::parse(text, &[]).map_err(|invalid| explain("--jq", text, invalid))
}

/// Returns what the filter makes of a value.
pub(crate) fn values(filter: &Filter, value: &Value) -> Result<Vec<Value>, Failure> {
    filter
        .values(value, &FilterValues::new())
        .map_err(|error| Failure::new(Exit::Failed, format!("--jq: {error}")))
}

/// Returns the failure of an option whose text is no filter.
pub(crate) fn explain(option: &str, text: &str, invalid: InvalidFilter) -> Failure {
    let wrong = text.get(invalid.span.clone()).unwrap_or_default();
    let place = if wrong.is_empty() {
        "at its end".to_owned()
    } else {
        format!("at {wrong:?}")
    };
    let failure = Failure::usage(format!("{option}, {place}: {}", invalid.message));
    match invalid.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
