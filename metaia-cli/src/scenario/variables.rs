//! Variables of a scenario: `$order`, `$order.orderNumber`, `${order}` within a text.
//!
//! A text that is only a variable has the variable's value, whatever its type. Within a longer text
//! it is replaced by its value as text. An object with an `_id` stands for this id. `$$` is `$`.

use std::collections::BTreeMap;

use serde_json::Value;

/// The values of variables by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    values: BTreeMap<String, Value>,
}

/// A variable that has no value, or no such member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unset {
    /// As it is written, without `$`.
    pub(crate) name: String,
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    /// `order.orderNumber`.
    Variable(&'a str),
}

impl Variables {
    pub(crate) fn set(&mut self, name: impl Into<String>, value: Value) {
        self.values.insert(name.into(), value);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    pub(crate) fn values(&self) -> &BTreeMap<String, Value> {
        &self.values
    }

    /// Returns the values, an object with an `_id` as this id.
    pub(crate) fn identified(&self) -> BTreeMap<String, Value> {
        let values = self.values.iter();
        values
            .map(|(name, value)| (name.clone(), identified(value.clone())))
            .collect()
    }

    /// Replaces the variables in every text of a value.
    pub(crate) fn resolve(&self, template: &Value) -> Result<Value, Unset> {
        Ok(match template {
            Value::String(text) => self.resolve_text(text)?,
            Value::Array(items) => {
                let items: Result<_, Unset> = items.iter().map(|item| self.resolve(item)).collect();
                Value::Array(items?)
            }
            Value::Object(members) => {
                let resolved = members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.resolve(value)?)));
                Value::Object(resolved.collect::<Result<_, Unset>>()?)
            }
            other => other.clone(),
        })
    }

    /// Replaces the variables of a text.
    pub(crate) fn resolve_text(&self, text: &str) -> Result<Value, Unset> {
        let parts = parts(text);
        if let [Part::Variable(path)] = parts.as_slice() {
            return self.lookup(path).map(identified);
        }
        let mut resolved = String::new();
        for part in parts {
            match part {
                Part::Text(text) => resolved.push_str(text),
                Part::Variable(path) => resolved.push_str(&as_text(&self.lookup(path)?)),
            }
        }
        Ok(Value::String(resolved))
    }

    /// Replaces the variables of a text, and returns it as text.
    pub(crate) fn text(&self, text: &str) -> Result<String, Unset> {
        self.resolve_text(text).map(|value| as_text(&value))
    }

    /// Returns the whole value of a text that is only a variable, also if it has an `_id`.
    pub(crate) fn whole(&self, text: &str) -> Result<Value, Unset> {
        match parts(text).as_slice() {
            [Part::Variable(path)] => self.lookup(path),
            _ => self.resolve_text(text),
        }
    }

    fn lookup(&self, path: &str) -> Result<Value, Unset> {
        let unset = || Unset {
            name: path.to_owned(),
        };
        let mut names = path.split('.');
        let first = names.next().unwrap_or_default();
        let mut value = self.values.get(first).ok_or_else(unset)?;
        for name in names {
            let member = match name.parse::<usize>() {
                Ok(index) => value.get(index),
                Err(_) => value.get(name),
            };
            value = member.ok_or_else(unset)?;
        }
        Ok(value.clone())
    }
}

/// Returns whether a text is only a variable.
pub(crate) fn is_variable(text: &str) -> bool {
    matches!(parts(text).as_slice(), [Part::Variable(_)])
}

