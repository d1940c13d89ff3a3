//! Values of jaq from and to those of `serde_json`.

use jaq_json::{Num, Val};
use serde::Deserialize as _;
use serde_json::{Map, Number, Value};

/// Returns the value for jaq.
pub(super) fn to_jaq(value: &Value) -> Val {
    // JSON is a part of what jaq has, so nothing is refused.
    Val::deserialize(value).unwrap_or_default()
}

/// Returns the value as JSON. As in jq, a number that JSON does not have becomes `null`; keys and
/// bytes that are no text become their text.
pub(super) fn from_jaq(value: &Val) -> Value {
    match value {
        Val::Null => Value::Null,
        Val::Bool(value) => Value::Bool(*value),
        Val::Num(number) => from_number(number),
        Val::TStr(bytes) | Val::BStr(bytes) => Value::String(text(bytes)),
        Val::Arr(items) => items.iter().map(from_jaq).collect(),
        Val::Obj(members) => {
            let members = members.iter();
            let members: Map<_, _> = members.map(|(k, v)| (key(k), from_jaq(v))).collect();
            Value::Object(members)
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn key(key: &Val) -> String {
    match key {
        Val::TStr(bytes) | Val::BStr(bytes) => text(bytes),
        other => other.to_string(),
    }
}

fn from_number(number: &Num) -> Value {
    match number {
        Num::Int(value) => Value::from(*value),
        Num::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        Num::BigInt(_) | Num::Dec(_) => {
            serde_json::from_str(&number.to_string()).unwrap_or(Value::Null)
        }
    }
}
