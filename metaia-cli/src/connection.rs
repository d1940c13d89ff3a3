//! Connections of the commands that receive events.

pub(crate) use crate::connecting::{
    builder, builder_for, close, connect, connect_or_error, explain,
};

/// Returns the name of a new installation. The server has stored no position for it, so that no
/// missed event is sent to it.
pub(crate) fn new_device() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