/// Returns the names of the variables in every text of a value.
pub(crate) fn names(template: &Value) -> Vec<&str> {
    match template {
        Value::String(text) => names_in_text(text),
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Object(members) => members.values().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// Returns the names of the variables of a text, without their members.
pub(crate) fn names_in_text(text: &str) -> Vec<&str> {
    let variables = parts(text).into_iter().filter_map(|part| match part {
        Part::Variable(path) => path.split('.').next(),
        Part::Text(_) => None,
    });
    variables.collect()
}

/// Returns an object with an `_id` as this id, and any other value as it is.
fn identified(value: Value) -> Value {
    match value.get("_id") {
        Some(id) => id.clone(),
        None => value,
    }
}

fn as_text(value: &Value) -> String {
    match value.get("_id").unwrap_or(value) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let before = &rest[..at];
        let after = &rest[at + 1..];
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        let (part, used) = after_dollar(after);
        parts.push(part);
        rest = &after[used..];
    }
    if !rest.is_empty() || parts.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// Reads what follows a `$`, and returns the number of bytes that were read.
fn after_dollar(after: &str) -> (Part<'_>, usize) {
    if after.starts_with('$') {
        return (Part::Text("$"), 1);
    }
    if let Some(braced) = after.strip_prefix('{')
        && let Some(end) = braced.find('}')
    {
        return (Part::Variable(&braced[..end]), end + 2);
    }
    let length = path_length(after);
    if length == 0 {
        return (Part::Text("$"), 0);
    }
    (Part::Variable(&after[..length]), length)
}

/// Returns the length of a name with members. A dot that no name follows is not part of it.
fn path_length(text: &str) -> usize {
    let mut length = name_length(text);
    while length > 0 && text[length..].starts_with('.') {
        let member = name_length(&text[length + 1..]);
        if member == 0 {
            break;
        }
        length += 1 + member;
    }
    length
}

fn name_length(text: &str) -> usize {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.find(|c: char| !is_name(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set(
            "order",
            json!({"_id": "o1", "orderNumber": "MT-1", "items": [{"n": 2}]}),
        );
        variables.set("n", json!(3));
        variables.set("buyer", json!("buyer-7f"));
        variables
    }

    #[track_caller]
    fn check(template: Value, expected: Value) {
        assert_eq!(variables().resolve(&template), Ok(expected));
    }

    #[test]
    fn a_text_that_is_only_a_variable_has_its_value() {
        check(json!("$n"), json!(3));
        check(json!("$order"), json!("o1"));
        check(json!("$order.orderNumber"), json!("MT-1"));
        check(json!("$order.items.0.n"), json!(2));
        check(json!({"a": ["$n", true]}), json!({"a": [3, true]}));
    }

    #[test]
    fn a_variable_within_a_text_becomes_text() {
        check(json!("order-$order, n $n."), json!("order-o1, n 3."));
        check(json!("${buyer}x"), json!("buyer-7fx"));
        check(json!("$$5 and 5 $"), json!("$5 and 5 $"));
    }

    #[test]
    fn a_whole_value_keeps_its_members() {
        assert_eq!(variables().whole("$order").unwrap()["orderNumber"], "MT-1");
    }

    #[test]
    fn a_text_that_is_only_a_variable_is_told_apart() {
        for text in ["$order", "$order.items.0", "${order}"] {
            assert!(is_variable(text), "{text}");
        }
        for text in ["order", "x-$order", "$order$n", "$$order", ""] {
            assert!(!is_variable(text), "{text}");
        }
    }

    #[test]
    fn a_variable_without_a_value_is_named() {
        let unset = |text: &str| variables().text(text).unwrap_err().name;
        assert_eq!(unset("$nobody"), "nobody");
        assert_eq!(unset("a $order.staus"), "order.staus");
        assert_eq!(unset("$n.x"), "n.x");
    }

    #[test]
    fn the_names_of_a_template_are_without_members() {
        let template = json!({"a": "$order.items", "b": ["x $n ${buyer}"]});
        assert_eq!(names(&template), ["order", "n", "buyer"]);
    }

    proptest! {
        #[test]
        fn a_text_without_a_dollar_stays(text in "[^$]*") {
            prop_assert_eq!(Variables::default().text(&text), Ok(text));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = variables().text(&text);
            let _ = names_in_text(&text);
        }

        #[test]
        fn an_escaped_text_is_itself(text in any::<String>()) {
            let escaped = text.replace('$', "$$");
            prop_assert_eq!(Variables::default().text(&escaped), Ok(text));
        }
    }
}
