//! Applying filters.

use jaq_core::{Ctx, Exn, Vars};
use jaq_json::Val;
use serde_json::Value;

use super::convert::{from_jaq, to_jaq};
use super::steps::{Limit, Running, Stepped, Steps};
use super::{Filter, FilterValues};

/// The longest text of an error of jq: it may contain the whole event.
const MAX_ERROR: usize = 160;

/// The reason why a filter has no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterFailed {
    /// jq's own error, for instance for an index into a number.
    #[error("{0}")]
    Raised(String),
    /// The filter was stopped.
    #[error("it does not end: it was stopped after a second's work")]
    TooManySteps,
    /// The filter was stopped.
    #[error("it calls itself too deeply: it was stopped")]
    TooDeep,
    /// The filter was stopped.
    #[error("it makes a value that is too large: it was stopped")]
    TooLarge,
    /// The caller gave no value for a variable that the filter was parsed with.
    #[error("the variable ${0} has no value")]
    UnsetVariable(String),
    /// One value was wanted.
    #[error("it gives no value")]
    Nothing,
    /// One value was wanted.
    #[error("it gives several values, not one")]
    Several,
}

impl Filter {
    /// Returns all values that the filter makes of this input.
    pub(crate) fn values(
        &self,
        input: &Value,
        variables: &FilterValues,
    ) -> Result<Vec<Value>, FilterFailed> {
        self.first_values(input, variables, usize::MAX)
    }

    /// Returns the value that the filter makes of this input.
    ///
    /// # Errors
    /// Returns an error if the filter fails, or makes no value or several.
    pub(crate) fn value(
        &self,
        input: &Value,
        variables: &FilterValues,
    ) -> Result<Value, FilterFailed> {
        let mut values = self.first_values(input, variables, 2)?.into_iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (Some(_), Some(_)) => Err(FilterFailed::Several),
            (None, _) => Err(FilterFailed::Nothing),
        }
    }

    /// Returns the first `limit` values that the filter makes of this input.
    pub(crate) fn first_values(
        &self,
        input: &Value,
        variables: &FilterValues,
        limit: usize,
    ) -> Result<Vec<Value>, FilterFailed> {
        let vars = self.bound(variables)?;
        let steps = Steps::new();
        let running = Running {
            program: &self.program,
            steps: &steps,
        };
        let ctx = Ctx::<Stepped>::new(running, vars);
        let outputs = self.program.id.run((ctx, to_jaq(input)));
        let values = outputs.map(|output| output.map(|value| from_jaq(&value)));
        values
            .take(limit)
            .map(|value| value.map_err(failed))
            .collect()
    }

    fn bound(&self, variables: &FilterValues) -> Result<Vars<Val>, FilterFailed> {
        let values = self.variables.iter().map(|name| {
            let name = name.trim_start_matches('$');
            let value = variables.get(name).map(to_jaq);
            value.ok_or_else(|| FilterFailed::UnsetVariable(name.to_owned()))
        });
        let values: Vec<Val> = values.collect::<Result<_, _>>()?;
        Ok(Vars::new(values))
    }
}

fn failed(exception: Exn<'_, Val>) -> FilterFailed {
    let exception = match exception.get_err() {
        Ok(error) => return FilterFailed::Raised(shortened(&error.to_string())),
        Err(exception) => exception,
    };
    match exception.get_halt().map(Limit::of_code) {
        Ok(Limit::Steps) => FilterFailed::TooManySteps,
        Ok(Limit::Stack) => FilterFailed::TooDeep,
        Ok(Limit::Size) => FilterFailed::TooLarge,
        Err(_) => FilterFailed::Raised("it breaks out of nothing".to_owned()),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_ERROR {
        return text.to_owned();
    }
    let start: String = text.chars().take(MAX_ERROR).collect();
    start + "…"
}
