//! The status of a tailor: whether they take work.

use metaia_realtime::{UserId, event::TailorAvailability};
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The status that a tailor has set last: the document that REST returns and
/// `tailor_status_update` carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TailorStatus {
    /// The tailor.
    #[serde(rename = "tailorId")]
    #[schema(value_type = String)]
    pub tailor: UserId,
    /// `available`, `busy` or `offline`.
    #[schema(value_type = String)]
    pub status: TailorAvailability,
    /// The time at which it was set: RFC 3339, UTC, milliseconds.
    #[schema(value_type = String)]
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::user;
    use metaia_realtime::event::TailorStatusUpdate;

    #[test]
    fn the_document_is_the_payload_of_the_library() {
        let status = TailorStatus {
            tailor: user("t1"),
            status: TailorAvailability::Busy,
            at: Timestamp::now(),
        };
        let document = serde_json::to_string(&status).unwrap();
        let payload: TailorStatusUpdate = serde_json::from_str(&document).unwrap();
        assert_eq!(serde_json::to_string(&payload).unwrap(), document);
    }
}
