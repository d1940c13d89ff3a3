//! The acknowledgement of an event, as the server sent it.

use bytes::Bytes;
use serde_json::Value;

use super::error::SendError;

/// An acknowledgement with everything that the server sent.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Acknowledgement {
    /// Its arguments.
    pub args: Vec<Value>,
    /// Its binary attachments, to which `{"_placeholder": true, "num": n}` in the arguments refers.
    pub attachments: Vec<Bytes>,
}

impl Acknowledgement {
    /// Returns the first argument, or `null` if there is none.
    pub(crate) fn into_first(self) -> Result<Value, SendError> {
        if !self.attachments.is_empty() {
            return Err(SendError::BinaryAck);
        }
        Ok(self.args.into_iter().next().unwrap_or(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ack(args: Value, attachments: &[&'static [u8]]) -> Acknowledgement {
        let Value::Array(args) = args else {
            panic!("not a list")
        };
        let attachments = attachments.iter().copied().map(Bytes::from_static);
        Acknowledgement {
            args,
            attachments: attachments.collect(),
        }
    }

    #[test]
    fn the_first_argument_is_the_answer() {
        assert_eq!(ack(json!([]), &[]).into_first(), Ok(Value::Null));
        assert_eq!(ack(json!([1, 2]), &[]).into_first(), Ok(json!(1)));
    }

    #[test]
    fn attachments_are_not_dropped_in_silence() {
        let binary = ack(json!([{"_placeholder": true, "num": 0}]), &[b"jpeg"]);
        assert_eq!(binary.into_first(), Err(SendError::BinaryAck));
    }
}
