//! The people of the matrix: a column each, by their role and their relation to the order.

use metaia_realtime::Role;

/// A person, a program with an API key, or a client without a token, as they stand to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// Without a token.
    Anonymous,
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

/// The names of a subject.
struct SubjectNames {
    /// The one in files, messages and wide tables.
    long: &'static str,
    /// The one in narrow tables, whose legend explains it: each of its words has at most four
    /// characters.
    short: &'static str,
}

const fn names(long: &'static str, short: &'static str) -> SubjectNames {
    SubjectNames { long, short }
}

impl Subject {
    /// All of them, in the order of the columns.
    pub(super) const ALL: [Self; 11] = [
        Self::Anonymous,
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

    const fn names(self) -> SubjectNames {
        match self {
            Self::Anonymous => names("anonymous", "anon"),
            Self::Owner => names("owner", "own"),
            Self::OtherCustomer => names("other customer", "oth cust"),
            Self::Tailor => names("tailor", "tail"),
            Self::OtherTailor => names("other tailor", "oth tail"),
            Self::Courier => names("courier", "cour"),
            Self::OtherCourier => names("other courier", "oth cour"),
            Self::Admin => names("admin", "adm"),
            Self::OwnerAsTailor => names("owner as tailor", "own tail"),
            Self::TailorAsCustomer => names("tailor as customer", "tail cust"),
            Self::Backend => names("backend", "back"),
        }
    }

    /// Returns the name in files and messages.
    pub(super) fn name(self) -> &'static str {
        self.names().long
    }

    /// Returns the subject with this name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Returns the two lines of the heading of a wide table.
    pub(super) fn wide_heading(self) -> [&'static str; 2] {
        two_lines(self.names().long)
    }

    /// Returns the two lines of the heading of a narrow table: at most four characters each.
    pub(super) fn narrow_heading(self) -> [&'static str; 2] {
        two_lines(self.names().short)
    }

    /// Returns the role of the token; `None` for a subject without a token.
    pub(super) fn role(self) -> Option<Role> {
        match self {
            Self::Anonymous | Self::Backend => None,
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

/// Returns a name with its last word, if it has several, in a line of its own.
fn two_lines(name: &'static str) -> [&'static str; 2] {
    let (first, last) = name.rsplit_once(' ').unwrap_or((name, ""));
    [first, last]
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
