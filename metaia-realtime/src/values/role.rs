//! The four roles of the marketplace.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Code;

/// The role of a user in the marketplace. Each role has its own app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Orders garments.
    Customer,
    /// Runs the marketplace; sees everything.
    Admin,
    /// Makes garments.
    Tailor,
    /// Delivers garments. Tokens may also say `delivery_partner`.
    #[serde(alias = "delivery_partner")]
    Delivery,
}

impl Role {
    /// Every role, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Admin, Self::Tailor, Self::Delivery];

    /// Returns the name that tokens, rooms and logs use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Admin => "admin",
            Self::Tailor => "tailor",
            Self::Delivery => "delivery",
        }
    }
}

impl Code for Role {
    const ALL: &'static [Self] = &Self::ALL;

    fn code(self) -> &'static str {
        self.as_str()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text {
            "customer" => Ok(Self::Customer),
            "admin" => Ok(Self::Admin),
            "tailor" => Ok(Self::Tailor),
            "delivery" | "delivery_partner" => Ok(Self::Delivery),
            _ => Err(UnknownRole),
        }
    }
}

/// Reason why a text is not a [`Role`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of customer, admin, tailor, delivery")]
pub struct UnknownRole;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_from_its_name() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("delivery_partner".parse(), Ok(Role::Delivery));
        assert_eq!("Admin".parse::<Role>(), Err(UnknownRole));
    }
}
