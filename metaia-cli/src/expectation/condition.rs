//! `where`: a condition on an event, in jq. It gives exactly one boolean for each event; anything
//! else is an error and not "false", so that a misspelt condition does not pass as one that is not
//! met.

use serde_json::Value;

use super::filter::{Filter, FilterFailed, FilterValues, InvalidFilter};

/// A parsed condition. A clone shares it.
#[derive(Debug, Clone)]
pub(crate) struct Condition(Filter);

/// The reason why a condition is neither met nor unmet.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum NoBoolean {
    /// The condition gave another value.
    #[error("it gives {}, not true or false", named(.0))]
    Other(Value),
    /// The condition gave no value.
    #[error("it gives no value, not true or false")]
    Nothing,
    /// The condition gave more than one value.
    #[error("it gives several values ({}, {}, …), not true or false once", named(.0), named(.1))]
    Several(Value, Value),
    /// The condition has no value.
    #[error(transparent)]
    Failed(#[from] FilterFailed),
}

impl NoBoolean {
    /// Returns advice on the condition.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Other(Value::Null) => {
                Some("an absent member is null: check the name; those of the payload follow .data")
            }
            Self::Other(_) => Some("compare the value: == != < <= > >="),
            Self::Nothing => Some("for a list, write any(LIST; CONDITION) or all(LIST; CONDITION)"),
            Self::Several(..) => Some("write any(LIST; CONDITION) or all(LIST; CONDITION)"),
            Self::Failed(_) => None,
        }
    }
}

/// Returns the value as a person names it.
fn named(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

impl Condition {
    /// Parses a condition, which may use the variables of these names (without `$`).
    ///
    /// # Errors
    /// Returns what is wrong with the text, and where. `=` is refused: it assigns, so that the
    /// condition would be met by every event.
    pub(crate) fn parse(text: &str, variables: &[&str]) -> Result<Self, InvalidFilter> {
        Filter::without_assignment(text, variables).map(Self)
    }

    /// Returns whether the condition is met. `event` is [`Received::json`](super::Received::json).
    pub(crate) fn holds(&self, event: &Value, variables: &FilterValues) -> Result<bool, NoBoolean> {
        let mut values = self.0.first_values(event, variables, 2)?.into_iter();
        match (values.next(), values.next()) {
            (Some(Value::Bool(holds)), None) => Ok(holds),
            (Some(other), None) => Err(NoBoolean::Other(other)),
            (Some(first), Some(second)) => Err(NoBoolean::Several(first, second)),
            (None, _) => Err(NoBoolean::Nothing),
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::expectation::filter::any_json;

    fn holds(text: &str) -> Result<bool, NoBoolean> {
        let event = json!({"event": "order_update", "data": {"amount": 3, "items": [1, 2]}});
        let variables = FilterValues::from([("three".to_owned(), json!(3))]);
        Condition::parse(text, &["three"])
            .unwrap()
            .holds(&event, &variables)
    }

    #[test]
    fn a_condition_is_met_or_not() {
        assert_eq!(holds(".data.amount == 3"), Ok(true));
        assert_eq!(holds(".data.amount == $three"), Ok(true));
        assert_eq!(holds(".data.amount > 3"), Ok(false));
        assert_eq!(holds("any(.data.items[]; . > 1)"), Ok(true));
        assert_eq!(holds(".data | has(\"tailor\")"), Ok(false));
    }

    #[test]
    fn anything_but_one_boolean_is_an_error_that_names_it() {
        let error = |text: &str| {
            let error = holds(text).unwrap_err();
            let hint = error.hint().unwrap_or("(no hint)");
            format!("{text}\n  {error}\n  {hint}")
        };
        let texts = [
            ".data.amonut",
            ".data.amount",
            ".event",
            ".data.items",
            ".data",
            "empty",
            ".data.items[] > 1",
            ".data.amount.x",
            "until(false; .)",
        ];
        insta::assert_snapshot!(texts.map(error).join("\n"), @r#"
        .data.amonut
          it gives null, not true or false
          an absent member is null: check the name; those of the payload follow .data
        .data.amount
          it gives the number 3, not true or false
          compare the value: == != < <= > >=
        .event
          it gives a text, not true or false
          compare the value: == != < <= > >=
        .data.items
          it gives a list, not true or false
          compare the value: == != < <= > >=
        .data
          it gives an object, not true or false
          compare the value: == != < <= > >=
        empty
          it gives no value, not true or false
          for a list, write any(LIST; CONDITION) or all(LIST; CONDITION)
        .data.items[] > 1
          it gives several values (false, true, …), not true or false once
          write any(LIST; CONDITION) or all(LIST; CONDITION)
        .data.amount.x
          cannot index 3 with "x"
          (no hint)
        until(false; .)
          it does not end: it was stopped after a second's work
          (no hint)
        "#);
    }

    #[test]
    fn an_assignment_is_refused_where_it_stands() {
        for text in [
            ".data.amount = 3",
            "(.data.amount = 3) and true",
            "if (.data.amount = 3) then true else false end",
            "any(.data.items[]; (. = 1))",
        ] {
            let error = Condition::parse(text, &[]).unwrap_err();
            assert_eq!(&text[error.span], "=", "{text}");
            assert_eq!(error.message, "`=` assigns a value, which makes an object");
            assert_eq!(error.hint.as_deref(), Some("did you mean `==`?"));
        }
        assert!(Condition::parse(".a == \"x = y\"", &[]).is_ok());
        assert!(Condition::parse("(.a |= 1) == {a: 1}", &[]).is_ok());
    }

    proptest! {
        #[test]
        fn a_condition_on_any_json_is_met_or_an_error(event in any_json()) {
            for text in [".data.a == 1", ".a", ".[]", "length > 2", "any(..; . == 1)"] {
                let condition = Condition::parse(text, &[]).unwrap();
                let _ = condition.holds(&event, &FilterValues::new());
            }
        }
    }
}
