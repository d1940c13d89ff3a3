//! The people of the matrix: a column each, by their role and their relation to the order.

use metaia_realtime::Role;

/// A person, a program with an API key, or nobody, as they stand to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// Without a token.
    Nobody,
    Owner,
    OtherCustomer,
    Tailor,
    OtherTailor,
    Courier,
    OtherCourier,
    Admin,
    /// The owner's user id, in another role.
    OwnerAsTailor,
    /// The tailor's user id, in another role.
    TailorAsCustomer,
    /// The API key.
    Backend,
}

/// The words of a subject: in files, and in the two lines of a heading.
struct SubjectWords {
    name: &'static str,
    wide: [&'static str; 2],
    narrow: [&'static str; 2],
}

const fn words(
    name: &'static str,
    wide: [&'static str; 2],
    narrow: [&'static str; 2],
) -> SubjectWords {
    SubjectWords { name, wide, narrow }
}

impl Subject {
    /// All of them, in the order of the columns.
    pub(super) const ALL: [Self; 11] = [
        Self::Nobody,
        Self::Owner,
        Self::OtherCustomer,
        Self::Tailor,
        Self::OtherTailor,
        Self::Courier,
        Self::OtherCourier,
        Self::Admin,
        Self::OwnerAsTailor,
        Self::TailorAsCustomer,
        Self::Backend,
    ];

    const fn words(self) -> SubjectWords {
        match self {
            Self::Nobody => words("nobody", ["no", "token"], ["no", "tok"]),
            Self::Owner => words("owner", ["customer", "owner"], ["cust", "own"]),
            Self::OtherCustomer => words("other customer", ["customer", "other"], ["cust", "oth"]),
            Self::Tailor => words("tailor", ["tailor", "assigned"], ["tail", "own"]),
            Self::OtherTailor => words("other tailor", ["tailor", "other"], ["tail", "oth"]),
            Self::Courier => words("courier", ["courier", "assigned"], ["cour", "own"]),
            Self::OtherCourier => words("other courier", ["courier", "other"], ["cour", "oth"]),
            Self::Admin => words("admin", ["admin", ""], ["adm", ""]),
            Self::OwnerAsTailor => words(
                "owner as tailor",
                ["tailor", "owner's id"],
                ["tail", "=own"],
            ),
            Self::TailorAsCustomer => words(
                "tailor as customer",
                ["customer", "tailor's id"],
                ["cust", "=tai"],
            ),
            Self::Backend => words("backend", ["API", "key"], ["API", "key"]),
        }
    }

    /// Returns the name in files and messages.
    pub(super) fn name(self) -> &'static str {
        self.words().name
    }

    /// Returns the subject with this name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Returns the two lines of the heading of a wide table.
    pub(super) fn wide_heading(self) -> [&'static str; 2] {
        self.words().wide
    }

    /// Returns the two lines of the heading of a narrow table: at most four characters each.
    pub(super) fn narrow_heading(self) -> [&'static str; 2] {
        self.words().narrow
    }

    /// Returns the role of the token; `None` for a subject without a token.
    pub(super) fn role(self) -> Option<Role> {
        match self {
            Self::Nobody | Self::Backend => None,
            Self::Owner | Self::OtherCustomer | Self::TailorAsCustomer => Some(Role::Customer),
            Self::Tailor | Self::OtherTailor | Self::OwnerAsTailor => Some(Role::Tailor),
            Self::Courier | Self::OtherCourier => Some(Role::Delivery),
            Self::Admin => Some(Role::Admin),
        }
    }

    /// Returns the subject whose user id this one has.
    pub(super) fn user(self) -> Self {
        match self {
            Self::OwnerAsTailor => Self::Owner,
            Self::TailorAsCustomer => Self::Tailor,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_that_of_one_subject() {
        for subject in Subject::ALL {
            assert_eq!(Subject::of_name(subject.name()), Some(subject));
            for line in subject.narrow_heading() {
                assert!(line.len() <= 4, "{line}");
            }
        }
        assert_eq!(Subject::of_name("someone"), None);
    }
}
