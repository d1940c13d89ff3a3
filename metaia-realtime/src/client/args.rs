//! The arguments of events and acknowledgements, from the values of the application.

use serde::Serialize;
use serde_json::Value;

use super::error::SendError;

/// Returns one argument.
pub(crate) fn to_json(data: impl Serialize) -> Result<Value, SendError> {
    serde_json::to_value(data).map_err(|_| SendError::NotJson)
}

/// Returns the arguments of a list, or none for `()`.
pub(crate) fn to_args(args: impl Serialize) -> Result<Vec<Value>, SendError> {
    match to_json(args)? {
        Value::Null => Ok(Vec::new()),
        Value::Array(args) => Ok(args),
        _ => Err(SendError::NotAList),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_so_many_arguments() {
        assert_eq!(to_args(()), Ok(vec![]));
        assert_eq!(to_args([0; 0]), Ok(vec![]));
        assert_eq!(to_args(((),)), Ok(vec![Value::Null]));
        assert_eq!(
            to_args((1, "a", [2])),
            Ok(vec![json!(1), json!("a"), json!([2])])
        );
        assert_eq!(to_args(vec![1, 2]), Ok(vec![json!(1), json!(2)]));
        assert_eq!(to_args(json!([{}])), Ok(vec![json!({})]));
        assert_eq!(to_args("a"), Err(SendError::NotAList));
        assert_eq!(to_args(json!({})), Err(SendError::NotAList));
    }
}
