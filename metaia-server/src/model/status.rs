//! The transitions of an order's status, and the roles that may make them: a pure table.
//!
//! `pending → confirmed → in_progress → ready → out_for_delivery → delivered`, one arrow at a time,
//! and `cancelled` from any before `out_for_delivery`. Nothing leads out of `delivered` and
//! `cancelled`.

use std::{fmt, str::FromStr};

use metaia_realtime::{
    Role,
    planted_faults::{Fault, planted},
};
use serde::{Deserialize, Serialize};

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Placed by the customer.
    Pending,
    /// Accepted by the marketplace.
    Confirmed,
    /// The tailor works on it.
    InProgress,
    /// The tailor has finished it.
    Ready,
    /// The courier has it.
    OutForDelivery,
    /// The customer has it.
    Delivered,
    /// Called off.
    Cancelled,
}

/// The reason why a role may not make a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionRefusal {
    /// The transition is not one of this role.
    Forbidden,
    /// No role may make it from the current status.
    Illegal,
}

impl OrderStatus {
    /// Every status, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Confirmed,
        Self::InProgress,
        Self::Ready,
        Self::OutForDelivery,
        Self::Delivered,
        Self::Cancelled,
    ];

    /// Returns the name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::InProgress => "in_progress",
            Self::Ready => "ready",
            Self::OutForDelivery => "out_for_delivery",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns whether the status never changes any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Cancelled)
    }

    /// Returns whether the order was confirmed and is not final: whether work on it is expected.
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        !self.is_final() && !matches!(self, Self::Pending)
    }

    const fn next(self) -> Option<Self> {
        match self {
            Self::Pending => Some(Self::Confirmed),
            Self::Confirmed => Some(Self::InProgress),
            Self::InProgress => Some(Self::Ready),
            Self::Ready => Some(Self::OutForDelivery),
            Self::OutForDelivery => Some(Self::Delivered),
            Self::Delivered | Self::Cancelled => None,
        }
    }

    const fn can_be_cancelled(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::Confirmed | Self::InProgress | Self::Ready
        )
    }

    fn leads_to(self, to: Self) -> bool {
        self.next() == Some(to) || (to == Self::Cancelled && self.can_be_cancelled())
    }
}

/// Checks that a role in an order (its own customer, its assigned tailor or courier, or an admin)
/// may move it from one status to another.
///
/// # Errors
/// Returns [`TransitionRefusal::Forbidden`] if other roles may make this transition or if the role
/// never sets `to`, and [`TransitionRefusal::Illegal`] if the role sets `to`, but no role does so
/// from `from`.
pub fn step(role: Role, from: OrderStatus, to: OrderStatus) -> Result<(), TransitionRefusal> {
    let possible = from.leads_to(to) || planted(Fault::IllegalStepAccepted);
    let is_own = may_make(role, from, to) || planted(Fault::ForbiddenStepAccepted);
    if possible && is_own {
        return Ok(());
    }
    let sets_it_elsewhere = OrderStatus::ALL
        .into_iter()
        .any(|from| may_make(role, from, to));
    if possible || !sets_it_elsewhere {
        Err(TransitionRefusal::Forbidden)
    } else {
        Err(TransitionRefusal::Illegal)
    }
}

/// Returns whether a transition, if it is possible at all, is one of this role.
const fn may_make(role: Role, from: OrderStatus, to: OrderStatus) -> bool {
    use OrderStatus::{Cancelled, Delivered, InProgress, OutForDelivery, Pending, Ready};
    match role {
        Role::Admin => true,
        Role::Customer => matches!((from, to), (Pending, Cancelled)),
        Role::Tailor => matches!(to, InProgress | Ready),
        Role::Delivery => matches!(to, OutForDelivery | Delivered),
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not an [`OrderStatus`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be one of pending, confirmed, in_progress, ready, out_for_delivery, delivered, cancelled"
)]
pub struct UnknownStatus;

impl FromStr for OrderStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OrderStatus::*;
    use proptest::{prelude::*, sample::select};

    fn rank(status: OrderStatus) -> usize {
        OrderStatus::ALL.iter().position(|s| *s == status).unwrap()
    }

    proptest! {
        /// In any sequence of attempts, an order only moves forward, and never once it is final.
        #[test]
        fn an_order_only_moves_forward(
            tries in proptest::collection::vec(
                (select(&Role::ALL[..]), select(&OrderStatus::ALL[..])), 0..40
            )
        ) {
            let mut status = Pending;
            for (role, to) in tries {
                if step(role, status, to).is_ok() {
                    prop_assert!(rank(to) > rank(status) && !status.is_final());
                    status = to;
                }
            }
        }

        /// An admin may do what any role may do.
        #[test]
        fn an_admin_may_do_what_any_role_may(
            role in select(&Role::ALL[..]),
            from in select(&OrderStatus::ALL[..]),
            to in select(&OrderStatus::ALL[..]),
        ) {
            prop_assert!(step(role, from, to).is_err() || step(Role::Admin, from, to).is_ok());
        }
    }

    #[test]
    fn the_whole_table_is_the_contracts() {
        let allowed = |role| -> Vec<(OrderStatus, OrderStatus)> {
            let pairs = OrderStatus::ALL
                .into_iter()
                .flat_map(|a| OrderStatus::ALL.map(|b| (a, b)));
            pairs.filter(|(a, b)| step(role, *a, *b).is_ok()).collect()
        };
        assert_eq!(allowed(Role::Customer), [(Pending, Cancelled)]);
        assert_eq!(
            allowed(Role::Tailor),
            [(Confirmed, InProgress), (InProgress, Ready)]
        );
        assert_eq!(
            allowed(Role::Delivery),
            [(Ready, OutForDelivery), (OutForDelivery, Delivered)]
        );
        assert_eq!(allowed(Role::Admin).len(), 5 + 4);
    }

    #[test]
    fn a_refusal_says_whether_the_role_or_the_moment_is_wrong() {
        assert_eq!(
            step(Role::Customer, Pending, Confirmed),
            Err(TransitionRefusal::Forbidden)
        );
        assert_eq!(
            step(Role::Customer, Confirmed, Cancelled),
            Err(TransitionRefusal::Forbidden)
        );
        assert_eq!(
            step(Role::Customer, OutForDelivery, Cancelled),
            Err(TransitionRefusal::Illegal)
        );
        assert_eq!(
            step(Role::Tailor, Pending, Confirmed),
            Err(TransitionRefusal::Forbidden)
        );
        assert_eq!(
            step(Role::Tailor, Pending, Ready),
            Err(TransitionRefusal::Illegal)
        );
        assert_eq!(
            step(Role::Admin, Delivered, Cancelled),
            Err(TransitionRefusal::Illegal)
        );
    }

    #[test]
    fn a_status_reads_back_and_has_one_name() {
        for status in OrderStatus::ALL {
            assert_eq!(status.to_string().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
