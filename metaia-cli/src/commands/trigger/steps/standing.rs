//! The order of a flow, as the last answer showed it: what remains if the flow ends early.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::terminal::one_line;

/// The last known state of a flow's order.
#[derive(Debug, Default)]
pub(super) struct Standing {
    order: Mutex<Option<Value>>,
}

impl Standing {
    /// Remembers the order of an answer's data, if there is one.
    pub(super) fn observe(&self, data: &Value) {
        if let Some(order) = data.get("order").filter(|order| order.is_object()) {
            let mut known = self.order.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(order.clone());
        }
    }

    /// Returns the failure of a flow that was interrupted there.
    pub(super) fn interrupted(&self, place: &str) -> Failure {
        Failure::new(
            Exit::Interrupted,
            format!("interrupted {place}: {}", self.text()),
        )
    }

    fn text(&self) -> String {
        let known = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(order) = known.as_ref() else {
            return "no order was touched".to_owned();
        };
        let text = |member: &str| one_line(order[member].as_str().unwrap_or("?")).into_owned();
        format!(
            "the order {} is {} ({})",
            text("orderNumber"),
            text("status"),
            text("_id")
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_interrupted_flow_says_where_its_order_stands() {
        let standing = Standing::default();
        let before = standing.interrupted("before `place the order`");
        insta::assert_snapshot!(
            before.chain(),
            @"interrupted before `place the order`: no order was touched"
        );
        standing.observe(&json!({"order": {
            "_id": "6b0d", "orderNumber": "MT-1", "status": "ready",
        }}));
        // A payment names its order by the id alone.
        standing.observe(&json!({"payment": {"order": "6b0d"}, "order": "6b0d"}));
        let later = standing.interrupted("before `status delivered`");
        assert_eq!(later.exit, Exit::Interrupted);
        insta::assert_snapshot!(
            later.chain(),
            @"interrupted before `status delivered`: the order MT-1 is ready (6b0d)"
        );
    }
}
