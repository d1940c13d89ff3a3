//! The payload of an unknown event: its top members, as in `n=1 name="two words"`.

use serde_json::{Map, Value};

use super::phrase::{Phrase, Tone};
use super::width::cut;

/// The widest value if not all members fit: others shall be seen, too.
const NARROW_VALUE: usize = 16;

/// The member that the server adds.
const STAMP: &str = "_rt";

/// Returns the members with their values, then with values that are cut. A payload that is no
/// object is shown as it is.
pub(super) fn phrases(data: &Value, left_out: Option<&str>) -> Vec<Phrase> {
    let Value::Object(members) = data else {
        return vec![Phrase::plain(&shown(data))];
    };
    let members = sorted(members, left_out);
    let full = joined(&members, None);
    let narrow = joined(&members, Some(NARROW_VALUE));
    vec![full, narrow]
}

/// Returns the members, first those that say more than that there is something in them.
fn sorted<'a>(
    members: &'a Map<String, Value>,
    left_out: Option<&str>,
) -> Vec<(&'a String, &'a Value)> {
    let is_shown = |name: &str| name != STAMP && Some(name) != left_out;
    let mut shown: Vec<_> = members.iter().filter(|(name, _)| is_shown(name)).collect();
    shown.sort_by_key(|(_, value)| value.is_object() || value.is_array());
    shown
}

fn joined(members: &[(&String, &Value)], limit: Option<usize>) -> Phrase {
    let mut phrase = Phrase::default();
    for (name, value) in members {
        if !phrase.is_empty() {
            phrase = phrase.with(Tone::Plain, " ");
        }
        let value = shown(value);
        let value = match limit {
            Some(limit) => cut(&value, limit),
            None => value.as_str().into(),
        };
        phrase = phrase.with(Tone::Dim, name).with(Tone::Dim, "=");
        phrase = phrase.with(Tone::Plain, &value);
    }
    phrase
}

/// Formats a value in a few characters. Texts are quoted only if they would be misread.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if is_word(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "[]".to_owned(),
        Value::Array(list) => format!("[{}]", list.len()),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
        other => crate::terminal::one_line(&other.to_string()).into_owned(),
    }
}

/// Returns true if the text is no number, and ends where a reader thinks that it ends.
fn is_word(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_-.:/@+#%&?!,;~*".contains(c);
    let is_other_value = serde_json::from_str::<Value>(text).is_ok();
    !text.is_empty() && text.chars().all(is_part) && !is_other_value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(data: Value, expected: &str) {
        assert_eq!(phrases(&data, Some("orderId"))[0].text(), expected);
    }

    #[test]
    fn members_are_shown_with_their_values() {
        check(json!({"n": 1, "by": "w3", "ok": true}), "by=w3 n=1 ok=true");
        check(
            json!({"note": "two words", "x": ""}),
            r#"note="two words" x="""#,
        );
        check(json!({"n": "1", "x": null}), r#"n="1" x=null"#);
        check(json!({}), "");
    }

    #[test]
    fn what_has_members_of_its_own_comes_last() {
        let data = json!({"a": {"x": 1}, "b": [1, 2], "c": 3, "d": [], "e": {}});
        check(data, "c=3 a={…} b=[2] d=[] e={}");
    }

    #[test]
    fn the_stamp_and_the_order_are_left_out() {
        check(
            json!({"_rt": {"at": "p.1"}, "orderId": "o1", "n": 1}),
            "n=1",
        );
    }

    #[test]
    fn a_payload_without_members_is_shown_as_it_is() {
        check(json!("two words"), r#""two words""#);
        check(json!(null), "null");
        check(json!([1, 2]), "[2]");
    }

    #[test]
    fn long_values_leave_room_for_others() {
        let data = json!({"a": "x".repeat(100), "b": 1});
        let narrow = phrases(&data, None)[1].text();
        assert_eq!(narrow, "a=xxxxxxxxxxxxxxx… b=1");
    }
}
