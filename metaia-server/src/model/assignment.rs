//! The assignment of a tailor and a courier to an order, as a pure change.

use metaia_realtime::{Role, UserId};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Order, Timestamp};

/// The body of `PUT /api/orders/:id/assign`. A member that is left out stays as it is; `null`
/// removes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assignment {
    /// The tailor who makes the order.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tailor: Seat,
    /// The courier who delivers the order.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub delivery_partner: Seat,
}

/// The change of one seat: that of the tailor or that of the courier.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub enum Seat {
    /// The seat stays as it is.
    #[default]
    Keep,
    /// The seat becomes empty.
    Clear,
    /// The seat goes to this user.
    Give(UserId),
}

impl<'de> Deserialize<'de> for Seat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<UserId>::deserialize(deserializer)?.map_or(Self::Clear, Self::Give))
    }
}

impl Seat {
    fn apply(&self, now: Option<&UserId>) -> Option<UserId> {
        match self {
            Self::Keep => now.cloned(),
            Self::Clear => None,
            Self::Give(user) => Some(user.clone()),
        }
    }
}

/// The result of an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The order in its next version.
    pub order: Order,
    /// The users who are assigned now and were not before.
    pub added: Vec<(Role, UserId)>,
    /// The users who were assigned before and are not now.
    pub removed: Vec<(Role, UserId)>,
}

impl Assignment {
    /// Returns whether the body has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Order {
    /// Returns the order after the assignment; `None` if the assignment changes nothing.
    #[must_use]
    pub fn assigned(&self, assignment: &Assignment, now: Timestamp) -> Option<Assigned> {
        let tailor = assignment.tailor.apply(self.tailor.as_ref());
        let courier = assignment
            .delivery_partner
            .apply(self.delivery_partner.as_ref());
        let seats = [
            (Role::Tailor, &self.tailor, &tailor),
            (Role::Delivery, &self.delivery_partner, &courier),
        ];
        let mut added = Vec::new();
        let mut removed = Vec::new();
        for (role, before, after) in seats {
            if before == after {
                continue;
            }
            added.extend(after.clone().map(|user| (role, user)));
            removed.extend(before.clone().map(|user| (role, user)));
        }
        // A seat that changes either gains a user or loses one.
        if added.is_empty() && removed.is_empty() {
            return None;
        }
        let order = Self {
            tailor,
            delivery_partner: courier,
            ..self.next_version(now)
        };
        Some(Assigned {
            order,
            added,
            removed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::order;
    use proptest::{option, prelude::*, sample::select};

    fn seat() -> impl Strategy<Value = Seat> {
        let user = select(&["a", "b"][..]).prop_map(|u| Seat::Give(u.parse().unwrap()));
        prop_oneof![Just(Seat::Keep), Just(Seat::Clear), user]
    }

    fn maybe_user() -> impl Strategy<Value = Option<UserId>> {
        option::of(select(&["a", "b"][..]).prop_map(|u| u.parse().unwrap()))
    }

    proptest! {
        /// The users who may see the order afterwards are those who might before, without the
        /// removed and with the added.
        #[test]
        fn added_and_removed_are_exactly_the_difference(
            before in (maybe_user(), maybe_user()), tailor in seat(), courier in seat()
        ) {
            let order = Order { tailor: before.0, delivery_partner: before.1, ..order() };
            let assignment = Assignment { tailor, delivery_partner: courier };
            let Some(assigned) = order.assigned(&assignment, order.updated_at) else {
                return Ok(());
            };
            let Assigned { order: after, added, removed } = assigned;
            prop_assert_eq!(after.version, order.version + 1);
            for role in [Role::Tailor, Role::Delivery] {
                for user in ["a", "b"] {
                    let user: UserId = user.parse().unwrap();
                    let key = (role, user.clone());
                    let was = order.admits(&user, role);
                    let is = after.admits(&user, role);
                    prop_assert_eq!(added.contains(&key), is && !was);
                    prop_assert_eq!(removed.contains(&key), was && !is);
                }
            }
            prop_assert!(after.assigned(&assignment, order.updated_at).is_none());
        }
    }

    #[test]
    fn null_clears_and_a_missing_member_keeps() {
        let read = |text: &str| serde_json::from_str::<Assignment>(text);
        assert_eq!(
            read(r#"{"tailor":null}"#).unwrap(),
            Assignment {
                tailor: Seat::Clear,
                ..Assignment::default()
            }
        );
        assert!(read("{}").unwrap().is_empty());
        assert!(read(r#"{"tailor":{"$ne":null}}"#).is_err());
        assert!(read(r#"{"courier":"c"}"#).is_err());
    }
}
