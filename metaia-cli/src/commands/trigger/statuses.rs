//! The statuses of an order on the way to its delivery.

/// The statuses of an order on the way to its delivery.
pub(crate) const STATUSES: [&str; 6] = [
    "pending",
    "confirmed",
    "in_progress",
    "ready",
    "out_for_delivery",
    "delivered",
];

/// Returns the status that follows this one, or `None` after the last or for any other status.
pub(super) fn status_after(status: &str) -> Option<&'static str> {
    let index = STATUSES.iter().position(|known| *known == status)?;
    STATUSES.get(index + 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_move_towards_delivery() {
        assert_eq!(status_after("pending"), Some("confirmed"));
        assert_eq!(status_after("out_for_delivery"), Some("delivered"));
        assert_eq!(status_after("delivered"), None);
        assert_eq!(status_after("cancelled"), None);
    }
}
