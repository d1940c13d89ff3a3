//! Who makes an order and who brings it: a pure change of two seats.

use metaia_realtime::{Role, UserId};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Order, Timestamp};

/// The body of `PUT /api/orders/:id/assign`. A member that is left out stays as it is; `null`
/// removes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assignment {
    /// Who makes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tailor: Seat,
    /// Who brings it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub delivery_partner: Seat,
}

/// What becomes of one seat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub enum Seat {
    /// Stays as it is.
    #[default]
    Keep,
    /// Becomes empty.
    Clear,
    /// Is given to somebody.
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

/// What an assignment made of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The order in its next version.
    pub order: Order,
    /// Who has it now and had not before.
    pub added: Vec<(Role, UserId)>,
    /// Who had it before and has not now.
    pub removed: Vec<(Role, UserId)>,
}

impl Assignment {
    /// Whether the body said nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Order {
    /// The order after the assignment; `None` where that changes nothing.
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
        let changed: Vec<_> = seats
            .into_iter()
            .filter(|(_, before, after)| before != after)
            .collect();
        if changed.is_empty() {
            return None;
        }
        let added = changed
            .iter()
            .filter_map(|(role, _, after)| Some((*role, (*after).clone()?)));
        let removed = changed
            .iter()
            .filter_map(|(role, before, _)| Some((*role, (*before).clone()?)));
        let (added, removed) = (added.collect(), removed.collect());
        let order = Self {
            tailor,
            delivery_partner: courier,
            ..self.changed(now)
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

    fn somebody() -> impl Strategy<Value = Option<UserId>> {
        option::of(select(&["a", "b"][..]).prop_map(|u| u.parse().unwrap()))
    }

    proptest! {
        /// Who may see the order afterwards is who might before, without the removed, with the
        /// added.
        #[test]
        fn added_and_removed_are_exactly_the_difference(
            before in (somebody(), somebody()), tailor in seat(), courier in seat()
        ) {
            let order = Order { tailor: before.0, delivery_partner: before.1, ..order() };
            let assignment = Assignment { tailor, delivery_partner: courier };
            let Some(Assigned { order: after, added, removed }) = order.assigned(&assignment, order.updated_at) else {
                return Ok(());
            };
            prop_assert_eq!(after.version, order.version + 1);
            for role in [Role::Tailor, Role::Delivery] {
                for user in ["a", "b"] {
                    let user: UserId = user.parse().unwrap();
                    let key = (role, user.clone());
                    let (was, is) = (order.admits(&user, role), after.admits(&user, role));
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
