//! The status of a tailor: whether they take work.

use metaia_realtime::{
    UserId,
    event::{TailorAvailability, TailorStatusUpdate},
};

use super::Timestamp;

/// The status that a tailor has set last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailorStatus {
    /// The tailor.
    pub tailor: UserId,
    /// The status.
    pub status: TailorAvailability,
    /// The time at which it was set.
    pub at: Timestamp,
}

impl TailorStatus {
    /// Returns the document that REST returns and `tailor_status_update` carries.
    #[must_use]
    pub fn document(&self) -> TailorStatusUpdate {
        TailorStatusUpdate {
            tailor_id: self.tailor.clone(),
            status: self.status,
            at: self.at.to_string(),
        }
    }
}
