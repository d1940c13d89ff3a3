//! `match`: an expected JSON that is a subset of what came. An object fits if each of its members
//! does, a list if it has as many items and each fits, a number if its value is the same (`1` and
//! `1.0`).

use std::fmt;

use serde_json::{Map, Number, Value};

use crate::suggestion;

/// A part that does not fit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    /// A JSON pointer; empty for the whole value.
    pub(crate) pointer: String,
    pub(crate) expected: Value,
    /// Absent if there is no such member.
    pub(crate) got: Option<Value>,
    /// The member that is there and has a similar name.
    pub(crate) suggestion: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() {
            "the value"
        } else {
            &self.pointer
        };
        match (&self.got, &self.suggestion) {
            (Some(got), _) => write!(f, "{place} is {got}, not {}", self.expected),
            (None, Some(name)) => write!(f, "{place} is absent: did you mean {name}?"),
            (None, None) => write!(f, "{place} is absent, not {}", self.expected),
        }
    }
}

/// Returns whether the expected value is a subset.
pub(crate) fn fits(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => expected
            .iter()
            .all(|(name, expected)| got.get(name).is_some_and(|got| fits(expected, got))),
        (Value::Array(expected), Value::Array(got)) => {
            let mut items = expected.iter().zip(got);
            expected.len() == got.len() && items.all(|(expected, got)| fits(expected, got))
        }
        (Value::Number(expected), Value::Number(got)) => same_number(expected, got),
        (expected, got) => expected == got,
    }
}

/// Returns whether the numbers have the same value.
fn same_number(one: &Number, other: &Number) -> bool {
    let whole = |number: &Number| number.as_i128();
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one == other,
        (Some(whole), None) => same_as_float(whole, other),
        (None, Some(whole)) => same_as_float(whole, one),
        (None, None) => one.as_f64() == other.as_f64(),
    }
}

/// The decimal text compares large numbers exactly: a conversion would round them.
fn same_as_float(whole: i128, float: &Number) -> bool {
    let float = float.as_f64().unwrap_or(f64::NAN);
    // A negative zero plus zero is zero.
    float.fract() == 0.0 && format!("{:.0}", float + 0.0) == whole.to_string()
}

/// Returns the parts of the expected value that do not fit, in its order; empty if it fits.
pub(crate) fn differences(expected: &Value, got: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect(expected, got, "", &mut found);
    found
}

fn collect(expected: &Value, got: &Value, pointer: &str, found: &mut Vec<Difference>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (name, expected) in expected {
                collect_member(name, expected, got, pointer, found);
            }
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
                collect(expected, got, &format!("{pointer}/{index}"), found);
            }
        }
        (expected, got) if fits(expected, got) => {}
        (expected, got) => found.push(Difference {
            pointer: pointer.to_owned(),
            expected: expected.clone(),
            got: Some(got.clone()),
            suggestion: None,
        }),
    }
}

fn collect_member(
    name: &str,
    expected: &Value,
    members: &Map<String, Value>,
    pointer: &str,
    found: &mut Vec<Difference>,
) {
    let pointer = format!("{pointer}/{}", escaped(name));
    match members.get(name) {
        Some(got) => collect(expected, got, &pointer, found),
        None => found.push(Difference {
            pointer,
            expected: expected.clone(),
            got: None,
            suggestion: suggestion::nearest(name, members.keys().map(String::as_str))
                .map(str::to_owned),
        }),
    }
}

/// Escapes a name for a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::expectation::filter::any_json;

    fn pointers(expected: &Value, got: &Value) -> Vec<String> {
        let found = differences(expected, got);
        assert_eq!(found.is_empty(), fits(expected, got));
        found
            .into_iter()
            .map(|difference| difference.pointer)
            .collect()
    }

    #[track_caller]
    fn check(expected: Value, got: Value, pointer: &[&str]) {
        assert_eq!(pointers(&expected, &got), pointer, "{expected} {got}");
    }

    #[test]
    fn each_expected_member_has_to_fit_and_others_do_not_count() {
        check(json!({"a": 1}), json!({"a": 1, "b": 2}), &[]);
        check(json!({"a": 1, "b": 2}), json!({"a": 1}), &["/b"]);
        check(
            json!({"a": {"b": 1}}),
            json!({"a": {"b": 2, "c": 3}}),
            &["/a/b"],
        );
        check(json!({"a/b~": 1}), json!({}), &["/a~1b~0"]);
        check(json!({}), json!({"a": 1}), &[]);
        check(json!({}), json!([]), &[""]);
        check(json!({"a": null}), json!({}), &["/a"]);
        check(json!({"a": null}), json!({"a": null}), &[]);
    }

    #[test]
    fn a_list_has_to_fit_item_by_item() {
        check(json!([{"a": 1}]), json!([{"a": 1, "b": 2}]), &[]);
        check(json!([1, 2]), json!([1, 3]), &["/1"]);
        check(json!([1]), json!([1, 2]), &[""]);
        check(json!([]), json!([1]), &[""]);
        check(
            json!({"a": [1, 2]}),
            json!({"a": [2, 1]}),
            &["/a/0", "/a/1"],
        );
    }

    #[test]
    fn numbers_are_compared_by_value() {
        check(json!(1), json!(1.0), &[]);
        check(json!(-2.0), json!(-2), &[]);
        check(json!(0), json!(-0.0), &[]);
        check(json!(1.5), json!(1), &[""]);
        check(json!(u64::MAX), json!(-1), &[""]);
        check(
            json!(9_007_199_254_740_993_u64),
            json!(9_007_199_254_740_992.0),
            &[""],
        );
        check(json!(1e300), json!(1e300), &[]);
        check(json!(1e300), json!(1), &[""]);
        check(json!("1"), json!(1), &[""]);
        check(json!(true), json!(1), &[""]);
    }

    #[test]
    fn a_missing_member_gets_the_similar_one_that_is_there() {
        let found = differences(
            &json!({"staus": "ready"}),
            &json!({"_id": "o1", "status": "ready"}),
        );
        assert_eq!(found[0].got, None);
        assert_eq!(found[0].suggestion.as_deref(), Some("status"));
        assert_eq!(
            found[0].to_string(),
            "/staus is absent: did you mean status?"
        );
        let found = differences(&json!({"tailor": "t1"}), &json!({"status": "ready"}));
        assert_eq!(found[0].suggestion, None);
        assert_eq!(found[0].to_string(), "/tailor is absent, not \"t1\"");
        let found = differences(&json!({"version": 5}), &json!({"version": 4}));
        assert_eq!(found[0].to_string(), "/version is 4, not 5");
    }

    /// Adds members to the objects of a value, at every level.
    fn extended(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(extended).collect(),
            Value::Object(members) => {
                let more = [("zz".to_owned(), json!(1))];
                let members = members
                    .iter()
                    .map(|(name, value)| (name.clone(), extended(value)));
                Value::Object(more.into_iter().chain(members).collect())
            }
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn a_value_with_more_members_fits(value in any_json()) {
            prop_assert!(fits(&value, &value));
            prop_assert!(fits(&value, &extended(&value)));
        }

        #[test]
        fn there_is_no_difference_exactly_if_it_fits(one in any_json(), other in any_json()) {
            prop_assert_eq!(differences(&one, &other).is_empty(), fits(&one, &other));
        }

        #[test]
        fn each_difference_is_where_its_pointer_says(one in any_json(), other in any_json()) {
            for difference in differences(&one, &other) {
                prop_assert_eq!(one.pointer(&difference.pointer), Some(&difference.expected));
                prop_assert_eq!(other.pointer(&difference.pointer), difference.got.as_ref());
            }
        }
    }
}
