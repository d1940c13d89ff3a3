//! `ROLE:USER`: the role and user that a command acts as.

use std::fmt;
use std::str::FromStr;

use metaia_realtime::values::{InvalidId, UnknownRole};
use metaia_realtime::{Role, UserId};
use serde::{Serialize, Serializer};

/// The role and user that a command acts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) role: Role,
    pub(crate) user: UserId,
}

impl FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, user) = text
            .split_once(':')
            .ok_or("write ROLE:USER, such as customer:u1")?;
        let role = role
            .parse()
            .map_err(|error: UnknownRole| error.to_string())?;
        if user.is_empty() {
            let text = "no user stands behind the colon: if it comes from a variable, check that \
                        the variable is set";
            return Err(text.to_owned());
        }
        let user = user.parse().map_err(|error: InvalidId| error.to_string())?;
        Ok(Self { role, user })
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role, self.user)
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_a_role_and_a_user() {
        let actor: Actor = "delivery_partner:d1".parse().unwrap();
        assert_eq!(actor.role, Role::Delivery);
        assert_eq!(actor.user.as_str(), "d1");
        assert_eq!(actor.to_string(), "delivery:d1");
    }

    #[test]
    fn an_invalid_actor_is_refused_with_a_reason() {
        for text in [
            "",
            "customer",
            "nobody:u1",
            "customer:",
            "customer:a b",
            "Customer:u1",
        ] {
            assert!(text.parse::<Actor>().is_err(), "{text:?}");
        }
        assert_eq!(
            "u1".parse::<Actor>().unwrap_err(),
            "write ROLE:USER, such as customer:u1"
        );
    }
}
