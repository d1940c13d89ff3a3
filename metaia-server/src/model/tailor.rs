//! Whether a tailor takes work.

use metaia_realtime::{
    UserId,
    event::{TailorAvailability, TailorStatusUpdate},
};

use super::Timestamp;

/// What a tailor said of themselves last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailorStatus {
    /// The tailor.
    pub tailor: UserId,
    /// What they said.
    pub status: TailorAvailability,
    /// When.
    pub at: Timestamp,
}

impl TailorStatus {
    /// The document, as REST answers it and `tailor_status_update` carries it.
    #[must_use]
    pub fn document(&self) -> TailorStatusUpdate {
        TailorStatusUpdate {
            tailor_id: self.tailor.clone(),
            status: self.status,
            at: self.at.to_string(),
        }
    }
}
