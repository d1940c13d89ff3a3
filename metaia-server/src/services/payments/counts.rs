//! The counters of payments, for monitoring.

use std::sync::atomic::{AtomicU64, Ordering};

use metaia_realtime::event::PaymentFlag;

/// The reason why a signed delivery of the provider had no effect. It was answered with success all
/// the same: the provider would only repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IgnoredDelivery {
    /// The event was delivered before.
    Duplicate,
    /// The body is not an event.
    Unreadable,
    /// No event that moves a payment: `payment.authorized`, a partial refund.
    OtherEvent,
    /// The event lacks the id of its order or attempt, or its amount.
    Incomplete,
    /// The order is not one of ours.
    UnknownOrder,
    /// The payment shows already what the event reports.
    Unchanged,
    /// The payment lists too many attempts to list another one.
    NotListed,
}

/// The counts since the start of this node.
#[derive(Debug, Default)]
pub struct PaymentCounts {
    ignored: [AtomicU64; IgnoredDelivery::ALL.len()],
    flags: [AtomicU64; PaymentFlag::ALL.len()],
    unusual_ids: AtomicU64,
}

impl IgnoredDelivery {
    /// All reasons.
    const ALL: [Self; 7] = [
        Self::Duplicate,
        Self::Unreadable,
        Self::OtherEvent,
        Self::Incomplete,
        Self::UnknownOrder,
        Self::Unchanged,
        Self::NotListed,
    ];

    /// Returns the name of the reason in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Unreadable => "unreadable",
            Self::OtherEvent => "other_event",
            Self::Incomplete => "incomplete",
            Self::UnknownOrder => "unknown_order",
            Self::Unchanged => "unchanged",
            Self::NotListed => "not_listed",
        }
    }
}

impl PaymentCounts {
    /// Returns the number of deliveries without effect, by their reason.
    pub fn ignored(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.ignored.iter();
        IgnoredDelivery::ALL
            .into_iter()
            .zip(counts)
            .map(|(reason, count)| (reason.as_str(), count.load(Ordering::Relaxed)))
    }

    /// Returns the number of payments that got a flag, by the flag.
    pub fn flags(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.flags.iter();
        PaymentFlag::ALL
            .into_iter()
            .zip(counts)
            .map(|(flag, count)| (flag.as_str(), count.load(Ordering::Relaxed)))
    }

    /// Returns the number of attempts whose id does not have the provider's form.
    pub fn unusual_ids(&self) -> u64 {
        self.unusual_ids.load(Ordering::Relaxed)
    }

    pub(super) fn count_unusual_id(&self) {
        self.unusual_ids.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_ignored(&self, why: IgnoredDelivery) {
        for (reason, count) in IgnoredDelivery::ALL.iter().zip(&self.ignored) {
            if *reason == why {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn count_flag(&self, new: PaymentFlag) {
        for (flag, count) in PaymentFlag::ALL.iter().zip(&self.flags) {
            if *flag == new {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
